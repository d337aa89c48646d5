"""Rules on the size of one order (pure)."""

from __future__ import annotations

from ....domain.money import exact, exact_value
from ....domain.wording import printable
from ....messages.orders import SubmitOrder
from ....messages.units import RUPEES_MAX
from .situation import SURELY_WITHIN, Situation


def quantity_max(order: SubmitOrder, situation: Situation) -> str:
    """Limit the shares of one order; the message itself requires at least 1."""
    limit = situation.limits.quantity_max
    return "" if order.quantity <= limit else f"1 to {limit} shares wanted, found {order.quantity}"


def freeze_quantity(order: SubmitOrder, situation: Situation) -> str:
    """Refuse an order above the freeze quantity of its instrument, which the exchange takes from nobody."""
    limit = situation.freeze_quantities.get(order.symbol)
    if limit is None or order.quantity <= limit:
        return ""
    return f"1 to {limit} shares wanted, as the exchange's freeze quantity allows, found {order.quantity}"


def value_max_rupees(order: SubmitOrder, situation: Situation) -> str:
    """Limit the value of one order (rupees) at the highest price it may trade at; refuse it if there is no price.

    A buyer pays at most the limit price. A seller gets the limit price or more, so the last price counts if higher. Of
    a stop without a limit, its trigger counts if higher.
    """
    limit = situation.limits.value_max_rupees
    if situation.highest_price(order) * order.quantity < limit * SURELY_WITHIN:
        return ""
    (price, _), limit_price = situation.price_of(order), order.limit_price
    if limit_price is not None and order.side == "BUY":
        price = limit_price
    if price == 0:
        return f"a symbol that has a price wanted, found no tick of {printable(order.symbol)!r} yet: is it spelled so?"
    if not 0 < price <= RUPEES_MAX:
        return f"a last price above 0 rupees wanted, found {price}"
    # A stop trades at its trigger or, a gap before it, behind that: no value is known to be the highest.
    price = max(price, limit_price or 0.0, order.trigger_price or 0.0)
    value = exact_value(price, order.quantity)
    return "" if value <= exact(limit) else f"at most {limit:.2f} rupees wanted, found {value:.2f}"
