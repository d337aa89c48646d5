"""A thread that runs actors: the shared event loop, or the own thread of a blocking actor; both are this class.

Nothing here takes a lock while there is work. A cell that got its first message is appended to `ready` (appending to a
deque is atomic under the interpreter's lock); the thread sleeps on a raw lock, behind a flag that senders look at.
Measured on the way: raw lock 17 us round trip and 1.6 us for the sender; Event 22 and 3.9; Condition 32 and 5.3.
"""

from __future__ import annotations

import _thread
import logging
import os
import threading
from collections import deque
from typing import TYPE_CHECKING, Protocol

from ...domain.time import SECOND_NS
from .timers import TimerHeap

if TYPE_CHECKING:
    from collections.abc import Callable

    from .clock import Clock

TURNS_BETWEEN_TIMERS = 32
"""A busy thread looks at its timers after this many turns: reading the clock each time would cost a tenth of a turn."""

_log = logging.getLogger("natya")


class Runnable(Protocol):
    """What a thread runs: a cell."""

    name: str

    handled: int
    """Messages handled so far."""

    def turn(self) -> None:
        """Handle a bounded number of messages."""
        ...

    def turn_failed(self, error: BaseException) -> None:
        """Fail: a turn raised an error that it should have caught."""
        ...


class Worker:
    """A thread and its queue of cells. `on_idle` is called before it sleeps, and returns whether there is new work."""

    __slots__ = (
        "_clock",
        "_lock",
        "asleep",
        "current",
        "ident",
        "in_child",
        "name",
        "on_idle",
        "ready",
        "rounds",
        "stopping",
        "timers",
        "wakes",
    )

    def __init__(self, name: str, clock: Clock, on_idle: Callable[[], bool]) -> None:
        self.name = name
        self.ready: deque[Runnable] = deque()
        self.timers = TimerHeap()
        self.on_idle = on_idle
        self.asleep = False
        """True from before the last look at `ready` until the thread goes on: a sender that sees it calls `wake`."""

        self.wakes = 0
        """Times it woke: if it is asleep in two looks with the same count, it was asleep all the time between."""

        self.current: Runnable | None = None
        """The cell whose turn it is; for the watchdog."""

        self.rounds = 0
        self.stopping = False
        self.in_child = False
        self.ident = 0
        self._clock = clock
        self._lock = _thread.allocate_lock()
        self._lock.acquire()

    def start(self) -> None:
        """Start the thread. A daemon: a handler that never returns must not keep the interpreter from ending."""
        threading.Thread(target=self._run, name=self.name, daemon=True).start()

    def stop(self) -> None:
        """End the thread after the current turn."""
        self.stopping = True
        self.wake()

    def wake(self) -> None:
        """Wake the thread. Two threads at once may both release; the second finds the lock free, which is harmless."""
        self.asleep = False
        try:
            self._lock.release()
        except RuntimeError:
            return

    def abandon(self) -> None:
        """In a forked child: forget all that waits, so that the parent's work is not done a second time here.

        What is in hand is the forking handler's own; when it ends, or this thread has it no more, the child does.
        """
        self.in_child = self.stopping = True
        self.ready.clear()
        self.timers.clear()

    def leave_if_forked(self, error: BaseException | None = None) -> None:
        """End the process if it is a forked child, as a script does that comes to its end, or to an error."""
        if self.in_child:
            code = error.code if isinstance(error, SystemExit) else int(error is not None)
            os._exit(code if isinstance(code, int) else int(code is not None))

    def schedule(self, cell: Runnable) -> None:
        """Give the cell a turn; thread-safe."""
        self.ready.append(cell)
        if self.asleep:
            self.wake()

    def is_here(self) -> bool:
        """Whether the caller runs on this thread."""
        return _thread.get_ident() == self.ident

    def _run(self) -> None:
        self.ident = _thread.get_ident()
        while not self.stopping:
            try:
                self._work()
            except BaseException as fault:  # noqa: BLE001  logged with its traceback
                # Cells catch what their actors raise, so this is a fault of the runtime; the other actors go on.
                self.leave_if_forked(fault)
                _log.exception("runtime.turn_failed", extra={"actor": self.name, "fields": {}})
                self._fail_current(fault)
        self.leave_if_forked()
        while self.ready:  # cells that died meanwhile: their messages become dead letters
            self.ready.popleft().turn()

    def _work(self) -> None:
        ready, timers, take = self.ready, self.timers, self.ready.popleft
        while not self.stopping:
            self.rounds += 1
            for _ in range(TURNS_BETWEEN_TIMERS):
                if not ready:
                    break
                self.current = cell = take()
                cell.turn()
            self.current = None
            if timers:
                timers.fire_due(self._clock.monotonic_ns())
            if not ready:
                self._sleep()

    def _fail_current(self, fault: BaseException) -> None:
        cell, self.current = self.current, None
        if cell is not None:
            try:
                cell.turn_failed(fault)
            except BaseException:  # noqa: BLE001  logged, too; this actor is lost, the others go on
                _log.exception("runtime.turn_failed", extra={"actor": self.name, "fields": {}})

    def _sleep(self) -> None:
        # First the flag, then the last look; a sender appends first and then reads the flag, so one sees the other.
        self.asleep = True
        if not self.ready and not self.stopping and not self.on_idle():
            due_ns = self.timers.next_due_ns()
            wait_s = -1.0 if due_ns is None else (due_ns - self._clock.monotonic_ns()) / SECOND_NS
            if due_ns is None or wait_s > 0:
                self._lock.acquire(timeout=min(wait_s, threading.TIMEOUT_MAX))
        self.asleep = False
        self.wakes += 1
