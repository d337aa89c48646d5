"""From an order to what the broker is asked of it, and from its answers and reports to facts (pure).

Each of the latter gets the order as it will be when all facts on their way to the journal are durable, and returns only
facts that change it; so a report that is repeated, late or out of order has no effect.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from ...domain.orders import Order, advance
from ...domain.reports import excess_fault, trade_fault
from ...domain.time import SECOND_NS
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
from ...messages.orders import (
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


class Update(msgspec.Struct, frozen=True, kw_only=True):
    """The facts that follow from one message of the broker."""

    facts: tuple[OrderFact, ...] = ()

    trades_missing: bool = False
    """The broker reports more shares filled than the known trades have, or an impossible trade: look the order up."""


def refused(order: SubmitOrder, refusal: Refusal, now_ns: int) -> OrderRefused:
    """Return the fact of an order that the gate refused, its texts made printable."""
    return OrderRefused(
        client_order_id=printable(order.client_order_id),
        strategy=printable(order.strategy),
        symbol=printable(order.symbol),
        side=order.side,
        quantity=order.quantity,
        rule=refusal.rule,
        reason=refusal.reason,
        occurred_ns=now_ns,
    )


def to_find(order: Order) -> FindOrder:
    """Return the look-up of an order, with all that may help to find it."""
    return FindOrder(
        client_order_id=order.client_order_id,
        symbol=order.symbol,
        side=order.side,
        quantity=order.quantity_max,
        broker_order_id=order.broker_order_id,
        filled=order.filled,
        intended_ns=order.intended_ns,
    )


def to_withdraw(order: Order) -> WithdrawOrder:
    """Return the request to cancel what is open of an order."""
    return WithdrawOrder(client_order_id=order.client_order_id, broker_order_id=order.broker_order_id)


def from_answer(order: Order, answer: OrderPlaced | OrderNotPlaced | OrderInDoubt, now_ns: int) -> Update:
    """Translate the answer to `PlaceOrder`. Doubt or refusal do not count for an order that the broker provably has."""
    client_order_id = order.client_order_id
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
    if not isinstance(answer, OrderPlaced) and not _is_in_doubt(order):
        return Update()
    return Update(facts=_news(order, fact))


def from_report(order: Order, report: ExecutionReport, now_ns: int) -> Update:
    """Translate an execution report.

    A report that ends the order while trades are missing does not end it: it stays open until a look-up has returned
    all its trades, so that a crash in between cannot lose them.
    """
    proof = "" if report.execution_type in {"REJECTED", "CANCEL_REJECTED"} else report.broker_order_id
    facts = _trades(order, (report,), proof, now_ns)
    if report.execution_type == "TRIGGERED":
        facts = (*facts, *_triggered(order, report.occurred_ns or now_ns))
    after = _after(order, facts)
    ending = _ending(report.execution_type, order.client_order_id, report.reason, report.occurred_ns or now_ns)
    missing = report.cumulative_quantity > after.filled or _is_untaken(report, after)
    if ending is None or missing or not after.is_open:
        return Update(facts=facts, trades_missing=missing)
    return Update(facts=(*facts, ending))


def from_lookup(order: Order, found: OrderFound, now_ns: int, *, horizon_ns: int) -> Update:
    """Translate the answer to a look-up: all trades of the order, what became of a change of it, then its state."""
    proof = "" if found.state == "REJECTED" else found.broker_order_id
    facts = _trades(order, found.reports, proof, now_ns)
    if found.is_triggered:
        facts = (*facts, *_triggered(order, now_ns))
    after = _after(order, facts)
    change = modifications.settled(after, found, horizon_ns=horizon_ns, now_ns=now_ns)
    if change is not None:
        facts = (*facts, change)
        after = advance(after, change)
    counted = max((report.cumulative_quantity for report in found.reports), default=0)
    missing = (
        counted > after.filled
        or (found.state == "FILLED" and after.filled < after.quantity)
        or any(_is_untaken(report, after) for report in found.reports)
    )
    told = (report.reason for report in found.reports if report.execution_type == found.state and report.reason)
    ending = _ending(found.state, order.client_order_id, next(told, "as the broker answered a look-up"), now_ns)
    if ending is None or missing or not after.is_open:
        return Update(facts=facts, trades_missing=missing)
    return Update(facts=(*facts, ending))


def from_change(order: Order, answer: OrderReplaced | OrderNotReplaced, now_ns: int) -> Update:
    """Translate the certain answer to `ReplaceOrder`; that to a change which is settled says nothing new."""
    pending = order.pending
    if pending is None or pending.number != answer.number:
        return Update()
    if isinstance(answer, OrderReplaced):
        return Update(facts=(modifications.made(order, pending, now_ns),))
    refusal = Refusal(rule="broker", reason=answer.reason)
    return Update(facts=(modifications.refused(order.client_order_id, refusal, now_ns, number=pending.number),))


def absent(order: Order, *, horizon_ns: int, now_ns: int) -> Update:
    """Translate that the broker has no such order: it has expired if the intent is older than `horizon_ns`."""
    if not order.is_open:
        return Update()
    age_ns = now_ns - order.intended_ns
    if age_ns < horizon_ns:
        return unanswered(order, "the broker does not know it yet", now_ns)
    reason = f"unknown to the broker {age_ns / SECOND_NS:.0f} s after the intent"
    return Update(facts=(OrderExpired(client_order_id=order.client_order_id, reason=reason, occurred_ns=now_ns),))


def unanswered(order: Order, reason: str, now_ns: int) -> Update:
    """Return the fact that a request will get no answer: the order is in doubt."""
    doubt = OrderInDoubt(client_order_id=order.client_order_id, reason=reason)
    return from_answer(order, doubt, now_ns)


def _trades(
    order: Order, reports: Iterable[ExecutionReport], broker_order_id: str, now_ns: int
) -> tuple[OrderFact, ...]:
    """Return the acceptance of the order, if new, and each new trade."""
    facts: list[OrderFact] = []
    if broker_order_id and not order.broker_order_id:
        accepted = OrderAccepted(
            client_order_id=order.client_order_id, broker_order_id=broker_order_id, occurred_ns=now_ns
        )
        facts.append(accepted)
    after = order
    for report in reports:
        if report.execution_type != "TRADE" or report.execution_id in after.trade_ids:
            continue
        if trade_fault(report) or excess_fault(report, ordered=order.quantity_max, filled=after.filled):
            continue
        fill = OrderFilled(
            client_order_id=order.client_order_id,
            trade_id=report.execution_id,
            strategy=order.strategy,
            symbol=order.symbol,
            side=order.side,
            quantity=report.quantity,
            price=report.price,
            cumulative_quantity=after.filled + report.quantity,
            occurred_ns=report.occurred_ns,
        )
        facts.append(fill)
        after = advance(after, fill)
    return tuple(facts)


def _triggered(order: Order, occurred_ns: int) -> tuple[OrderFact, ...]:
    return _news(order, OrderTriggered(client_order_id=order.client_order_id, occurred_ns=occurred_ns))


def _is_untaken(report: ExecutionReport, order: Order) -> bool:
    """Whether the report has a trade that was not accepted, since it is impossible: the order must be looked up."""
    return report.execution_type == "TRADE" and report.execution_id not in order.trade_ids


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


def _after(order: Order, facts: Iterable[OrderFact]) -> Order:
    for fact in facts:
        order = advance(order, fact)
    return order


def _news(order: Order, fact: OrderFact) -> tuple[OrderFact, ...]:
    return () if advance(order, fact) is order else (fact,)
