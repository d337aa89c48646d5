"""Instruments that were traded a moment ago and of which nothing comes: pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from .....domain.time import SECOND_NS

if TYPE_CHECKING:
    from collections.abc import Collection

    from .....messages.market import Tick

TRADED_WITHIN_S: Final = 60.0
AGAIN_S: Final = 30.0
"""An instrument is not subscribed to again sooner than this."""

LOOK_S: Final = 1.0


class Silence:
    """Of one connection. Times are on the monotonic clock, in nanoseconds."""

    def __init__(self, silence_s: float) -> None:
        """Have heard of nothing."""
        self._silence_ns: Final = round(silence_s * SECOND_NS)
        self._heard: dict[str, int] = {}
        self._traded: dict[str, tuple[int, int]] = {}
        """By symbol: when its volume last changed, and the volume."""

        self._asked: dict[str, int] = {}
        self._looked_ns = 0
        self.silent: frozenset[str] = frozenset()
        """Symbols that are silent, as of the last look."""

    def forget(self) -> None:
        """Begin anew: the connection is another, and everything was subscribed to just now."""
        self._heard.clear()
        self._traded.clear()
        self.silent = frozenset()

    def rest(self, symbols: Collection[str]) -> None:
        """Wait for nothing of these until they come again: their market has opened or closed."""
        for symbol in symbols:
            self._heard.pop(symbol, None)
            self._traded.pop(symbol, None)
        self.silent -= frozenset(symbols)

    def heard(self, ticks: list[Tick], now_ns: int) -> None:
        """Note that these came."""
        for tick in ticks:
            symbol = tick.symbol
            self._heard[symbol] = now_ns
            known = self._traded.get(symbol)
            if known is None or known[1] != tick.volume or not tick.volume:  # without a volume each tick is a trade
                self._traded[symbol] = now_ns, tick.volume

    def look(self, now_ns: int) -> tuple[str, ...]:
        """Return the symbols to subscribe to again, once a second at most."""
        if now_ns - self._looked_ns < LOOK_S * SECOND_NS:
            return ()
        self._looked_ns = now_ns
        traded_ns = now_ns - round(TRADED_WITHIN_S * SECOND_NS)
        self.silent = frozenset(
            symbol
            for symbol, heard_ns in self._heard.items()
            if now_ns - heard_ns > self._silence_ns and self._traded[symbol][0] >= traded_ns
        )
        again_ns = now_ns - round(AGAIN_S * SECOND_NS)
        again = tuple(sorted(symbol for symbol in self.silent if self._asked.get(symbol, again_ns) <= again_ns))
        self._asked.update(dict.fromkeys(again, now_ns))
        return again
