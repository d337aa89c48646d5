"""Cancelling orders (plain): for strategies, persons, and the kill switch; in every risk state."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ....domain.wording import printable
from ....messages.addresses import BROKER, KILL_SWITCH
from ....messages.order_listing import OrdersCancelling
from ....messages.orders import CancellationIntended, CancellationRefused, OrderFilled
from .. import updates
from ..book.listing import to_cancel
from ..book.protecting import stops_that_stay
from ..halting import CANCEL_AGAIN_S
from ..reconciling.rounds import Rounds
from ..rules import Refusal
from ..withdrawing.withdrawals import WITHDRAWALS_MAX, Withdrawals
from .due import CancelDue
from .senders import only_strategy

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ....domain.orders import Order
    from ....messages.order_listing import CancelOrders
    from ...runtime import ActorAddress
    from ..halting import Halting
    from .context import OrdersContext
    from .resolving import Resolving

UNNAMED: Final = "unnamed"
"""The name of who asked, where none is told."""

NOT_OWN: Final = Refusal(rule="identity", reason="an order of the sender's own wanted, found none of this id")


class Cancelling:
    """Requests cancellations, those that wait for their order included.

    Each is a fact, for whoever asks later; but no request waits for that to be durable: it only takes risk back, and a
    disk that is full or hangs must not keep it. One without an answer is in doubt, and is asked again each time that
    the order is looked up and found open: a second request for the same order at the broker cancels nothing more.
    """

    def __init__(self, context: OrdersContext, halting: Halting, resolving: Resolving) -> None:
        """Begin with none that waits."""
        self._context: Final = context
        self._ledger: Final = context.ledger
        self._halting: Final = halting
        self._resolving: Final = resolving
        self.withdrawals: Final = Withdrawals()
        self._next_cancel = Rounds(lambda after_s: context.after(after_s, CancelDue()))
        self._sent: dict[str, bool] = {}
        """The orders whose cancellation this instance has requested, and whether a look-up has shown them open since:
        the first one may have been answered before the request came."""

    def cancel_for(self, client_order_id: str, sender: ActorAddress, *, asked_by: str = "") -> None:
        """Cancel an order for a strategy, or for a part of natya; a strategy is told if there is nothing to cancel.

        Args:
            client_order_id: of the order.
            sender: who wants it.
            asked_by: what is written of who wants it; empty: its name.
        """
        only = only_strategy(sender)
        order = self._ledger.order(client_order_id)
        if order is not None and order.strategy == only and order.cancelling is not None:
            return  # a repeat: the outcome of the first request is told
        refusal = self.cancel(client_order_id, only, asked_by or getattr(sender, "name", "") or UNNAMED)
        if only and refusal is not None:
            self.refuse(client_order_id, refusal, sender)

    def refuse(self, client_order_id: str, refusal: Refusal, sender: ActorAddress) -> None:
        """Tell the sender alone why an order is not cancelled."""
        fact = CancellationRefused(
            client_order_id=printable(client_order_id),
            number=0,
            rule=refusal.rule,
            reason=refusal.reason,
            occurred_ns=self._context.now_ns(),
        )
        self._context.send(sender, fact)

    def cancel(self, client_order_id: str, only: str, asked_by: str) -> Refusal | None:
        """Cancel an order as soon as it has been placed; return why there is nothing to cancel.

        Args:
            client_order_id: of the order.
            only: the strategy that it has to be of; empty is any.
            asked_by: who wants it.
        """
        order = self._ledger.order(client_order_id)
        if order is not None and only not in {"", order.strategy}:
            self._context.log("cancel.of_another", level="error", client_order_id=client_order_id, sender=only)
            return NOT_OWN
        if not self._context.is_read or client_order_id in self._ledger.intents:
            # Whose it is may not be known before the journal is read.
            self._later(client_order_id, only=only, asked_by=asked_by)
        elif order is None:
            self._context.log("cancel.unknown", level="warning", client_order_id=client_order_id)
            return NOT_OWN
        elif order.is_open:
            if not order.broker_order_id:
                # Once more: the broker may not have it yet.
                self._later(client_order_id, only=order.strategy, asked_by=asked_by)
            self._request(order, asked_by)
        else:
            return Refusal(rule="order_state", reason=f"an open order wanted, found it {order.state}")
        return None

    def shown_open(self, client_order_id: str) -> None:
        """Ask again for a cancellation that was asked for and not answered, since a look-up shows the order open."""
        order = self._ledger.order(client_order_id)
        if order is None or order.cancelling is None:
            return
        shown_before = self._sent.get(client_order_id)
        if shown_before is False:
            self._sent[client_order_id] = True
            return
        reason = "no answer before a second look-up showed the order open"
        if shown_before is None:
            reason = "the answer did not outlive a restart, and a look-up showed the order open"
        if doubt := updates.cancellation_in_doubt(order, reason, self._context.now_ns()):
            self._context.write(doubt)
        self._send(order)

    def not_written(self, fact: CancellationIntended) -> None:
        """Ask once more later for a cancellation that the journal refused: the request has left all the same."""
        self._later(fact.client_order_id, only="", asked_by=fact.asked_by)

    def cancel_many(self, request: CancelOrders, sender: ActorAddress) -> None:
        """Cancel what a person wants cancelled; not before the journal is read back."""
        if not self._context.is_read:
            problem = "the journal is still read back; ask again"
            self._context.send(sender, OrdersCancelling(client_order_ids=(), problem=problem))
            return
        chosen, not_open = to_cancel(self._ledger.book, self._ledger.intents, request)
        self._context.log("orders.cancelled", level="warning", count=len(chosen), person=request.person)
        for client_order_id in chosen:
            self.cancel(client_order_id, "", printable(request.person) or UNNAMED)
        self._context.send(sender, OrdersCancelling(client_order_ids=chosen, not_open=not_open))

    def halted(self) -> tuple[str, ...]:
        """Return the open orders that the kill switch wants cancelled: all but stops that protect what is held."""
        if not self._halting.is_on:
            return ()
        book, context = self._ledger.book, self._context
        staying = frozenset[str]()
        if context.settings.keeps_stops:
            staying = stops_that_stay(book, context.theirs, context.settings.product)
        return self._halting.to_cancel(book.open_orders(), staying)

    def cancel_halted(self) -> None:
        """Cancel what the kill switch wants cancelled; again after a while, until none is left."""
        if not self._context.is_read:
            return
        chosen = self.halted()
        for client_order_id in chosen:
            self._cancel_halted(client_order_id)
        self._next_cancel.keep(bool(chosen), after_s=CANCEL_AGAIN_S)

    def note(self, facts: Iterable[object]) -> None:
        """Note what has become durable: in a halt a trade may leave a stop that protects nothing any more."""
        if self._halting.is_on and any(isinstance(fact, OrderFilled) for fact in facts):
            self.look_at_stops()

    def look_at_stops(self) -> None:
        """Cancel those that stayed in a halt, and protect nothing any more: what is held has changed."""
        if not self._context.is_read:
            return
        for client_order_id in self.halted():
            order = self._ledger.order(client_order_id)
            if order is not None and order.cancelling is None:
                self._cancel_halted(client_order_id)
                self._next_cancel.keep(is_needed=True, after_s=CANCEL_AGAIN_S)

    def _cancel_halted(self, client_order_id: str) -> None:
        self.cancel(client_order_id, "", self._halting.person or KILL_SWITCH)

    def cancel_again(self) -> None:
        """Cancel once more what the kill switch is to have cancelled, and is open still."""
        self._next_cancel.fired()
        self.cancel_halted()

    def cancel_waiting(self) -> None:
        """Send what waited for the journal to be read back."""
        for client_order_id, only, asked_by in self.withdrawals.take_all():
            self.cancel(client_order_id, only, asked_by)

    def placed(self, client_order_id: str, strategy: str) -> None:
        """Cancel an order that is on its way to the broker, if that is wanted already."""
        asked_by = self._wanted_by(client_order_id, strategy)
        order = self._ledger.order(client_order_id)
        if asked_by and order is not None:
            self._request(order, asked_by)

    def changed(self, order: Order) -> None:
        """Cancel an order that the broker has by now, if that waited for it; what waits for one that ended is dropped.

        And one that has ended closes nothing for the kill switch any more.
        """
        client_order_id = order.client_order_id
        if client_order_id in self.withdrawals and (order.broker_order_id or not order.is_open):
            asked_by = self._wanted_by(client_order_id, order.strategy)
            self.withdrawals.drop(client_order_id)
            if order.is_open and asked_by:
                self._request(order, asked_by)
        if not order.is_open:
            self._halting.closing.discard(client_order_id)
            self._sent.pop(client_order_id, None)

    def _request(self, order: Order, asked_by: str) -> None:
        """Have an open order cancelled, and that written down; of one in flight the request leaves once more."""
        if order.cancelling is None:
            fact = CancellationIntended(
                client_order_id=order.client_order_id,
                number=order.cancellations + 1,
                asked_by=asked_by,
                occurred_ns=self._context.now_ns(),
            )
            self._context.write((fact,))
        self._send(order)

    def _send(self, order: Order) -> None:
        self._sent[order.client_order_id] = False
        self._context.send(BROKER, updates.to_withdraw(order))
        self._resolving.doubt(order.client_order_id)

    def _wanted_by(self, client_order_id: str, strategy: str) -> str:
        """Name who asked for a waiting cancellation of this order and may speak for its strategy; empty: nobody."""
        if others := self.withdrawals.others(client_order_id, strategy):
            self._context.log("cancel.of_another", level="error", client_order_id=client_order_id, sender=others)
        return self.withdrawals.asked_by(client_order_id, strategy)

    def _later(self, client_order_id: str, *, only: str, asked_by: str) -> None:
        if not self.withdrawals.add(client_order_id, only=only, asked_by=asked_by):
            self._context.log("cancel.refused", level="error", client_order_id=client_order_id, waiting=WITHDRAWALS_MAX)
