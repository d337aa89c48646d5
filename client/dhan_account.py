"""The account at Dhan, as a dead-man's switch needs it, over a connection of its own."""

from __future__ import annotations

import contextlib
from collections import Counter
from typing import TYPE_CHECKING, Final

import msgspec

from ..domain.dhan.loss_exit import closes_at, exit_request, why_not_now, will_do
from .deadman import AccountError, OrderThere

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..actors.broker.adapters import BrokerCredentials, DhanBrokerAdapter
    from ..actors.external import ExternalServiceResult, PendingResult
    from ..config.secrets import Secret
    from ..domain.dhan.account.portfolio import PositionRow
    from ..domain.dhan.trading.orders import OrderRow
    from .deadman import Position

ANSWER_S: Final = 60.0
"""No answer takes longer; the adapter's own bounds are shorter."""

STOPS: Final = frozenset({"STOP_LOSS", "STOP_LOSS_MARKET"})
RESTING: Final = frozenset({"PENDING", "PART_TRADED"})

DELIVERED: Final = "CNC"
"""The product whose shares go into the depository."""

DELIVERED_IN: Final = ("NSE_EQ", "BSE_EQ")
"""Segments that they are traded in: a row of the depository names none."""


class DhanAccount:
    """Reads the open orders, cancels, and has the broker close all at a loss of the day."""

    def __init__(
        self,
        broker: DhanBrokerAdapter,
        credentials: BrokerCredentials,
        *,
        newest: Callable[[], Secret | None] = lambda: None,
    ) -> None:
        """Take the adapter; its owner closes it.

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
            self.orders()
        except AccountError as fault:
            return str(fault)
        return ""

    def orders(self) -> tuple[OrderThere, ...]:
        """List the orders of the day.

        Raises:
            AccountError: they could not be read.
        """
        return tuple(map(_order, self._asked(self._broker.get_orders).data))

    def held(self) -> dict[Position, int]:
        """Return the signed shares of each position; of shares that are delivered those in the depository, too.

        Raises:
            AccountError: it could not be read.
        """
        shares: Counter[Position] = Counter()
        for row in self._asked(self._broker.get_positions).data:
            shares[_position(row)] += row.net_qty
        for row in self._asked(self._broker.get_holdings).data:
            for segment in DELIVERED_IN:
                shares[f"{segment}:{row.security_id}", DELIVERED] += row.total_qty
        return dict(shares)

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
        """Ask; if that fails, ask once more with the token that is stored now, if it is another.

        Ours may have ended. The token that the broker accepts is kept.
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
        with contextlib.suppress(TimeoutError):  # it is used all the same, and the next request fails
            self._broker.authenticate(credentials).result(ANSWER_S)


def _order(row: OrderRow) -> OrderThere:
    return OrderThere(
        broker_order_id=row.order_id,
        client_order_id=row.correlation_id,
        is_open=row.is_open,
        is_resting_stop=row.order_type in STOPS and row.order_status in RESTING,
        side="BUY" if row.transaction_type == "BUY" else "SELL",
        position=_position(row),
        filled=row.filled_qty,
        leaves=row.quantity - row.filled_qty,
    )


def _position(row: OrderRow | PositionRow) -> Position:
    return f"{row.exchange_segment}:{row.security_id}", row.product_type


def _came_of(pending: PendingResult) -> ExternalServiceResult:
    try:
        result = pending.result(ANSWER_S)
    except TimeoutError as fault:
        raise AccountError(f"no answer in {ANSWER_S:g} s") from fault
    if not result.success:
        raise AccountError(result.error or "no answer")
    return result
