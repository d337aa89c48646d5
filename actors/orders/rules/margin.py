"""The rule on margin: what an order that opens needs, against the funds that the broker has told (pure).

Only the broker knows the margin exactly. This is an estimate from settings, to refuse what the broker would reject.
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Final, TypeVar

from ....domain.instruments import is_option, strike_of
from ....domain.money import exact
from ....domain.time import SECOND_NS
from ..book.day import INFINITE
from .situation import NO_PRICE, NO_PRICES, SURELY_WITHIN

if TYPE_CHECKING:
    from ....messages.orders import SubmitOrder
    from .situation import Funds, Situation

Number = TypeVar("Number", float, Fraction)

FUNDS_AGE_MAX_S: Final = 60
"""Funds that were told longer ago say nothing: two looks of `broker.compare_interval_s`, so that one may fail."""

FUNDS_AGE_MAX_NS: Final = FUNDS_AGE_MAX_S * SECOND_NS


def margin_use_max_percent(order: SubmitOrder, situation: Situation) -> str:
    """Limit what an order that opens needs of the broker's funds, with all that was ordered since they were told."""
    percent, funds = situation.limits.margin_use_max_percent, situation.funds
    if percent == 0:
        return ""
    if funds is None:
        return "funds that the broker has told wanted, found none" if situation.opens(order) else ""
    age_ns = situation.now_ns - funds.as_of_ns
    if age_ns > FUNDS_AGE_MAX_NS:
        found = f"funds told in the last {FUNDS_AGE_MAX_S} s wanted, found {age_ns / SECOND_NS:.0f} s"
        return found if situation.opens(order) else ""
    limit = funds.available_rupees * percent / 100 * SURELY_WITHIN
    if _at_most(order, situation, funds) < limit or not situation.opens(order):
        return ""
    return _beyond(order, situation, funds)


def _at_most(order: SubmitOrder, situation: Situation, funds: Funds) -> float:
    """Return what the margin is surely not more than, in a tenth of its time: infinite where that is not so easy.

    This order, and each that is not durable yet, counts in full, whatever is held or covered against it.
    """
    worth = situation.sums(order)[3]
    if worth == INFINITE:
        return INFINITE
    book, market, own, highest = situation.book, situation.market or NO_PRICES, order.symbol, situation.highest
    if highest > market[own][0] and own in (weights := book.weights(funds.covered)):
        worth += weights[own][3] * (highest - market[own][0])  # all of them count at the price of this order
    share = situation.limits.margin_percent / 100
    total = worth if situation.has_deliveries(order) else worth * share
    if options := book.uncovered_options:
        for symbol, (long, short) in options.items():
            price = highest if symbol == own else market.get(symbol, NO_PRICE)[0]
            if price <= 0:
                return INFINITE
            total += _of_option(long, short, price, strike_of(symbol) or 0.0, share)
    if situation.reserved or is_option(own):
        for each in (order, *situation.reserved.values()):
            if is_option(each.symbol):
                price = situation.highest_beside(each, order, market)
                total += _of_option(each.quantity, each.quantity, price, strike_of(each.symbol) or 0.0, share)
    return total


def _of_option(long: int, short: int, price: Number, strike: Number, share: Number) -> Number:
    """Return what contract units of an option need (rupees), long or short, whichever is more.

    Args:
        long: contract units.
        short: the same.
        price: rupees.
        strike: 0 where it is not known.
        share: of the value that a position needs.
    """
    return max(long * price, short * (strike or price) * share)


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
    delivered = situation.delivered(*([] if order is None else [order]))
    for symbol, (long, short) in situation.most_shares(order).items():
        had_long, had_short = covered.get(symbol, (0, 0))
        more_long, more_short = long - had_long, short - had_short
        if more_long <= 0 and more_short <= 0:
            continue
        price, strike = _exact(_price(situation, symbol, order)), strike_of(symbol)
        if price <= 0:
            return None
        if strike is not None:
            total += _of_option(more_long, more_short, price, _exact(strike), share)
        else:  # shares that are bought to be delivered need all of their value
            total += price * max(more_long * (1 if symbol in delivered else share), more_short * share)
    return total


def _price(situation: Situation, symbol: str, order: SubmitOrder | None) -> float:
    price = (NO_PRICE if situation.market is None else situation.market.get(symbol, NO_PRICE))[0]
    if order is None or symbol != order.symbol:
        return price
    return max(situation.price_of(order)[0], order.limit_price or 0.0, order.trigger_price or 0.0)


def _exact(number: float) -> Fraction:
    return Fraction(exact(number))
