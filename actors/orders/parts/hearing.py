"""What the broker says of orders (plain): answers, reports and look-ups become facts, and decide what is asked next."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ....domain.reports import instrument_fault
from ....domain.time import SECOND_NS
from ....messages.broker import LookupFailed, OrderInDoubt
from ....messages.orders import OrderModified
from .. import updates
from ..rules import changed, sent

if TYPE_CHECKING:
    from ....domain.orders import Order
    from ....messages.broker import (
        ExecutionReport,
        OrderFound,
        OrderNotFound,
        OrderNotPlaced,
        OrderNotReplaced,
        OrderPlaced,
        OrderReplaced,
        OrdersLeft,
        ReplaceInDoubt,
        ReportRefused,
    )
    from ..updates import Update
    from .cancelling import Cancelling
    from .changing import Changing
    from .context import OrdersContext
    from .resolving import Resolving
    from .risk_keeping import RiskKeeper


class Hearing:
    """Takes what the broker session says."""

    def __init__(
        self,
        context: OrdersContext,
        risk: RiskKeeper,
        resolving: Resolving,
        cancelling: Cancelling,
        changing: Changing,
    ) -> None:
        self._context: Final = context
        self._risk: Final = risk
        self._resolving: Final = resolving
        self._cancelling: Final = cancelling
        self._changing: Final = changing
        self.illegal_transitions = 0
        """How often since the start the broker said what could not be true of the order as it stood."""

    def answer(self, answer: OrderPlaced | OrderNotPlaced | OrderInDoubt) -> None:
        """Journal the outcome of placing; an order in doubt is looked up, and never sent again."""
        self._resolving.lookups.answered(answer.client_order_id)
        order = self._context.known(answer.client_order_id)
        if order is not None:
            self.take(order, updates.from_answer(order, answer, self._context.now_ns()))

    def change(self, answer: OrderReplaced | OrderNotReplaced) -> None:
        """Journal the outcome of a change."""
        order = self._context.known(answer.client_order_id)
        if order is not None:
            self._changing.answered(answer.client_order_id)
            self.take(order, updates.from_change(order, answer, self._context.now_ns()))

    def change_in_doubt(self, answer: ReplaceInDoubt) -> None:
        """Look the order up until it shows what became of its change, which is never sent again."""
        client_order_id = answer.client_order_id
        self._context.log("change.in_doubt", level="warning", client_order_id=client_order_id, reason=answer.reason)
        self._changing.answered(client_order_id)
        self._resolving.doubt(client_order_id)

    def report(self, report: ExecutionReport) -> None:
        """Journal what happened at the exchange."""
        order, log = self._context.known(report.client_order_id), self._context.log
        if order is None:
            return
        if fault := instrument_fault(report, symbol=order.symbol, side=order.side):
            log("report.refused", level="error", rule=fault.rule, reason=fault.reason)
            self._resolving.doubt(order.client_order_id)
            return
        if report.execution_type == "CANCEL_REJECTED":
            log("cancel.rejected", level="warning", client_order_id=order.client_order_id, reason=report.reason)
        elif report.execution_type in {"NEW", "REJECTED"}:
            self._resolving.lookups.answered(report.client_order_id)
        self.take(order, updates.from_report(order, report, self._context.now_ns()))

    def found(self, found: OrderFound) -> None:
        """Journal what the broker reports and the book does not have."""
        lookups = self._resolving.lookups
        lookups.answered(found.client_order_id)
        order = self._context.known(found.client_order_id)
        fault = None if order is None else instrument_fault(found, symbol=order.symbol, side=order.side)
        if fault is not None:
            reason = f"{fault.rule}: {fault.reason}"
            self.lookup_failed(LookupFailed(client_order_id=found.client_order_id, reason=reason))
        elif order is not None:
            lookups.prove(found.client_order_id)
            age_ns, now_ns = self._context.ages.of(found.client_order_id), self._context.now_ns()
            update = updates.from_lookup(order, found, now_ns, age_ns=age_ns, horizon_ns=self._horizon_ns)
            for fact in update.facts:
                if isinstance(fact, OrderModified) and fact.number > order.modifications:
                    self._context.log(
                        "order.changed_there",
                        level="warning",
                        client_order_id=order.client_order_id,
                        quantity=fact.quantity,
                        limit_price=fact.limit_price,
                        trigger_price=fact.trigger_price,
                    )
            self.take(order, update)
            if found.state in {"OPEN", "PART_FILLED"}:
                self._cancelling.shown_open(found.client_order_id)
            self.come_up()

    def not_found(self, answer: OrderNotFound) -> None:
        """Conclude that the order never arrived, but only when it is older than any request can be in flight."""
        client_order_id, lookups = answer.client_order_id, self._resolving.lookups
        lookups.answered(client_order_id)
        order = self._context.known(client_order_id)
        if order is None:
            return
        lookups.prove(client_order_id)
        age_ns, now_ns = self._context.ages.of(client_order_id), self._context.now_ns()
        self.take(order, updates.absent(order, now_ns, age_ns=age_ns, horizon_ns=self._horizon_ns))
        if self._by_now(client_order_id).is_open:
            self._resolving.doubt(client_order_id)
        self.come_up()

    def lookup_failed(self, answer: LookupFailed) -> None:
        """Keep the order as it is, and look it up again. The start is complete without the answer (RECONCILING)."""
        client_order_id = answer.client_order_id
        self._context.log("lookup.failed", level="warning", client_order_id=client_order_id, reason=answer.reason)
        self._resolving.doubt(client_order_id)
        self._context.tell_ready()

    def report_refused(self, refused: ReportRefused) -> None:
        """Look up an order whose report could not be true; until then it stays as it is."""
        if self._context.known(refused.client_order_id) is not None:
            self._resolving.doubt(refused.client_order_id)

    def left(self, left: OrdersLeft) -> None:
        """Halt if requests have left that no intent is of, whoever sent them."""
        book = self._context.ledger.book
        for trip in (
            sent(left.counts, lambda client_order_id: book.order(client_order_id) is not None),
            changed(left.changes, book.order),
        ):
            if trip is not None:
                self._context.log("orders.left_without_intent", level="error", reason=trip.cause)
                self._risk.trip(trip)

    def session_failed(self, reason: str) -> None:
        """Treat every request that the broker session may have dropped as unanswered; nothing says which it has."""
        for client_order_id in self._changing.unanswered():
            self._resolving.doubt(client_order_id)
        for client_order_id in self._resolving.lookups.placing:
            self.answer(OrderInDoubt(client_order_id=client_order_id, reason=reason))
        self._context.tell_ready()
        self._resolving.keep_looking()

    def take(self, order: Order, update: Update) -> None:
        """Append new facts, log impossible ones, and decide whether the order has to be looked up."""
        context, client_order_id = self._context, order.client_order_id
        for refused in update.illegal:
            self.illegal_transitions += 1
            context.log(
                "transition.refused",
                level="error",
                client_order_id=client_order_id,
                fact=refused.fact,
                before=refused.before,
                after=refused.after,
                reason=refused.reason,
            )
        if update.facts:
            change = None
            if order.was_never_placed:
                context.log("order.resurrected", level="error", client_order_id=client_order_id, state=order.state)
                change = self._risk.alarm(f"order {client_order_id} was {order.state}, and the broker has it")
            context.write(update.facts, change=change)
        self._cancelling.changed(self._by_now(client_order_id))
        after = self._by_now(client_order_id)
        if not after.is_open:
            context.ages.forget(client_order_id)
        # INTENDED, too: the journal may have refused the very fact that proved more.
        if update.trades_missing or update.illegal or self.is_in_doubt(after):
            self._resolving.doubt(client_order_id)
        else:
            self._resolving.settle(client_order_id)

    def is_in_doubt(self, order: Order) -> bool:
        """Say whether it is not known that the broker has the order, or what became of a change or a cancellation."""
        return (
            order.state in {"INTENDED", "UNKNOWN"} or order.cancelling is not None or self._changing.is_in_doubt(order)
        )

    def come_up(self) -> None:
        """End RECONCILING once every order that was open at the start has been found, or reported absent."""
        context, risk = self._context, self._risk
        if self._resolving.lookups.is_proved and not risk.is_reconciled:
            risk.reconciled()
            context.log("orders.reconciled", sequence=context.read_back.sequence, risk_state=risk.state)
            context.tell_ready()

    def _by_now(self, client_order_id: str) -> Order:
        """Return an order that is known, with what was said last."""
        order = self._context.ledger.order(client_order_id)
        assert order is not None, "what is said of others is not taken"
        return order

    @property
    def _horizon_ns(self) -> int:
        """Longer than any request may be in flight."""
        return round(self._context.settings.absence_horizon_s * SECOND_NS)
