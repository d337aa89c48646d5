"""What is new of an order by its row and its trades (pure).

The rule: a fill is a trade, by its trade id, once. The row's filled quantity is never a fill itself; where it is ahead
of the trades that are known, trades are missing, and the order has not ended before all of them are there.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import msgspec

from .....domain.dhan.trading.orders import OrderRow, TradeRow
from .....messages.broker import BrokerOrderState, ExecutionReport, ExecutionType
from .....messages.orders import Side

_ENDINGS: Final[dict[str, BrokerOrderState]] = {
    "TRADED": "FILLED",
    "REJECTED": "REJECTED",
    "CANCELLED": "CANCELLED",
    "EXPIRED": "EXPIRED",
    "CLOSED": "FILLED",
}
"""Statuses that end an order; any other, also an unknown one, leaves it open."""

_REPORTS: Final[dict[BrokerOrderState, ExecutionType]] = {
    "REJECTED": "REJECTED",
    "CANCELLED": "CANCELLED",
    "EXPIRED": "EXPIRED",
}

Instrument = tuple[str, str]
"""Segment and security id."""


class Watched(msgspec.Struct, kw_only=True):
    """An order of ours that the broker has, or may have."""

    client_order_id: str
    symbol: str
    side: Side | None
    instrument: Instrument | None
    """None: not known, and not compared."""

    broker_order_id: str = ""
    """Empty: in doubt."""

    trades: dict[str, int] = msgspec.field(default_factory=dict)
    """Shares by trade id, of the trades that were reported."""

    @property
    def filled(self) -> int:
        """Shares of the trades that were reported."""
        return sum(self.trades.values())


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """What is new of an order."""

    state: BrokerOrderState
    """An ending only with all trades."""

    trades: tuple[ExecutionReport, ...]
    """Those that were not reported before."""

    ending: ExecutionReport | None
    """The report that ends it, where no trade does."""

    needs_trades: bool
    """The row is ahead of the trades."""

    @property
    def has_ended(self) -> bool:
        """Whether nothing more can become of it."""
        return self.state not in {"OPEN", "PART_FILLED"}


def progress_of(order: Watched, row: OrderRow, trades: Iterable[TradeRow], now_ns: int) -> Progress:
    """Compare what Dhan says of an order with what was reported of it.

    Args:
        order: as it is known; it is not changed.
        row: of this order.
        trades: of this order and perhaps of others; those of others are passed over.
        now_ns: nanoseconds since 1970-01-01 UTC, for what has no time of its own.
    """
    reports: list[ExecutionReport] = []
    filled = order.filled
    for trade in sorted(trades, key=lambda each: each.traded_ns or 0):
        if trade.order_id != row.order_id or trade.exchange_trade_id in order.trades:
            continue
        if any(trade.exchange_trade_id == report.execution_id for report in reports):
            continue
        filled += trade.traded_quantity
        reports.append(trade_report(order, trade, cumulative=filled, ordered=row.quantity, now_ns=now_ns))
    told = row.quantity if row.order_status == "TRADED" else row.filled_qty
    ending = _ENDINGS.get(row.order_status)
    needs_trades = filled < told
    state: BrokerOrderState = "PART_FILLED" if filled else "OPEN"
    if ending is not None and not needs_trades:
        state = "FILLED" if filled >= row.quantity > 0 else ending if ending != "FILLED" else "CANCELLED"
    return Progress(
        state=state,
        trades=tuple(reports),
        ending=_ending(order, row, state, filled, now_ns),
        needs_trades=needs_trades,
    )


def take(order: Watched, progress: Progress) -> None:
    """Remember what is reported now."""
    for report in progress.trades:
        order.trades[report.execution_id] = report.quantity


def trade_report(order: Watched, trade: TradeRow, *, cumulative: int, ordered: int, now_ns: int) -> ExecutionReport:
    """Return the report of one trade."""
    return ExecutionReport(
        client_order_id=order.client_order_id,
        broker_order_id=trade.order_id,
        execution_type="TRADE",
        execution_id=trade.exchange_trade_id,
        occurred_ns=trade.traded_ns or now_ns,
        quantity=trade.traded_quantity,
        price=trade.traded_price,
        cumulative_quantity=cumulative,
        leaves_quantity=max(0, ordered - cumulative),
        symbol=symbol_told(order, trade.exchange_segment, trade.security_id),
        side=trade.transaction_type,
    )


def symbol_told(order: Watched, segment: str, security_id: str) -> str:
    """Return the order's symbol if the row is of its instrument, else another name, so that the report is refused."""
    if order.instrument is None:
        return ""
    wanted_segment, wanted_id = order.instrument
    is_ours = security_id == wanted_id and (not segment or segment == wanted_segment)
    return order.symbol if is_ours else f"{segment or 'no segment'} {security_id}"


def reason_of(row: OrderRow) -> str:
    """Return what Dhan says of how it ended."""
    return row.oms_error_description or row.order_status


def _ending(order: Watched, row: OrderRow, state: BrokerOrderState, filled: int, now_ns: int) -> ExecutionReport | None:
    execution_type = _REPORTS.get(state)
    if execution_type is None:
        return None
    return ExecutionReport(
        client_order_id=order.client_order_id,
        broker_order_id=row.order_id,
        execution_type=execution_type,
        execution_id=f"{row.order_id}-{state}",
        occurred_ns=row.updated_ns or now_ns,
        cumulative_quantity=filled,
        reason=reason_of(row),
        symbol=symbol_told(order, row.exchange_segment, row.security_id),
        side=row.transaction_type,
    )
