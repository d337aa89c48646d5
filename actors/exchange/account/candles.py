"""The candles of an instrument, on which technical indicators are computed: those that the exchange showed.

They begin with the first price that this process has shown, and a candle counts when it is over, which the first price
after it tells. In a process that goes on with an account, an earlier one has shown the begin of the first candle: that
one is left out.
"""

from __future__ import annotations

from array import array
from typing import Final

from ....domain.calendar import MINUTE_NS
from ....domain.time import DAY_NS, day_of, day_start_ns

KEPT: Final = 1_000
"""Candles kept of each length, at least: the oldest weighs less than a ten-thousandth in any average."""

FRAMES: Final[dict[str, int]] = {
    "ONE_MIN": MINUTE_NS,
    "FIVE_MIN": 5 * MINUTE_NS,
    "FIFTEEN_MIN": 15 * MINUTE_NS,
    "DAY": DAY_NS,
}
"""Lengths of candles by Dhan's names: nanoseconds. They begin by the clock of India, as that of an opening does."""


class Series:
    """The candles of one length: the closed ones, and the open one."""

    __slots__ = ("_close", "_high", "_interval_ns", "_is_partial", "_low", "closes", "ends_ns", "highs", "lows")

    def __init__(self, interval_ns: int, *, is_partial: bool) -> None:
        """Begin without candles; `is_partial`: part of the first candle is not known."""
        self._interval_ns: Final = interval_ns
        self._is_partial = is_partial
        self.highs, self.lows, self.closes = array("d"), array("d"), array("d")
        self.ends_ns = 0
        """End of the open candle: nanoseconds since 1970-01-01 UTC; 0: there is none."""

        self._high = self._low = self._close = 0.0

    def add(self, start_ns: int, high: float, low: float, close: float) -> None:
        """Add a minute that is over, to the candle that it belongs to."""
        if not self.ends_ns:
            begun_ns = day_start_ns(day_of(start_ns))
            self.ends_ns = begun_ns + ((start_ns - begun_ns) // self._interval_ns + 1) * self._interval_ns
            self._high, self._low = high, low
        self._high, self._low, self._close = max(self._high, high), min(self._low, low), close

    def end(self) -> None:
        """Close the open candle."""
        self.ends_ns = 0
        if self._is_partial:
            self._is_partial = False
            return
        for column, value in ((self.highs, self._high), (self.lows, self._low), (self.closes, self._close)):
            column.append(value)
            if len(column) > 2 * KEPT:
                del column[:KEPT]


class Candles:
    """All lengths of one instrument."""

    __slots__ = ("_close", "_ends_ns", "_high", "_low", "_start_ns", "goes_on", "series")

    def __init__(self, *, goes_on: bool = False) -> None:
        """Begin without a price.

        `goes_on`: an earlier process has shown candles that are not known here.
        """
        self.goes_on: Final = goes_on
        self.series: Final = {name: Series(interval_ns, is_partial=goes_on) for name, interval_ns in FRAMES.items()}
        self._start_ns = self._ends_ns = 0
        self._high = self._low = self._close = 0.0

    def move(self, time_ns: int, price: float) -> tuple[str, ...]:
        """Take the next price (rupees, nanoseconds since 1970-01-01 UTC), and return which lengths it ended one of."""
        if time_ns < self._ends_ns:
            self._close = price
            if price > self._high:
                self._high = price
            elif price < self._low:
                self._low = price
            return ()
        ended: tuple[str, ...] = ()
        if self._ends_ns:
            for series in self.series.values():
                series.add(self._start_ns, self._high, self._low, self._close)
            ended = tuple(name for name, series in self.series.items() if series.ends_ns <= time_ns)
            for name in ended:
                self.series[name].end()
        self._start_ns = time_ns // MINUTE_NS * MINUTE_NS
        self._ends_ns = self._start_ns + MINUTE_NS
        self._high = self._low = self._close = price
        return ended
