"""Which prices are marks of the market, as it goes by (plain)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ...domain.time import SECOND_NS
from ..figures.curve import Bars, Marks

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ...messages.market import Candle, Tick

MARK_NS: Final = 60 * SECOND_NS
"""Of ticks the last one of each minute is a mark."""


class _Minute:
    """The ticks of one symbol in one minute."""

    __slots__ = ("close", "high", "low", "newest_ns", "number", "open")

    def __init__(self, number: int, tick: Tick) -> None:
        self.number = number
        self.newest_ns = tick.exchange_ns
        self.open = self.high = self.low = self.close = tick.price


class MarkKeeper:
    """Keeps each candle; of a symbol that has none a candle of each minute of its ticks. 40 bytes a mark."""

    def __init__(self) -> None:
        self._bars: Final[dict[str, Bars]] = {}
        self._candled: Final[set[str]] = set()
        self._growing: Final[dict[str, _Minute]] = {}

    def add_candle(self, candle: Candle) -> None:
        """Keep its prices, at its end."""
        symbol = candle.symbol
        if symbol not in self._candled:
            self._candled.add(symbol)
            self._growing.pop(symbol, None)
            self._bars[symbol] = Bars()
        self._bars[symbol].add(candle.start_ns + candle.interval_ns, candle.open, candle.high, candle.low, candle.close)

    def add_tick(self, tick: Tick) -> None:
        """Let the minute grow; keep the one before, if this is the first of another."""
        symbol = tick.symbol
        if symbol in self._candled:
            return
        number, price = tick.exchange_ns // MARK_NS, tick.price
        growing = self._growing.get(symbol)
        if growing is None or growing.number != number:
            if growing is not None:
                self._keep(symbol, growing)
            self._growing[symbol] = _Minute(number, tick)
            return
        growing.newest_ns, growing.close = tick.exchange_ns, price
        if price > growing.high:
            growing.high = price
        elif price < growing.low:
            growing.low = price

    def add_ticks(self, ticks: Iterable[Tick]) -> None:
        """Do the same for several."""
        for tick in ticks:
            self.add_tick(tick)

    def has_candles(self, symbol: str) -> bool:
        """Tell whether its candles are the marks, so that its ticks need not be added."""
        return symbol in self._candled

    def marks(self) -> Marks:
        """Return all marks, the newest tick of each symbol included; to be called once, at the end."""
        for symbol, growing in self._growing.items():
            self._keep(symbol, growing)
        self._growing.clear()
        return Marks(self._bars)

    def _keep(self, symbol: str, minute: _Minute) -> None:
        bars = self._bars.setdefault(symbol, Bars())
        bars.add(minute.newest_ns, minute.open, minute.high, minute.low, minute.close)
