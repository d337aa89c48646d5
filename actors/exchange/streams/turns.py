"""When an exchange opens and closes, by the times of its ticks: pure."""

from __future__ import annotations

from typing import Final

from ....domain.calendar import Exchange, next_turn
from ....domain.dhan.streams import packets

SEGMENTS: Final[dict[Exchange, tuple[int, ...]]] = {
    "NSE": tuple(packets.SEGMENT_NUMBERS[each] for each in ("IDX_I", "NSE_EQ", "NSE_FNO")),
    "BSE": tuple(packets.SEGMENT_NUMBERS[each] for each in ("BSE_EQ", "BSE_FNO")),
}
"""Of shares and what is derived from them, by whose hours they have; indices go by those of NSE."""


class Turns:
    """Which have opened or closed since the tick before. Times are nanoseconds since 1970-01-01 UTC."""

    def __init__(self) -> None:
        """Have seen no tick."""
        self.next_ns = 0
        """Before that time there is nothing to tell."""

        self._next: Final[dict[Exchange, int]] = dict.fromkeys(SEGMENTS, 0)
        """0: no tick has come yet."""

    def passed(self, now_ns: int) -> tuple[int, ...]:
        """Return the segments that have, at a tick of this time."""
        passed: list[int] = []
        for exchange, turn_ns in self._next.items():
            if turn_ns and now_ns >= turn_ns:
                passed += SEGMENTS[exchange]
            self._next[exchange] = next_turn(now_ns, exchange)
        self.next_ns = min(self._next.values())
        return tuple(passed)
