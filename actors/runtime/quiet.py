"""Knowing that nothing is going on, so that a simulated market may take its next step.

The question is asked where the loop would sleep, so a system that never asks pays nothing for it. It must be exact, and
no lock guards the whole system at once; two looks do instead. If both find every thread asleep, with nothing ready, and
no thread woke between them (`wakes` unchanged), then all of them slept at one and the same moment between the looks.
"""

from __future__ import annotations

import threading
from collections import deque
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .cell import Cell
    from .worker import Worker


class Quiescence:
    """Who waits for quiet, and the test for it. Watched: the threads of blocking actors that are not background."""

    __slots__ = ("_loop", "_offloads", "_offloads_begun", "_offloads_lock", "_retired", "_waiters", "_watched")

    def __init__(self) -> None:
        self._waiters: deque[tuple[Cell, int, Any]] = deque()
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

    def wait(self, cell: Cell, message: Any) -> None:
        """Deliver the message to this cell when all is quiet; one at a time, first come first served."""
        self._waiters.append((cell, cell.life, message))
        self.something_ended()

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
        if self._waiters and self._loop is not None and self._loop.asleep:
            self._loop.wake()
        return False

    def test(self) -> bool:
        """Deliver to the first who waits if all is quiet, and say whether there is work; for the loop, before sleep."""
        waiters = self._waiters
        while waiters and (waiters[0][0].dead or waiters[0][0].life != waiters[0][1]):
            waiters.popleft()
        if not waiters or self._loop is None or self._loop.ready:
            return bool(self._loop and self._loop.ready)
        cell, _, message = waiters[0]
        seen = self._look(cell)
        if seen is None or self._look(cell) != seen:
            return False
        if self._loop.ready:
            return True
        waiters.popleft()
        if cell.worker is self._loop:
            self._loop.asleep = False  # it will not sleep now, so nobody needs to wake it: that costs 2 us a tick
        cell.deliver(message, cell)
        return bool(self._loop.ready)

    def _look(self, asker: Cell) -> int | None:
        # Sums of counts that only grow: equal sums mean equal counts.
        if self._offloads != (0 if asker.background else asker.offloads):
            return None
        growing = self._offloads_begun + self._retired
        for worker in self._watched:
            if not worker.asleep or worker.ready:
                return None
            growing += worker.wakes
        return growing
