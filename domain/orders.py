"""The state machine of one order (pure).

An order gathers evidence and forgets none: its state is a function of the *set* of facts heard, so repeats and disorder
change nothing. The filled quantity only grows. Where facts contradict each other, the stronger wins:

    FILLED > CANCELLED > EXPIRED > REJECTED > PART_FILLED > ACCEPTED > UNKNOWN > INTENDED

Trades stand first: an order that is filled in full is FILLED, whoever says that it was cancelled.
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
    OrderType,
    OrderUncertain,
    Side,
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
"""Weakest first; REFUSED is no state of an order: our gate refused it, and nothing more is heard of it."""

_STRENGTH: Final[dict[OrderState, int]] = {state: strength for strength, state in enumerate(STATES)}
_OPEN: Final = frozenset(STATES[:4])

_EVIDENCE: Final[dict[type[OrderFact], OrderState]] = {
    OrderUncertain: "UNKNOWN",
    OrderAccepted: "ACCEPTED",
    OrderRejected: "REJECTED",
    OrderExpired: "EXPIRED",
    OrderCancelled: "CANCELLED",
}
"""What a fact by itself says of the state; a trade says it by how much is filled."""


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """What the facts so far say of one order."""

    client_order_id: str
    strategy: str
    symbol: str
    side: Side

    quantity: int
    """Shares ordered, at least 1."""

    order_type: OrderType

    limit_price: float | None
    """Rupees; only for LIMIT."""

    intended_ns: int
    """Nanoseconds since 1970-01-01 UTC: when the intent was written."""

    broker_order_id: str = ""
    """Empty while we have no proof that the broker has it."""

    state: OrderState = "INTENDED"
    """Where the order stands, by the strongest evidence."""

    trade_ids: frozenset[str] = frozenset()

    filled: int = 0
    """Shares, the sum of all trades."""

    @classmethod
    def from_intent(cls, intent: OrderIntended) -> Order:
        """Open the order that an intent describes."""
        return cls(
            client_order_id=intent.client_order_id,
            strategy=intent.strategy,
            symbol=intent.symbol,
            side=intent.side,
            quantity=intent.quantity,
            order_type=intent.order_type,
            limit_price=intent.limit_price,
            intended_ns=intent.occurred_ns,
        )

    @property
    def is_open(self) -> bool:
        """Whether more may come of it."""
        return self.state in _OPEN

    @property
    def leaves(self) -> int:
        """Shares that may still be filled."""
        return self.quantity - self.filled if self.is_open else 0

    @property
    def was_never_placed(self) -> bool:
        """Whether we concluded that the broker does not have it. A trade or acceptance after that is an alarm.

        Not where it was cancelled: only the broker says that, and then it had it.
        """
        return self.state in {"EXPIRED", "REJECTED"} and not self.broker_order_id and not self.filled


def advance(order: Order, fact: OrderFact) -> Order:
    """Return the order with this fact of its own taken in; the very same object if it says nothing new."""
    kind = type(fact)
    if kind is OrderFilled:
        return _traded(order, cast("OrderFilled", fact))
    evidence = _EVIDENCE.get(kind)
    if evidence is None:
        return order
    state = order.state
    if kind is OrderAccepted:
        broker_order_id = cast("OrderAccepted", fact).broker_order_id
        # Two numbers for one order would be the broker's fault; the greater one is the same in any sequence.
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
