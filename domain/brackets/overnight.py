"""Which exits come back on the next day, and when (pure).

Exits are orders for a day. What is held over night has others on the next day, at the prices that the ones before had;
what an order at the market was to close, and did not until its day was over (a market that is halted, or locked at its
circuit), is closed by the next one.
Whether what is held is carried, and since when a day is begun on which they may be placed, the caller says
(`is_carried`, `day_began_ns`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeGuard

from ..client_order_ids import LENGTH_MAX
from ..orders import Order
from .exits import was_taken_back
from .legs import AT_MARKET, leg_id

if TYPE_CHECKING:
    from .bracket import Bracket
    from .exits import AnyLeg


def waits_for_a_day(bracket: Bracket) -> bool:
    """Say whether what is held has exits again on the next day that it is traded, or is closed then."""
    if bracket.exposed <= 0:
        return False
    if leaves_again(bracket) and not must_leave_today(bracket):
        return True
    return any(comes_back(leg, bracket) and not is_due(leg, bracket) for leg in (bracket.target, bracket.stop))


def comes_back(leg: AnyLeg | None, bracket: Bracket) -> TypeGuard[Order]:
    """Say whether an exit has ended with its day, and what it is for has another on the next one."""
    longest = leg_id(bracket.entry.client_order_id, "stop", bracket.day + 1)
    return _ended_with_its_day(leg, bracket) and len(longest) <= LENGTH_MAX


def leaves_again(bracket: Bracket) -> bool:
    """Say whether the order that was to close it at the market has ended with its day, and another follows."""
    return _ended_with_its_day(bracket.exit, bracket) and len(bracket.earlier) + 1 < len(AT_MARKET)


def must_leave_today(bracket: Bracket) -> bool:
    """Say whether the day has begun on which that one follows."""
    last = bracket.exit
    return leaves_again(bracket) and isinstance(last, Order) and last.intended_ns < bracket.day_began_ns


def is_due(leg: AnyLeg | None, bracket: Bracket) -> TypeGuard[Order]:
    """Say whether that day has begun."""
    return comes_back(leg, bracket) and leg.intended_ns < bracket.day_began_ns


def _ended_with_its_day(leg: AnyLeg | None, bracket: Bracket) -> TypeGuard[Order]:
    """Say whether an exit was in the market until its day was over, and what it is for is held on the next one."""
    if not bracket.is_carried or not isinstance(leg, Order) or leg.state != "EXPIRED":
        return False
    return not leg.was_never_placed and not was_taken_back(leg)


def is_of_today(leg: AnyLeg | None, bracket: Bracket) -> bool:
    """Say whether an exit was made since that day has begun."""
    return isinstance(leg, Order) and leg.intended_ns >= bracket.day_began_ns
