"""At most so many in a second, and the rest counted exactly. Pure: time is passed in."""

from __future__ import annotations

from typing import Final

from .time import SECOND_NS


class RateLimit:
    """Allows `allowed` events in each window of a second; a window begins with the first event after the one before."""

    __slots__ = ("_allowed", "_spent", "_start_ns", "_suppressed")

    def __init__(self, allowed: int) -> None:
        self._allowed: Final = allowed
        self._start_ns: int | None = None
        self._spent = 0
        self._suppressed = 0

    def spend(self, now_ns: int) -> bool:
        """Say whether one more event is allowed at `now_ns` (monotonic); if not, count it as suppressed."""
        if not self._is_in_window(now_ns):  # a clock set back opens a window as well
            self._start_ns, self._spent = now_ns, 0
        self._spent += 1
        if self._spent <= self._allowed:
            return True
        self._suppressed += 1
        return False

    def take_suppressed(self, now_ns: int | None = None) -> int:
        """Return how many were suppressed and start from 0; 0, and no reset, while their window lasts at `now_ns`."""
        if now_ns is not None and self._is_in_window(now_ns):
            return 0
        suppressed, self._suppressed = self._suppressed, 0
        return suppressed

    def _is_in_window(self, now_ns: int) -> bool:
        return self._start_ns is not None and self._start_ns <= now_ns < self._start_ns + SECOND_NS
