"""What the broker is asked about an order, and which facts follow from its answers and reports (pure).

A function of the second kind takes the order as it will be when all facts on their way to the journal are durable, and
returns only facts that change it; so a report that is repeated, late or out of order has no effect.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import msgspec
from msgspec.structs import replace

from ...domain import orders
from ...domain.freshness import is_ahead
from ...domain.orders import Order
from ...domain.reports import excess_fault, trade_fault
from ...domain.time import SECOND_NS
from ...domain.transitions import IllegalTransition, IllegalTransitionError, illegal, step
from ...domain.wording import printable
from ...messages.broker import (
    ExecutionReport,
    FindOrder,
    OrderFound,
    OrderInDoubt,
    OrderNotPlaced,
    OrderNotReplaced,
    OrderPlaced,
    OrderReplaced,
    WithdrawOrder,
)
from ...messages.order_listing import SettleOrder
from ...messages.orders import (
    CancellationRefused,
    CancellationUncertain,
    OrderAccepted,
    OrderCancelled,
    OrderExpired,
    OrderFact,
    OrderFilled,
    OrderRefused,
    OrderRejected,
    OrderTriggered,
    OrderUncertain,
    SubmitOrder,
)
from . import modifications
from .rules import Refusal

REASON_LENGTH_MAX: Final = 200
"""Characters of what a person says of an order."""


class Update(msgspec.Struct, frozen=True, kw_only=True):
    """What follows from one message of the broker."""

    facts: tuple[OrderFact, ...] = ()

    trades_missing: bool = False
    """The broker reports more shares filled than the known trades have, an impossible trade, or that it took what it
    has rejected: look the order up."""

    illegal: tuple[IllegalTransition, ...] = ()
    """What it says that cannot be true of the order as it stands: refused and logged. The order has to be looked up."""


def refused(order: SubmitOrder, refusal: Refusal, now_ns: int) -> OrderRefused:
    """Return the fact of an order that the gate refused, its texts made printable."""
    return orders.refused(order, rule=refusal.rule, reason=refusal.reason, now_ns=now_ns, shares_max=refusal.shares_max)


def to_find(order: Order, others: tuple[str, ...] = ()) -> FindOrder:
    """Return the look-up of an order, with all that may help to find it; `others` as there."""
    return FindOrder(
        client_order_id=order.client_order_id,
        symbol=order.symbol,
        side=order.side,
        quantity=order.quantity_max,
        broker_order_id=order.broker_order_id,
        filled=order.filled,
        intended_ns=order.intended_ns,
        others=others,
    )


def to_withdraw(order: Order) -> WithdrawOrder:
    """Return the request to cancel what is open of an order."""
    return WithdrawOrder(client_order_id=order.client_order_id, broker_order_id=order.broker_order_id)


def from_answer(order: Order, answer: OrderPlaced | OrderNotPlaced | OrderInDoubt, now_ns: int) -> Update:
    """Translate the answer to `PlaceOrder`. Doubt or refusal do not count for an order that the broker provably has."""
    client_order_id = order.client_order_id
    if isinstance(answer, OrderPlaced) and order.state == "REJECTED":
        # It was taken, and then rejected; that was told first. Were it open all the same, a look-up would show it.
        return Update(trades_missing=True)
    fact: OrderFact
    match answer:
        case OrderPlaced():
            fact = OrderAccepted(
                client_order_id=client_order_id, broker_order_id=answer.broker_order_id, occurred_ns=now_ns
            )
        case OrderNotPlaced():
            fact = OrderRejected(client_order_id=client_order_id, reason=answer.reason, occurred_ns=now_ns)
        case OrderInDoubt():
            fact = OrderUncertain(client_order_id=client_order_id, reason=answer.reason, occurred_ns=now_ns)
    said = _Collected(order)
    if isinstance(answer, OrderPlaced) or _is_in_doubt(order):
        said.add(fact)
    elif isinstance(answer, OrderNotPlaced) and order.state != "REJECTED" and (order.broker_order_id or order.filled):
        reason = f"an order unknown to the broker wanted, found it there as {order.broker_order_id!a}"
        said.refuse(OrderRejected.__name__, "REJECTED", f"{reason}: {answer.reason}")
    return said.update()


def from_report(order: Order, report: ExecutionReport, now_ns: int) -> Update:
    """Translate an execution report.

    A report that ends the order while trades are missing does not end it: it stays open until a look-up has returned
    all its trades, so that a crash in between cannot lose them.
    """
    said = _Collected(order)
    if report.execution_type == "CANCEL_REJECTED":
        return _not_cancelled(said, report.reason, _time_of(report, now_ns))
    proof = "" if report.execution_type == "REJECTED" else report.broker_order_id
    _trades(said, (report,), proof, now_ns)
    if report.execution_type == "TRIGGERED":
        said.add(OrderTriggered(client_order_id=order.client_order_id, occurred_ns=_time_of(report, now_ns)))
    ending = _ending(report.execution_type, order.client_order_id, report.reason, _time_of(report, now_ns))
    missing = report.cumulative_quantity > said.order.filled or _is_untaken(report, said.order)
    if ending is not None and not missing:
        said.end(ending)
    return said.update(trades_missing=missing)


def from_lookup(order: Order, found: OrderFound, now_ns: int, *, age_ns: int, horizon_ns: int) -> Update:
    """Translate the answer to a look-up: all trades of the order, what became of a change of it, then its state.

    Args:
        order: as it stands.
        found: what the broker has of it.
        now_ns: nanoseconds since 1970-01-01 UTC.
        age_ns: so long ago, at least, its newest request left.
        horizon_ns: longer than any may be under way.
    """
    proof = "" if found.state == "REJECTED" else found.broker_order_id
    said = _Collected(order)
    otherwise = modifications.by_others(order, found, now_ns, age_ns=age_ns, horizon_ns=horizon_ns)
    if otherwise is not None:  # before the trades, which may be of more shares than it had
        said.add(otherwise)
    _trades(said, found.reports, proof, now_ns)
    if found.is_triggered:
        said.add(OrderTriggered(client_order_id=order.client_order_id, occurred_ns=now_ns))
    change = modifications.settled(said.order, found, now_ns, age_ns=age_ns, horizon_ns=horizon_ns)
    if change is not None:
        said.add(change)
    after = said.order
    counted = max((report.cumulative_quantity for report in found.reports), default=0)
    missing = (
        counted > after.filled
        or (found.state == "FILLED" and after.filled < after.quantity)
        or any(_is_untaken(report, after) for report in found.reports)
    )
    told = (report.reason for report in found.reports if report.execution_type == found.state and report.reason)
    reason, state = next(told, "as the broker answered a look-up"), found.state
    if state == "REJECTED" and after.filled:  # all of its trades are there: what has ended is the rest of it
        reason, state = f"the broker says REJECTED, after {after.filled} shares were filled: {reason}", "CANCELLED"
    ending = _ending(state, order.client_order_id, reason, now_ns)
    if ending is not None and not missing:
        said.end(ending)
    return said.update(trades_missing=missing)


def from_change(order: Order, answer: OrderReplaced | OrderNotReplaced, now_ns: int) -> Update:
    """Translate the certain answer to `ReplaceOrder`; that to a change which is settled says nothing new."""
    pending = order.pending
    if pending is None or pending.number != answer.number:
        return Update()
    if isinstance(answer, OrderReplaced):
        return Update(facts=(modifications.made(order, pending, now_ns),))
    refusal = Refusal(rule="broker", reason=answer.reason)
    return Update(facts=(modifications.refused(order.client_order_id, refusal, now_ns, number=pending.number),))


def absent(order: Order, now_ns: int, *, age_ns: int, horizon_ns: int) -> Update:
    """Translate that the broker has no such order: it has expired if its request left `horizon_ns` ago or earlier."""
    if not order.is_open:
        return Update()
    if age_ns < horizon_ns:
        return unanswered(order, "the broker does not know it yet", now_ns)
    reason = f"unknown to the broker {age_ns / SECOND_NS:.0f} s after the request"
    return Update(facts=(OrderExpired(client_order_id=order.client_order_id, reason=reason, occurred_ns=now_ns),))


def settled(order: Order, request: SettleOrder, now_ns: int) -> Update:
    """Translate a person's word on an order in doubt: a trade of the shares that are not known, and its end."""
    client_order_id, said = order.client_order_id, _Collected(order)
    by = f"{orders.SETTLED_BY}{printable(request.person) or 'a person'}"
    if request.price is not None and request.filled > order.filled:
        said.add(
            OrderFilled(
                client_order_id=client_order_id,
                trade_id=by,
                strategy=order.strategy,
                symbol=order.symbol,
                side=order.side,
                quantity=request.filled - order.filled,
                price=request.price,
                cumulative_quantity=request.filled,
                occurred_ns=now_ns,
            )
        )
    if said.order.is_open:
        reason = f"{by}: {printable(request.reason, REASON_LENGTH_MAX)}"
        said.add(OrderExpired(client_order_id=client_order_id, reason=reason, occurred_ns=now_ns))
    return said.update()


def unanswered(order: Order, reason: str, now_ns: int) -> Update:
    """Return the fact that a request will get no answer: the order is in doubt."""
    doubt = OrderInDoubt(client_order_id=order.client_order_id, reason=reason)
    return from_answer(order, doubt, now_ns)


def cancellation_in_doubt(order: Order, reason: str, now_ns: int) -> tuple[CancellationUncertain, ...]:
    """Return the fact that the cancellation in flight has no answer; none where that is known, or there is none."""
    asked = order.cancelling
    if asked is None or order.cancellations_doubted >= asked.number:
        return ()
    fact = CancellationUncertain(
        client_order_id=order.client_order_id, number=asked.number, reason=reason, occurred_ns=now_ns
    )
    return (fact,)


class _Collected:
    """The facts of one message, each judged by the order as those before it leave it."""

    def __init__(self, order: Order) -> None:
        self.order = order
        self._facts: list[OrderFact] = []
        self._illegal: list[IllegalTransition] = []

    def add(self, fact: OrderFact) -> None:
        """Take one, unless it says nothing new, or cannot be."""
        try:
            after = step(self.order, fact)
        except IllegalTransitionError as refused:
            self._illegal.append(refused.transition)
            return
        if after is not self.order:
            self.order = after
            self._facts.append(fact)

    def end(self, fact: OrderFact) -> None:
        """Take one that ends the order; it says nothing new of an order that has ended already."""
        if self.order.is_open:
            self.add(fact)
        elif (refused := illegal(self.order, fact)) is not None:
            self._illegal.append(refused)

    def refuse(self, fact: str, after: str, reason: str) -> None:
        """Refuse what the message says, since the message itself is wrong."""
        order = self.order
        self._illegal.append(
            IllegalTransition(
                client_order_id=order.client_order_id, fact=fact, before=order.state, after=after, reason=reason
            )
        )

    def update(self, *, trades_missing: bool = False) -> Update:
        """Return them all."""
        return Update(facts=tuple(self._facts), trades_missing=trades_missing, illegal=tuple(self._illegal))


def _not_cancelled(said: _Collected, reason: str, occurred_ns: int) -> Update:
    """Translate the refusal of a cancellation; of an order in doubt it stays wanted, for when the order is found."""
    asked = said.order.cancelling
    if _is_in_doubt(said.order):
        doubt = f"the order is in doubt, and the broker refused: {reason}"
        return Update(facts=cancellation_in_doubt(said.order, doubt, occurred_ns))
    if asked is not None:
        said.add(
            CancellationRefused(
                client_order_id=said.order.client_order_id,
                number=asked.number,
                rule="broker",
                reason=reason,
                occurred_ns=occurred_ns,
            )
        )
    return said.update()


def _trades(said: _Collected, reports: Iterable[ExecutionReport], broker_order_id: str, now_ns: int) -> None:
    """Take the acceptance of the order, if new, and each new trade."""
    order = said.order
    if broker_order_id:
        said.add(
            OrderAccepted(client_order_id=order.client_order_id, broker_order_id=broker_order_id, occurred_ns=now_ns)
        )
    for report in reports:
        if report.execution_type != "TRADE" or report.execution_id in said.order.trade_ids:
            continue
        before = said.order
        if before.was_settled and not trade_fault(report):
            report = _beyond_settled(report, before)  # noqa: PLW2901  what is new of it
            if not report.quantity:
                continue
        fault = trade_fault(report) or excess_fault(report, ordered=before.quantity_max, filled=before.filled)
        if fault is not None:
            said.refuse(OrderFilled.__name__, "FILLED", fault.reason)
            continue
        said.add(
            OrderFilled(
                client_order_id=order.client_order_id,
                trade_id=report.execution_id,
                strategy=order.strategy,
                symbol=order.symbol,
                side=order.side,
                quantity=report.quantity,
                price=report.price,
                cumulative_quantity=said.order.filled + report.quantity,
                occurred_ns=_time_of(report, now_ns),
            )
        )


def _beyond_settled(report: ExecutionReport, order: Order) -> ExecutionReport:
    """Return a trade of an order that a person has settled, with only the shares that the settlement does not have.

    The trade that a person settles with has no number of the exchange, so the trades that it stands for would count a
    second time when the broker tells them later. Their cumulative quantity says which shares are new.
    """
    return replace(report, quantity=min(report.quantity, max(0, report.cumulative_quantity - order.filled)))


def _time_of(report: ExecutionReport, now_ns: int) -> int:
    """Return when it happened by the exchange's clock; now if that is missing or in the future.

    A trade dated tomorrow would begin the next day, with new counts and a new limit of loss.
    """
    told_ns = report.occurred_ns
    return now_ns if not told_ns or is_ahead(told_ns, now_ns) else told_ns


def _is_untaken(report: ExecutionReport, order: Order) -> bool:
    """Whether the report has an impossible trade, which was not accepted: the order must be looked up.

    Of one that a person has settled, the cumulative quantity alone says whether there is anything new.
    """
    is_new = report.execution_type == "TRADE" and report.execution_id not in order.trade_ids
    return is_new and not order.was_settled


def _ending(state: str, client_order_id: str, reason: str, occurred_ns: int) -> OrderFact | None:
    match state:
        case "CANCELLED":
            return OrderCancelled(client_order_id=client_order_id, reason=reason, occurred_ns=occurred_ns)
        case "EXPIRED":
            return OrderExpired(client_order_id=client_order_id, reason=reason, occurred_ns=occurred_ns)
        case "REJECTED":
            return OrderRejected(client_order_id=client_order_id, reason=reason, occurred_ns=occurred_ns)
        case _:
            return None


def _is_in_doubt(order: Order) -> bool:
    return order.state in {"INTENDED", "UNKNOWN"}
