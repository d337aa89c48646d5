"""Virtual time: it advances only when told to."""

from __future__ import annotations

from typing import Final

FIRST_NS: Final = 1_704_080_700_000_000_000
"""2024-01-01 09:15 in Mumbai, when its exchanges open."""


class VirtualClock:
    """Implements `Clock`. Only the wall clock can be made to step."""

    def __init__(self, now_ns: int = FIRST_NS) -> None:
        self._elapsed_ns = 0
        self._wall_ns = now_ns

    def now_ns(self) -> int:
        """Nanoseconds since 1970-01-01 UTC."""
        return self._wall_ns + self._elapsed_ns

    def monotonic_ns(self) -> int:
        """Nanoseconds since the simulation began."""
        return self._elapsed_ns

    elapsed_ns = monotonic_ns

    def pass_by(self, duration_ns: int) -> None:
        """Advance by this duration."""
        self._elapsed_ns += duration_ns

    def jump_to(self, monotonic_ns: int) -> None:
        """Advance to this time; an earlier time changes nothing."""
        self._elapsed_ns = max(self._elapsed_ns, monotonic_ns)

    def step_wall(self, by_ns: int) -> None:
        """Set the wall clock forward, or back."""
        self._wall_ns += by_ns
