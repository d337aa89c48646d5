"""How many shares a tick says were traded.

A live packet tells the shares of the day so far and of the last trade, and stands for all trades since the packet
before. So what it adds is the rise of the day's volume, where the source tells that; the last trade alone would leave
out all others. Where it does not, each trade is told, and adds its own quantity. The first of a day adds its own
quantity either way: what was traded before it may have been traded hours before, if the source was joined late
(docs/decisions/0011). So the volumes of a day's candles sum to the volume of the day, from its first tick on.
"""

from __future__ import annotations

from typing import Final

from .time import DAY_NS, day_of, day_start_ns

_UNKNOWN: Final = -1


class DayVolume:
    """The shares that each tick of one symbol adds to what was traded; see the module's docstring."""

    __slots__ = ("_so_far", "_until_ns")

    def __init__(self) -> None:
        self._so_far = _UNKNOWN
        self._until_ns = 0
        """End of the day: nanoseconds since 1970-01-01 UTC."""

    def add(self, time_ns: int, quantity: int, volume: int) -> int:
        """Return the shares that were traded since the tick before.

        Args:
            time_ns: of the tick; one of an earlier day than the last one's tells nothing of this day.
            quantity: of its last trade.
            volume: of the day so far; 0 where the source does not say.
        """
        if time_ns >= self._until_ns:
            self._until_ns = day_start_ns(day_of(time_ns) + 1)
            self._so_far = _UNKNOWN
        elif time_ns < self._until_ns - DAY_NS:
            return 0 if volume else quantity
        so_far = self._so_far
        if not volume:
            if so_far == _UNKNOWN:
                self._so_far = 0
            return quantity
        if so_far == _UNKNOWN:
            so_far = max(0, volume - quantity)
        if volume <= so_far:
            return 0
        self._so_far = volume
        return volume - so_far
