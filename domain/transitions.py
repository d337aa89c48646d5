"""Illegal transitions of an order: facts that cannot be true, whatever was delayed, repeated or lost (pure).

A fact that comes late or twice is no fault: `domain.orders.advance` takes facts in any sequence. What is illegal is a
fact that contradicts what is known: no broker that keeps its word says both, in whatever order they arrive. It is
refused before it is journaled, with both states named, and the order stays as it was. Trades are the exception where a
broker contradicts itself: one of an order that it said it had rejected is money, and is taken (and halts).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import msgspec

from ..messages.orders import (
    CancellationIntended,
    CancellationRefused,
    CancellationUncertain,
    ModificationIntended,
    ModificationRefused,
    OrderAccepted,
    OrderCancelled,
    OrderExpired,
    OrderFact,
    OrderFilled,
    OrderModified,
    OrderRejected,
    OrderTriggered,
)
from .orders import Order, advance


class IllegalTransition(msgspec.Struct, frozen=True, kw_only=True):
    """A fact that cannot be true of an order as it stands."""

    client_order_id: str
    fact: str
    """Its type."""

    before: str
    """The state of the order."""

    after: str
    """The state that the fact would bring it to."""

    reason: str
    """What was wanted and what was found."""

    def __str__(self) -> str:
        """Name both states and the fact."""
        return f"{self.fact} of {self.client_order_id} from {self.before} to {self.after}: {self.reason}"


class IllegalTransitionError(ValueError):
    """The order cannot go where the fact would bring it."""

    def __init__(self, transition: IllegalTransition) -> None:
        """Say which."""
        super().__init__(str(transition))
        self.transition: Final = transition


def step(order: Order, fact: OrderFact) -> Order:
    """Return the order after a fact that is new to the journal; the very same object if it says nothing new.

    Raises:
        IllegalTransitionError: it contradicts what is known.
    """
    refused = illegal(order, fact)
    if refused is not None:
        raise IllegalTransitionError(refused)
    return advance(order, fact)


def illegal(order: Order, fact: OrderFact) -> IllegalTransition | None:
    """Say why a fact cannot be true of an order as it stands; None: it can, even if late or repeated."""
    asks = _CONTRADICTIONS.get(type(fact))
    reason = "" if asks is None else asks(order, fact)
    if not reason:
        return None
    return IllegalTransition(
        client_order_id=order.client_order_id,
        fact=type(fact).__name__,
        before=order.state,
        after=_TO.get(type(fact)) or advance(order, fact).state,
        reason=reason,
    )


def _accepted(order: Order, fact: OrderAccepted) -> str:
    if order.broker_order_id in {"", fact.broker_order_id}:
        return ""
    return f"the order that the broker has as {order.broker_order_id} wanted, found {fact.broker_order_id}"


def _rejected(order: Order, _fact: OrderRejected) -> str:
    if order.filled:
        return f"an order without trades wanted, found {order.filled} shares filled"
    if order.state == "CANCELLED" or (order.state == "EXPIRED" and order.broker_order_id):
        return f"an order that may still be rejected wanted, found it {order.state}"
    return ""


def _ended(order: Order, _fact: OrderCancelled | OrderExpired) -> str:
    return (
        f"an open quantity wanted, found {order.filled} of {order.quantity} filled" if order.state == "FILLED" else ""
    )


def _triggered(order: Order, _fact: OrderTriggered) -> str:
    is_stop = order.order_type in {"STOP", "STOP_LIMIT"}
    return "" if is_stop else f"a stop order wanted, found a {order.order_type} order"


def _filled(order: Order, fact: OrderFilled) -> str:
    if fact.trade_id in order.trade_ids:
        return ""
    if (fact.symbol, fact.side) != (order.symbol, order.side):
        return f"{order.side} {order.symbol} as ordered wanted, found {fact.side} {fact.symbol}"
    filled = order.filled + fact.quantity
    if filled <= order.quantity_max:
        return ""
    return f"at most {order.quantity_max} shares as ordered wanted, found {filled} with this trade"


def _to_be_modified(order: Order, fact: ModificationIntended) -> str:
    if fact.number <= order.modifications:
        return ""
    if not order.is_open:
        return f"an open order wanted, found it {order.state}"
    if order.pending is not None:
        return f"no change in flight wanted, found number {order.pending.number} without an outcome"
    return _next_number(fact.number, order.modifications)


def _modified(order: Order, fact: OrderModified) -> str:
    # One more than were asked for: somebody else has changed it.
    newest = order.modifications + (order.pending is None)
    return _known_number(fact.number, newest, "changes")


def _not_modified(order: Order, fact: ModificationRefused) -> str:
    return _known_number(fact.number, order.modifications, "changes")


def _to_be_cancelled(order: Order, fact: CancellationIntended) -> str:
    if fact.number <= order.cancellations:
        return ""
    if not order.is_open:
        return f"an open order wanted, found it {order.state}"
    if order.cancelling is not None:
        return f"no cancellation in flight wanted, found number {order.cancelling.number} without an outcome"
    return _next_number(fact.number, order.cancellations)


def _of_a_cancellation(order: Order, fact: CancellationRefused | CancellationUncertain) -> str:
    return _known_number(fact.number, order.cancellations, "cancellations")


def _next_number(found: int, newest: int) -> str:
    return "" if found == newest + 1 else f"number {newest + 1} wanted, found {found}"


def _known_number(found: int, newest: int, what: str) -> str:
    return "" if found <= newest else f"one of the {newest} {what} that were asked for wanted, found number {found}"


_CONTRADICTIONS: Final[dict[type, Callable[[Order, Any], str]]] = {
    OrderAccepted: _accepted,
    OrderRejected: _rejected,
    OrderCancelled: _ended,
    OrderExpired: _ended,
    OrderTriggered: _triggered,
    OrderFilled: _filled,
    ModificationIntended: _to_be_modified,
    OrderModified: _modified,
    ModificationRefused: _not_modified,
    CancellationIntended: _to_be_cancelled,
    CancellationUncertain: _of_a_cancellation,
    CancellationRefused: _of_a_cancellation,
}
"""Doubt contradicts nothing: `OrderUncertain` may come whenever it likes."""

_TO: Final[dict[type, str]] = {
    OrderAccepted: "ACCEPTED",
    OrderRejected: "REJECTED",
    OrderCancelled: "CANCELLED",
    OrderExpired: "EXPIRED",
    OrderTriggered: "TRIGGERED",
    ModificationIntended: "MODIFYING",
    OrderModified: "MODIFIED",
    ModificationRefused: "NOT MODIFIED",
    CancellationIntended: "CANCELLING",
    CancellationUncertain: "CANCELLING IN DOUBT",
    CancellationRefused: "NOT CANCELLED",
}
"""What a fact is evidence of; of a trade the filled quantity decides."""
