"""What is to be done now for a bracket, the most urgent first, and whether anything will have to be (pure)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .at_market import close_at_market, give_back, must_leave
from .exits import filled, may_trade
from .guarding import unguarded
from .overnight import comes_back, leaves_again
from .resting import exit_steps
from .steps import cancel

if TYPE_CHECKING:
    from .bracket import Bracket
    from .steps import Step


def next_steps(bracket: Bracket) -> tuple[Step, ...]:
    """Return the steps to take now, the most urgent first."""
    entry, exits = bracket.entry, (bracket.target, bracket.stop, bracket.exit)
    exited, is_leaving = any(map(filled, exits)), must_leave(bracket)
    ending = (cancel(entry),) if entry.is_open and (exited or is_leaving) else ()
    if bracket.exposed > 0:
        return (*ending, *(close_at_market(bracket) if is_leaving else exit_steps(bracket)))
    trading = [leg for leg in exits if may_trade(leg)]
    if entry.is_open and not exited:
        # First the entry, whose shares others have closed: a fill after its exits have ended would have none.
        return (cancel(entry),) if trading else ()
    return (*ending, *map(cancel, trading)) or give_back(bracket)


def is_done(bracket: Bracket) -> bool:
    """Say whether nothing will have to be done any more, whatever comes but a late trade."""
    legs = [leg for leg in (bracket.target, bracket.stop, bracket.exit, *bracket.returns) if leg is not None]
    if bracket.entry.is_open or any(map(may_trade, legs)):
        return False
    if not legs:
        return bracket.exposed <= 0  # else the position would lack its exits
    is_back = leaves_again(bracket) or any(comes_back(leg, bracket) for leg in (bracket.target, bracket.stop))
    if bracket.exposed > 0 and is_back:
        return False
    return not next_steps(bracket) and not unguarded(bracket)
