"""The account at Dhan, as a dead-man's switch needs it, over a connection of its own."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Final

import msgspec

from ..domain.dhan.loss_exit import closes_at, exit_request, why_not_now, will_do
from .deadman import AccountError, OpenOrder

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..actors.broker.adapters import BrokerCredentials, DhanBrokerAdapter
    from ..actors.external import ExternalServiceResult, PendingResult
    from ..config.secrets import Secret

ANSWER_S: Final = 60.0
"""No answer takes longer; the adapter's own bounds are shorter."""


class DhanAccount:
    """Reads the open orders, cancels, and has the broker close all at a loss of the day."""

    def __init__(
        self,
        broker: DhanBrokerAdapter,
        credentials: BrokerCredentials,
        *,
        newest: Callable[[], Secret | None] = lambda: None,
    ) -> None:
        """Take the adapter, which is another's to close.

        Args:
            broker: the adapter, with these credentials.
            credentials: in use.
            newest: reads the access token that is stored now; None: there is none, or it cannot be read.
        """
        self._broker: Final = broker
        self._credentials = credentials
        self._newest: Final = newest

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
        result = self._asked(self._broker.get_orders)
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
        self._asked(lambda: self._broker.cancel_order(broker_order_id))

    def set_loss_exit(self, loss_rupees: float) -> float:
        """Have Dhan close all at this loss of the day, unless it does so at a lesser one; return at which it does.

        Raises:
            AccountError: it is not known to do so; or it would do so at once.
        """
        found = self._asked(self._broker.get_pnl_exit).data
        if not will_do(found, loss_rupees, or_stricter=True):
            if problem := why_not_now(self._asked(self._broker.get_positions).data, loss_rupees):
                raise AccountError(problem)
            wanted = exit_request(found, loss_rupees, client_id=self._credentials.client_id)
            self._asked(
                lambda: self._broker.set_pnl_exit(
                    profit_rupees=wanted.profit_value, loss_rupees=loss_rupees, products=wanted.product_type
                )
            )
            found = self._asked(self._broker.get_pnl_exit).data
        if not will_do(found, loss_rupees, or_stricter=True):
            raise AccountError(f"an active exit wanted, found {found.pnl_exit_status} at {closes_at(found):.2f} rupees")
        return closes_at(found)

    def _asked(self, question: Callable[[], PendingResult]) -> ExternalServiceResult:
        """Ask, and once more with the token that is stored now, if that is another one: ours may have ended.

        The one that the broker takes is kept.
        """
        try:
            return _came_of(question())
        except AccountError:
            before, newest = self._credentials, self._newest()
            if newest is None or newest == before.secret:
                raise
        try:
            self._use(msgspec.structs.replace(before, access_token=newest))
            return _came_of(question())
        except AccountError:
            self._use(before)
            raise

    def _use(self, credentials: BrokerCredentials) -> None:
        self._credentials = credentials
        with contextlib.suppress(TimeoutError):  # it is used all the same, and what is asked next fails
            self._broker.authenticate(credentials).result(ANSWER_S)


def _came_of(pending: PendingResult) -> ExternalServiceResult:
    try:
        result = pending.result(ANSWER_S)
    except TimeoutError as fault:
        raise AccountError(f"no answer in {ANSWER_S:g} s") from fault
    if not result.success:
        raise AccountError(result.error or "no answer")
    return result
