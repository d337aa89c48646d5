"""The risk gate (pure): named rules, checked in order; the first that refuses decides.

It fails closed: a missing value refuses the order, and every comparison is written so that NaN refuses it, too.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Final, TypeAlias

import msgspec

from ...config.sections.orders import OrdersSettings
from ...domain.client_order_ids import LENGTH_MAX, is_client_order_id
from ...domain.instruments import is_symbol
from ...domain.money import exact, exact_value
from ...domain.orders import Order
from ...domain.time import SECOND_NS
from ...domain.wording import printable
from ...messages.orders import OrderRefused, RiskState, Side, SubmitOrder
from ...messages.units import RUPEES_MAX
from .book import Book


class Refusal(msgspec.Struct, frozen=True, kw_only=True):
    """Why the gate refused an order."""

    rule: str
    reason: str
    """What was wanted and what was found."""


class Situation(msgspec.Struct, frozen=True, kw_only=True):
    """What the gate considers besides the order itself."""

    risk_state: RiskState
    limits: OrdersSettings
    book: Book
    """Built from durable facts."""

    intents: Mapping[str, SubmitOrder]
    """Orders that passed the gate and are not durable yet, by client order id: their exposure counts already."""

    now_ns: int
    """Market time: nanoseconds since 1970-01-01 UTC."""

    strategy_position_max: int | None = None
    """Shares of one symbol that this strategy may hold; None: only the account's limit applies."""

    strategy_orders_in_flight_max: int | None = None
    """Unanswered orders that this strategy may have; None: only the account's limit applies."""

    at_this_moment: int = 1
    """Orders that this strategy has submitted at exactly this market time, this one included."""

    def worst_case(self, symbol: str, side: Side) -> int:
        """Return the signed shares held if every open order of this side fills, and none of the other."""
        open_shares = self.book.leaves(symbol, side) + sum(
            intent.quantity for intent in self.intents.values() if intent.symbol == symbol and intent.side == side
        )
        return self.book.position(symbol) + (open_shares if side == "BUY" else -open_shares)

    def worst_case_of(self, strategy: str, symbol: str, side: Side) -> int:
        """Return the same for the holding and the orders of one strategy."""
        open_shares = self.book.strategy_leaves(strategy, symbol, side) + sum(
            intent.quantity
            for intent in self.intents.values()
            if (intent.strategy, intent.symbol, intent.side) == (strategy, symbol, side)
        )
        return self.book.shares(strategy).get(symbol, 0) + (open_shares if side == "BUY" else -open_shares)


Rule: TypeAlias = Callable[[SubmitOrder, Situation], str]
"""Returns the reason of a refusal, empty to let the order pass."""


def risk_state(order: SubmitOrder, situation: Situation) -> str:
    """Pass all orders in NORMAL, only those that reduce a position in REDUCING, none in other states."""
    state = situation.risk_state
    if state == "NORMAL":
        return ""
    if state != "REDUCING":
        return f"risk state NORMAL wanted, found {state}"
    # Shares that other open orders of this side may close already do not count as closable.
    held = situation.worst_case(order.symbol, order.side)
    closable = -held if order.side == "BUY" else held
    if order.quantity <= closable:
        return ""
    return f"in REDUCING at most {max(closable, 0)} shares may be closed by {order.side}, found {order.quantity}"


def client_order_id(order: SubmitOrder, _situation: Situation) -> str:
    """Require the broker's alphabet and length."""
    if is_client_order_id(order.client_order_id):
        return ""
    return f"1 to {LENGTH_MAX} characters of A-Z a-z 0-9 - _ wanted, found {printable(order.client_order_id)!r}"


def duplicate(order: SubmitOrder, situation: Situation) -> str:
    """Require a client order id that was never used before."""
    if order.client_order_id not in situation.book and order.client_order_id not in situation.intents:
        return ""
    return f"a client order id never used before wanted, found {order.client_order_id!r} in the book"


def symbol(order: SubmitOrder, situation: Situation) -> str:
    """Pass only the symbols in the settings; if there are none, any well-formed symbol."""
    allowed = situation.limits.symbols
    if is_symbol(order.symbol) and (not allowed or order.symbol in allowed):
        return ""
    return f"one of {len(allowed) or 'any'} known symbols wanted, found {printable(order.symbol)!r}"


def quantity_max(order: SubmitOrder, situation: Situation) -> str:
    """Limit the shares of one order."""
    limit = situation.limits.quantity_max
    return "" if 1 <= order.quantity <= limit else f"1 to {limit} shares wanted, found {order.quantity}"


def price_age_max_s(order: SubmitOrder, situation: Situation) -> str:
    """Refuse an order decided on an old price, as when the feed has stopped; also a limit order."""
    limit_s = situation.limits.price_age_max_s
    if limit_s == 0:
        return ""
    if order.reference_ns == 0:
        return f"a last price of at most {limit_s:g} s of age wanted, found none"
    age_s = (situation.now_ns - order.reference_ns) / SECOND_NS
    return "" if age_s <= limit_s else f"a last price of at most {limit_s:g} s of age wanted, found {age_s:.3f} s"


def value_max_rupees(order: SubmitOrder, situation: Situation) -> str:
    """Limit the value of one order (rupees) at the highest price it may trade at; refuse it if there is no price.

    A buyer pays at most the limit price. A seller gets the limit price or more, so the last price counts if higher. Of
    a stop without a limit, its trigger counts if higher.
    """
    price, limit_price = order.reference_price, order.limit_price
    if limit_price is not None and order.side == "BUY":
        price = limit_price
    if price == 0:
        return f"a symbol that has a price wanted, found no tick of {printable(order.symbol)!r} yet: is it spelled so?"
    if not 0 < price <= RUPEES_MAX:
        return f"a last price above 0 rupees wanted, found {price}"
    # A stop trades at its trigger or, a gap before it, behind that: no value is known to be the highest.
    price = max(price, limit_price or 0.0, order.trigger_price or 0.0)
    limit, value = situation.limits.value_max_rupees, exact_value(price, order.quantity)
    return "" if value <= exact(limit) else f"at most {limit:.2f} rupees wanted, found {value:.2f}"


def position_max(order: SubmitOrder, situation: Situation) -> str:
    """Limit the position if all open orders of this side fill; an order that reduces a position always passes."""
    held = situation.worst_case(order.symbol, order.side)
    return _beyond(situation.limits.position_max, order, held, "a position")


def strategy_position_max(order: SubmitOrder, situation: Situation) -> str:
    """Limit the position of this strategy alone in the same way, if it has a limit of its own."""
    limit = situation.strategy_position_max
    if limit is None:
        return ""
    held = situation.worst_case_of(order.strategy, order.symbol, order.side)
    return _beyond(limit, order, held, "a position of this strategy")


def _beyond(limit: int, order: SubmitOrder, held: int, what: str) -> str:
    worst = held + (order.quantity if order.side == "BUY" else -order.quantity)
    within = worst <= limit if order.side == "BUY" else worst >= -limit
    return "" if within else f"{what} of at most {limit} shares wanted, found {worst} if all open orders fill"


def orders_in_flight_max(_order: SubmitOrder, situation: Situation) -> str:
    """Limit the orders without an answer of the broker, this one included."""
    limit = situation.limits.orders_in_flight_max
    in_flight = situation.book.unanswered + len(situation.intents) + 1
    if in_flight <= limit:
        return ""
    return f"at most {limit} unanswered orders wanted, found {in_flight}{_whose_most_are(situation)}"


def _whose_most_are(situation: Situation) -> str:
    """Name the strategy that has most of the account's unanswered orders: the others wait for it."""
    counts = Counter(situation.book.unanswered_by_strategy())
    counts.update(intent.strategy for intent in situation.intents.values())
    # By name where two have as many, so that a recording says the same each time it is played.
    name, count = max(counts.items(), key=lambda item: (item[1], item[0]), default=("", 0))
    return f", {count} of them of {printable(name)}" if count else ""


def strategy_orders_in_flight_max(order: SubmitOrder, situation: Situation) -> str:
    """Limit those of this strategy alone in the same way, if it has a limit of its own."""
    limit = situation.strategy_orders_in_flight_max
    if limit is None:
        return ""
    intents = sum(intent.strategy == order.strategy for intent in situation.intents.values())
    in_flight = situation.book.strategy_unanswered(order.strategy) + intents + 1
    return "" if in_flight <= limit else f"at most {limit} unanswered orders of this strategy wanted, found {in_flight}"


def orders_a_moment_max(_order: SubmitOrder, situation: Situation) -> str:
    """Limit the orders of a strategy at one market time: one that orders again at each fill would never let it pass."""
    limit, found = situation.limits.orders_a_moment_max, situation.at_this_moment
    return "" if found <= limit else f"at most {limit} orders while the market stands still wanted, found {found}"


RULES: Final[tuple[Rule, ...]] = (
    risk_state,
    client_order_id,
    duplicate,
    symbol,
    quantity_max,
    price_age_max_s,
    value_max_rupees,
    position_max,
    strategy_position_max,
    orders_in_flight_max,
    strategy_orders_in_flight_max,
    orders_a_moment_max,
)
"""In this order; a rule's name in a refusal is its function's name."""


_CONTENT: Final = (
    *("strategy", "symbol", "side", "quantity", "order_type", "limit_price"),
    *("trigger_price", "validity", "product"),
)
"""Fields in which a repeat must equal the first order; time of submission and reference price may differ."""


def judge(order: SubmitOrder, situation: Situation) -> Refusal | None:
    """Check the rules in order; return the first refusal, or None if the order passes."""
    for rule in RULES:
        reason = rule(order, situation)
        if reason:
            return Refusal(rule=rule.__name__, reason=reason)
    return None


def contradiction(order: SubmitOrder, earlier: SubmitOrder | Order | OrderRefused) -> Refusal | None:
    """Compare an order with the earlier one of its client order id; None if it is a repeat.

    With a refused order only the fields in `OrderRefused` are compared, in the characters that it has there.
    """
    for name in _CONTENT:
        wanted, found = getattr(earlier, name, None), getattr(order, name)
        if isinstance(earlier, OrderRefused):
            if name not in OrderRefused.__struct_fields__:
                continue
            found = printable(found) if isinstance(found, str) else found
        if wanted != found:
            reason = f"{name} {wanted!r} wanted, as the order of that id has it, found {found!r}"
            return Refusal(rule=duplicate.__name__, reason=printable(reason, 200))
    return None
