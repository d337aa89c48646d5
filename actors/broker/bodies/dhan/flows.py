"""Conversations of several requests with Dhan, written as generators: pure, and driven by `talk.py`.

A flow yields what it wants (a request, a pause, all orders of the day), is sent the answer, and returns its result. An
answer that failed stays a failure: a look-up that failed is never "not found".
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from datetime import date
from typing import Any, Final, TypeAlias, TypeVar

import msgspec

from .....domain.dhan.account.portfolio import PositionRow
from .....domain.dhan.account.statements import PastTradeRow
from .....domain.dhan.tolerant import read
from .....domain.dhan.trading.orders import OrderAck, OrderRow, TradeRow
from .....domain.time import date_of
from .....messages.broker import ExecutionReport, FindOrder, LookupFailed, OrderFound, OrderNotFound
from . import endpoints
from .absence import reason_against
from .endpoints import Route
from .progress import Progress, Watched, progress_of, symbol_told, trade_report
from .reading import row_of, rows_of
from .replies import Reply

CANCELS_MAX: Final = 12
"""Requests for one cancellation; one that is in doubt is sent again only after a look-up has shown the order open."""

PAUSE_FIRST_S: Final = 0.2
PAUSE_MAX_S: Final = 5.0
HISTORY_PAGES_MAX: Final = 100

T = TypeVar("T")


class Question(msgspec.Struct, frozen=True):
    """Make this call."""

    route: Route
    read: Callable[[Any], Any]
    names: dict[str, str] = {}
    body: bytes | None = None


class Pause(msgspec.Struct, frozen=True):
    """Wait for so many seconds; the answer is None."""

    seconds: float


class WholeDay(msgspec.Struct, frozen=True):
    """Read all orders, trades and positions of the day, after now; the answer is a reply with a `Day`."""


class Day(msgspec.Struct, frozen=True, kw_only=True):
    """What Dhan has of this day. The order book is the newest of the three, so it explains the others."""

    positions: list[PositionRow]
    trades: list[TradeRow]
    book: list[OrderRow]
    unreadable: int
    """Rows that could not be read: what they are is not known."""


Wish: TypeAlias = Question | Pause | WholeDay
Flow: TypeAlias = Generator[Wish, Any, T]


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """The result of a look-up."""

    answer: OrderFound | OrderNotFound | LookupFailed
    row: OrderRow | None = None
    """The order's row; None: the broker does not have it."""

    progress: Progress | None = None


def read_day() -> Flow[Reply]:
    """Read positions, trades and orders, in this order, or tell which could not be read."""
    found: list[list[Any]] = []
    unreadable = 0
    wanted: tuple[tuple[Route, type[msgspec.Struct]], ...] = (
        (endpoints.POSITIONS, PositionRow),
        (endpoints.TRADE_BOOK, TradeRow),
        (endpoints.ORDER_BOOK, OrderRow),
    )
    for route, kind in wanted:
        reply: Reply = yield Question(route, rows_of(kind))
        if reply.outcome != "told":
            return reply
        rows, faulty = reply.value
        found.append(rows)
        unreadable += faulty
    positions, trades, book = found
    return Reply(outcome="told", value=Day(positions=positions, trades=trades, book=book, unreadable=unreadable))


def find(request: FindOrder, order: Watched, now_ns: int) -> Flow[Found]:
    """Look an order up: by its number or its correlation id, then among all of the day, then on its own day.

    Args:
        request: of orders.
        order: what is known of it here; it is not changed.
        now_ns: nanoseconds since 1970-01-01 UTC.
    """
    number = order.broker_order_id or request.broker_order_id
    row: OrderRow | None = None
    if number:
        reply = yield Question(endpoints.ORDER, row_of(number), {"order_id": number})
    else:
        names = {"correlation_id": request.client_order_id}
        reply = yield Question(endpoints.ORDER_BY_CORRELATION, row_of(""), names)
    if reply.outcome == "told":
        row = reply.value
    elif reply.meaning != "not_found":
        return _nothing(request, reply.reason)
    if row is None:
        reply = yield WholeDay()
        if reply.outcome != "told":
            return _nothing(request, reply.reason)
        day: Day = reply.value
        rows = [each for each in day.book if _is_it(each, request.client_order_id, number)]
        if len(rows) > 1:
            return _nothing(request, f"one order of this id wanted, found {len(rows)}")
        if not rows:
            return (yield from _absent(request, order, number, day, now_ns))
        row = rows[0]
    if row.correlation_id and row.correlation_id != request.client_order_id:
        return _nothing(request, f"an order of this id wanted, found one of {row.correlation_id!a}")
    return (yield from _found(request, order, row, now_ns))


def cancel(order: Watched) -> Flow[str]:
    """Cancel the open quantity; return why that was refused, empty if taken. The order's row shows the outcome."""
    pause_s, reason, in_doubt = PAUSE_FIRST_S, "nothing was sent", False
    for _ in range(CANCELS_MAX):
        names = {"order_id": order.broker_order_id}
        if not order.broker_order_id:
            by_id = {"correlation_id": order.client_order_id}
            reply: Reply = yield Question(endpoints.ORDER_BY_CORRELATION, row_of(""), by_id)
            if reply.value is None:
                return f"the broker's number of the order wanted, found none: {reply.reason or 'it has no such order'}"
            order.broker_order_id = reply.value.order_id
            continue
        if in_doubt:
            reply = yield Question(endpoints.ORDER, row_of(order.broker_order_id), names)
            in_doubt = reply.value is None
            if not in_doubt and not reply.value.is_open:
                return ""
        else:
            reply = yield Question(endpoints.CANCEL_ORDER, lambda data: read(OrderAck, data), names)
            if reply.outcome == "told":
                return ""
            in_doubt, reason = reply.outcome == "unknown", reply.reason
            if _is_final(reply):
                return reason
        if in_doubt or reply.outcome != "told":
            yield Pause(max(pause_s, min(reply.retry_after_s or 0.0, PAUSE_MAX_S)))
            pause_s = min(2 * pause_s, PAUSE_MAX_S)
    return f"{CANCELS_MAX} attempts wanted to be enough: {reason}"


# Helpers.


def _is_final(reply: Reply) -> bool:
    """Say whether sending a cancellation again is useless."""
    if reply.outcome == "refused":
        return reply.meaning != "throttled" and "transit" not in reply.text.lower()
    return reply.outcome == "not_sent" and reply.retry_after_s is None


def _is_it(row: OrderRow, client_order_id: str, number: str) -> bool:
    return row.correlation_id == client_order_id or row.order_id == number


def _nothing(request: FindOrder, reason: str) -> Found:
    return Found(answer=LookupFailed(client_order_id=request.client_order_id, reason=reason))


def _found(request: FindOrder, order: Watched, row: OrderRow, now_ns: int) -> Flow[Found]:
    """Read the trades of an order that is there, if it has any."""
    trades: list[TradeRow] = []
    if row.filled_qty or row.order_status in {"TRADED", "PART_TRADED"}:
        reply = yield Question(endpoints.TRADES_OF_ORDER, rows_of(TradeRow), {"order_id": row.order_id})
        if reply.outcome != "told":
            return Found(answer=_nothing(request, f"its trades: {reply.reason}").answer, row=row)
        trades, unreadable = reply.value
        if unreadable:
            return Found(answer=_nothing(request, f"{unreadable} of its trades cannot be read").answer, row=row)
    # From the first trade, not from those known here: the answer has all trades.
    progress = progress_of(msgspec.structs.replace(order, trades={}), row, trades, now_ns)
    answer = OrderFound(
        client_order_id=request.client_order_id,
        broker_order_id=row.order_id,
        state=progress.state,
        reports=progress.trades if progress.ending is None else (*progress.trades, progress.ending),
        symbol=symbol_told(order, row.exchange_segment, row.security_id),
        side=row.transaction_type,
        quantity=row.quantity,
        limit_price=row.price,
        trigger_price=row.trigger_price,
    )
    return Found(answer=answer, row=row, progress=progress)


def _absent(request: FindOrder, order: Watched, number: str, day: Day, now_ns: int) -> Flow[Found]:
    """Return that the order is absent, if all evidence agrees."""
    if day.unreadable:
        return _nothing(request, f"all rows of the day wanted, found {day.unreadable} that cannot be read")
    side = order.side or request.side
    if request.intended_ns and date_of(request.intended_ns) < date_of(now_ns):
        return (yield from _of_an_earlier_day(request, order, number, day, now_ns))
    if number:
        return _nothing(request, f"the order {number} wanted, found none of this number in the order book")
    against = reason_against(order.instrument, side, book=day.book, trades=day.trades, positions=day.positions)
    if against:
        return _nothing(request, against)
    return Found(answer=OrderNotFound(client_order_id=request.client_order_id))


def _of_an_earlier_day(request: FindOrder, order: Watched, number: str, day: Day, now_ns: int) -> Flow[Found]:
    """Take what the history of trades has of a day order of an earlier day: it can trade no more.

    The history has no trade ids: its rows are numbered in the order of time. So they count only where orders knows of
    no trade at all, or of all of them.
    """
    first, last = date_of(request.intended_ns), date_of(now_ns)
    reply = yield from _history(first, last)
    if reply.outcome != "told":
        return _nothing(request, f"the trades since {first}: {reply.reason}")
    listed = {row.order_id for row in day.book}
    rows: list[TradeRow] = [each for each in reply.value if each.order_id not in listed]
    if not number:
        alike = [each for each in rows if _may_be_of(each, order, request)]
        if alike:
            return _nothing(request, f"trades since {first} of the order {alike[0].order_id}, which may be it")
        return Found(answer=OrderNotFound(client_order_id=request.client_order_id))
    rows = sorted((each for each in rows if each.order_id == number), key=_by_time)
    total = sum(each.traded_quantity for each in rows)
    if request.filled not in {0, total}:
        reason = (
            f"as many shares as are known, {request.filled}, or none wanted, found {total} of {number} since {first}"
        )
        return _nothing(request, reason)
    reports: list[ExecutionReport] = []
    if not request.filled:
        filled = 0
        for place, each in enumerate(rows, start=1):
            filled += each.traded_quantity
            numbered = msgspec.structs.replace(each, exchange_trade_id=f"{number}-{place}")
            reports.append(trade_report(order, numbered, cumulative=filled, ordered=request.quantity, now_ns=now_ns))
    answer = OrderFound(
        client_order_id=request.client_order_id,
        broker_order_id=number,
        state="FILLED" if 0 < request.quantity <= total else "EXPIRED",
        reports=tuple(reports),
        symbol=order.symbol,
        side=order.side,
    )
    return Found(answer=answer)


def _history(first: date, last: date) -> Flow[Reply]:
    rows: list[TradeRow] = []
    for page in range(HISTORY_PAGES_MAX):
        names = {"from_date": first.isoformat(), "to_date": last.isoformat(), "page": str(page)}
        reply: Reply = yield Question(endpoints.TRADE_HISTORY, rows_of(PastTradeRow), names)
        if reply.outcome != "told":
            return reply
        found, unreadable = reply.value
        if unreadable:
            return Reply(outcome="unknown", reason=f"{unreadable} trades cannot be read")
        if not found:
            return Reply(outcome="told", value=rows)
        rows += found
    return Reply(outcome="unknown", reason=f"at most {HISTORY_PAGES_MAX} pages wanted, found more")


def _may_be_of(trade: TradeRow, order: Watched, request: FindOrder) -> bool:
    if trade.order_id in request.others or 0 < request.quantity < trade.traded_quantity:
        return False
    if order.side is not None and trade.transaction_type != order.side:
        return False
    return order.instrument is None or trade.security_id == order.instrument[1]


def _by_time(trade: TradeRow) -> tuple[int, float, int]:
    return trade.traded_ns or 0, trade.traded_price, trade.traded_quantity
