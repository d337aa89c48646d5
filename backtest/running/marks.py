"""Which prices are marks of the market, as it goes by (plain)."""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING, Final

from ...domain.time import SECOND_NS
from ..figures.curve import Marks

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ...messages.market import Candle, Tick

MARK_NS: Final = 60 * SECOND_NS
"""Of ticks the last one of each minute is a mark."""


class MarkKeeper:
    """Keeps the close of each candle; of a symbol that has none the last tick of each minute. 16 bytes a mark."""

    def __init__(self) -> None:
        self._marks: Final[dict[str, tuple[array[int], array[float]]]] = {}
        self._candled: Final[set[str]] = set()
        self._newest: Final[dict[str, tuple[int, int, float]]] = {}

    def add_candle(self, candle: Candle) -> None:
        """Keep its close, at its end."""
        symbol = candle.symbol
        if symbol not in self._candled:
            self._candled.add(symbol)
            self._newest.pop(symbol, None)
            self._marks[symbol] = array("q"), array("d")
        times, prices = self._marks[symbol]
        times.append(candle.start_ns + candle.interval_ns)
        prices.append(candle.close)

    def add_tick(self, tick: Tick) -> None:
        """Keep the one before, if it was the last of its minute."""
        symbol = tick.symbol
        if symbol in self._candled:
            return
        minute = tick.exchange_ns // MARK_NS
        before = self._newest.get(symbol)
        if before is not None and before[0] != minute:
            self._keep(symbol, before)
        self._newest[symbol] = minute, tick.exchange_ns, tick.price

    def add_ticks(self, ticks: Sequence[Tick], symbols: Iterable[str]) -> None:
        """Do the same for several, of these symbols."""
        if not self._candled.issuperset(symbols):
            for tick in ticks:
                self.add_tick(tick)

    def marks(self) -> Marks:
        """Return all marks, the newest tick of each symbol included; to be called once, at the end."""
        for symbol, newest in self._newest.items():
            self._keep(symbol, newest)
        self._newest.clear()
        return Marks(self._marks)

    def _keep(self, symbol: str, mark: tuple[int, int, float]) -> None:
        times, prices = self._marks.setdefault(symbol, (array("q"), array("d")))
        times.append(mark[1])
        prices.append(mark[2])
