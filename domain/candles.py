"""Candles from ticks, and the ticks that could have made a candle. Prices are counted in ticks of the grid: exact.

Where candles begin (docs/decisions/0011): within a day they are counted from the opening of the market, none extends
beyond midnight, daily ones begin at midnight in India, and weekly ones on Monday.

The path. A recorded candle has four prices and does not say when they were met. To replay it, ticks are made from it:
the open at the beginning, the close at the end, before the next candle opens, and between them first the extreme that
is nearer to the open. That order is an assumption. A strategy with a stop and a target both between high and low fills
by it, so such a result is not evidence.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeAlias

import msgspec

from .time import DAY_NS, IST_OFFSET_NS, SECOND_NS, day_of, day_start_ns

if TYPE_CHECKING:
    from .calendar import Span

Path: TypeAlias = tuple[int, int, int, int]
"""One value for each of the four ticks of a candle, in order of time."""

TICKS_A_CANDLE: Final = 4
OPENING_NS: Final = (9 * 60 + 15) * 60 * SECOND_NS
"""Opening of NSE and BSE: nanoseconds after midnight in India."""

_FROM_MONDAY_NS: Final = 3 * DAY_NS + IST_OFFSET_NS
"""Nanoseconds from midnight in India of Monday, 29 December 1969, to 1970-01-01 UTC."""


class Bar(msgspec.Struct, kw_only=True):
    """An unfinished candle: prices in ticks of the grid, volume in shares, start in ns since 1970-01-01 UTC."""

    start_ns: int
    open: int
    high: int
    low: int
    close: int
    volume: int

    def add(self, price_ticks: int, quantity: int) -> None:
        """Add a trade."""
        self.high = max(self.high, price_ticks)
        self.low = min(self.low, price_ticks)
        self.close = price_ticks
        self.volume += quantity


class BarMaker:
    """Builds the candles of one symbol from its trades, which must come in order of time."""

    def __init__(self, interval_ns: int, *, opening_ns: int = OPENING_NS) -> None:
        self._interval_ns = interval_ns
        self._opening_ns = opening_ns
        self._bar: Bar | None = None

    def add(self, time_ns: int, price_ticks: int, quantity: int) -> Bar | None:
        """Add a trade; return the finished candle before it, if the trade begins another.

        Raises:
            ValueError: its time is before the start of the current candle.
        """
        bar = self._bar
        start_ns = start_of(time_ns, self._interval_ns, opening_ns=self._opening_ns)
        if bar is not None and start_ns == bar.start_ns:
            bar.add(price_ticks, quantity)
            return None
        if bar is not None and start_ns < bar.start_ns:
            raise ValueError(f"a trade not before {bar.start_ns} ns is wanted, found {time_ns} ns")
        self._bar = Bar(
            start_ns=start_ns, open=price_ticks, high=price_ticks, low=price_ticks, close=price_ticks, volume=quantity
        )
        return bar

    def end(self) -> Bar | None:
        """Return the unfinished candle; None if there was no trade since the last call."""
        bar, self._bar = self._bar, None
        return bar


def start_of(time_ns: int, interval_ns: int, *, opening_ns: int = OPENING_NS) -> int:
    """Return the start of the candle that a time falls into; times in nanoseconds since 1970-01-01 UTC.

    Args:
        time_ns: within the candle.
        interval_ns: length of the candle.
        opening_ns: of the market, after midnight in India; candles of less than a day are counted from it.
    """
    if interval_ns >= DAY_NS:
        return (time_ns + _FROM_MONDAY_NS) // interval_ns * interval_ns - _FROM_MONDAY_NS
    midnight_ns = day_start_ns(day_of(time_ns))
    first_ns = opening_ns % interval_ns
    since_ns = time_ns - midnight_ns
    if since_ns < first_ns:
        return midnight_ns
    return midnight_ns + first_ns + (since_ns - first_ns) // interval_ns * interval_ns


def path_of(open_: int, high: int, low: int, close: int) -> Path:
    """Order the four prices of a candle, in ticks of the grid, as a market may have met them.

    The open first, the close last; of the extremes first the one nearer to the open. If both are equally near, the one
    after which the way from the other extreme to the close is shorter; if that is a tie too, the low, since that is the
    worse assumption for a long position.
    """
    up, down = high - open_, open_ - low
    if up < down or (up == down and close - low < high - close):
        return open_, high, low, close
    return open_, low, high, close


def times_of(spans: tuple[Span, ...]) -> Path:
    """Spread the four prices of a candle over the time in which its market was open.

    The open at the beginning, the close in the last nanosecond, the extremes after a third and after two thirds.

    Args:
        spans: the trading hours within the candle, in order; at least one, none empty.
    """
    lasts_ns = sum(end_ns - start_ns for start_ns, end_ns in spans)
    return spans[0][0], _after(lasts_ns // 3, spans), _after(2 * lasts_ns // 3, spans), spans[-1][1] - 1


def split(volume: int) -> Path:
    """Spread the volume of a candle over its ticks in whole shares; the remainder goes to the earlier ones."""
    each, over = divmod(volume, TICKS_A_CANDLE)
    return each + (over > 0), each + (over > 1), each + (over > 2), each  # noqa: PLR2004  over is 0 to 3


def _after(open_ns: int, spans: tuple[Span, ...]) -> int:
    """Return the time at which the market had been open for `open_ns`."""
    for start_ns, end_ns in spans:
        if open_ns < end_ns - start_ns:
            return start_ns + open_ns
        open_ns -= end_ns - start_ns
    return spans[-1][1] - 1
