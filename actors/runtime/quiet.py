"""Knowing that nothing is going on, so that a simulated market may take its next step, and its time go on.

A market waits for every actor that is down or coming up: one that is restarted misses nothing of it.

The question is asked where the loop would sleep, so a system that never asks pays nothing for it. It must be exact, and
no lock guards the whole system at once; two looks do instead. If both find every thread asleep, with nothing ready, and
no thread woke between them (`wakes` unchanged), then all of them slept at one and the same moment between the looks.
Where no thread is to be watched, one look is enough: a job brings its outcome before it counts as ended.
"""

from __future__ import annotations

import threading
from collections import deque
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from thespian.actors import ActorAddress

    from .cell import Cell
    from .endpoint import Endpoint
    from .market_clock import MarketClock
    from .timers import Timer
    from .trace import Trace
    from .worker import Worker


class Quiescence:
    """Who waits for quiet, and the test for it. Watched: the threads of blocking actors that are not background."""

    __slots__ = (
        "_alarm", "_callers", "_coming", "_down", "_loop", "_market", "_offloads", "_offloads_begun", "_offloads_lock",
        "_retired", "_waiters", "_watched",
    )  # fmt: skip

    def __init__(self, market: MarketClock) -> None:
        self._market = market
        self._waiters: deque[tuple[Cell, int, Any, int | None]] = deque()
        self._callers: deque[tuple[Endpoint, Any, ActorAddress, Trace]] = deque()
        self._down: dict[Cell, None] = {}
        self._coming: dict[Cell, bool] = {}
        self._alarm: Timer | None = None
        self._watched: tuple[Worker, ...] = ()
        self._loop: Worker | None = None
        self._offloads_lock = threading.Lock()
        self._offloads = 0
        self._offloads_begun = 0
        self._retired = 0

    def attach(self, loop: Worker) -> None:
        """Name the shared loop: it runs the test."""
        self._loop = loop

    def watch(self, worker: Worker) -> None:
        """Count this thread's work."""
        with self._offloads_lock:
            self._watched = (*self._watched, worker)

    def unwatch(self, worker: Worker) -> None:
        """Count it no longer: its actor is gone."""
        with self._offloads_lock:
            self._watched = tuple(each for each in self._watched if each is not worker)
            self._retired += worker.wakes + 1
        self.something_ended()

    def wait(self, cell: Cell, message: Any, at_ns: int | None) -> None:
        """Deliver the message to this cell when all is quiet; one at a time, first come first served.

        With a time of the market, not before it has come to that, paced by the machine's clock.
        """
        self._waiters.append((cell, cell.life, message, at_ns))
        if self._loop is not None and self._loop.asleep:
            self._loop.wake()

    def goes_down(self, cell: Cell) -> None:
        """Let the market wait for this cell: whoever suspended it brings it back, or ends it."""
        if not cell.background:
            self._down[cell] = None

    def comes_up(self, cell: Cell, *, in_market_time: bool) -> None:
        """Let the market wait until it has started; one that lives in market time may need time to go on for it."""
        if not cell.background:
            self._coming[cell] = in_market_time

    def is_back(self, cell: Cell) -> None:
        """Wait for it no more: it is not down."""
        if self._down.pop(cell, cell) is None:
            self.something_ended()

    def is_up(self, cell: Cell) -> None:
        """Wait for it no more: it has started, or failed to."""
        if self._coming.pop(cell, None) is not None:
            self.something_ended()

    def awaited(self) -> tuple[str, ...]:
        """Name those that are down or coming up, for whom a simulated market waits."""
        return tuple(dict.fromkeys(cell.name for cell in (*self._down, *self._coming)))

    def admit(self, target: Endpoint, message: Any, sender: ActorAddress, trace: Trace) -> None:
        """Deliver what comes from outside of the system; where a market rules, when the loop has nothing else to do.

        In the middle of a step it would change whose turn is next.
        """
        loop = self._loop
        if not self._market.rules or loop is None or loop.stopping or loop.is_here():
            target.deliver(message, sender, trace)
            return
        self._callers.append((target, message, sender, trace))
        if loop.asleep:
            loop.wake()
        elif loop.stopping:
            self.let_in()

    def let_in(self) -> None:
        """Deliver what waits to be let in; for the loop, and for whoever ends it."""
        while self._callers:
            try:
                target, *envelope = self._callers.popleft()
            except IndexError:  # another thread took the last one
                return
            target.deliver(*envelope)

    def offload_begun(self, cell: Cell) -> None:
        """Count a job from its submission on."""
        with self._offloads_lock:
            cell.offloads += 1
            if not cell.background:
                self._offloads += 1
                self._offloads_begun += 1

    def offload_ended(self, cell: Cell) -> None:
        """And until its outcome is in the mailbox."""
        with self._offloads_lock:
            cell.offloads -= 1
            if not cell.background:
                self._offloads -= 1
        self.something_ended()

    def something_ended(self) -> bool:
        """Let the loop test again, if anyone waits. A blocking thread asks it before it sleeps: never new work."""
        if (self._waiters or self._market.rules) and self._loop is not None and self._loop.asleep:
            self._loop.wake()
        return False

    def test(self) -> bool:
        """Let the next thing happen if all is quiet, and say whether there is work; for the loop, before it sleeps."""
        loop, waiters = self._loop, self._waiters
        if loop is None:
            return False
        while not loop.ready:
            if self._callers:
                self.let_in()
                continue
            own = 0
            if waiters:
                asker, life, _, _ = waiters[0]
                if asker.dead or asker.life != life:
                    waiters.popleft()
                    continue
                if not asker.background:
                    own = asker.offloads
            elif not self._market.rules:
                return False
            if not self._is_quiet(own) if self._watched else self._offloads != own:
                return bool(loop.ready)
            # A job that ended before that look has brought its outcome by now.
            if not loop.ready and not self._go_on(loop):
                return bool(loop.ready)
        return True

    def _go_on(self, loop: Worker) -> bool:
        """All is quiet: fire the market's next timer, or let the first who waits go on; False: not yet."""
        market, waiters = self._market, self._waiters
        due_ns = market.next_due_ns() if market.rules else None
        goes = bool(waiters) and not (self._down or self._coming)
        at_ns = waiters[0][3] if goes else None
        # A timer comes first that is due, or comes before `at_ns`, or that one may wait for who comes up.
        if due_ns is not None and (
            due_ns <= market.time_ns
            or (at_ns is not None and due_ns < at_ns)
            or (self._coming and not self._down and any(tuple(self._coming.values())))
        ):
            come = at_ns is None or self._is_time(loop, due_ns)
            if come:
                market.fire_next()
            return come
        if not goes or not (at_ns is None or not market.pace.speed or self._is_time(loop, at_ns)):
            return False
        cell, _, message, _ = waiters.popleft()
        if at_ns is not None:
            market.release(at_ns)
        if cell.worker is loop:
            loop.asleep = False  # it will not sleep now, so nobody needs to wake it: that costs 2 us a tick
        cell.deliver(message, cell)
        return True

    def _is_time(self, loop: Worker, at_ns: int) -> bool:
        """Say whether this moment of the market has come by the machine's clock; else have the loop look again then."""
        wait_ns = self._market.wait_ns(at_ns)
        if wait_ns <= 0:
            return True
        if self._alarm is not None:
            self._alarm.cancel()
        self._alarm = loop.timers.add(self._market.machine_ns() + wait_ns, _look_again)
        return False

    def _is_quiet(self, own: int) -> bool:
        """Look twice, since there are threads that begin something by themselves; see above."""
        seen = self._look(own)
        return seen is not None and self._look(own) == seen

    def _look(self, own: int) -> int | None:
        # Sums of counts that only grow: equal sums mean equal counts.
        if self._offloads != own:
            return None
        growing = self._offloads_begun + self._retired
        for worker in self._watched:
            if not worker.asleep or worker.ready:
                return None
            growing += worker.wakes
        return growing


def _look_again() -> None:
    """Wake the loop, and no more: it tests for quiet before it sleeps."""
