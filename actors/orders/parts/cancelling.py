"""Cancelling orders (plain): for strategies, persons, and the kill switch; in every risk state."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ....messages.addresses import BROKER
from ....messages.broker import WithdrawOrder
from ....messages.order_listing import OrdersCancelling
from .. import updates
from ..book.listing import to_cancel
from ..halting import CANCEL_AGAIN_S
from ..reconciling.rounds import Rounds
from ..withdrawing.withdrawals import WITHDRAWALS_MAX, Withdrawals
from .due import CancelDue

if TYPE_CHECKING:
    from ....domain.orders import Order
    from ....messages.order_listing import CancelOrders
    from ...runtime import ActorAddress
    from ..halting import Halting
    from .context import OrdersContext


class Cancelling:
    """Requests cancellations, those that wait for their order included."""

    def __init__(self, context: OrdersContext, halting: Halting) -> None:
        """Begin with none that waits."""
        self._context: Final = context
        self._ledger: Final = context.ledger
        self._halting: Final = halting
        self.withdrawals: Final = Withdrawals()
        self._next_cancel = Rounds(lambda after_s: context.after(after_s, CancelDue()))

    def cancel(self, client_order_id: str, only: str) -> None:
        """Cancel an order as soon as it has been placed, if it is of this strategy; an empty name is any."""
        order = self._ledger.order(client_order_id)
        known = self._ledger.intents.get(client_order_id) or order
        if known is not None and only not in {"", known.strategy}:
            self._context.log("cancel.of_another", level="error", client_order_id=client_order_id, sender=only)
            return
        if not self._context.is_read or client_order_id in self._ledger.intents:
            self._later(client_order_id, only=only)  # whose it is may not be known before the journal is read
        elif order is None:
            self._context.log("cancel.unknown", level="warning", client_order_id=client_order_id)
        elif order.is_open:
            if not order.broker_order_id:
                # Once more: the broker may not have it yet.
                self._later(client_order_id, only=order.strategy)
            self._context.send(BROKER, updates.to_withdraw(order))

    def cancel_many(self, request: CancelOrders, sender: ActorAddress) -> None:
        """Cancel what a person wants cancelled; not before the journal is read back."""
        if not self._context.is_read:
            problem = "the journal is still read back; ask again"
            self._context.send(sender, OrdersCancelling(client_order_ids=(), problem=problem))
            return
        chosen, not_open = to_cancel(self._ledger.book, request)
        self._context.log("orders.cancelled", level="warning", count=len(chosen), person=request.person)
        for client_order_id in chosen:
            self.cancel(client_order_id, "")
        self._context.send(sender, OrdersCancelling(client_order_ids=chosen, not_open=not_open))

    def cancel_halted(self) -> None:
        """Cancel every open order, if the kill switch wants that; again after a while, until none is left."""
        if not self._context.is_read:
            return
        chosen = self._halting.to_cancel(self._ledger.book.open_orders())
        for client_order_id in chosen:
            self.cancel(client_order_id, "")
        self._next_cancel.keep(bool(chosen), after_s=CANCEL_AGAIN_S)

    def cancel_again(self) -> None:
        """Cancel once more what the kill switch is to have cancelled, and is open still."""
        self._next_cancel.fired()
        self.cancel_halted()

    def cancel_waiting(self) -> None:
        """Send what waited for the journal to be read back."""
        for client_order_id, only in self.withdrawals.take_all():
            self.cancel(client_order_id, only)

    def placed(self, client_order_id: str, strategy: str) -> None:
        """Cancel an order that is on its way to the broker, if that is wanted already."""
        if self._is_wanted(client_order_id, strategy):
            self._context.send(BROKER, WithdrawOrder(client_order_id=client_order_id))

    def changed(self, order: Order) -> None:
        """Cancel an order that the broker has by now, if that waited for it; what waits for one that ended is dropped.

        And one that has ended closes nothing for the kill switch any more.
        """
        client_order_id = order.client_order_id
        if client_order_id in self.withdrawals and (order.broker_order_id or not order.is_open):
            is_wanted = self._is_wanted(client_order_id, order.strategy)
            self.withdrawals.drop(client_order_id)
            if order.is_open and is_wanted:
                self._context.send(BROKER, updates.to_withdraw(order))
        if not order.is_open:
            self._halting.closing.discard(client_order_id)

    def _is_wanted(self, client_order_id: str, strategy: str) -> bool:
        """Say whether a cancellation waits for this order, from a sender who may speak for its strategy."""
        if others := self.withdrawals.others(client_order_id, strategy):
            self._context.log("cancel.of_another", level="error", client_order_id=client_order_id, sender=others)
        return self.withdrawals.is_asked(client_order_id, strategy)

    def _later(self, client_order_id: str, *, only: str) -> None:
        if not self.withdrawals.add(client_order_id, only=only):
            self._context.log("cancel.refused", level="error", client_order_id=client_order_id, waiting=WITHDRAWALS_MAX)
