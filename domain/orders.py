"""The state machine of one order (pure).

The state of an order is a function of the *set* of facts received, so repeats and disorder change nothing. The filled
quantity only grows. Where facts contradict each other, the stronger wins:

    FILLED > CANCELLED > EXPIRED > REJECTED > PART_FILLED > ACCEPTED > UNKNOWN > INTENDED

Trades outrank everything: an order that is filled in full is FILLED, also if a report says that it was cancelled.
"""

from __future__ import annotations

from typing import Final, cast

import msgspec
from msgspec.structs import replace

from ..messages.orders import (
    OrderAccepted,
    OrderCancelled,
    OrderExpired,
    OrderFact,
    OrderFilled,
    OrderIntended,
    OrderRejected,
    OrderState,
    OrderTriggered,
    OrderType,
    OrderUncertain,
    Product,
    Side,
    Validity,
)

STATES: Final[tuple[OrderState, ...]] = (
    "INTENDED",
    "UNKNOWN",
    "ACCEPTED",
    "PART_FILLED",
    "REJECTED",
    "EXPIRED",
    "CANCELLED",
    "FILLED",
)
"""Weakest first. REFUSED is not among them: an order that our gate refused has no further facts."""

_STRENGTH: Final[dict[OrderState, int]] = {state: strength for strength, state in enumerate(STATES)}
_OPEN: Final = frozenset(STATES[:4])

_EVIDENCE: Final[dict[type[OrderFact], OrderState]] = {
    OrderUncertain: "UNKNOWN",
    OrderAccepted: "ACCEPTED",
    OrderRejected: "REJECTED",
    OrderExpired: "EXPIRED",
    OrderCancelled: "CANCELLED",
}
"""The state that a fact is evidence of; for a trade it depends on the filled quantity."""


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """One order, as its facts so far describe it."""

    client_order_id: str
    strategy: str
    symbol: str
    side: Side

    quantity: int
    """Shares ordered, at least 1."""

    order_type: OrderType

    limit_price: float | None
    """Rupees; only for LIMIT and STOP_LIMIT."""

    intended_ns: int
    """When the intent was made: nanoseconds since 1970-01-01 UTC."""

    broker_order_id: str = ""
    """Empty while there is no proof that the broker has it."""

    state: OrderState = "INTENDED"
    """By the strongest evidence."""

    trade_ids: frozenset[str] = frozenset()

    filled: int = 0
    """Shares, the sum of all trades."""

    trigger_price: float | None = None
    """Rupees; only for STOP and STOP_LIMIT."""

    validity: Validity = "DAY"
    product: Product | None = None
    """None: as the settings of the broker say."""

    is_triggered: bool = False
    """Whether it is known that a stop has met its trigger."""

    @classmethod
    def from_intent(cls, intent: OrderIntended) -> Order:
        """Return a new order, as its intent describes it."""
        return cls(
            client_order_id=intent.client_order_id,
            strategy=intent.strategy,
            symbol=intent.symbol,
            side=intent.side,
            quantity=intent.quantity,
            order_type=intent.order_type,
            limit_price=intent.limit_price,
            intended_ns=intent.occurred_ns,
            trigger_price=intent.trigger_price,
            validity=intent.validity,
            product=intent.product,
        )

    @property
    def is_open(self) -> bool:
        """Whether it may still be filled or end otherwise."""
        return self.state in _OPEN

    @property
    def leaves(self) -> int:
        """Shares that may still be filled."""
        return self.quantity - self.filled if self.is_open else 0

    @property
    def was_never_placed(self) -> bool:
        """Whether it was concluded that the broker never had it. A later trade or acceptance is an alarm.

        False for a cancelled order: only the broker reports a cancellation, so the broker had it.
        """
        return self.state in {"EXPIRED", "REJECTED"} and not self.broker_order_id and not self.filled


def advance(order: Order, fact: OrderFact) -> Order:
    """Return the order after one of its facts; the very same object if the fact changes nothing."""
    kind = type(fact)
    if kind is OrderFilled:
        return _traded(order, cast("OrderFilled", fact))
    evidence = _EVIDENCE.get(kind)
    if kind is OrderTriggered:
        return order if order.is_triggered else replace(order, is_triggered=True)
    if evidence is None:
        return order
    state = order.state
    if kind is OrderAccepted:
        broker_order_id = cast("OrderAccepted", fact).broker_order_id
        # Two broker order ids for one order would be the broker's fault; the greater is the same in any order of facts.
        if broker_order_id <= order.broker_order_id:
            return order
        if _STRENGTH[evidence] > _STRENGTH[state]:
            state = evidence
        return replace(order, broker_order_id=broker_order_id, state=state)
    return replace(order, state=evidence) if _STRENGTH[evidence] > _STRENGTH[state] else order


def _traded(order: Order, fill: OrderFilled) -> Order:
    if fill.trade_id in order.trade_ids:
        return order
    filled = order.filled + fill.quantity
    evidence: OrderState = "FILLED" if filled >= order.quantity else "PART_FILLED"
    state = evidence if _STRENGTH[evidence] > _STRENGTH[order.state] else order.state
    return replace(order, trade_ids=order.trade_ids | {fill.trade_id}, filled=filled, state=state)
