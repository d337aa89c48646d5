"""Time as actors see it: always from `self.clock`, never from `time`, so that a simulation can replace it."""

from __future__ import annotations

import time
from typing import Protocol


class Clock(Protocol):
    """Wall-clock and monotonic time, in nanoseconds."""

    def now_ns(self) -> int:
        """Nanoseconds since 1970-01-01 UTC; may step back when the machine's clock is set."""
        ...

    def monotonic_ns(self) -> int:
        """Nanoseconds since an arbitrary moment; never steps back."""
        ...

    def elapsed_ns(self) -> int:
        """The same, those among them in which the machine slept."""
        ...


class SystemClock:
    """The machine's own clocks."""

    now_ns = staticmethod(time.time_ns)
    monotonic_ns = staticmethod(time.monotonic_ns)

    @staticmethod
    def elapsed_ns() -> int:
        """Nanoseconds since the machine was started, those among them in which it slept."""
        return time.clock_gettime_ns(time.CLOCK_BOOTTIME)
