"""The paper broker: passes everything on to the paper exchange in this process."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar, Final

from ....config.options import NoOptions
from ....config.sections.broker import BrokerSettings
from ....domain.stops import exchange_type
from ....messages.addresses import EXCHANGE
from ....messages.broker import (
    CancelRequest,
    ExecutionReport,
    FindOrder,
    NewOrder,
    OrderFound,
    OrderInDoubt,
    OrderNotFound,
    OrderNotPlaced,
    OrderNotReplaced,
    OrderPlaced,
    OrderReplaced,
    OrderStatusRequest,
    PlaceOrder,
    ReplaceInDoubt,
    ReplaceOrder,
    ReplaceRequest,
    WithdrawOrder,
)
from ....messages.kill_switch import LossExitSet, SetLossExit
from ....messages.reconciliation import AccountBookNotRead, ReadAccountBook
from ....messages.supervision import Failed, Unavailable
from ..body import AccountAnswer, BrokerSession

if TYPE_CHECKING:
    import msgspec

    from ..access_token import AccessToken


class PaperBroker:
    """Exchanges FIX-like messages with the actor named `exchange`.

    `Failed` and `Unavailable` of the exchange do not name the order. `Unavailable` means that nothing was done: if only
    one request was pending, its order is certainly not placed. In every other case all pending orders are in doubt, and
    look-ups resolve them.
    """

    OPTIONS: ClassVar[type[msgspec.Struct]] = NoOptions
    IS_PAPER: ClassVar[bool] = True

    @classmethod
    def service(cls, settings: BrokerSettings, options: msgspec.Struct, token: AccessToken) -> None:
        """Return nothing: the exchange is asked by message."""

    @classmethod
    def updates(cls, settings: BrokerSettings, options: msgspec.Struct, token: AccessToken) -> None:
        """Return nothing: what happens to an order comes by message."""

    @classmethod
    def token_source(cls, settings: BrokerSettings, now_ns: Callable[[], int]) -> None:
        """Return nothing: there are no tokens."""

    def __init__(self, settings: BrokerSettings, options: msgspec.Struct, session: BrokerSession) -> None:
        """Keep the session; paper trading needs no settings of the broker."""
        del settings, options
        self._session: Final = session
        self._placing: dict[str, None] = {}
        self._finding: set[str] = set()
        self._withdrawing: set[str] = set()
        self._replacing: dict[str, int] = {}
        """Numbers of the changes without an answer, by client order id."""

    def open(self) -> None:
        """Do nothing: the exchange is in this process."""

    def rest(self) -> None:
        """Do nothing: it begins nothing of its own."""

    def close(self) -> None:
        """Do nothing."""

    def place(self, order: PlaceOrder) -> None:
        """Send it to the exchange, which answers NEW or REJECTED."""
        self._placing[order.client_order_id] = None
        new_order = NewOrder(
            client_order_id=order.client_order_id,
            symbol=order.symbol,
            side=order.side,
            quantity=order.quantity,
            order_type=exchange_type(order.order_type),
            limit_price=order.limit_price,
            trigger_price=order.trigger_price,
            validity=order.validity,
        )
        self._session.left(new_order.client_order_id)
        self._session.send(EXCHANGE, new_order)

    def replace(self, request: ReplaceOrder) -> None:
        """Send it to the exchange, which answers REPLACED or CANCEL_REJECTED."""
        self._replacing[request.client_order_id] = request.number
        change = ReplaceRequest(
            client_order_id=request.client_order_id,
            quantity=request.quantity,
            order_type=exchange_type(request.order_type),
            limit_price=request.limit_price,
            trigger_price=request.trigger_price,
            validity=request.validity,
            number=request.number,
        )
        self._session.changed(change.client_order_id, request.broker_order_id)
        self._session.send(EXCHANGE, change)

    def withdraw(self, request: WithdrawOrder) -> None:
        """Send it to the exchange, which answers CANCELLED or CANCEL_REJECTED."""
        self._withdrawing.add(request.client_order_id)
        self._session.send(EXCHANGE, CancelRequest(client_order_id=request.client_order_id))

    def find(self, request: FindOrder) -> None:
        """Ask the exchange."""
        self._finding.add(request.client_order_id)
        self._session.send(EXCHANGE, OrderStatusRequest(client_order_id=request.client_order_id))

    def read_account(self, request: ReadAccountBook, then: Callable[[AccountAnswer], object]) -> None:
        """Say that there is none: nobody else trades at the exchange in this process."""
        del request
        then(AccountBookNotRead(reason="the paper exchange is asked order by order"))

    def stop_trading(self, then: Callable[[str], object]) -> None:
        """Say that there is no such switch: nobody else trades at the exchange in this process."""
        then("a switch of the broker's own wanted, found none: the exchange is in this process")

    def set_loss_exit(self, wanted: SetLossExit, then: Callable[[LossExitSet], object]) -> None:
        """Say that there is no such exit: the limits of orders are all that holds at the exchange in this process."""
        del wanted
        problem = "an exit of the broker's own wanted, found none: the exchange is in this process"
        then(LossExitSet(loss_rupees=0.0, problem=problem))

    def count(self, times_ns: tuple[int, ...]) -> None:
        """Do nothing: the exchange in this process has no limits."""

    def hear(self, message: Any) -> None:
        """Translate a message of the exchange, and report it to the session."""
        match message:
            case ExecutionReport():
                self._hear_report(message)
            case OrderFound() | OrderNotFound():
                self._finding.discard(message.client_order_id)
                self._session.report(message)
            case Failed() | Unavailable() if message.actor == EXCHANGE:
                self._hear_failure(message)

    def snapshot(self) -> None:
        """Hand nothing over: whatever was asked is in doubt."""

    def restore(self, state: Any) -> None:
        """Do nothing."""

    def _hear_report(self, report: ExecutionReport) -> None:
        client_order_id = report.client_order_id
        is_answer = client_order_id in self._placing
        if report.number:
            self._hear_of_change(report)
            return
        if report.execution_type in {"CANCELLED", "CANCEL_REJECTED"}:
            self._withdrawing.discard(client_order_id)
        if is_answer and report.execution_type == "NEW":
            del self._placing[client_order_id]
            placed = OrderPlaced(
                client_order_id=client_order_id,
                broker_order_id=report.broker_order_id,
                symbol=report.symbol,
                side=report.side,
            )
            self._session.report(placed)
        elif is_answer and report.execution_type == "REJECTED":
            del self._placing[client_order_id]
            self._session.report(OrderNotPlaced(client_order_id=client_order_id, reason=report.reason))
        else:
            self._session.report(report)

    def _hear_of_change(self, report: ExecutionReport) -> None:
        client_order_id, number = report.client_order_id, report.number
        if self._replacing.get(client_order_id) == number:
            del self._replacing[client_order_id]
        if report.execution_type == "REPLACED":
            self._session.report(OrderReplaced(client_order_id=client_order_id, number=number))
        else:
            refusal = OrderNotReplaced(client_order_id=client_order_id, number=number, reason=report.reason)
            self._session.report(refusal)

    def _hear_failure(self, message: Failed | Unavailable) -> None:
        replacing, self._replacing = self._replacing, {}
        for client_order_id, number in replacing.items():
            reason = f"{message.actor}: {message.reason}"
            self._session.report(ReplaceInDoubt(client_order_id=client_order_id, number=number, reason=reason))
        if isinstance(message, Failed) and message.message_type != NewOrder.__name__:
            return  # no order is affected, and the timeout of the request answers its sender
        is_alone = len(self._placing) == 1 and not self._finding and not self._withdrawing and not replacing
        was_sent = isinstance(message, Failed) or not is_alone
        outcome = OrderInDoubt if was_sent else OrderNotPlaced
        placing, self._placing = self._placing, {}
        for client_order_id in placing:
            self._session.report(outcome(client_order_id=client_order_id, reason=f"{message.actor}: {message.reason}"))
