"""How many lines of one event a log may have: a storm of failures must not fill the disk, and must be counted."""

from __future__ import annotations

from typing import Final

from ...domain.time import SECOND_NS

NAMES_MAX: Final = 1_000
"""Event names counted apart; all further ones share a budget."""

OTHERS: Final = "(others)"
"""The name under which those are counted."""


class RateLimit:
    """Admits at most `lines_max` of each name in a second, and counts the rest exactly."""

    def __init__(self, lines_max: int) -> None:
        self._lines_max: Final = lines_max
        self._windows: Final[dict[str, _Window]] = {}

    def admit(self, name: str, now_ns: int) -> bool:
        """Say whether this line may be written; if not, it is counted."""
        window = self._window(name, now_ns)
        if not window.start_ns <= now_ns < window.start_ns + SECOND_NS:  # a clock set back opens a window as well
            window.start_ns, window.lines = now_ns, 0
        window.lines += 1
        if window.lines <= self._lines_max:
            return True
        window.suppressed += 1
        return False

    def take_suppressed(self, now_ns: int | None = None) -> dict[str, int]:
        """Return how many lines of each name were not written, and count anew.

        Of names whose second is over at `now_ns`; of all names without it.
        """
        counts = {}
        for name, window in self._windows.items():
            over = now_ns is None or not window.start_ns <= now_ns < window.start_ns + SECOND_NS
            if window.suppressed and over:
                counts[name], window.suppressed = window.suppressed, 0
        return counts

    def _window(self, name: str, now_ns: int) -> _Window:
        if name not in self._windows and len(self._windows) >= NAMES_MAX:
            name = OTHERS
        return self._windows.setdefault(name, _Window(now_ns))


class _Window:
    __slots__ = ("lines", "start_ns", "suppressed")

    def __init__(self, start_ns: int) -> None:
        self.start_ns = start_ns
        self.lines = 0
        self.suppressed = 0
