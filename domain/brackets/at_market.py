"""When what is held is closed at the market, and when what exits have traded too much is given back (pure).

A position must not stand without its stop because the stop was refused, or had traded before the last shares came in: a
target alone would guard these against a gain. No more because the market has jumped over the limit that the stop has at
the broker, where it rests then (`is_beyond`), nor where it stands alone, its target having been rejected, and the
market is there (`is_at_target`): the caller, who knows prices, has it cancelled for that (`FOR_A_REASON`). The rest is
closed by a MARKET order once nothing else can close it any more, nor add to it; where that one is rejected, or never
came to the broker, by another (`AT_MARKET`). These follow each other with pauses, which is the caller's to see to
(`failures`): a broker that takes nothing for a moment would have had all of them. So does the next one where the day
was over before it traded, once the next day has begun (`overnight`).

Trades of the entry may be told late: when its exits have traded, or were cancelled. What comes in then is closed in the
same way, by one more of these. An exit that somebody cancelled is not put back: that was wanted, of the shares that it
was for. But where its strategy has had exits cancelled to close the position itself (`SQUARED_OFF`), and could not, the
rest is closed at the market; while it still tries, which is the caller's to know, no such order leaves.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...messages.orders import OrderRefused
from ..orders import Order
from .exits import (
    FOR_A_REASON,
    is_on_its_way,
    may_trade,
    was_never_in_the_market,
    was_to_square_off,
)
from .legs import AT_MARKET, RETURNS
from .overnight import must_leave_today
from .resting import CHANGES_MAX
from .steps import cancel, submit

if TYPE_CHECKING:
    from .bracket import Bracket
    from .exits import AnyLeg
    from .steps import Step


def must_leave(bracket: Bracket) -> bool:
    """Say whether what is held, if anything is, has to be closed at the market.

    Not for an exit there that has traded all that it was for, shares that came late: the others may have exits again.
    """
    has_begun = isinstance(bracket.exit, Order) and bracket.exit.state != "FILLED"
    return has_begun or _is_without_exit(bracket) or bracket.late > 0


def close_at_market(bracket: Bracket) -> tuple[Step, ...]:
    """Close what is held, once its other exits, and its entry, have ended: these are cancelled first."""
    entry, closable, late = bracket.entry, bracket.closable, min(bracket.late, bracket.exposed)
    trading = [leg for leg in (bracket.target, bracket.stop) if may_trade(leg)]
    if trading:
        return tuple(map(cancel, trading))
    done = len(bracket.earlier) + (bracket.exit is not None)
    wanted = bracket.in_one_order(min(closable, late) if late else closable)
    follows = _may_follow(bracket.exit, late) or _was_for_fewer(bracket) or must_leave_today(bracket)
    may_leave = not entry.is_open and follows
    return (submit(entry, AT_MARKET[done], wanted),) if may_leave and wanted > 0 and done < len(AT_MARKET) else ()


def give_back(bracket: Bracket) -> tuple[Step, ...]:
    """Reverse what the exits have traded beyond the position, as far as it is held."""
    returns, shares = bracket.returns, bracket.surplus
    wanted = shares if bracket.returnable is None else min(shares, bracket.returnable)
    if wanted <= 0 or len(returns) == len(RETURNS) or not _may_follow(returns[-1] if returns else None, shares):
        return ()
    return (submit(bracket.entry, RETURNS[len(returns)], bracket.in_one_order(wanted)),)


def failures(bracket: Bracket) -> int:
    """Return how many of the orders that were to close it at the market, the newest ones, never were in the market.

    One that is on its way counts neither as one of them nor as one that was.
    """
    tried = (*bracket.earlier, *([] if bracket.exit is None else [bracket.exit]))
    found = 0
    for each in reversed(tried if bracket.exposed else bracket.returns):
        if isinstance(each, Order) and not was_never_in_the_market(each) and not is_on_its_way(each):
            break
        found += not may_trade(each)
    return found


def _is_without_exit(bracket: Bracket) -> bool:
    """Say whether what is held has no exit that it should have: the stop cannot guard it, or the target has traded.

    Or its strategy has had one cancelled to close the position itself.
    """
    stop, target = bracket.stop, bracket.target
    if any(isinstance(leg, Order) and was_to_square_off(leg) for leg in (stop, target)):
        return True
    if isinstance(stop, OrderRefused) or (isinstance(stop, Order) and _guards_no_more(stop)):
        return True
    has_traded = isinstance(target, Order) and target.state == "FILLED"
    return has_traded and not may_trade(stop)


def _guards_no_more(stop: Order) -> bool:
    """Say whether it has traded for less than came in since, was never in the market, or was cancelled for a reason.

    That is that it could be changed no more, that the market has jumped over it, or is at its target.
    """
    asked = stop.asked_to_cancel
    is_for_a_reason = stop.modifications >= CHANGES_MAX or (asked is not None and asked.asked_by in FOR_A_REASON)
    return was_never_in_the_market(stop) or stop.state == "FILLED" or (stop.state == "CANCELLED" and is_for_a_reason)


def _was_for_fewer(bracket: Bracket) -> bool:
    """Say whether the newest exit at the market has traded all that it was for, and that was not all that had to leave.

    Exits of another bracket were for the rest, or might have been, and were not in the end.
    """
    newest = bracket.exit
    return isinstance(newest, Order) and newest.state == "FILLED" and _is_without_exit(bracket)


def _may_follow(last: AnyLeg | None, late: int) -> bool:
    """Say whether one more order at the market may follow the last, which nobody took back.

    Shares are late, or it never was in the market: what it was to close has no exit, and a person sleeps.
    """
    if may_trade(last):
        return False
    if isinstance(last, Order):
        return was_to_square_off(last) or (last.state != "CANCELLED" and (late > 0 or was_never_in_the_market(last)))
    return True
