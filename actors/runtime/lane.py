"""A lane of a simulated market: messages handed on within one turn, as long as nobody does more than take them.

Between two messages of a simulated market every actor has to be idle. Most ticks of a long recording change a price and
no more: to find that out by a turn of each receiver and a test for quiet costs three times what the receivers do. In
a lane the market's own actor calls its receivers, in their order, and looks after each message whether anything is left
to do; then, and wherever a timer is due, an actor is down, a job runs or somebody asks from outside, it goes back to
`when_quiet`. What actors see, and in which order, is the same.

Where a receiver has nothing to do with a tick but to remember it, and says so (`newest_is_enough`), only the newest of
several need be handed on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, cast

from .runtime_cell import RuntimeCell

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .actor import RuntimeActor


class Lane:
    """The lane of one actor of ours, which no door turns away; to be used in its turns only."""

    __slots__ = ("_cell", "_directory", "_loop", "_market", "_quiet")

    def __init__(self, actor: RuntimeActor) -> None:
        """Take the actor whose messages are handed on: it has started, on the base of this package."""
        cell = cast("RuntimeCell", actor.host)
        self._cell: Final = cell
        self._directory: Final = actor.directory
        self._loop: Final = cell.services.loop
        self._market: Final = cell.market
        self._quiet: Final = cell.services.quiet

    def goes_to(self, at_ns: int, *, ends: bool = False) -> bool:
        """Advance the market to the time of its next message, if nothing is to be done before; return whether it was.

        Never where real time has to pass before it, or no market is simulated. Market time: nanoseconds since
        1970-01-01 UTC; `ends` as of `when_quiet`.
        """
        if self._loop.ready or not self._quiet.holds(self._cell.offloads):
            return False
        market = self._market
        if not market.rules or market.pace.speed:
            return False
        if market.has_timer_before(at_ns, ends=ends):
            return False
        market.release(at_ns)
        return True

    def hand_to(self, names: Iterable[str], message: Any) -> None:
        """Let each of these actors handle the message now, as the only one of a turn; or send it, where that cannot be.

        Those who have something in their mailbox, are not running, or are on a thread or in a process of their own, are
        sent it.
        """
        sender, loop, directory = self._cell, self._loop, self._directory
        trace = sender.trace
        is_recorded = trace.__class__ is not int
        for name in names:
            cell = directory.get(name)
            if cell.__class__ is not RuntimeCell or cell.worker is not loop or is_recorded:
                sender.instance.send(name, message)
            else:
                cell.take(message, sender, trace)

    def newest_is_enough(self, names: Iterable[str], tick: Any) -> bool:
        """Tell whether all of them only remember ticks up to this one."""
        for name in names:
            cell = self._directory.get(name)
            if (
                cell.__class__ is not RuntimeCell
                or cell.worker is not self._loop
                or cell.special
                or cell.box
                or not cell.instance.newest_is_enough(tick)
            ):
                return False
        return True
