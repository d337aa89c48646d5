"""When an exchange opens and closes, by the times of its ticks: pure."""

from __future__ import annotations

from typing import Final

from ....domain.calendar import next_turn
from ....domain.dhan.streams import packets
from ....domain.venues import Venue


def _numbers(*segments: str) -> tuple[int, ...]:
    return tuple(packets.SEGMENT_NUMBERS[each] for each in segments)


SEGMENTS: Final[dict[Venue, tuple[int, ...]]] = {
    Venue("NSE", "CASH"): _numbers("IDX_I", "NSE_EQ"),
    Venue("NSE", "DERIVATIVES"): _numbers("NSE_FNO"),
    Venue("NSE", "CURRENCY"): _numbers("NSE_CURRENCY"),
    Venue("BSE", "CASH"): _numbers("BSE_EQ"),
    Venue("BSE", "DERIVATIVES"): _numbers("BSE_FNO"),
    Venue("BSE", "CURRENCY"): _numbers("BSE_CURRENCY"),
    Venue("MCX", "COMMODITY"): _numbers("MCX_COMM"),
}
"""By whose hours they have; indices go by those of NSE, and all commodities by those of metals and energy."""


class Turns:
    """Which have opened or closed since the tick before. Times are nanoseconds since 1970-01-01 UTC."""

    def __init__(self) -> None:
        """Begin without a tick."""
        self.next_ns = 0
        """Before that time nothing opens or closes: nanoseconds since 1970-01-01 UTC."""

        self._next: Final[dict[Venue, int]] = dict.fromkeys(SEGMENTS, 0)
        """0: no tick has come yet."""

    def passed(self, now_ns: int) -> tuple[int, ...]:
        """Return the segments that have, at a tick of this time."""
        passed: list[int] = []
        for venue, turn_ns in self._next.items():
            if turn_ns and now_ns >= turn_ns:
                passed += SEGMENTS[venue]
            self._next[venue] = next_turn(now_ns, *venue)
        self.next_ns = min(self._next.values())
        return tuple(passed)
