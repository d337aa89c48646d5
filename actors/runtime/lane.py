"""A lane of a simulated market: messages handed on within one turn, while no receiver does more than take them.

Between two messages of a simulated market every actor has to be idle. Most ticks of a long recording change a price and
no more: to find that out by a turn of each receiver and a test for quiet costs three times what the receivers do. In
a lane the market's own actor calls its receivers, in their order, and looks after each message whether anything is left
to do; then, and wherever a timer is due, an actor is down, a job runs or a request comes from outside, it goes back to
`when_quiet`. What actors see, and in which order, is the same.

A router plays ticks and candles in it (`play`). A router that would only hand a message on names its receivers
(`relays`), which are then called directly. A receiver whose handling of a message has no effect outside of it says so
(`defers`), and gets all messages of a turn at the turn's end (`catch_up`). Where all receivers only remember ticks
(`newest_is_enough`), only the newest of several is handed on.
"""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING, Any, ClassVar, Final, cast

from msgspec.structs import force_setattr

from ...messages.market import Candle, Tick
from .runtime_cell import RuntimeCell

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ...messages.market import MarketMessage
    from .actor import RuntimeActor


_by_sequence = attrgetter("sequence")
_symbol_of = attrgetter("symbol")
_is_special = attrgetter("special")


class Elsewhere:
    """A receiver by name that is no actor of this loop: the lane sends to it, and does not call it."""

    __slots__ = ("cell", "name")

    special: ClassVar = True

    def __init__(self, name: str, cell: Any) -> None:
        self.name: Final = name
        self.cell: Final = cell
        """The address that has the name, or None."""


class Way:
    """From a router to those who have ticks of a symbol, or its candles of a length, from it: as it is in this turn."""

    __slots__ = ("at_once", "count", "keep", "later", "message", "router")

    def __init__(self, router: RuntimeCell, message: MarketMessage) -> None:
        self.router: Final = router
        self.message: Final = message
        """One of them."""

        self.at_once: Final[list[RuntimeCell]] = []
        self.later: Final[list[RuntimeCell]] = []
        self.keep: Final[list[Callable[[MarketMessage], None]]] = []
        """Keeps a message, for each of the later ones."""

        self.count = 0
        """Messages that went this way."""

    def skips(self, tick: Tick) -> bool:
        """Tell whether all only remember ticks up to this one."""
        for cells in (self.at_once, self.later):
            for cell in cells:
                if cell.special or cell.box or not cell.instance.newest_is_enough(tick):
                    return False
        return True


class Lane:
    """The lane of one actor of ours, which no door turns away; to be used in its turns only."""

    __slots__ = ("_begin", "_cell", "_cells", "_directory", "_kept", "_loop", "_quiet", "_ways", "market")

    def __init__(self, actor: RuntimeActor) -> None:
        """Take the actor whose messages are handed on: it has started, on the base of this package."""
        cell = cast("RuntimeCell", actor.host)
        self._cell: Final = cell
        self._cells: Final[dict[tuple[str, ...], list[RuntimeCell]]] = {}
        """By names: each a cell of this loop, or `Elsewhere`, which is always `special` and so only sent to."""

        self._ways: Final[dict[str | tuple[str, int], Way]] = {}
        """Of this turn: of ticks by their symbol, of candles by that and their length."""

        self._kept: Final[dict[RuntimeCell, list[MarketMessage]]] = {}
        self._directory: Final = actor.directory
        self._loop: Final = cell.services.loop
        self._begin: Final = cell.services.tracer.begin
        self._quiet: Final = cell.services.quiet
        self.market: Final = cell.market
        """Whose `time_ns` is the time of what is handed on."""

    def play(  # noqa: PLR0913  the last two by name
        self,
        router: str,
        messages: Sequence[MarketMessage],
        place: int,
        end: int,
        *,
        are_conversations: bool = True,
        passes_over: bool = False,
    ) -> int:
        """Hand on the message at `place`, and those behind it until `end`, or until anything is to be done before.

        The market is at the time of the first, and then goes to that of each. No further than the first where real time
        has to pass, or no market is simulated.

        Args:
            router: who hands on each of them, where the lane cannot do that for it.
            messages: nobody has seen them yet; those that are handed on are told when they were received.
            place: of the first one.
            end: behind the last one.
            are_conversations: whether each begins a conversation of its own; else all belong to the present one.
            passes_over: whether ticks may be left out of which all receivers would only remember the newest.

        Returns:
            the place behind the last one that was handed on, or passed over.
        """
        try:
            return self._play(router, messages, place, end, are_conversations, passes_over)
        finally:
            self._catch_up()

    def _play(  # noqa: C901, PLR0912, PLR0913, PLR0917  its loop is run once a tick: a call would be dear
        self,
        router: str,
        messages: Sequence[MarketMessage],
        place: int,
        end: int,
        are_conversations: bool,  # noqa: FBT001
        passes_over: bool,  # noqa: FBT001
    ) -> int:
        sender, market, holds, ready = self._cell, self.market, self._quiet.holds, self._loop.ready
        way_of, begin, run_end = self._ways.get, self._begin, place
        last = end if market.rules and not market.pace.speed else place + 1
        while True:
            message = messages[place]
            place += 1
            if isinstance(message, Tick):
                # No other actor has seen the tick yet; a copy of it would cost five times as much.
                force_setattr(message, "received_ns", market.time_ns)
                way = way_of(message.symbol)
            else:
                way = way_of((message.symbol, message.interval_ns))
            if are_conversations:
                sender.trace = begin()
            is_counted = sender.trace.__class__ is int and not ready  # a number: it is not recorded
            if is_counted and (way := way or self._find(router, message)) is not None:
                self._hand_by(way, message)
            else:
                self._catch_up()  # nobody has this one before those
                self.hand_to((router,), message)
            if place == last or ready or not holds(sender.offloads):
                return place
            following = messages[place]
            if isinstance(following, Candle):
                if not market.goes_to(following.start_ns + following.interval_ns, ends=True):
                    return place
                continue
            if passes_over:
                if run_end <= place:
                    run_end = _end_of_ticks(messages, place, end)
                if run_end - place > 1 and self._passes_over(router, messages[place:run_end]):
                    place = run_end - 1
                    continue
            if not market.goes_to(following.exchange_ns, ends=False):
                return place

    def _hand_by(self, way: Way, message: MarketMessage) -> None:
        """Do what its router would do with it."""
        way.count += 1
        for keep in way.keep:
            keep(message)
        way.router.trace = self._cell.trace
        self._hand(way.at_once, message, way.router)

    def _passes_over(self, router: str, ticks: Sequence[Any]) -> bool:
        """Go on to the last of these ticks, if the newest of each symbol is enough to hand on; return whether it was.

        The last one is left to be handed on.
        """
        newest: dict[str, Tick] = dict(zip(map(_symbol_of, ticks), ticks, strict=True))
        for tick in newest.values():
            way = self._ways.get(tick.symbol) or self._find(router, tick)
            if way is None or not way.skips(tick):
                return False
        last = ticks[-1]
        if not self.market.goes_to(last.exchange_ns, ends=False):
            return False
        for tick in sorted(newest.values(), key=_by_sequence) if len(newest) > 1 else ():
            if tick is not last:
                force_setattr(tick, "received_ns", tick.exchange_ns)
                self._hand_by(self._ways[tick.symbol], tick)
        return True

    def _catch_up(self) -> None:
        """Let all who deferred messages of this turn handle them, and its router count them."""
        for way in self._ways.values():
            way.router.handled += way.count
            way.router.instance.relayed(way.message, way.count)
        for cell, messages in self._kept.items():
            if messages:
                self._hand_kept(cell, messages)
        self._ways.clear()
        self._kept.clear()

    def hand_to(self, names: tuple[str, ...], message: Any) -> None:
        """Let each of these actors handle the message now, as the only one of a turn; or send it, where that cannot be.

        Those who have something in their mailbox, are not running, or are on a thread or in a process of their own, are
        sent it; and the rest, where one of them has sent something: each has the message before what follows from it.
        """
        sender = self._cell
        if sender.trace.__class__ is int:
            self._hand(self._cells.get(names) or self._look_up(names), message, sender)
            return
        for name in names:
            sender.instance.send(name, message)

    def _hand(self, cells: list[RuntimeCell], message: Any, sender: RuntimeCell) -> None:
        loop, trace, kind = self._loop, sender.trace, message.__class__
        handing, ready = loop.current, loop.ready
        if ready:  # all that waits comes first
            for cell in cells:
                self._send(cell, message, sender)
            return
        for cell in cells:
            if ready:  # one of those before has sent something
                self._put_first(cells[cells.index(cell) :], message, sender)
                break
            if cell.special:
                self._send(cell, message, sender)
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

    def _put_first(self, cells: list[RuntimeCell], message: Any, sender: RuntimeCell) -> None:
        """Send it as if it had been sent before what waits for them now, and give them their turns in this order."""
        ready, envelope = self._loop.ready, (message, sender, cast("int", sender.trace))
        for cell in reversed(cells):
            if cell.special:
                self._send(cell, message, sender)
                continue
            if cell.idle:
                cell.idle = False
                cell.put(envelope)
            else:
                if cell in ready:  # else it would have a second turn, before its time
                    ready.remove(cell)
                cell.box.appendleft(envelope)
            ready.appendleft(cell)

    def _hand_kept(self, cell: RuntimeCell, messages: list[MarketMessage]) -> None:
        """Let a cell handle what was kept for it: before all that it was sent meanwhile, which came later."""
        sender = next(way.router for way in self._ways.values() if cell in way.later)
        if cell.special:
            for message in messages:
                self._send(cell, message, sender)
            return
        loop, was_idle = self._loop, cell.idle
        handing, loop.current = loop.current, cell
        cell.idle, cell.trace = False, sender.trace
        try:
            cell.instance.catch_up(messages)
        except BaseException as error:  # noqa: BLE001  as in a turn
            cell.on_error(error, messages[-1], sender)
        else:
            cell.handled += len(messages)
            if was_idle:
                cell.rest()
        loop.current = handing

    def _find(self, router: str, message: MarketMessage) -> Way | None:
        """Find the way of messages like this one, for this turn; None: the router has more to do with it.

        Nothing is ready: of those who run on this loop, all are idle.
        """
        cell = self._recipient(router)
        if cell.special or (names := cell.instance.relays(message)) is None:
            return None
        way = Way(cell, message)
        for each in self._cells.get(names) or self._look_up(names):
            if each.special or each.drains or not each.instance.defers(message):
                way.at_once.append(each)
            else:
                way.later.append(each)
                way.keep.append(self._kept.setdefault(each, []).append)
        way.at_once.sort(key=_is_special, reverse=True)  # who is sent it has it before what the others send him
        self._ways[(message.symbol, message.interval_ns) if isinstance(message, Candle) else message.symbol] = way
        return way

    def _look_up(self, names: tuple[str, ...]) -> list[RuntimeCell]:
        """Find who takes messages in a lane, once for all messages until one of them is not there any more.

        Those elsewhere first: they are sent a message, and have it before what the others send them.
        """
        found = self._cells[names] = sorted(map(self._recipient, names), key=lambda each: isinstance(each, RuntimeCell))
        return found

    def _recipient(self, name: str) -> RuntimeCell:
        cell = self._directory.get(name)
        is_here = cell.__class__ is RuntimeCell and cell.worker is self._loop
        return cast("RuntimeCell", cell if is_here else Elsewhere(name, cell))

    def _send(self, recipient: RuntimeCell, message: Any, sender: RuntimeCell) -> None:
        """Send it; where one has gone for ever, all are looked up anew for the next message."""
        name = recipient.name
        sender.instance.send(name, message)
        known = recipient.cell if isinstance(recipient, Elsewhere) else recipient
        if self._directory.get(name) is not known:
            self._cells.clear()


def _end_of_ticks(messages: Sequence[MarketMessage], place: int, end: int) -> int:
    """Return where the ticks from a place on end: the place of the next candle, or `end`."""
    for found in range(place, end):
        if messages[found].__class__ is Candle:
            return found
    return end
