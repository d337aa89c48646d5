"""Rows of candles: each becomes four ticks that could have made it, and the candle itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...domain.time import SECOND_NS, day_of
from ...messages.market import Candle, Tick
from .numbers import Memo, PriceReader, whole
from .rows import SymbolColumn
from .times import TimeReader

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .columns import Columns, Row
    from .source import MarketMessage

TICKS_A_CANDLE = 4

INTERVAL_UNKNOWN_NS = 60 * SECOND_NS
"""Of a recording of one candle, which does not tell."""


def path_of(open_price: float, high: float, low: float, close: float) -> tuple[float, float, float, float]:
    """Order the four prices of a candle as a market may have met them.

    The open first, the close last; of the extremes first the one nearer to the open. As far from both, the one that
    leaves the shorter way to the close; if that is a tie too, the low, which flatters a holder least.
    """
    up, down = high - open_price, open_price - low
    if up < down or (up == down and close - low < high - close):
        return open_price, high, low, close
    return open_price, low, high, close


def split(volume: int) -> tuple[int, int, int, int]:
    """Spread the volume of a candle over its ticks in whole shares: the earlier ones get what is left over."""
    each, over = divmod(volume, TICKS_A_CANDLE)
    return each + (over > 0), each + (over > 1), each + (over > 2), each  # noqa: PLR2004  over is 0 to 3


def interval_of(times_ns: Iterable[int]) -> int:
    """Infer the interval of candles: the smallest distance of neighbours that are not of one time; a minute if none.

    They may be in the order of time, or the newest first.
    """
    distances = set()
    before = None
    for time_ns in times_ns:
        if before is not None and time_ns != before:
            distances.add(abs(time_ns - before))
        before = time_ns
    return min(distances, default=INTERVAL_UNKNOWN_NS)


class CandleRows:
    """Reads a candle a row and, where they are to be `replayed`, the four ticks before it.

    The ticks stand at the start of the interval and at each quarter of it; their `volume` counts the day in India.
    Candles of one symbol must not overlap; those of several symbols may share a time, and where nothing is replayed
    each symbol has its own, and may begin with its newest candle: many a vendor's file does.
    """

    def __init__(  # noqa: PLR0913  what is to be known of a file
        self,
        columns: Columns,
        *,
        symbol: str,
        grid: PriceReader,
        source: str,
        interval_ns: int,
        replayed: bool = True,
    ) -> None:
        self._replayed = replayed
        self._source = source
        self._interval_ns = interval_ns
        self._offsets_ns = tuple(quarter * interval_ns // TICKS_A_CANDLE for quarter in range(TICKS_A_CANDLE))
        self._symbol = SymbolColumn(columns, symbol).of
        self._time = TimeReader().read
        self._time_at, self._volume_at = columns.at("time"), columns.at("volume")
        self._prices = columns.pick("open", "high", "low", "close")
        self._price = Memo(grid.price).__getitem__
        self._sequence = 0
        self._newest_ns = 0
        self._last: dict[str, tuple[int, int]] = {}
        """Start of the last candle of each symbol, and which way they go."""

        self._volumes: dict[str, tuple[int, int]] = {}

    def read(self, row: Row, messages: list[MarketMessage]) -> None:
        """Append the ticks of this row, then its candle.

        Raises:
            ValueError: as `RowReader` says.
        """
        start_ns = self._time(row[self._time_at])
        symbol = self._symbol(row)
        way = self._way(symbol, start_ns, row[self._time_at])
        open_price, high, low, close = map(self._price, self._prices(row))
        if not (low <= open_price <= high and low <= close <= high):
            raise ValueError(
                f"open and close between low and high are wanted, "
                f"found open {open_price}, high {high}, low {low}, close {close}"
            )
        volume = whole(row[self._volume_at])
        if self._replayed:
            day = day_of(start_ns)
            counted_day, counted = self._volumes.get(symbol, (day, 0))
            before = counted if counted_day == day else 0
            self._append_ticks(symbol, start_ns, path_of(open_price, high, low, close), volume, before, messages)
            self._volumes[symbol] = day, before + volume
        messages.append(
            Candle(
                symbol=symbol,
                interval_ns=self._interval_ns,
                start_ns=start_ns,
                open=open_price,
                high=high,
                low=low,
                close=close,
                volume=volume,
                source=self._source,
            )
        )
        self._newest_ns = start_ns
        self._last[symbol] = start_ns, way

    def _way(self, symbol: str, start_ns: int, text: str) -> int:
        """Tell which way the candles of a symbol go: 1 on, -1 back, 0 not known yet.

        Raises:
            ValueError: this one goes another way, or overlaps with the one before it.
        """
        last_ns, way = self._last.get(symbol, (-self._interval_ns, 1 if self._replayed else 0))
        if not way and start_ns < last_ns:
            way = -1
        if way < 0 and start_ns > last_ns - self._interval_ns:
            raise ValueError(
                f"a start not after {last_ns - self._interval_ns} ns is wanted, found {text!r}, {start_ns} ns"
            )
        wanted_ns = max(self._newest_ns if self._replayed else 0, last_ns + self._interval_ns)
        if way >= 0 and start_ns < wanted_ns:
            raise ValueError(f"a start not before {wanted_ns} ns is wanted, found {text!r}, {start_ns} ns")
        return way or int(symbol in self._last)

    def _append_ticks(  # noqa: PLR0913, PLR0917  the parts of one row, on the hottest path of the room
        self,
        symbol: str,
        start_ns: int,
        prices: tuple[float, float, float, float],
        volume: int,
        counted: int,
        messages: list[MarketMessage],
    ) -> None:
        source, sequence = self._source, self._sequence
        for price, quantity, offset_ns in zip(prices, split(volume), self._offsets_ns, strict=True):
            sequence += 1
            counted += quantity
            messages.append(
                Tick(
                    symbol=symbol,
                    price=price,
                    quantity=quantity,
                    exchange_ns=start_ns + offset_ns,
                    source=source,
                    sequence=sequence,
                    volume=counted,
                )
            )
        self._sequence = sequence
