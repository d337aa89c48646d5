"""Regular looks at the orders that are open or in doubt. Pure, save for the driver that the body gives it to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec

from .....domain.dhan.trading.orders import OrderRow, TradeRow
from . import endpoints
from .flows import Flow, Question
from .progress import Watched, progress_of
from .reading import only, row_of, rows_of

FEW: Final = 2
"""Up to so many orders are looked at one by one; for more the whole order book is read."""

FIRST_S: Final = 0.25
OPEN_MAX_S: Final = 5.0
DOUBTFUL_MAX_S: Final = 60.0
EASED_FIRST_S: Final = 1.0
EASED_MAX_S: Final = 15.0
"""Longest interval, in seconds, while order updates say when to look: what they miss is seen after it."""

GROWTH: Final = 1.6


class Interval:
    """How long until the next look: short after news, longer each time that nothing has happened."""

    def __init__(self) -> None:
        self.seconds = FIRST_S

    def shorten(self, *, is_eased: bool = False) -> None:
        """Return to the shortest interval: something has happened, or will."""
        self.seconds = EASED_FIRST_S if is_eased else FIRST_S

    def lengthen(self, *, any_open: bool, is_eased: bool = False) -> None:
        """Wait longer; longest where all that is left are orders that the broker may not have."""
        longest = EASED_MAX_S if is_eased else OPEN_MAX_S if any_open else DOUBTFUL_MAX_S
        self.seconds = min(self.seconds * GROWTH, longest)


class Sight(msgspec.Struct, frozen=True, kw_only=True):
    """What a look has seen."""

    rows: tuple[tuple[Watched, OrderRow], ...] = ()
    trades: tuple[TradeRow, ...] = ()
    problem: str = ""
    """Why the look was incomplete; empty: it was not."""


def look(orders: Sequence[Watched], now_ns: int) -> Flow[Sight]:
    """Read the rows of these orders, and their trades where a row is ahead of those that are known."""
    if len(orders) <= FEW and all(order.broker_order_id for order in orders):
        rows, problem = yield from _one_by_one(orders)
    else:
        rows, problem = yield from _in_book(orders)
    ahead = [row for order, row in rows if progress_of(order, row, (), now_ns).needs_trades]
    trades: list[TradeRow] = []
    if ahead:
        if len(ahead) == 1:
            reply = yield Question(endpoints.TRADES_OF_ORDER, rows_of(TradeRow), {"order_id": ahead[0].order_id})
        else:
            reply = yield Question(endpoints.TRADE_BOOK, only(TradeRow, {row.order_id for row in ahead}, ()))
        if reply.outcome == "told":
            trades, unreadable = reply.value
            problem = problem or (f"{unreadable} trades cannot be read" if unreadable else "")
        else:
            problem = reply.reason
    return Sight(rows=tuple(rows), trades=tuple(trades), problem=problem)


def _one_by_one(orders: Sequence[Watched]) -> Flow[tuple[list[tuple[Watched, OrderRow]], str]]:
    rows, problem = [], ""
    for order in orders:
        number = order.broker_order_id
        reply = yield Question(endpoints.ORDER, row_of(number), {"order_id": number})
        if reply.outcome != "told":
            problem = reply.reason
        elif reply.value is not None:
            rows.append((order, reply.value))
    return rows, problem


def _in_book(orders: Sequence[Watched]) -> Flow[tuple[list[tuple[Watched, OrderRow]], str]]:
    numbered = {order.broker_order_id: order for order in orders if order.broker_order_id}
    doubtful = {order.client_order_id: order for order in orders if not order.broker_order_id}
    reply = yield Question(endpoints.ORDER_BOOK, only(OrderRow, set(numbered), doubtful))
    if reply.outcome != "told":
        return [], reply.reason
    found, unreadable = reply.value
    rows: dict[str, tuple[Watched, OrderRow]] = {}
    several: set[str] = set()
    problem = f"{unreadable} orders cannot be read" if unreadable else ""
    for row in found:
        order = numbered.get(row.order_id) or doubtful.get(row.correlation_id)
        if order is None:
            continue
        if order.client_order_id in rows:
            problem = f"one order of the id {order.client_order_id} wanted, found several"
            several.add(order.client_order_id)
        rows[order.client_order_id] = order, row
    for client_order_id in several:  # it is not known which of them is ours
        del rows[client_order_id]
    return list(rows.values()), problem
