"""Changing orders (plain): each change passes the gate, is made durable, and leaves once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ....messages.addresses import BROKER
from ....messages.orders import ModificationIntended
from .. import modifications
from ..rules import Refusal
from .senders import only_strategy

if TYPE_CHECKING:
    from ....domain.orders import Order
    from ....messages.orders import ModificationRefused, ModifyOrder, OrderFact
    from ...runtime import ActorAddress
    from .context import OrdersContext
    from .gate import Gate
    from .risk_keeping import RiskKeeper
    from .state_keeping import StateKeeping


class Changing:
    """The changes on their way to the journal, and to the broker."""

    def __init__(self, context: OrdersContext, gate: Gate, risk: RiskKeeper, states: StateKeeping) -> None:
        """Begin with none."""
        self._context: Final = context
        self._gate: Final = gate
        self._risk: Final = risk
        self._states: Final = states
        self._askers: dict[str, ActorAddress] = {}
        """Who asked for a change that is not durable yet, by client order id."""

        self._sent: dict[str, int] = {}
        """Numbers of the changes that were sent and have no answer, by client order id."""

    def __len__(self) -> int:
        """Return how many were sent and have no answer."""
        return len(self._sent)

    def modify(self, request: ModifyOrder, sender: ActorAddress) -> None:
        """Ask the gate whether an order may be changed so, and have its decision journaled."""
        context, client_order_id, now_ns = self._context, request.client_order_id, self._context.now_ns()
        only, order = only_strategy(sender), context.ledger.order(client_order_id)
        if order is None or not context.is_read or only not in {"", order.strategy}:
            context.log("change.refused", level="error", client_order_id=client_order_id, sender=only)
            refusal = Refusal(rule="identity", reason="an order of the sender's own wanted, found none of this id")
            context.send(sender, modifications.refused(client_order_id, refusal, now_ns))
            return
        if self._states.is_outdated(order.strategy, sender):
            refusal = Refusal(rule="state", reason="a change by the newest state of its strategy wanted, found another")
            context.send(sender, modifications.refused(client_order_id, refusal, now_ns))
            return
        wanted = modifications.terms_wanted(order, request)
        if order.pending is not None and wanted == modifications.terms_of(order.pending):
            return  # a repeat: the outcome of the first request is told
        denied = modifications.refusal_of(order, request, self._gate.situation(order.strategy, order.symbol, now_ns))
        if denied is None:
            fact: OrderFact = modifications.intended(order, wanted, now_ns)
        else:
            fact = modifications.refused(client_order_id, denied, now_ns)
        self._askers[client_order_id] = sender
        context.write((fact,))

    def written(self, change: ModificationIntended) -> None:
        """Send a change that is durable, once, unless the order has ended meanwhile."""
        context = self._context
        self._askers.pop(change.client_order_id, None)
        order = context.ledger.order(change.client_order_id)
        assert order is not None, "the order is in the book before its change"
        refusal = None
        if not order.is_open:
            refusal = Refusal(rule="order_state", reason=f"an open order wanted, found it {order.state}")
        elif why := self._risk.why_halted():
            refusal = Refusal(rule="risk_state", reason=f"nothing is sent: {why}")
        if refusal is not None:
            context.write(
                (modifications.refused(order.client_order_id, refusal, context.now_ns(), number=change.number),)
            )
            return
        self._sent[order.client_order_id] = change.number
        context.ages.leaves(order.client_order_id)
        reduces = context.ledger.book.only_closes(order.symbol, order.side, context.theirs)
        context.send(BROKER, modifications.to_replace(order, change, reduces=reduces))

    def refusal_written(self, fact: ModificationRefused) -> None:
        """Forget who asked: the fact of the refusal is durable, and the events router tells it."""
        self._askers.pop(fact.client_order_id, None)

    def not_written(self, fact: ModificationIntended | ModificationRefused, reason: str) -> None:
        """Send a strategy directly what became of a change whose fact the journal refused."""
        asker = self._askers.pop(fact.client_order_id, None)
        if asker is None:
            return
        if isinstance(fact, ModificationIntended):
            refusal = Refusal(rule="journal", reason=reason)
            fact = modifications.refused(fact.client_order_id, refusal, self._context.now_ns())
        self._context.send(asker, fact)

    def answered(self, client_order_id: str) -> None:
        """Note that a change has an answer, or will get none."""
        self._sent.pop(client_order_id, None)

    def unanswered(self) -> tuple[str, ...]:
        """Return once the orders whose changes will get no answer, since the broker session has failed."""
        lost = tuple(self._sent)
        self._sent.clear()
        return lost

    def is_in_doubt(self, order: Order) -> bool:
        """Say whether it is not known what became of a change of an open order."""
        return order.is_open and order.pending is not None and order.client_order_id not in self._sent
