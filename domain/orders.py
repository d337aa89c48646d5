"""The state machine of one order (pure).

An order gathers evidence and forgets none: its state is a function of the *set* of facts heard, so repeats and disorder
change nothing. The filled quantity only grows. Where facts contradict each other, the stronger wins:

    FILLED > CANCELLED > EXPIRED > REJECTED > PART_FILLED > ACCEPTED > UNKNOWN > INTENDED

Trades stand first: an order that is filled in full is FILLED, whoever says that it was cancelled.
"""

from __future__ import annotations

from typing import Final, Literal, TypeAlias

import msgspec

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

Ending: TypeAlias = Literal["CANCELLED", "EXPIRED", "REJECTED"]

_ENDINGS: Final[dict[type, Ending]] = {
    OrderCancelled: "CANCELLED",
    OrderExpired: "EXPIRED",
    OrderRejected: "REJECTED",
}
"""Strongest first."""


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

    uncertain: bool = False
    trade_ids: frozenset[str] = frozenset()

    filled: int = 0
    """Shares, the sum of all trades."""

    endings: frozenset[Ending] = frozenset()

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
    def state(self) -> OrderState:
        """Where the order stands, by the strongest evidence."""
        if self.filled >= self.quantity:
            return "FILLED"
        for ending in _ENDINGS.values():
            if ending in self.endings:
                return ending
        if self.filled:
            return "PART_FILLED"
        if self.broker_order_id:
            return "ACCEPTED"
        return "UNKNOWN" if self.uncertain else "INTENDED"

    @property
    def is_open(self) -> bool:
        """Whether more may come of it."""
        return not self.endings and self.filled < self.quantity

    @property
    def leaves(self) -> int:
        """Shares that may still be filled."""
        return self.quantity - self.filled if self.is_open else 0

    @property
    def was_never_placed(self) -> bool:
        """Whether we concluded that the broker does not have it. A trade or acceptance after that is an alarm.

        Not where it was cancelled: only the broker says that, and then it had it.
        """
        return bool(self.endings - {"CANCELLED"}) and not self.broker_order_id and not self.filled


def advance(order: Order, fact: OrderFact) -> Order:
    """Return the order with this fact of its own taken in; the very same object if it says nothing new."""
    changes: dict[str, object] = {}
    match fact:
        case OrderFilled() if fact.trade_id not in order.trade_ids:
            changes = {"trade_ids": order.trade_ids | {fact.trade_id}, "filled": order.filled + fact.quantity}
        case OrderAccepted() if fact.broker_order_id > order.broker_order_id:
            # Two numbers for one order would be the broker's fault; the greater one is the same in any sequence.
            changes = {"broker_order_id": fact.broker_order_id}
        case OrderUncertain():
            changes = {} if order.uncertain else {"uncertain": True}
        case OrderCancelled() | OrderExpired() | OrderRejected() if _ENDINGS[type(fact)] not in order.endings:
            changes = {"endings": order.endings | {_ENDINGS[type(fact)]}}
    return msgspec.structs.replace(order, **changes) if changes else order
