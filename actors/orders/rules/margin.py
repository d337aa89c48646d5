"""The rule on money: an order that opens needs a margin, and the broker has told what there is (pure).

What the broker wants is known to the broker alone. This is an estimate from settings, for orders that it would reject.
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Final

from ....domain.instruments import is_option, strike_rupees
from ....domain.money import exact
from ....domain.time import SECOND_NS
from .situation import INFINITE, NO_PRICE, SURELY_WITHIN

if TYPE_CHECKING:
    from ....messages.orders import SubmitOrder
    from .situation import Funds, Situation

FUNDS_AGE_MAX_S: Final = 180
"""Funds that were told longer ago say nothing: three looks of a minute."""


def margin_use_max_percent(order: SubmitOrder, situation: Situation) -> str:
    """Limit what an order that opens needs of the broker's funds, with all that was ordered since they were told."""
    percent, funds = situation.limits.margin_use_max_percent, situation.funds
    if percent == 0 or not situation.opens(order):
        return ""
    if funds is None:
        return "funds that the broker has told wanted, found none"
    if situation.now_ns - funds.as_of_ns > FUNDS_AGE_MAX_S * SECOND_NS:
        age_s = (situation.now_ns - funds.as_of_ns) / SECOND_NS
        return f"funds told in the last {FUNDS_AGE_MAX_S} s wanted, found {age_s:.0f} s"
    if _at_most(order, situation, funds) < funds.available_rupees * percent / 100 * SURELY_WITHIN:
        return ""
    return _beyond(order, situation, funds)


def _at_most(order: SubmitOrder, situation: Situation, funds: Funds) -> float:
    """Return what is surely not less than the margin, in a tenth of its time: infinite where that is not so easy."""
    worth = 0.0
    for symbol, (long, short) in situation.most_shares(order).items():
        had_long, had_short = funds.covered.get(symbol, (0, 0))
        more = max(long - had_long, short - had_short)
        if more > 0:
            price = _price(situation, symbol, order)
            if price <= 0 or is_option(symbol):
                return INFINITE
            worth += more * price
    return worth if situation.product == "CNC" else worth * situation.limits.margin_percent / 100


def _beyond(order: SubmitOrder, situation: Situation, funds: Funds) -> str:
    percent = situation.limits.margin_use_max_percent
    needed = needed_rupees(situation, order)
    if needed is None:
        return "a price of each symbol that is ordered wanted to know its margin, found one without"
    limit = _exact(funds.available_rupees) * _exact(percent) / 100
    if needed <= limit:
        return ""
    return (
        f"a margin of at most {float(limit):.2f} rupees, {percent:g} % of {funds.available_rupees:.2f} at the broker, "
        f"wanted, found {float(needed):.2f} with this"
    )


def needed_rupees(situation: Situation, order: SubmitOrder | None = None) -> Fraction | None:
    """Return the margin of all that was ordered since the funds were told, if it fills; None: a price is missing.

    Args:
        situation: with the prices, and with what is covered.
        order: counts, too.
    """
    covered = {} if situation.funds is None else situation.funds.covered
    share, total = _exact(situation.limits.margin_percent) / 100, Fraction(0)
    for symbol, (long, short) in situation.most_shares(order).items():
        had_long, had_short = covered.get(symbol, (0, 0))
        more_long, more_short = long - had_long, short - had_short
        if more_long <= 0 and more_short <= 0:
            continue
        price = _price(situation, symbol, order)
        if price <= 0:
            return None
        is_whole = is_option(symbol) or situation.product == "CNC"
        of_long = more_long * _exact(price) * (1 if is_whole else share)
        of_short = more_short * _exact(strike_rupees(symbol) or price) * share
        total += max(of_long, of_short)
    return total


def _price(situation: Situation, symbol: str, order: SubmitOrder | None) -> float:
    price = (NO_PRICE if situation.market is None else situation.market.get(symbol, NO_PRICE))[0]
    if order is None or symbol != order.symbol:
        return price
    return max(situation.price_of(order)[0], order.limit_price or 0.0, order.trigger_price or 0.0)


def _exact(number: float) -> Fraction:
    return Fraction(exact(number))
