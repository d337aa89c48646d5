"""How long a failed child waits before it is started again."""

from __future__ import annotations

from collections.abc import Callable

DOUBLINGS_MAX = 64
"""2.0 to this power is longer than any wait; further doubling would only overflow."""


class Backoff:
    """No wait for a child's first failure, then exponential with jitter; a long run without failure starts over.

    Most failures come alone, so the first restart is at once. Jitter shortens each wait by up to a half, so that
    children which failed together do not restart together.

    Args:
        first_s: seconds before the second restart.
        max_s: seconds: no wait is longer.
        reset_s: a child that ran this long counts as if it had never failed.
        jitter: returns a random number from 0 to below 1.
    """

    def __init__(self, *, first_s: float, max_s: float, reset_s: float, jitter: Callable[[], float]) -> None:
        self._first_s = first_s
        self._max_s = max_s
        self._reset_s = reset_s
        self._jitter = jitter
        self._failures = 0

    def next_s(self, *, ran_s: float) -> float:
        """Count a failure of a child that had run `ran_s` seconds; return the seconds to wait before its restart."""
        if ran_s >= self._reset_s:
            self._failures = 0
        self._failures += 1
        if self._failures == 1:
            return 0.0
        doublings = min(self._failures - 2, DOUBLINGS_MAX)
        return min(self._max_s, self._first_s * 2.0**doublings) * (1 - self._jitter() / 2)
