"""Rules on the price: how old it is, and how far from it an order may trade (pure)."""

from __future__ import annotations

from fractions import Fraction
from typing import Final

from ....domain.freshness import age_fault
from ....domain.instruments import is_option
from ....domain.money import exact
from ....domain.time import SECOND_NS
from ....domain.venues import aged_at_ns
from ....domain.wording import printable
from ....messages.orders import SubmitOrder
from ....messages.units import RUPEES_MAX
from .situation import SURELY_WITHIN, Situation

NEAREST_RUPEES: Final = 0.25
"""A limit this near to the market's price is never too far from it: five ticks of five paise, for cheap options."""


def price_age_max_s(order: SubmitOrder, situation: Situation) -> str:
    """Refuse an order decided on an old price, as when the feed has stopped; also a limit order."""
    limit_s = situation.limits.price_age_max_s
    if limit_s == 0:
        return ""
    _, price_ns = situation.price_of(order)
    if price_ns > 0 and 0 <= situation.now_ns - price_ns < limit_s * SECOND_NS * SURELY_WITHIN:
        return ""
    if price_ns == 0:
        return f"a last price of at most {limit_s:g} s of age wanted, found none"
    now_ns = aged_at_ns(order.symbol, price_ns, situation.now_ns)
    return age_fault("a last price", price_ns, now_ns, age_max_s=limit_s)


def price_collar_percent(order: SubmitOrder, situation: Situation) -> str:
    """Refuse a limit that would trade too far through the market: a BUY above its price, a SELL below.

    A limit on the other side of the price only waits there, as an exit at its target does. That of a stop may be as far
    through its trigger, since that is where the market will be.
    """
    limits = situation.limits
    percent = limits.option_collar_percent if is_option(order.symbol) else limits.price_collar_percent
    if percent == 0:
        return ""
    price, _ = situation.price_of(order)
    if not 0 < price <= RUPEES_MAX:
        return f"a price of the market for {printable(order.symbol)!r} wanted, found none"
    if order.limit_price is None:
        return ""
    what = "trigger of"
    if order.trigger_price is None:
        what = "market's"
    else:
        price = order.trigger_price
    beyond = order.limit_price - price if order.side == "BUY" else price - order.limit_price
    if beyond <= 0 or beyond < max(price * percent / 100, NEAREST_RUPEES) * SURELY_WITHIN:
        return ""
    distance = abs(_exact(order.limit_price) - _exact(price))
    if distance <= max(_exact(price) * _exact(percent) / 100, _exact(NEAREST_RUPEES)):
        return ""
    return (
        f"a limit at most {percent:g} % through the {what} {price:.2f} rupees wanted, "
        f"found {order.limit_price:.2f}, {beyond / price * 100:.2f} %"
    )


def _exact(number: float) -> Fraction:
    return Fraction(exact(number))
