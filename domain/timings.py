"""Counting how long something takes, by classes of duration."""

from __future__ import annotations

from bisect import bisect_left
from typing import Final

from ..messages.health import TIMING_BOUNDS_S, Timing
from .time import SECOND_NS

_BOUNDS_NS: Final = tuple(round(bound_s * SECOND_NS) for bound_s in TIMING_BOUNDS_S)


class Timings:
    """Durations, counted in 0.3 us each; whoever owns it is the only one to add to it."""

    __slots__ = ("_counts", "_sum_ns")

    def __init__(self) -> None:
        self._counts = [0] * (len(_BOUNDS_NS) + 1)
        self._sum_ns = 0

    def add(self, duration_ns: int) -> None:
        """Count one; below 0, as after a step of a clock, counts as 0."""
        duration_ns = max(duration_ns, 0)
        self._counts[bisect_left(_BOUNDS_NS, duration_ns)] += 1
        self._sum_ns += duration_ns

    def timing(self) -> Timing:
        """Return the counts as a message."""
        return Timing(counts=tuple(self._counts), sum_s=self._sum_ns / SECOND_NS)
