"""The feed of a backtest: plays recordings between two times, and keeps the marks of the market.

Owns    one source of recordings, read in its own turns, and the marks: the close of each candle, or of a symbol that
        has only ticks the last of each minute.
Hears   AwaitMarketEnd, ReadMarks.
Sends   Tick and Candle to events, each once and each when all actors are idle; MarketEnded to who awaits it; Marks.
Fails   on no expected error: a broken recording ends the market, and MarketEnded gives the reason. It keeps no state
        over a restart: a backtest in which it failed is given up.
"""

from __future__ import annotations

from collections.abc import Callable
from operator import attrgetter
from typing import TYPE_CHECKING, Final

import msgspec

from ...actors.feed import (
    BEHIND_CLOSE_NS,
    Again,
    FeedError,
    Surroundings,
    files_of,
    named_recording,
    source_of,
)
from ...actors.runtime import Lane, RuntimeActor, handles
from ...config.sections.feed import FeedSettings
from ...domain.calendar import reached_close_ns
from ...domain.market_messages import begin_of, ends, is_before, time_of
from ...messages.addresses import EVENTS
from ...messages.market import AwaitMarketEnd, FeedStatistics, MarketEnded
from ..figures.curve import Marks
from .marks import MarkKeeper

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ...actors.feed import MarketSource
    from ...actors.runtime import ActorAddress
    from ...messages.market import MarketMessage


_symbol_of = attrgetter("symbol")

READ_HERE_BYTES: Final = 4_000_000
"""Recordings up to this size (some 50,000 candles) are read faster than a process would start, and need no other
core."""


class BacktestFeedSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Which recordings are played, and which part of them."""

    feed: FeedSettings
    since_ns: int
    """Nothing of what happened before: nanoseconds since 1970-01-01 UTC. A candle happens from its start on."""

    until_ns: int
    """Nothing that ends behind it."""

    symbols: frozenset[str]
    """Only these; empty: all."""

    is_made_up: bool
    """The market was made up when it was recorded: it trades day and night, and has no auctions."""

    on_progress: Callable[[int], object]
    """Called with the market time (ns since 1970-01-01 UTC) after each chunk, within a turn: it has to be quick."""


class Release:
    """To itself: all actors are idle, and the message is due."""


class ReachClose:
    """To itself: all actors are idle, there is no message left, and the session closes."""


class EndMarket:
    """To itself: all actors are idle, and there is no message left."""


class ReadMarks(msgspec.Struct, frozen=True, gc=False):
    """To the feed of a backtest: which prices has it seen? Answered by `MarksRead`."""


class MarksRead(msgspec.Struct, frozen=True):
    """The marks of the whole market."""

    marks: Marks
    begin_ns: int
    """When the first of what was played happened, or began to: nanoseconds since 1970-01-01 UTC; 0: nothing was."""

    left_out: tuple[str, ...]
    """Symbols of the data that were not wanted."""


class BacktestFeedActor(RuntimeActor):
    """Releases one message at a time."""

    settings: BacktestFeedSettings

    def on_start(self) -> None:
        """Open nothing yet: the source is opened when all actors are idle."""
        self.pace_market(0.0)
        self._release = Release()
        self._lane = Lane(self)
        self._source: MarketSource | None = None
        self._chunks: Iterator[list[MarketMessage]] = iter(())
        self._chunk: list[MarketMessage] = []
        self._place = 0
        self._ticks = self._candles = 0
        exchange = self.settings.feed.exchange
        self._keeper = MarkKeeper(None if exchange == "none" else exchange)
        self._begin_ns = 0
        self._left_out: set[str] = set()
        self._ended: MarketEnded | None = None
        self._error = ""
        self._waiting: list[ActorAddress] = []
        self.when_quiet(self._release)

    def on_stop(self) -> None:
        """Close the source."""
        if self._source is not None:
            self._source.close()

    @handles(Release)
    def release(self, _release: Release, _sender: ActorAddress) -> None:
        """Send the message that is due, and the next ones as long as no actor has work from them."""
        if (begin := self._place) < len(self._chunk):
            self.begin_trace()
            self._place = self._lane.play(
                EVENTS, self._chunk, begin, len(self._chunk), are_conversations=False, passes_over=True
            )
            self._note_sent(self._chunk[begin : self._place])
        if self._place < len(self._chunk) or self._turn_over():
            message = self._chunk[self._place]
            self.when_quiet(self._release, time_of(message), ends=ends(message))
        else:
            self._end_with_session()

    def _end_with_session(self) -> None:
        """End the market, at the close of the session that its recording has reached: with ticks as with candles."""
        exchange, close_ns = self.settings.feed.exchange, None
        if exchange != "none" and not self._error:
            close_ns = reached_close_ns(self.clock.now_ns(), exchange)
        if close_ns is None or close_ns > self.settings.until_ns:
            self.when_quiet(EndMarket())
        else:
            self.when_quiet(ReachClose(), close_ns + BEHIND_CLOSE_NS)

    @handles(ReachClose)
    def reach_close(self, _close: ReachClose, _sender: ActorAddress) -> None:
        """End the market when all that is due at the close is done."""
        self.when_quiet(EndMarket())

    def _note_sent(self, messages: list[MarketMessage]) -> None:
        candles = self._keeper.add(messages)
        self._candles += candles
        self._ticks += len(messages) - candles

    @handles(EndMarket)
    def end_market(self, _end: EndMarket, _sender: ActorAddress) -> None:
        """Answer all who wait for the end of the market."""
        self._ended = MarketEnded(
            ticks=self._ticks, candles=self._candles, bad_rows=self._bad_rows(), error=self._error
        )
        for waiting in self._waiting:
            self.send(waiting, self._ended)

    @handles(AwaitMarketEnd)
    def await_end(self, _request: AwaitMarketEnd, sender: ActorAddress) -> None:
        """Answer when the market has ended."""
        if self._ended is None:
            self._waiting.append(sender)
        else:
            self.send(sender, self._ended)

    @handles(ReadMarks, from_outside=True)
    def read_marks(self, _request: ReadMarks, sender: ActorAddress) -> None:
        """Answer with all marks; asked once, when the market has ended."""
        marks = self._keeper.marks()
        self.send(sender, MarksRead(marks, self._begin_ns, tuple(sorted(self._left_out))))

    def statistics(self) -> FeedStatistics:
        """Count what was sent."""
        newest = self._keeper.newest()
        return FeedStatistics(
            ticks=self._ticks,
            candles=self._candles,
            bad_rows=self._bad_rows(),
            source="",
            ended=self._ended is not None,
            last_prices={symbol: price for symbol, (price, _) in newest.items()},
            recorded_sequence=0,
            priced_ns={symbol: time_ns for symbol, (_, time_ns) in newest.items()},
        )

    def _turn_over(self) -> bool:
        """Take the next chunk that has a message to play; return whether there was one."""
        if self._source is None:
            self._source = self._open()
            self._chunks = self._source.chunks()
        try:
            for chunk in self._chunks:
                if played := self._played(chunk):
                    self._chunk, self._place = played, 0
                    self._begin_ns = self._begin_ns or min(map(begin_of, played))
                    self.settings.on_progress(time_of(played[-1]))
                    return True
                if time_of(chunk[0]) > self.settings.until_ns:
                    break
        except FeedError as fault:
            self._error = str(fault)
        return False

    def _open(self) -> MarketSource:
        """Return the reader of the recordings: a process of its own, unless they are small."""
        settings = self.settings.feed
        files = [path for given in settings.recordings for path in files_of(named_recording(given)[1])]
        if sum(path.stat().st_size for path in files) <= READ_HERE_BYTES:
            return Again(settings)
        make, options = source_of(settings)
        return make(settings, options, Surroundings(start_ns=self.clock.now_ns(), random=self.random))

    def _played(self, chunk: list[MarketMessage]) -> list[MarketMessage]:
        """Return the messages of a chunk that are played."""
        since_ns, until_ns, symbols = self.settings.since_ns, self.settings.until_ns, self.settings.symbols
        if symbols:
            others = set(map(_symbol_of, chunk)) - symbols
            self._left_out |= others
            symbols = symbols if others else frozenset()
        if not symbols and begin_of(chunk[0]) >= since_ns and time_of(chunk[-1]) < until_ns:
            return chunk
        return [
            message
            for message in chunk
            if begin_of(message) >= since_ns
            and is_before(message, until_ns)
            and (not symbols or message.symbol in symbols)
        ]

    def _bad_rows(self) -> int:
        return 0 if self._source is None else self._source.bad_rows
