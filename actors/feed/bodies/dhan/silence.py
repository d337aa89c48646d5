"""Instruments that were traded a moment ago and of which nothing comes: pure.

The problem: who trades seldom and who is told of no more look alike. The idea: such an instrument is subscribed to once
more, and what comes then tells which it was: with a trade that nobody was told of, something was missed. The trap: a
trade of just then is no such trade, and a service may answer a repeated subscription by nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from .....domain.freshness import AHEAD_MAX_NS
from .....domain.time import SECOND_NS

if TYPE_CHECKING:
    from collections.abc import Collection

    from .....messages.market import Tick

TRADED_WITHIN_S: Final = 60.0
AGAIN_S: Final = 30.0
"""An instrument is not subscribed to again sooner than this."""

LOOK_S: Final = 1.0

ANSWER_S: Final = 2.0
"""Within it what comes of an instrument that was subscribed to again answers that, and is not the next trade."""


class Silence:
    """Of one connection. Times are on the monotonic clock, in nanoseconds."""

    def __init__(self, silence_s: float) -> None:
        """Have heard of nothing."""
        self._silence_ns: Final = round(silence_s * SECOND_NS)
        self._heard: dict[str, int] = {}
        self._traded: dict[str, tuple[int, int, int]] = {}
        """By symbol, of the last trade: when it was heard of, the volume with it, and its time at the exchange."""

        self._asked: dict[str, int] = {}
        self._unanswered: dict[str, int] = {}
        """By symbol, those that were subscribed to again and of which nothing came since: when the last came before."""

        self._looked_ns = 0
        self.silent: frozenset[str] = frozenset()
        """Symbols that are silent, as of the last look."""

    def forget(self) -> None:
        """Begin anew: the connection is another, and everything was subscribed to just now."""
        self._heard.clear()
        self._traded.clear()
        self._unanswered.clear()
        self.silent = frozenset()

    def rest(self, symbols: Collection[str]) -> None:
        """Wait for nothing of these until they come again: their market has opened or closed."""
        for symbol in symbols:
            self._heard.pop(symbol, None)
            self._traded.pop(symbol, None)
            self._unanswered.pop(symbol, None)
        self.silent -= frozenset(symbols)

    def heard(self, ticks: list[Tick], now_ns: int) -> list[tuple[str, int]]:
        """Note that these came.

        Returns:
            The symbols of which a trade was missed, each with when the last came before.
        """
        missed = []
        for tick in ticks:
            symbol = tick.symbol
            self._heard[symbol] = now_ns
            if self._unanswered and (since_ns := self._unanswered.pop(symbol, None)) is not None:
                is_answer = now_ns - self._asked[symbol] <= ANSWER_S * SECOND_NS
                _, volume, exchange_ns = self._traded[symbol]
                if _tells_of_another(tick, volume=volume, exchange_ns=exchange_ns, is_answer=is_answer):
                    missed.append((symbol, since_ns))
            known = self._traded.get(symbol)
            if known is None or known[1] != tick.volume or not tick.volume:  # without a volume each is a trade
                self._traded[symbol] = now_ns, tick.volume, tick.exchange_ns
        return missed

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
        for symbol in again:
            self._unanswered.setdefault(symbol, self._heard[symbol])
        return again


def _tells_of_another(tick: Tick, *, volume: int, exchange_ns: int, is_answer: bool) -> bool:
    """Say whether a tick shows that there was a trade, after the last that is known, of which nothing came.

    A trade of a while ago is one. In what answers a subscription it is enough that more was traded than by the last
    trade alone; where no volume is told, that there was one.
    """
    if tick.volume:
        is_newer, was_more = tick.volume > volume, tick.volume - volume > tick.quantity
    else:
        is_newer = was_more = tick.exchange_ns > exchange_ns
    return is_newer and ((is_answer and was_more) or tick.received_ns - tick.exchange_ns > AHEAD_MAX_NS)
