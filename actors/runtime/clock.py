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


class SystemClock:
    """The machine's own clocks."""

    now_ns = staticmethod(time.time_ns)
    monotonic_ns = staticmethod(time.monotonic_ns)
