"""What the broker has squared off: intraday positions that it closes by orders of its own at the end of the day (pure).

The problem: no order of ours has closed them, so our book would hold them for ever, and differ from the broker's for
ever. No broker carries an intraday position, and it tells its orders on that day alone. So at the end of the day, and
where nothing but its orders explains the difference, they are taken for what they are.

Certain is that the shares are gone, and by which orders: the position differs by exactly what orders of others have
traded, these are all on the side that closes, they come to exactly what we hold as INTRADAY, of which the broker has
none left, and it is the time at which it closes. What a person sells in the day is none of this.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING, Final

from ..messages.reconciliation import SquaredOff
from .dhan.square_off import square_off_ns
from .time import date_of
from .venues import venue_of_symbol

if TYPE_CHECKING:
    from ..messages.orders import Product
    from ..messages.reconciliation import OrderAtBroker, PositionMismatch

SQUARED_OFF: Final[Product] = "INTRADAY"
"""The product whose positions the broker closes."""


def squared_off(
    differing: Iterable[PositionMismatch], by_others: Collection[OrderAtBroker], now_ns: int
) -> tuple[SquaredOff, ...]:
    """Return the positions that the broker has squared off, by differences that last.

    Args:
        differing: positions: of a symbol all products together, and each product that differs.
        by_others: orders of the day that are none of ours.
        now_ns: nanoseconds since 1970-01-01 UTC.
    """
    of = {(each.symbol, each.product): each for each in differing}
    found = []
    for (symbol, product), intraday in of.items():
        whole = of.get((symbol, ""))
        if product != SQUARED_OFF or whole is None or intraday.theirs or not _is_time(symbol, now_ns):
            continue
        traded = [each for each in by_others if each.symbol == symbol and each.filled]
        closing = "SELL" if intraday.ours > 0 else "BUY"
        if any(each.side != closing or each.average_price <= 0 for each in traded):
            continue
        if whole.theirs - whole.ours == whole.others == -intraday.ours and _sum(traded) == abs(intraday.ours):
            value = sum(each.filled * each.average_price for each in traded)
            found.append(SquaredOff(symbol=symbol, shares=intraday.ours, price=round(value / _sum(traded), 4)))
    return tuple(found)


def may_be_of_it(order: OrderAtBroker, intraday: int, now_ns: int) -> bool:
    """Say whether an order of others may be one by which the broker squares off.

    Args:
        order: of the day, none of ours.
        intraday: signed shares of its symbol that are held as INTRADAY by our book.
        now_ns: nanoseconds since 1970-01-01 UTC.
    """
    closing = "SELL" if intraday > 0 else "BUY"
    return bool(intraday) and order.side == closing and _is_time(order.symbol, now_ns)


def _sum(orders: Iterable[OrderAtBroker]) -> int:
    return sum(each.filled for each in orders)


def _is_time(symbol: str, now_ns: int) -> bool:
    today = date_of(now_ns)
    due_ns = square_off_ns(today, venue_of_symbol(symbol))
    return due_ns is not None and now_ns >= due_ns
