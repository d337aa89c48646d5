"""The door for what a broker says (plain): each report is looked at before anyone acts on it.

What is wrong is refused with a rule's name, and the order it belongs to is looked up: of a number that cannot be true
nobody can say what the right one would be. Only this session's orders are known here; what is said of any other order
has to be possible by itself, and orders, which has the whole book, compares it with the order.
"""

from __future__ import annotations

from typing import Any, Final, TypeAlias, get_args

import msgspec

from ...domain.reports import ReportFault, excess_fault, instrument_fault, trade_fault
from ...messages.broker import (
    ExecutionReport,
    OrderFound,
    OrderPlaced,
    PlaceOrder,
)
from ...messages.codec import checked
from ...messages.orders import Side
from .adapter import News

NEWS: Final = get_args(News)
"""All that a body may say."""

CLIENT_ORDER_ID_MAX: Final = 64
"""Characters of an id that may be ours: earlier releases made them up to 30."""

Trade: TypeAlias = tuple[int, float]


class Known(msgspec.Struct, gc=False):
    """What the session knows of an order it placed."""

    ordered: int
    symbol: str
    side: Side
    broker_order_id: str = ""
    trades: dict[str, Trade] | None = None
    """Shares and rupees by trade id; None before the first."""


class Intake:
    """Remembers what was ordered and what was told of it, and judges what is told next."""

    def __init__(self) -> None:
        self._known: dict[str, Known] = {}

    def expect(self, order: PlaceOrder) -> None:
        """Note an order that leaves now."""
        self._known.setdefault(
            order.client_order_id, Known(ordered=order.quantity, symbol=order.symbol, side=order.side)
        )

    def take(self, news: Any) -> ReportFault | None:
        """Judge what a body says, and remember what is believed; None if it is."""
        fault = _form_fault(news)
        known = None if fault is not None else self._known.get(news.client_order_id)
        if known is not None and isinstance(news, ExecutionReport | OrderFound | OrderPlaced):
            fault = instrument_fault(news, symbol=known.symbol, side=known.side)
        if fault is not None:
            return fault
        match news:
            case ExecutionReport():
                if news.execution_type == "CANCEL_REJECTED":
                    return None  # it says nothing of the order, which may not even be there
                is_proof = news.execution_type != "REJECTED"
                return self._take_reports((news,), known, news.broker_order_id, is_proof=is_proof)
            case OrderPlaced():
                return self._take_reports((), known, news.broker_order_id, is_proof=True)
            case OrderFound():
                return self._take_found(news, known)
            case _:
                return None

    def _take_found(self, found: OrderFound, known: Known | None) -> ReportFault | None:
        for report in found.reports:
            if report.client_order_id != found.client_order_id:
                wanted, other = found.client_order_id, report.client_order_id
                return ReportFault(rule="another_order", reason=f"reports of {wanted} wanted, found one of {other}")
            if report.broker_order_id != found.broker_order_id:
                wanted, other = found.broker_order_id, report.broker_order_id
                return ReportFault(
                    rule="broker_order_id", reason=f"reports of {wanted!a} wanted, found one of {other!a}"
                )
        is_proof = found.state != "REJECTED"
        return self._take_reports(found.reports, known, found.broker_order_id, is_proof=is_proof)

    def _take_reports(
        self, reports: tuple[ExecutionReport, ...], known: Known | None, broker_order_id: str, *, is_proof: bool
    ) -> ReportFault | None:
        """Judge reports of one order together: all of them are believed, or none."""
        if is_proof and not broker_order_id:
            return ReportFault(rule="broker_order_id", reason="the broker's number of the order wanted, found none")
        if known is not None and known.broker_order_id and broker_order_id != known.broker_order_id:
            reason = f"the order {known.broker_order_id} wanted, found {broker_order_id}"
            return ReportFault(rule="broker_order_id", reason=reason)
        trades = dict(known.trades or ()) if known is not None and reports else {}
        for report in reports:
            if fault := _report_fault(report, trades, None if known is None else known.ordered):
                return fault
        if known is not None:
            known.broker_order_id = known.broker_order_id or (broker_order_id if is_proof else "")
            if trades:
                known.trades = trades
        return None


def is_written(client_order_id: str) -> bool:
    """Say whether an id is a text that can be written, of a length that ours have."""
    try:
        return 1 <= len(client_order_id.encode()) <= CLIENT_ORDER_ID_MAX
    except UnicodeEncodeError:
        return False


def _form_fault(news: Any) -> ReportFault | None:
    """Find what no frame could carry: a wrong type, a number out of range, NaN, text that nobody can write."""
    if type(news) not in NEWS:
        return ReportFault(rule="malformed", reason=f"news of an order wanted, found a {type(news).__name__}")
    try:
        is_as_declared = checked(news) is news
    except Exception as fault:  # noqa: BLE001  whatever a foreign value raises, it is no report
        return ReportFault(rule="malformed", reason=f"a {type(news).__name__} that can be written wanted: {fault!a}")
    if not is_as_declared:
        return ReportFault(rule="malformed", reason=f"a {type(news).__name__} with fields as declared wanted")
    if not is_written(news.client_order_id):
        found = len(news.client_order_id)
        return ReportFault(rule="another_order", reason=f"the id of an order of ours wanted, found {found} characters")
    return None


def _report_fault(report: ExecutionReport, trades: dict[str, Trade], ordered: int | None) -> ReportFault | None:
    """Judge one report, and add its trade to those that are known."""
    if report.execution_type == "TRADE":
        if fault := trade_fault(report):
            return fault
        trade = (report.quantity, report.price)
        before = trades.get(report.execution_id)
        if before is not None and before != trade:
            (quantity, price), (other, at) = before, trade
            reason = f"trade {report.execution_id} of {quantity} at {price} wanted again, found {other} at {at}"
            return ReportFault(rule="identity", reason=reason)
        trades[report.execution_id] = trade
    if ordered is None:
        return None
    others = sum(quantity for trade_id, (quantity, _) in trades.items() if trade_id != report.execution_id)
    return excess_fault(report, ordered=ordered, filled=others)
