"""The past of a backtest: what its recordings have of the time before it begins.

Owns    nothing: it reads the recordings whenever it is asked, in its own turn, up to the beginning and no further.
Hears   ReadHistory, from strategies before they begin; in a system this is the database's.
Sends   HistoryRead to who asks, with candles that had ended when the backtest began; QueryFailed where a recording is
        broken.
Fails   on no expected input.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from ...actors.feed import FeedError, open_recordings, time_of
from ...actors.runtime import RuntimeActor, handles
from ...domain.candle_making import CandleMaker
from ...messages.database import HistoryRead, QueryFailed, ReadHistory
from ...messages.market import Candle

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ...actors.feed import MarketMessage
    from ...actors.runtime import ActorAddress
    from ...domain.candle_making import SymbolCandles
    from .feed import BacktestFeedSettings


class PastActor(RuntimeActor):
    """Stands in the place of the database, for the one question that strategies ask it."""

    settings: BacktestFeedSettings

    @handles(ReadHistory)
    def read(self, request: ReadHistory, sender: ActorAddress) -> None:
        """Answer with candles of the recordings, or made of their ticks as the router makes them."""
        try:
            self.send(sender, HistoryRead(candles=self._candles(request)))
        except FeedError as fault:
            self.send(sender, QueryFailed(error=type(fault).__name__, reason=str(fault)))

    def _candles(self, request: ReadHistory) -> tuple[Candle, ...]:
        since_ns = self.settings.since_ns
        if since_ns == 0:  # from the beginning: there is nothing before it
            return ()
        symbols = frozenset(request.symbols) or self.settings.symbols
        newest: dict[str, deque[Candle]] = {}
        until_ns = min(request.until_ns, since_ns)
        for candle in candles_of(self._messages(since_ns, symbols), request.interval_ns, since_ns):
            if candle.start_ns + candle.interval_ns <= until_ns:
                newest.setdefault(candle.symbol, deque(maxlen=request.bars)).append(candle)
        return tuple(candle for symbol in sorted(newest) for candle in newest[symbol])

    def _messages(self, since_ns: int, symbols: frozenset[str]) -> Iterator[MarketMessage]:
        """Yield what happened before a time; candles that go on then are left out."""
        recordings = open_recordings(self.settings.feed)
        try:
            for chunk in recordings.chunks():
                if time_of(chunk[0]) > since_ns:
                    return
                for message in chunk:
                    is_past = time_of(message) < since_ns + isinstance(message, Candle)
                    if is_past and (not symbols or message.symbol in symbols):
                        yield message
        finally:
            recordings.close()


def candles_of(messages: Iterable[MarketMessage], interval_ns: int, until_ns: int) -> Iterator[Candle]:
    """Yield the candles of one length: the recorded ones, or where there are none those that the ticks make."""
    maker = CandleMaker()
    made: dict[str, SymbolCandles | None] = {}
    for message in messages:
        symbol = message.symbol
        if isinstance(message, Candle):
            if message.interval_ns == interval_ns:
                if maker.leave_to_recording(symbol, interval_ns):
                    made[symbol] = maker.of(symbol, {interval_ns: 0})
                yield message
            continue
        if symbol not in made:
            made[symbol] = maker.of(symbol, {interval_ns: 0})
        if (growing := made[symbol]) is not None:
            yield from growing.add(message)
    yield from maker.close_until(until_ns)
