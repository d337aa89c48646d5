"""Whether what is held of a bracket has the exits that it should have: what a person is told of (pure)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ...messages.orders import OrderRefused
from ..orders import Order
from .at_market import failures, must_leave
from .exits import may_trade, was_never_in_the_market, was_taken_back
from .overnight import comes_back, is_due
from .resting import GROWTHS_MAX

if TYPE_CHECKING:
    from .bracket import Bracket

_ENDED: Final = frozenset({"CANCELLED", "EXPIRED"})
"""States of an order that was in the market, and has not traded all that it was for."""


def unguarded(bracket: Bracket) -> int:
    """Return the shares that nothing closes although an order was to at once: none came into the market so far.

    The next one, as long as it is on its way, closes nothing: the broker may refuse it as well.
    """
    if may_trade(bracket.target) or may_trade(bracket.stop) or not failures(bracket):
        return 0
    return bracket.exposed or bracket.surplus


def lost_its_stop(bracket: Bracket) -> int:
    """Return the shares that are held, were to have a stop, and have none any more: it was in the market, and ended.

    Or the order at the market that was to close them for want of one (`was_left`). Not where that is in the market, or
    on its way there, nor where the next day has another stop.
    """
    stop = bracket.stop
    if may_trade(bracket.exit):
        return 0
    if not (isinstance(stop, Order) and stop.state in _ENDED) and not was_left(bracket):
        return 0
    is_placed = bracket.closable > 0 and not must_leave(bracket)
    if comes_back(stop, bracket) and (is_placed or not is_due(stop, bracket)):
        return 0
    return bracket.exposed if bracket.held is None else min(bracket.exposed, bracket.held)


def was_left(bracket: Bracket) -> bool:
    """Say whether an order that was to close what is held at the market ended there, and nobody here asked for that."""
    last = bracket.exit
    if may_trade(bracket.stop):
        return False
    return isinstance(last, Order) and last.state in _ENDED and not last.was_never_placed and not was_taken_back(last)


def doubts_its_stop(bracket: Bracket) -> bool:
    """Say whether it is not known that the broker has the stop of what is held: its request was not answered."""
    stop = bracket.stop
    return bracket.exposed > 0 and isinstance(stop, Order) and stop.state == "UNKNOWN"


def guarded_alone(bracket: Bracket) -> int | None:
    """Return for how many shares the stop of what is held is, where that is too few and stays so; None: it is not.

    The broker has refused to make it greater, or it has been made greater as often as it may while its entry fills.
    """
    stop = bracket.stop
    if not isinstance(stop, Order) or not stop.is_open or not stop.broker_order_id:
        return None
    waits = bracket.entry.is_open and stop.pending is None and stop.modifications >= GROWTHS_MAX
    stays = stop.settled > stop.in_effect or waits
    shares = stop.quantity - stop.filled
    return shares if stays and shares < bracket.closable else None


def has_no_target(bracket: Bracket) -> bool:
    """Say whether what is held was to have a target, and this never came into the market."""
    target = bracket.target
    if bracket.exit is not None or not bracket.exposed:
        return False
    return isinstance(target, OrderRefused) or (isinstance(target, Order) and was_never_in_the_market(target))


def watched_stop(bracket: Bracket) -> Order | None:
    """Return the stop that stands alone, its target having never come into the market, which is to be watched; or None.

    Without a stop nothing is watched: a broker has room for one exit.
    """
    stop = bracket.stop
    if not isinstance(stop, Order) or not stop.is_open or not stop.broker_order_id or stop.cancelling is not None:
        return None
    return stop if has_no_target(bracket) else None


def is_at_target(entry: Order, price: float) -> bool:
    """Say whether the market is at the target of an entry, or beyond it."""
    target = entry.target_price
    return target is not None and (price >= target if entry.side == "BUY" else price <= target)


def is_bare(bracket: Bracket) -> bool:
    """Say whether shares are held without an exit that they were to have, and that nothing puts back."""
    return lost_its_stop(bracket) > 0 or has_no_target(bracket)
