"""Candles from trades, and the trades that could have made a candle.

Where candles begin (docs/decisions/0011): within a day they are counted from the opening of that day's session, none
extends beyond midnight, daily ones begin at midnight in India, and weekly ones on Monday.

What is in one: the trades of its time by the exchange's clock, in whatever order they are told. Its open is the
earliest of them and its close the latest; of trades at one time, the first and the last that were told.

How much was traded: `volumes.py`.

The path. A recorded candle has four prices and does not say when they were met. To replay it, ticks are made from it:
the open at the beginning, the close at the end, before the next candle opens, and between them first the extreme that
is nearer to the open. That order is an assumption. A strategy with a stop and a target both between high and low fills
by it, so such a result is not evidence.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeAlias

import msgspec

from .calendar import session_at
from .time import DAY_NS, IST_OFFSET_NS, SECOND_NS, day_of, day_start_ns, duration_ns, duration_text

if TYPE_CHECKING:
    from .calendar import Span

Path: TypeAlias = tuple[int, int, int, int]
"""One value for each of the four ticks of a candle, in order of time."""

TICKS_A_CANDLE: Final = 4
OPENING_NS: Final = (9 * 60 + 15) * 60 * SECOND_NS
"""Opening of NSE and BSE on most days: nanoseconds after midnight in India."""

_FROM_MONDAY_NS: Final = 3 * DAY_NS + IST_OFFSET_NS
"""Nanoseconds from midnight in India of Monday, 29 December 1969, to 1970-01-01 UTC."""


class Bar(msgspec.Struct, kw_only=True, gc=False):
    """A candle as far as it has come: prices in rupees, volume in shares, times in ns since 1970-01-01 UTC."""

    start_ns: int
    open: float
    high: float
    low: float
    close: float
    volume: int
    first_ns: int
    """Of the trade that is the open."""

    last_ns: int
    """Of the trade that is the close."""

    @classmethod
    def of(cls, start_ns: int, time_ns: int, price: float, shares: int) -> Bar:
        """Begin one with its first trade."""
        return cls(
            start_ns=start_ns,
            open=price,
            high=price,
            low=price,
            close=price,
            volume=shares,
            first_ns=time_ns,
            last_ns=time_ns,
        )

    def add(self, time_ns: int, price: float, shares: int) -> None:
        """Add a trade of its time."""
        if price > self.high:
            self.high = price
        elif price < self.low:
            self.low = price
        if time_ns >= self.last_ns:
            self.close, self.last_ns = price, time_ns
        elif time_ns < self.first_ns:
            self.open, self.first_ns = price, time_ns
        self.volume += shares

    def join(self, later: Bar) -> None:
        """Add the trades of a bar that begins after this one."""
        self.high, self.low = max(self.high, later.high), min(self.low, later.low)
        self.close, self.last_ns = later.close, later.last_ns
        self.volume += later.volume


def start_of(time_ns: int, interval_ns: int) -> int:
    """Return the start of the candle that a time falls into; times in nanoseconds since 1970-01-01 UTC."""
    if interval_ns >= DAY_NS:
        return (time_ns + _FROM_MONDAY_NS) // interval_ns * interval_ns - _FROM_MONDAY_NS
    midnight_ns = day_start_ns(day_of(time_ns))
    first_ns = _opening_ns(time_ns, midnight_ns) % interval_ns
    since_ns = time_ns - midnight_ns
    if since_ns < first_ns:
        return midnight_ns
    return midnight_ns + first_ns + (since_ns - first_ns) // interval_ns * interval_ns


def end_of(start_ns: int, interval_ns: int) -> int:
    """Return the end (exclusive) of the candle that begins at a time as `start_of` returns it."""
    end_ns = start_ns + interval_ns
    if interval_ns >= DAY_NS:
        return end_ns
    midnight_ns = day_start_ns(day_of(start_ns))
    if start_ns == midnight_ns:
        first_ns = _opening_ns(start_ns, midnight_ns) % interval_ns
        if first_ns:
            return midnight_ns + first_ns
    return min(end_ns, midnight_ns + DAY_NS)


def interval_of(text: str) -> int:
    """Parse a length of candles such as `30s`, `5m`, `1h` or `1d` to nanoseconds.

    Raises:
        ValueError: it is none.
    """
    interval_ns = duration_ns(text)
    if fault := fault_of_interval(interval_ns):
        raise ValueError(fault)
    return interval_ns


def fault_of_interval(interval_ns: int) -> str:
    """Say what is wrong with a length of candles; empty if nothing is."""
    if interval_ns < SECOND_NS or interval_ns % SECOND_NS:
        return f"candles of whole seconds are wanted, found {duration_text(interval_ns)}"
    if interval_ns > DAY_NS and interval_ns % DAY_NS:
        return f"candles above a day are wanted of whole days, found {duration_text(interval_ns)}"
    return ""


def _opening_ns(time_ns: int, midnight_ns: int) -> int:
    """Return when the market opens on the day of a time: nanoseconds after midnight in India."""
    session = session_at(time_ns)
    return OPENING_NS if session is None else session.open_ns - midnight_ns


def path_of(open_: int, high: int, low: int, close: int) -> Path:
    """Order the four prices of a candle, in ticks of the grid, as a market may have met them.

    The open first, the close last; of the extremes first the one nearer to the open. If both are equally near, the one
    after which the way from the other extreme to the close is shorter; if that is a tie too, the low, since that is the
    worse assumption for a long position.
    """
    return (open_, high, low, close) if _high_is_first(open_, high, low, close) else (open_, low, high, close)


def in_order_of_path(prices: tuple[float, float, float, float], steps: Path) -> tuple[float, float, float, float]:
    """Order open, high, low and close of a candle, in rupees, as `path_of` orders them counted in `steps` of a grid."""
    if _high_is_first(*steps):
        return prices
    open_, high, low, close = prices
    return open_, low, high, close


def _high_is_first(open_: int, high: int, low: int, close: int) -> bool:
    up, down = high - open_, open_ - low
    return up < down or (up == down and close - low < high - close)


def times_of(spans: tuple[Span, ...]) -> Path:
    """Spread the four prices of a candle over the time in which its market was open.

    The open at the beginning, the close in the last nanosecond, the extremes after a third and after two thirds.

    Args:
        spans: the trading hours within the candle, in order; at least one, none empty.
    """
    lasts_ns = sum(end_ns - start_ns for start_ns, end_ns in spans)
    return spans[0][0], _after(lasts_ns // 3, spans), _after(2 * lasts_ns // 3, spans), spans[-1][1] - 1


def can_be_made(interval_ns: int, of_ns: int) -> bool:
    """Return whether candles of one length can be made of those of another: they hold whole ones of them.

    What is shorter has prices that nobody recorded: four ticks of a day are no 5-minute candles. Candles of days and
    more are made of any that lie within a day.
    """
    return interval_ns % of_ns == 0 or (interval_ns >= DAY_NS > of_ns)


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
    raise AssertionError("a time within the hours is asked for")
