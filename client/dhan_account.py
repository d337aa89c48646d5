"""The account at Dhan, as a dead-man's switch needs it, over a connection of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from .deadman import AccountError, OpenOrder

if TYPE_CHECKING:
    from ..actors.broker.adapters import DhanBrokerAdapter
    from ..actors.external import ExternalServiceResult, PendingResult

ANSWER_S: Final = 60.0
"""No answer takes longer; the adapter's own bounds are shorter."""


class DhanAccount:
    """Reads the open orders, and cancels."""

    def __init__(self, broker: DhanBrokerAdapter) -> None:
        """Take the adapter, which is another's to close."""
        self._broker: Final = broker

    def problem(self) -> str:
        """Say why the broker would do nothing for us now; empty: it would."""
        try:
            self.open_orders()
        except AccountError as fault:
            return str(fault)
        return ""

    def open_orders(self) -> tuple[OpenOrder, ...]:
        """List what is open.

        Raises:
            AccountError: it could not be read.
        """
        result = _came_of(self._broker.get_orders())
        return tuple(
            OpenOrder(broker_order_id=row.order_id, client_order_id=row.correlation_id)
            for row in result.data
            if row.is_open
        )

    def cancel(self, broker_order_id: str) -> None:
        """Cancel it.

        Raises:
            AccountError: the broker said no, or may not have heard of it.
        """
        _came_of(self._broker.cancel_order(broker_order_id))


def _came_of(pending: PendingResult) -> ExternalServiceResult:
    try:
        result = pending.result(ANSWER_S)
    except TimeoutError as fault:
        raise AccountError(f"no answer in {ANSWER_S:g} s") from fault
    if not result.success:
        raise AccountError(result.error or "no answer")
    return result
