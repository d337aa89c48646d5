"""The past of a backtest: the candles that its recordings have of the time before it begins.

Owns    the newest candles of that time, of the lengths that strategies want: read when the first of them asks, in one
        go for all of them, up to the beginning and no further.
Hears   ReadHistory, from strategies before they begin; in a system this is the database's.
Sends   HistoryRead to who asks, with candles that had ended when the backtest began; QueryFailed where a recording is
        broken.
Fails   on no expected input. What it owns is read again after a restart.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, TypeAlias

import msgspec

from ...actors.feed import Again, FeedError
from ...actors.runtime import RuntimeActor, handles
from ...domain.candle_making import CandleMaker
from ...domain.market_messages import is_before, time_of
from ...messages.database import HistoryRead, QueryFailed, ReadHistory
from ...messages.market import Candle
from .feed import BacktestFeedSettings

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ...actors.runtime import ActorAddress
    from ...domain.candle_making import SymbolCandles
    from ...messages.market import MarketMessage

Newest: TypeAlias = dict[int, dict[str, deque[Candle]]]
"""Candles by length (ns) and symbol, the oldest first."""


class PastSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Which recordings have the past, and which candles are wanted."""

    played: BacktestFeedSettings
    bars: dict[int, int]
    """Candles of each length (ns) and symbol that strategies will ask for."""


class PastActor(RuntimeActor):
    """Stands in for the database, for the only request that strategies send it."""

    settings: PastSettings

    def on_start(self) -> None:
        """Read nothing yet: most strategies want nothing."""
        self._bars = dict(self.settings.bars)
        self._symbols = self.settings.played.symbols
        self._newest: Newest | None = None

    @handles(ReadHistory)
    def read(self, request: ReadHistory, sender: ActorAddress) -> None:
        """Answer with candles of the recordings, or made of their ticks as the router makes them."""
        try:
            self.send(sender, HistoryRead(candles=self._candles(request)))
        except FeedError as fault:
            self.send(sender, QueryFailed(error=type(fault).__name__, reason=str(fault)))

    def _candles(self, request: ReadHistory) -> tuple[Candle, ...]:
        since_ns = self.settings.played.since_ns
        if since_ns == 0:  # the test begins with the first record: there is nothing before
            return ()
        self._expect(request)
        if self._newest is None:
            self._newest = self._read(since_ns)
        kept = self._newest[request.interval_ns]
        symbols = frozenset(request.symbols) or self.settings.played.symbols or kept.keys()
        return tuple(
            candle
            for symbol in sorted(symbols & kept.keys())
            for candle in list(kept[symbol])[-request.bars :]
            if candle.start_ns + candle.interval_ns <= request.until_ns
        )

    def _expect(self, request: ReadHistory) -> None:
        """Note a request for more candles than were announced."""
        if request.bars > self._bars.get(request.interval_ns, 0):
            self._bars[request.interval_ns] = request.bars
            self._newest = None
        if self._symbols and not self._symbols.issuperset(request.symbols):
            self._symbols |= frozenset(request.symbols)
            self._newest = None

    def _read(self, since_ns: int) -> Newest:
        makers = {interval_ns: CandlesOfOneLength(interval_ns) for interval_ns in self._bars}
        newest: Newest = {interval_ns: {} for interval_ns in makers}
        for message in self._messages(since_ns, self._symbols):
            for interval_ns, maker in makers.items():
                self._keep(newest[interval_ns], maker.add(message))
        for interval_ns, maker in makers.items():
            self._keep(newest[interval_ns], maker.close_until(since_ns))
        return newest

    def _keep(self, newest: dict[str, deque[Candle]], candles: Iterable[Candle]) -> None:
        for candle in candles:
            kept = newest.get(candle.symbol)
            if kept is None:
                kept = newest[candle.symbol] = deque(maxlen=self._bars[candle.interval_ns])
            kept.append(candle)

    def _messages(self, since_ns: int, symbols: frozenset[str]) -> Iterator[MarketMessage]:
        """Yield what happened before a time; candles that go on then are left out."""
        recordings = Again(self.settings.played.feed)
        try:
            for chunk in recordings.chunks():
                if time_of(chunk[0]) > since_ns:
                    return
                for message in chunk:
                    if is_before(message, since_ns) and (not symbols or message.symbol in symbols):
                        yield message
        finally:
            recordings.close()


class CandlesOfOneLength:
    """The candles of one length: the recorded ones, or where there are none those that the ticks make."""

    def __init__(self, interval_ns: int) -> None:
        self._interval_ns = interval_ns
        self._maker = CandleMaker()
        self._made: dict[str, SymbolCandles | None] = {}

    def add(self, message: MarketMessage) -> Iterable[Candle]:
        """Return the candles that a message is, or closes."""
        symbol, interval_ns, maker = message.symbol, self._interval_ns, self._maker
        if isinstance(message, Candle):
            if message.interval_ns != interval_ns:
                return ()
            if maker.leave_to_recording(symbol, interval_ns):
                self._made[symbol] = maker.of(symbol, {interval_ns: 0})
            return (message,)
        if symbol not in self._made:
            self._made[symbol] = maker.of(symbol, {interval_ns: 0})
        growing = self._made[symbol]
        return () if growing is None else growing.add(message)

    def close_until(self, until_ns: int) -> Iterable[Candle]:
        """Return those that have ended by a time."""
        return self._maker.close_until(until_ns)
