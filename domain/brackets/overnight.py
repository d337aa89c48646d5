"""Which exits come back on the next day, and when (pure).

Exits are orders for a day. What is held over night has others on the next day, at the prices that the ones before had.
Whether what is held is carried, and since when a day is begun on which they may be placed, the caller says
(`is_carried`, `day_began_ns`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeGuard

from ..client_order_ids import LENGTH_MAX
from ..orders import Order
from .exits import was_taken_back
from .legs import leg_id

if TYPE_CHECKING:
    from .bracket import Bracket
    from .exits import AnyLeg


def waits_for_a_day(bracket: Bracket) -> bool:
    """Say whether what is held has exits again on the next day that it is traded."""
    legs = (bracket.target, bracket.stop)
    return bracket.exposed > 0 and any(comes_back(leg, bracket) and not is_due(leg, bracket) for leg in legs)


def comes_back(leg: AnyLeg | None, bracket: Bracket) -> TypeGuard[Order]:
    """Say whether an exit has ended with its day, and what it is for has another on the next one."""
    if not bracket.is_carried or not isinstance(leg, Order) or leg.state != "EXPIRED" or leg.was_never_placed:
        return False
    longest = leg_id(bracket.entry.client_order_id, "stop", bracket.day + 1)
    return not was_taken_back(leg) and len(longest) <= LENGTH_MAX


def is_due(leg: AnyLeg | None, bracket: Bracket) -> TypeGuard[Order]:
    """Say whether that day has begun."""
    return comes_back(leg, bracket) and leg.intended_ns < bracket.day_began_ns


def is_of_today(leg: AnyLeg | None, bracket: Bracket) -> bool:
    """Say whether an exit was made since that day has begun."""
    return isinstance(leg, Order) and leg.intended_ns >= bracket.day_began_ns
