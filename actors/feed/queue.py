"""Ticks on their way from a live market's thread to the actor; the newest of each instrument, where it lags."""

from __future__ import annotations

import threading
from collections import deque
from typing import TYPE_CHECKING, Final

from ...domain.freshness import newest_of_each

if TYPE_CHECKING:
    from ...messages.market import Tick


class TickQueue:
    """Bounded: `arrived` is `taken` + `conflated` + its length, at any moment. For two threads.

    While there is room every tick is kept, in the order of arrival. Where there is none, of each instrument only the
    newest stays, at the place of its oldest; so ticks of one instrument are in no other order than they came in. A late
    tick is not the newest.
    """

    def __init__(self, ticks_max: int) -> None:
        """Begin empty."""
        self._ticks_max: Final = ticks_max
        self._lock: Final = threading.Lock()
        self._waiting: deque[Tick] = deque()
        self._most = ticks_max
        """Waiting ticks at which the queue is conflated; more than `ticks_max` where more instruments than that
        wait."""

        self.arrived = self.conflated = self.taken = 0

    def put(self, ticks: list[Tick]) -> bool:
        """Add ticks; return whether there were none before, so that the actor has to be told."""
        with self._lock:
            was_empty = not self._waiting
            self._waiting += ticks
            self.arrived += len(ticks)
            if len(self._waiting) > self._most:
                newest = newest_of_each(self._waiting)
                self.conflated += len(self._waiting) - len(newest)
                self._waiting = deque(newest.values())
                self._most = max(self._ticks_max, 2 * len(newest))
            return was_empty and bool(self._waiting)

    def take(self, most: int) -> list[Tick]:
        """Remove and return the oldest ones."""
        with self._lock:
            take = self._waiting.popleft
            found = [take() for _ in range(min(most, len(self._waiting)))]
            self.taken += len(found)
            return found

    def counts(self) -> tuple[int, int, int]:
        """Return arrived, conflated and waiting, of one moment."""
        with self._lock:
            return self.arrived, self.conflated, len(self._waiting)
