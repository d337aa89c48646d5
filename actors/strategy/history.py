"""A strategy's history: the closed candles of the lengths that it keeps, and columns of the newest of them (plain)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeAlias

import numpy as np

from ...domain.candles import interval_of
from ...domain.time import duration_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from numpy.typing import NDArray

    from ...messages.market import Candle

Prices: TypeAlias = "NDArray[np.float64]"
Counts: TypeAlias = "NDArray[np.int64]"

SPARE: Final = 2
"""Room for so many times as many as are kept: they are moved to the front when it is full."""


class Columns:
    """Candles of one symbol and length as columns of numpy, the oldest first; each time they are asked for anew."""

    start_ns: Counts
    """When each begins: nanoseconds since 1970-01-01 UTC."""

    open: Prices
    """Rupees, as `high`, `low` and `close` are."""

    high: Prices
    low: Prices
    close: Prices
    volume: Counts
    """Shares."""

    def __init__(self, prices: Prices, whole: Counts) -> None:
        """Take prices (4 rows) and whole numbers (2 rows)."""
        self.open, self.high, self.low, self.close = prices
        self.start_ns, self.volume = whole

    def __len__(self) -> int:
        return len(self.start_ns)

    def __repr__(self) -> str:
        return f"<{len(self)} candles: start_ns, open, high, low, close, volume>"


class History:
    """The newest closed candles of every symbol, as many of each length as the strategy keeps."""

    def __init__(self, keeps: Mapping[str, int]) -> None:
        """Begin with none; `keeps` has how many of which length, such as `{"5m": 200}`."""
        self._keeps: Final = {interval_of(text): bars for text, bars in keeps.items()}
        self._kept: dict[tuple[str, int], _Kept] = {}

    @property
    def keeps(self) -> Mapping[int, int]:
        """How many are kept, by length in ns."""
        return self._keeps

    def add(self, candle: Candle) -> None:
        """Add the next closed candle; nothing if its length is not kept, or it is older than the newest."""
        key = candle.symbol, candle.interval_ns
        kept = self._kept.get(key)
        if kept is None:
            if candle.interval_ns not in self._keeps:
                return
            kept = self._kept[key] = _Kept(self._keeps[candle.interval_ns])
        kept.add(candle)

    def merge(self, candles: Iterable[Candle]) -> None:
        """Add older candles of which some are there already; where both know one, that stays which is there."""
        known, self._kept = self._kept, {}
        older: dict[tuple[str, int], list[Candle]] = {}
        for candle in candles:
            older.setdefault((candle.symbol, candle.interval_ns), []).append(candle)
        for key in {**older, **known}:
            if key[1] in self._keeps:
                fresh = self._kept[key] = _Kept(self._keeps[key[1]])
                newer = known.get(key)
                fresh.join(older.get(key, ()), newer)

    def columns(self, symbol: str, interval: str, bars: int | None) -> Columns:
        """Return the newest `bars` of a symbol, fewer where less is known; None: all that are kept.

        Raises:
            ValueError: the length is not kept, or fewer of it are, or `bars` is below 1.
        """
        interval_ns = interval_of(interval)
        if interval_ns not in self._keeps:
            kept = ", ".join(map(duration_text, self._keeps))
            raise ValueError(f"a length of `warm_up` wanted, {kept}, found {interval!r}")
        bars_max = self._keeps[interval_ns]
        bars = bars_max if bars is None else bars
        if not 1 <= bars <= bars_max:
            raise ValueError(f"1 to {bars_max} bars of {interval} wanted, as many as `warm_up` keeps, found {bars}")
        found = self._kept.get((symbol, interval_ns)) or _Kept(1)
        return found.newest(bars)


class _Kept:
    """The candles of one symbol and length, in arrays that are longer than they have to be."""

    __slots__ = ("_bars", "_end", "_prices", "_whole")

    def __init__(self, bars: int) -> None:
        self._bars = bars
        self._end = 0
        self._prices = np.empty((4, bars * SPARE))
        self._whole = np.empty((2, bars * SPARE), np.int64)

    def add(self, candle: Candle) -> None:
        end = self._end
        whole, prices = self._whole, self._prices
        if end and candle.start_ns <= whole[0, end - 1]:
            return
        if end == whole.shape[1]:
            bars = self._bars
            prices[:, :bars], whole[:, :bars] = prices[:, end - bars : end], whole[:, end - bars : end]
            end = bars
        prices[0, end], prices[1, end] = candle.open, candle.high
        prices[2, end], prices[3, end] = candle.low, candle.close
        whole[0, end], whole[1, end] = candle.start_ns, candle.volume
        self._end = end + 1

    def join(self, older: Iterable[Candle], newer: _Kept | None) -> None:
        """Take candles, and those of another in their place in time, which win where both have one."""
        rows = {each.start_ns: (each.open, each.high, each.low, each.close, each.volume) for each in older}
        if newer is not None:
            whole, prices = newer._whole, newer._prices  # noqa: SLF001  of the same class
            for place in range(max(0, newer._end - newer._bars), newer._end):  # noqa: SLF001
                rows[int(whole[0, place])] = (*prices[:, place].tolist(), int(whole[1, place]))
        for place, start_ns in enumerate(sorted(rows)[-self._bars :]):
            *self._prices[:, place], self._whole[1, place] = rows[start_ns]
            self._whole[0, place] = start_ns
            self._end = place + 1

    def newest(self, bars: int) -> Columns:
        """Return copies: what the user does with them changes nothing here."""
        begin, end = max(0, self._end - bars), self._end
        return Columns(self._prices[:, begin:end].copy(), self._whole[:, begin:end].copy())
