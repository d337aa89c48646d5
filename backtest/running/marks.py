"""Collects the marks of the market from its ticks and candles (plain)."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Final

from ...domain.calendar import open_spans
from ...domain.time import DAY_NS, SECOND_NS
from ...domain.volumes import DayVolume
from ...messages.market import Candle
from ..figures.curve import Bars, Marks

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ...domain.calendar import Exchange
    from ...messages.market import Tick

MARK_NS: Final = 60 * SECOND_NS
"""Of ticks the last one of each minute is a mark."""


class _Minute:
    """The ticks of one symbol in one minute."""

    __slots__ = ("close", "high", "low", "newest_ns", "number", "open", "shares")

    def __init__(self, number: int, tick: Tick, shares: int) -> None:
        self.number, self.shares = number, shares
        self.newest_ns = tick.exchange_ns
        self.open = self.high = self.low = self.close = tick.price


class MarkKeeper:
    """Keeps each candle, and for a symbol without candles the last tick of each minute; 56 bytes a mark.

    Args:
        exchange: in whose sessions the prices of a candle were met; None where the market never closes.
    """

    def __init__(self, exchange: Exchange | None) -> None:
        self._exchange: Final = exchange
        self._bars: Final[dict[str, Bars]] = {}
        self._candled: Final[set[str]] = set()
        self._growing: Final[dict[str, _Minute]] = {}
        self._traded: Final[defaultdict[str, DayVolume]] = defaultdict(DayVolume)

    def add(self, messages: Iterable[Tick | Candle]) -> int:
        """Keep the marks among some messages, in their order; return the number of candles."""
        candled, candles = self._candled, 0
        for message in messages:
            if isinstance(message, Candle):
                candles += 1
                self._add_candle(message)
            elif message.symbol not in candled:
                self._add_tick(message)
        return candles

    def _add_candle(self, candle: Candle) -> None:
        """Keep its prices, at its end; of one of a day or more at the time of its close."""
        symbol = candle.symbol
        if symbol not in self._candled:
            self._candled.add(symbol)
            self._growing.pop(symbol, None)
            self._bars[symbol] = Bars(are_candles=True)
        end_ns = candle.start_ns + candle.interval_ns
        if candle.interval_ns >= DAY_NS:  # it ends when the next day begins, and its close was met on the day before
            spans = open_spans(candle.start_ns, end_ns, self._exchange) if self._exchange else ()
            end_ns = min(spans[-1][1] if spans else end_ns, end_ns - 1)
        self._bars[symbol].add(
            end_ns, candle.open, candle.high, candle.low, candle.close, begin_ns=candle.start_ns, volume=candle.volume
        )

    def _add_tick(self, tick: Tick) -> None:
        """Let the minute grow; keep the one before, if this is the first of another."""
        symbol, number, price = tick.symbol, tick.exchange_ns // MARK_NS, tick.price
        shares = self._traded[symbol].add(tick.exchange_ns, tick.quantity, tick.volume)
        growing = self._growing.get(symbol)
        if growing is None or growing.number != number:
            if growing is not None:
                self._keep(symbol, growing)
            self._growing[symbol] = _Minute(number, tick, shares)
            return
        growing.newest_ns, growing.close = tick.exchange_ns, price
        growing.shares += shares
        if price > growing.high:
            growing.high = price
        elif price < growing.low:
            growing.low = price

    def newest(self) -> dict[str, tuple[float, int]]:
        """Return the last price of each symbol, and its time: rupees, nanoseconds since 1970-01-01 UTC."""
        known = {symbol: (bars.closes[-1], bars.times[-1]) for symbol, bars in self._bars.items() if bars.times}
        return known | {symbol: (minute.close, minute.newest_ns) for symbol, minute in self._growing.items()}

    def marks(self) -> Marks:
        """Return all marks, the newest tick of each symbol included; to be called once, at the end."""
        for symbol, growing in self._growing.items():
            self._keep(symbol, growing)
        self._growing.clear()
        return Marks(self._bars)

    def _keep(self, symbol: str, minute: _Minute) -> None:
        bars = self._bars.setdefault(symbol, Bars())
        bars.add(
            minute.newest_ns,
            minute.open,
            minute.high,
            minute.low,
            minute.close,
            begin_ns=minute.number * MARK_NS,
            volume=minute.shares,
        )
