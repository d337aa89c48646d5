"""Rules on the price: whether an order has one, how old the market's is, and how far from it an order may trade."""

from __future__ import annotations

from fractions import Fraction
from typing import Final

from ....domain.freshness import age_fault
from ....domain.instruments import is_option
from ....domain.money import exact
from ....domain.time import SECOND_NS
from ....domain.venues import aged_at_ns
from ....domain.wording import printable
from ....messages.orders import Side, SubmitOrder
from ....messages.units import RUPEES_MAX
from .situation import SURELY_WITHIN, SURELY_WITHIN_NS, Band, Situation

NEAREST_RUPEES: Final = 0.25
"""A limit this near to the market's price is never too far from it: five ticks of five paise, for cheap options."""


def terms(order: SubmitOrder, situation: Situation) -> str:
    """Refuse what is probably meant otherwise.

    A MARKET order with a limit would be valued at the limit, and trade at any price. An entry with a target alone that
    waits for a stop which the market has passed already would be sent at once, and nothing would close a loss: its
    price is meant as that of a stop loss.
    """
    if order.limit_price is not None and order.order_type == "MARKET":
        return f"no limit_price of a MARKET order wanted, found {order.limit_price}"
    stop = order.trigger_price
    if stop is None or order.target_price is None or order.stop_loss_price is not None:
        return ""
    market, _ = situation.price_of(order)
    sign = 1 if order.side == "BUY" else -1
    if not 0 < market <= RUPEES_MAX or (market - stop) * sign <= 0:
        return ""
    where = "above" if sign > 0 else "below"
    wanted = f"a stop {where} the market's {market:.2f} rupees for a {order.side} that waits for it wanted"
    return f"{wanted}, found {stop:.2f}; what closes a loss is stop_loss"


def exits(order: SubmitOrder, situation: Situation) -> str:
    """Refuse a bracket whose entry would trade at once where one of its exits trades at once, too: it opens to close.

    An entry that waits, for its limit or its trigger, is judged by its own prices when it is made. Where the market has
    no price, no rule can tell.
    """
    target, stop = order.target_price, order.stop_loss_price
    if target is None and stop is None:
        return ""
    market, _ = situation.price_of(order)
    sign = 1 if order.side == "BUY" else -1
    for waits_for, is_met_above in ((order.trigger_price, sign), (order.limit_price, -sign)):
        if waits_for is not None and (market - waits_for) * is_met_above < 0:
            return ""
    if not 0 < market <= RUPEES_MAX:
        return ""
    for what, price, is_beyond in (("target", target, sign), ("stop loss", stop, -sign)):
        if price is not None and (price - market) * is_beyond <= 0:
            where = "above" if is_beyond > 0 else "below"
            return f"a {what} {where} the market's {market:.2f} rupees for a {order.side} wanted, found {price:.2f}"
    return ""


def price_age_max_s(order: SubmitOrder, situation: Situation) -> str:
    """Refuse an order decided on an old price, as when the feed has stopped; also a limit order.

    While a closing auction goes on in the sessions that orders keep to, it counts to the end of continuous trading.
    """
    limit_s = situation.limits.price_age_max_s
    if limit_s == 0:
        return ""
    _, price_ns = situation.price_of(order)
    if price_ns > 0 and 0 <= situation.now_ns - price_ns < limit_s * SURELY_WITHIN_NS:
        return ""
    if price_ns == 0:
        return f"a last price of at most {limit_s:g} s of age wanted, found none"
    exchange = situation.limits.session
    now_ns = situation.now_ns if exchange == "none" else aged_at_ns(order.symbol, price_ns, situation.now_ns, exchange)
    return age_fault("a last price", price_ns, now_ns, age_max_s=limit_s)


def price_band_age_max_s(order: SubmitOrder, situation: Situation) -> str:
    """Refuse any price outside of the exchange's price band of the day, and to open without knowing that.

    A band that the market's price has left is known no more: bands are moved within the day.
    """
    limit_s = situation.limits.price_band_age_max_s
    if limit_s == 0:
        return ""
    band = situation.bands.of.get(order.symbol)
    if band is None or situation.now_ns - band.as_of_ns > limit_s * SECOND_NS:
        return _without_band(order, situation, band)
    limit_price = order.limit_price
    if (
        (limit_price is None or band.low <= limit_price <= band.high)
        and order.trigger_price is None
        and order.target_price is None
        and order.stop_loss_price is None
    ):
        return ""
    prices = (limit_price, order.trigger_price, order.target_price, order.stop_loss_price)
    outside = [price for price in prices if price is not None and not band.low <= price <= band.high]
    market = situation.price_of(order)[0]
    if outside and market and not band.low <= market <= band.high:
        return _without_band(order, situation, band, market)
    wanted = f"prices from {band.low:.2f} to {band.high:.2f} rupees, the exchange's band of the day, wanted"
    return f"{wanted}, found {outside[0]:.2f}" if outside else ""


def _without_band(order: SubmitOrder, situation: Situation, band: Band | None, market: float = 0.0) -> str:
    if not situation.opens(order):
        return ""
    limit_s, symbol = situation.limits.price_band_age_max_s, printable(order.symbol)
    wanted = f"the exchange's price band of {symbol!r}, told in the last {limit_s:g} s, wanted"
    if band is None:
        why = f": {situation.bands.problem}" if situation.bands.problem else ""
        return f"{wanted}, found none{why}"
    if market:
        return f"{wanted}, found {band.low:.2f} to {band.high:.2f}, which the market has left at {market:.2f}"
    return f"{wanted}, found one of {(situation.now_ns - band.as_of_ns) / SECOND_NS:.0f} s ago"


def price_collar_percent(order: SubmitOrder, situation: Situation) -> str:
    """Refuse a limit that would trade too far through the market: a BUY above its price, a SELL below.

    A limit on the other side of the price only waits there, as an exit at its target does. That of a stop may be as far
    through its trigger, since that is where the market will be. Of the exits of a bracket see `exits`.
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
    if order.trigger_price is None:
        return _too_far(order.side, order.limit_price, price, percent, "market's")
    return _too_far(order.side, order.limit_price, order.trigger_price, percent, "trigger of")


def _too_far(side: Side, limit_price: float, price: float, percent: float, whose: str) -> str:
    """Say by how much a limit is too far through a price; empty: it is not."""
    beyond = limit_price - price if side == "BUY" else price - limit_price
    if beyond <= 0 or beyond < max(price * percent / 100, NEAREST_RUPEES) * SURELY_WITHIN:
        return ""
    distance = abs(_exact(limit_price) - _exact(price))
    if distance <= max(_exact(price) * _exact(percent) / 100, _exact(NEAREST_RUPEES)):
        return ""
    return (
        f"a limit at most {percent:g} % through the {whose} {price:.2f} rupees wanted, "
        f"found {limit_price:.2f}, {beyond / price * 100:.2f} %"
    )


def _exact(number: float) -> Fraction:
    return Fraction(exact(number))
