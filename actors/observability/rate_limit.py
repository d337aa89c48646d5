"""The rate limit of log lines by event: many failures at once must not fill the disk, and are counted."""

from __future__ import annotations

from typing import Final

from ...domain.rate_limit import RateLimit

NAMES_MAX: Final = 1_000
"""Event names with a limit of their own; all further ones share one."""

OTHERS: Final = "(others)"
"""The name under which those are counted."""


class LineLimit:
    """Admits at most `lines_max` of each name in a second, and counts the rest exactly."""

    def __init__(self, lines_max: int) -> None:
        self._lines_max: Final = lines_max
        self._limits: Final[dict[str, RateLimit]] = {}

    def admit(self, name: str, now_ns: int) -> bool:
        """Say whether this line may be written; if not, it is counted."""
        if name not in self._limits and len(self._limits) >= NAMES_MAX:
            name = OTHERS
        return self._limits.setdefault(name, RateLimit(self._lines_max)).spend(now_ns)

    def take_suppressed(self, now_ns: int | None = None) -> dict[str, int]:
        """Return how many lines of each name were not written, and reset these counts.

        With `now_ns` only of names whose window of a second is over; without it of all names.
        """
        taken = {name: limit.take_suppressed(now_ns) for name, limit in self._limits.items()}
        return {name: count for name, count in taken.items() if count}
