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

from typing import TYPE_CHECKING, Any, ClassVar, Final, cast

from .runtime_cell import RuntimeCell

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .actor import RuntimeActor


class Elsewhere:
    """Stands for one whom a lane only sends to: no actor of this loop has the name."""

    __slots__ = ("cell", "name")

    special: ClassVar = True

    def __init__(self, name: str, cell: Any) -> None:
        self.name: Final = name
        self.cell: Final = cell
        """Who has the name instead, if anyone."""


class Lane:
    """The lane of one actor of ours, which no door turns away; to be used in its turns only."""

    __slots__ = ("_begin", "_cell", "_cells", "_directory", "_loop", "_quiet", "market")

    def __init__(self, actor: RuntimeActor) -> None:
        """Take the actor whose messages are handed on: it has started, on the base of this package."""
        cell = cast("RuntimeCell", actor.host)
        self._cell: Final = cell
        self._cells: Final[dict[tuple[str, ...], list[RuntimeCell]]] = {}
        """By names: each a cell of this loop, or `Elsewhere`, which is always `special` and so only sent to."""

        self._directory: Final = actor.directory
        self._loop: Final = cell.services.loop
        self._begin: Final = cell.services.tracer.begin
        self._quiet: Final = cell.services.quiet
        self.market: Final = cell.market
        """Whose `time_ns` is the time of what is handed on."""

    def goes_to(self, at_ns: int, *, ends: bool = False) -> bool:
        """Advance the market to the time of its next message, if nothing is to be done before; return whether it was.

        Never where real time has to pass before it, or no market is simulated. Market time: nanoseconds since
        1970-01-01 UTC; `ends` as of `when_quiet`.
        """
        if self._loop.ready or not self._quiet.holds(self._cell.offloads):
            return False
        market = self.market
        return market.rules and not market.pace.speed and market.goes_to(at_ns, ends=ends)

    def begin_with(self, names: tuple[str, ...], message: Any) -> None:
        """Begin a new conversation with this message, and hand it on as `hand_to` does."""
        self._cell.trace = self._begin()
        self.hand_to(names, message)

    def hand_to(self, names: tuple[str, ...], message: Any) -> None:
        """Let each of these actors handle the message now, as the only one of a turn; or send it, where that cannot be.

        Those who have something in their mailbox, are not running, or are on a thread or in a process of their own, are
        sent it.
        """
        sender, loop = self._cell, self._loop
        trace, kind = sender.trace, message.__class__
        if trace.__class__ is not int:
            for name in names:
                sender.instance.send(name, message)
            return
        handing = loop.current
        for cell in self._cells.get(names) or self._look_up(names):
            if cell.special or not cell.idle:
                self._send(names, cell, message)
                continue
            # A turn, written out; and no door, since the sender is one of ours.
            cell.idle = False
            cell.trace = trace
            loop.current = cell  # it is this one's turn, for who watches or kills it
            try:
                cell.handlers_of_ours[kind](cell.instance, message, sender)
            except BaseException as error:  # noqa: BLE001  as in a turn
                cell.on_error(error, message, sender)
                continue
            if cell.drains:
                try:
                    cell.instance.on_drained()
                except BaseException as error:  # noqa: BLE001
                    cell.on_error(error, None, sender)
                    continue
            cell.handled += 1
            cell.idle = True
            if cell.box and cell.idle:  # as `Cell.rest`; `control` schedules a turn by itself
                cell.idle = False
                cell.ready(cell)
        loop.current = handing

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

    def _look_up(self, names: tuple[str, ...]) -> list[RuntimeCell]:
        """Find who takes messages in a lane, once for all messages until one of them is not there any more."""
        found = self._cells[names] = [self._recipient(name) for name in names]
        return found

    def _recipient(self, name: str) -> RuntimeCell:
        cell = self._directory.get(name)
        is_here = cell.__class__ is RuntimeCell and cell.worker is self._loop
        return cast("RuntimeCell", cell if is_here else Elsewhere(name, cell))

    def _send(self, names: tuple[str, ...], recipient: RuntimeCell, message: Any) -> None:
        """Send it; who has gone for ever is looked up anew for the next one."""
        name = recipient.name
        self._cell.instance.send(name, message)
        known = recipient.cell if isinstance(recipient, Elsewhere) else recipient
        if self._directory.get(name) is not known:
            self._cells.pop(names, None)
