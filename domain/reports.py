"""Which execution reports of a broker are believed: rules for a trade by itself, and for a trade beside its order."""

from __future__ import annotations

from typing import Literal, TypeAlias

import msgspec

from ..messages.broker import ExecutionReport, OrderFound, OrderPlaced
from ..messages.orders import Side
from ..messages.units import RUPEES_MAX

ReportRule: TypeAlias = Literal[
    "malformed",
    "identity",
    "another_order",
    "broker_order_id",
    "instrument",
    "side",
    "quantity",
    "price",
    "cumulative",
    "more_than_ordered",
]


class ReportFault(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Why a report is not believed."""

    rule: ReportRule
    reason: str
    """What was wanted and what was found."""


def trade_fault(report: ExecutionReport) -> ReportFault | None:
    """Check a TRADE by itself; None if it is plausible."""
    if not report.execution_id:
        return ReportFault(rule="identity", reason="a trade with an id wanted, found none")
    if not report.quantity >= 1:
        return ReportFault(rule="quantity", reason=f"a trade of at least 1 share wanted, found {report.quantity}")
    if not 0 < report.price <= RUPEES_MAX:  # true for NaN and the infinities as well
        return ReportFault(rule="price", reason=f"a price above 0 and finite wanted, found {report.price}")
    if report.cumulative_quantity and report.cumulative_quantity < report.quantity:
        found = f"{report.cumulative_quantity} with a trade of {report.quantity}"
        return ReportFault(rule="cumulative", reason=f"as many shares filled as were traded wanted, found {found}")
    return None


def instrument_fault(
    event: ExecutionReport | OrderFound | OrderPlaced, *, symbol: str, side: Side
) -> ReportFault | None:
    """Check symbol and side of a report, or of an answer and its reports, against the order; None if they agree."""
    for told in (event, *(event.reports if isinstance(event, OrderFound) else ())):
        if told.symbol and told.symbol != symbol:
            return ReportFault(rule="instrument", reason=f"{symbol} as ordered wanted, found {told.symbol!a}")
        if told.side is not None and told.side != side:
            return ReportFault(rule="side", reason=f"{side} as ordered wanted, found {told.side}")
    return None


def excess_fault(report: ExecutionReport, *, ordered: int, filled: int) -> ReportFault | None:
    """Check that a report does not exceed its order; None if it fits.

    Args:
        report: of any type.
        ordered: shares of the order.
        filled: shares of the order filled by other trades.
    """
    traded = report.quantity if report.execution_type == "TRADE" else 0
    claimed = max(filled + traded, report.cumulative_quantity)
    if claimed <= ordered:
        return None
    return ReportFault(rule="more_than_ordered", reason=f"at most {ordered} shares as ordered wanted, found {claimed}")
