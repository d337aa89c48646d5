"""Timers: one heap for each thread, used by it alone, and a shared one for market time."""

from __future__ import annotations

import heapq
import itertools
import threading
from collections.abc import Callable
from typing import TypeAlias

Fire: TypeAlias = Callable[[], object]

_SWEEP_AT_LEAST = 64
_PHASE_BIT = 60
"""Of the number behind the due time: a phase, and which timer of the heap it is."""


class Timer:
    """One pending call. `cancel()` prevents it, and has no effect on a timer that has fired or was cancelled."""

    __slots__ = ("_fire", "_heap", "waiting")

    def __init__(self, heap: TimerHeap, fire: Fire) -> None:
        self._heap = heap
        self._fire: Fire | None = fire
        self.waiting = True
        """Whether it has neither fired nor been cancelled."""

    def cancel(self) -> None:
        """Cancel it, and release what it would have called."""
        if self._fire is not None:
            self._fire, self.waiting = None, False
            self._heap.one_was_cancelled()

    def fire(self) -> None:
        """Fire it, the first time only; called by the heap."""
        if (fire := self._fire) is not None:
            self._fire, self.waiting = None, False
            fire()


class TimerHeap:
    """Timers by due time (nanoseconds); of two with the same due time that of the lower phase first, then the older."""

    __slots__ = ("_cancelled", "_entries", "_sequence")

    def __init__(self) -> None:
        self._entries: list[tuple[int, int, Timer]] = []
        self._sequence = itertools.count()
        self._cancelled = 0

    def __len__(self) -> int:
        return len(self._entries)

    def clear(self) -> None:
        """Forget all of them."""
        self._entries.clear()
        self._cancelled = 0

    def add(self, due_ns: int, fire: Fire, phase: int = 0) -> Timer:
        """Call `fire` once, when `fire_due` is given `due_ns` or more."""
        timer = Timer(self, fire)
        heapq.heappush(self._entries, (due_ns, (phase << _PHASE_BIT) + next(self._sequence), timer))
        return timer

    def next_due_ns(self) -> int | None:
        """Return when the next one is due; None if none waits."""
        while self._entries and not self._entries[0][2].waiting:
            heapq.heappop(self._entries)
            self._cancelled = max(0, self._cancelled - 1)
        return self._entries[0][0] if self._entries else None

    def fire_due(self, now_ns: int) -> None:
        """Fire every timer that is due at `now_ns`; timers added meanwhile wait for the next call."""
        due = []
        while self._entries and self._entries[0][0] <= now_ns:
            due.append(heapq.heappop(self._entries)[2])
        for timer in due:
            if timer.waiting:
                timer.fire()
            else:
                self._cancelled = max(0, self._cancelled - 1)

    def pop_next(self) -> tuple[int, Timer] | None:
        """Remove and return the next timer, with its due time; None if none waits."""
        if self.next_due_ns() is None:
            return None
        due_ns, _, timer = heapq.heappop(self._entries)
        return due_ns, timer

    def one_was_cancelled(self) -> None:
        """Count it, and remove the cancelled timers when they are more than half; called by `Timer.cancel`."""
        self._cancelled += 1
        if self._cancelled > max(_SWEEP_AT_LEAST, len(self._entries) // 2):
            self._entries = [entry for entry in self._entries if entry[2].waiting]
            heapq.heapify(self._entries)
            self._cancelled = 0


class SharedTimerHeap(TimerHeap):
    """A heap for several threads: any may add and cancel timers; one alone reads and removes the next."""

    __slots__ = ("_lock",)

    def __init__(self) -> None:
        super().__init__()
        self._lock = threading.RLock()

    def add(self, due_ns: int, fire: Fire, phase: int = 0) -> Timer:
        """As for one thread."""
        with self._lock:
            return super().add(due_ns, fire, phase)

    def next_phase(self) -> int:
        """Return the phase of the timer that is due next; there is one. For the thread that reads and removes."""
        with self._lock:
            self.next_due_ns()
            return self._entries[0][1] >> _PHASE_BIT

    def next_due_ns(self) -> int | None:
        """As for one thread, without the lock while the next one waits: a simulated market asks at each of its steps.

        A list that another thread changes or replaces meanwhile is read before or after the change; both are correct.
        """
        entries = self._entries
        if not entries:
            return None
        due_ns, _, timer = entries[0]
        if timer.waiting:
            return due_ns
        with self._lock:
            return super().next_due_ns()

    def pop_next(self) -> tuple[int, Timer] | None:
        """As for one thread."""
        with self._lock:
            return super().pop_next()

    def one_was_cancelled(self) -> None:
        """As for one thread."""
        with self._lock:
            super().one_was_cancelled()
