"""Checks of incoming broker events (plain, without actors), before anything acts on them.

An event that cannot be true is refused with the name of the violated rule, and its order is looked up, since the right
values are unknown. Only the orders of this session are known here; an event of any other order is checked by itself
alone, and `orders`, which has the whole book, compares it with the order. So it is with those of the session beyond
the newest `KNOWN_MAX`, too.
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
    ReplaceOrder,
)
from ...messages.codec import checked
from ...messages.orders import Side
from .body import BrokerEvent

BROKER_EVENTS: Final = get_args(BrokerEvent)
"""The types of `BrokerEvent`."""

CLIENT_ORDER_ID_MAX: Final = 64
"""Upper bound of the characters of a client order id; earlier releases made them up to 30."""

KNOWN_MAX: Final = 10_000
"""Orders of the session that are known here, the newest: more than a broker takes in a day."""

Trade: TypeAlias = tuple[int, float]
"""Shares, and rupees a share."""


class Known(msgspec.Struct, gc=False):
    """What the session knows of an order it placed."""

    ordered: int
    symbol: str
    side: Side
    broker_order_id: str = ""
    trades: dict[str, Trade] | None = None
    """Trades by trade id; None before the first."""


class Intake:
    """Remembers the session's newest orders and what was reported of them, and checks each new event against that."""

    def __init__(self) -> None:
        self._known: dict[str, Known] = {}

    def expect(self, order: PlaceOrder) -> None:
        """Note an order that is sent now."""
        self._known.setdefault(
            order.client_order_id, Known(ordered=order.quantity, symbol=order.symbol, side=order.side)
        )
        if len(self._known) > KNOWN_MAX:
            del self._known[next(iter(self._known))]

    def expect_change(self, request: ReplaceOrder) -> None:
        """Note that an order may be for more shares from now on."""
        known = self._known.get(request.client_order_id)
        if known is not None:
            known.ordered = max(known.ordered, request.quantity)

    def take(self, event: Any) -> ReportFault | None:
        """Check an event of the body; None if it is accepted, and then remember it."""
        fault = _form_fault(event)
        known = None if fault is not None else self._known.get(event.client_order_id)
        if known is not None and isinstance(event, ExecutionReport | OrderFound | OrderPlaced):
            fault = instrument_fault(event, symbol=known.symbol, side=known.side)
        if fault is not None:
            return fault
        match event:
            case ExecutionReport():
                if event.execution_type == "CANCEL_REJECTED":
                    return None  # it says nothing about the order, which may not even exist
                is_proof = event.execution_type != "REJECTED"
                return self._take_reports((event,), known, event.broker_order_id, is_proof=is_proof)
            case OrderPlaced():
                return self._take_reports((), known, event.broker_order_id, is_proof=True)
            case OrderFound():
                return self._take_found(event, known)
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
        """Check reports of one order together: all of them are accepted, or none."""
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
    """Say whether an id is valid UTF-8, and no longer than client order ids are."""
    try:
        return 1 <= len(client_order_id.encode()) <= CLIENT_ORDER_ID_MAX
    except UnicodeEncodeError:
        return False


def _form_fault(event: Any) -> ReportFault | None:
    """Check what the codec would refuse: a wrong type, a number out of range, NaN, text that is no UTF-8."""
    if type(event) not in BROKER_EVENTS:
        return ReportFault(rule="malformed", reason=f"an event of an order wanted, found a {type(event).__name__}")
    try:
        is_as_declared = checked(event) is event
    except Exception as fault:  # noqa: BLE001  whatever a value of a wrong type raises, the event is refused
        return ReportFault(rule="malformed", reason=f"a {type(event).__name__} that can be written wanted: {fault!a}")
    if not is_as_declared:
        return ReportFault(rule="malformed", reason=f"a {type(event).__name__} with fields as declared wanted")
    if not is_written(event.client_order_id):
        found = len(event.client_order_id)
        return ReportFault(rule="another_order", reason=f"the id of an order of ours wanted, found {found} characters")
    return None


def _report_fault(report: ExecutionReport, trades: dict[str, Trade], ordered: int | None) -> ReportFault | None:
    """Check one report, and add its trade to `trades`."""
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
