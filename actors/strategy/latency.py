"""A fixed-size sample of durations (pure)."""

from __future__ import annotations

from random import Random
from typing import Final


class LatencySample:
    """A uniform sample of at most `size` durations in nanoseconds (reservoir sampling, Vitter's algorithm R)."""

    def __init__(self, random: Random, *, size: int = 1024) -> None:
        self._random: Final = random
        self._size: Final = size
        self._kept_ns: list[int] = []
        self._seen = 0

    def add(self, duration_ns: int) -> None:
        """Add a duration; a negative one, from a clock that stepped back, counts as 0."""
        duration_ns = max(duration_ns, 0)
        self._seen += 1
        if len(self._kept_ns) < self._size:
            self._kept_ns.append(duration_ns)
            return
        place = int(self._random.random() * self._seen)
        if place < self._size:
            self._kept_ns[place] = duration_ns

    def percentile_us(self, fraction: float) -> float:
        """Return the duration in microseconds that this fraction of the sample does not exceed; 0 if it is empty."""
        if not self._kept_ns:
            return 0.0
        ordered = sorted(self._kept_ns)
        return ordered[min(int(fraction * len(ordered)), len(ordered) - 1)] / 1000
