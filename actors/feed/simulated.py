"""The feed actor: releases a simulated market, one message at a time, each when all other actors are idle.

At full speed it hands several on in one turn, in a lane (`runtime/lane.py`), while nobody does more than take them;
wherever anything is left to do, the market waits for quiet.

Owns    one source (see sources.py), read ahead by two chunks at most, on a thread of its own.
Hears   TicksRecorded, AwaitMarketEnd; Appended, AppendRefused, Failed or Unavailable as the answer of the journal.
Sends   Tick and Candle to events, each once; MarketEnded to everyone who awaited it; to the journal that a
        recording was played to its end.
        It lasts to the close of its session where it has a price in the last minute: timers of the close come then.
Fails   on no expected error: a broken source ends the market, and MarketEnded gives the reason. After a restart it
        goes on after the last message it sent (state handed over), so none is sent twice and none is left out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from ...domain.calendar import open_spans, reached_close_ns
from ...domain.market_messages import ends, parted, time_of
from ...domain.time import SECOND_NS
from ...messages.accounts import RecordingPlayed
from ...messages.addresses import EVENTS, JOURNAL
from ...messages.journal import Append, Appended, AppendRefused
from ...messages.market import AwaitMarketEnd, FeedStatistics, MarketEnded, Tick, TicksRecorded
from ...messages.supervision import Failed, Unavailable
from ..runtime import Lane, RuntimeActor, handles
from .errors import FeedError
from .source import BEHIND_CLOSE_NS, Surroundings, behind
from .sources import source_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ...config.sections.feed import FeedSettings
    from ...messages.market import MarketMessage
    from ..runtime import ActorAddress, Outcome, Timer
    from .source import MarketSource


CLOSED_MIN_NS: Final = 3_600 * SECOND_NS
"""A shorter pause is waited for, also when the exchange is closed: a recording may be of another one's hours."""

MESSAGES_A_TURN: Final = 64
"""Handed on in one turn, for which timers of the machine's time wait at most."""

RECORDING_S = 1.0
"""Seconds that a feed which is told to stop waits for the database to record what was sent."""


class Release:
    """To itself: all actors are idle, and the message is due. Compared by identity: an earlier life's is ignored."""


class EndMarket:
    """To itself: the market has lasted `duration_s`. Or from the caller that runs the system: end it now."""


class ReachClose:
    """To itself: all actors are idle, and the session closes. Compared by identity, as `Release`."""


class StopWaiting:
    """To itself, while it stops: the time for the database to record what was sent is over."""


class Progress(msgspec.Struct, kw_only=True):
    """How far the market has been released; handed over at a restart."""

    start_ns: int
    """When it began: nanoseconds since 1970-01-01 UTC. Part of what the source is made of."""

    began_ns: int
    """The same, on the monotonic clock."""

    ticks: int = 0
    """Sent; the sequence of the newest one."""

    candles: int = 0
    recorded: int = 0
    bad_rows: int = 0
    source: str = ""
    ended: bool = False
    error: str = ""
    newest: dict[str, Tick] = msgspec.field(default_factory=dict)
    """The newest tick that was sent, by symbol."""

    waiting: list[ActorAddress] = msgspec.field(default_factory=list)


class SimulatedFeedActor(RuntimeActor):
    """Releases one message at a time."""

    settings: FeedSettings

    def on_start(self) -> None:
        """Open nothing yet: the source is opened when all actors are idle, after `restore`."""
        self._progress = Progress(start_ns=self.clock.now_ns(), began_ns=self.clock.monotonic_ns())
        self.pace_market(self.settings.speed)
        self._lane = Lane(self)
        self._source: MarketSource | None = None
        self._chunks: Iterator[list[MarketMessage]] = iter(())
        self._chunk: list[MarketMessage] = []
        self._place = 0
        self._next_chunk: list[MarketMessage] | None = None
        self._exhausted = self._starved = self._held = False
        self._is_played = False
        """Whether the last message of the source was released; it is exhausted before, as soon as it has been read."""

        self._skips = self.settings.speed > 0
        self._close: ReachClose | None = None
        self._skipped_ns = self.clock.now_ns()
        """Market time up to which closed hours were looked for."""

        self._asked_ns: int | None = None
        self._last_wait: Timer | None = None
        self._waits = True
        self._begin()

    def on_stop(self) -> None:
        """Close the source."""
        if self._source is not None:
            self._source.close()

    def snapshot(self) -> Progress:
        """Return how far the market has been released."""
        return self._progress

    def restore(self, state: Progress) -> None:
        """Go on after the last message that was sent before the restart."""
        self._progress = state
        self._begin()

    @handles(Release)
    def release(self, release: Release, _sender: ActorAddress) -> None:
        """Send the message that is due, and those behind it as long as nobody has anything else to do.

        Only if the database keeps up. This drives a simulated market.
        """
        if release is not self._release or (self._place == len(self._chunk) and not self._turn_over()):
            return
        if self._asked_ns is None:  # its due time is unknown before the chunk is read
            self._go_on()
            return
        progress, begin = self._progress, self._place
        room = progress.recorded + self.settings.unrecorded_ticks_max - progress.ticks
        if room < 0:
            self._held = True
            self.trouble = f"waits for the database: {progress.ticks - progress.recorded:,} ticks are not durable"
            return
        end = min(len(self._chunk), begin + MESSAGES_A_TURN, begin + room + 1)
        self._place = self._lane.play(EVENTS, self._chunk, begin, end)
        self._note_sent(self._chunk[begin : self._place])
        self._go_on()

    def _note_sent(self, messages: list[MarketMessage]) -> None:
        progress = self._progress
        ticks, candles = parted(messages)
        progress.candles += len(candles)
        if ticks:
            progress.ticks, progress.source = ticks[-1].sequence, ticks[-1].source
            progress.newest.update({tick.symbol: tick for tick in ticks})

    @handles(TicksRecorded)
    def note_recorded(self, recorded: TicksRecorded, _sender: ActorAddress) -> None:
        """Go on if the market waited for the database to record."""
        progress = self._progress
        if recorded.source == progress.source:
            progress.recorded = max(progress.recorded, recorded.sequence)
        if self._held and progress.ticks - progress.recorded <= self.settings.unrecorded_ticks_max:
            self._held = False
            self.trouble = ""
            self._go_on()

    @handles(AwaitMarketEnd)
    def await_end(self, _request: AwaitMarketEnd, sender: ActorAddress) -> None:
        """Answer when the market has ended."""
        if self._progress.ended:
            self.send(sender, self._market_ended())
        else:
            self._progress.waiting.append(sender)

    @handles(Appended, AppendRefused, Failed, Unavailable)
    def hear_of_fact(self, answer: Appended | AppendRefused | Failed | Unavailable, _sender: ActorAddress) -> None:
        """Take the journal's answer about the fact that the recording was played; log why it was refused."""
        if not isinstance(answer, Appended):
            self.log("market.end_not_written", level="error", reason=answer.reason)

    @handles(EndMarket, from_outside=True)
    def end_market(self, _message: EndMarket, _sender: ActorAddress) -> None:
        """End the market before its source ends."""
        self._end()

    @handles(StopWaiting)
    def stop_waiting(self, _message: StopWaiting, _sender: ActorAddress) -> None:
        """Stop although the database has not recorded everything."""
        progress = self._progress
        self.log("market.not_recorded", level="warning", ticks=progress.ticks, recorded=progress.recorded)
        self._waits = False

    def is_drained(self) -> bool:
        """Release nothing more; return True once all that was sent is durable, or after `RECORDING_S`."""
        self._release = Release()
        if self._last_wait is None:
            self._last_wait = self.after_on_machine(RECORDING_S, StopWaiting())
        return self._progress.recorded >= self._progress.ticks or not self._waits

    def statistics(self) -> FeedStatistics:
        """Count what was sent."""
        progress = self._progress
        return FeedStatistics(
            ticks=progress.ticks,
            candles=progress.candles,
            bad_rows=self._bad_rows(),
            source=progress.source,
            ended=progress.ended,
            last_prices={symbol: tick.price for symbol, tick in progress.newest.items()},
            recorded_sequence=progress.recorded,
            priced_ns={symbol: tick.exchange_ns for symbol, tick in progress.newest.items()},
        )

    def _begin(self) -> None:
        """Request the first release of this life, and set the market's end; earlier requests are void."""
        self._release = Release()
        self._go_on()
        if self.settings.duration_s:
            lasted_s = (self.clock.monotonic_ns() - self._progress.began_ns) / SECOND_NS
            self.after(max(0.0, self.settings.duration_s - lasted_s), EndMarket())

    def _go_on(self) -> None:
        """Request the next release; never after the market has ended, whatever late answer arrives."""
        if not self._progress.ended:
            is_known = self._place < len(self._chunk)
            self._asked_ns = time_of(self._chunk[self._place]) if is_known else None
            if self._skips and self._asked_ns is not None:
                self._skip_closed_hours(self._asked_ns)
            self.when_quiet(self._release, self._asked_ns, ends=is_known and ends(self._chunk[self._place]))

    def _skip_closed_hours(self, until_ns: int) -> None:
        """Wait for no night and no weekend that lies before the next message."""
        since_ns, self._skipped_ns = self._skipped_ns, max(self._skipped_ns, until_ns)
        if until_ns - since_ns > CLOSED_MIN_NS and self.settings.exchange != "none":
            spans = open_spans(since_ns, until_ns, self.settings.exchange)
            closed_ns = until_ns - since_ns - sum(close_ns - open_ns for open_ns, close_ns in spans)
            if closed_ns > CLOSED_MIN_NS:
                self.skip_market(closed_ns)

    def _turn_over(self) -> bool:
        """Take the next chunk and start reading the one after it; return whether it was there."""
        if self._source is None:
            self._open()
        chunk, self._next_chunk = self._next_chunk, None
        if chunk is not None:
            self._chunk, self._place = chunk, 0
            self._read()
        elif self._exhausted:
            self._end_with_session()
        else:
            self._starved = True
        return chunk is not None

    def _open(self) -> None:
        settings, progress = self.settings, self._progress
        self.random.seed(settings.seed)
        self._source = self._make_source(Surroundings(start_ns=progress.start_ns, random=self.random))
        self._chunks = behind(self._source.chunks(), progress.ticks + progress.candles, source=progress.source)
        self._read()

    def _make_source(self, surroundings: Surroundings) -> MarketSource:
        make, options = source_of(self.settings)
        return make(self.settings, options, surroundings)

    def _read(self) -> None:
        self.offload(next, self._chunks, None, then=self._take_chunk)

    def _take_chunk(self, outcome: Outcome) -> None:
        if isinstance(outcome.error, FeedError):
            self._progress.error = str(outcome.error)
            self._exhausted = True
        else:
            self._next_chunk = outcome.unwrap()
            self._exhausted = self._next_chunk is None
        if self._starved:
            self._starved = False
            self._go_on()

    def _end_with_session(self) -> None:
        """End the market, at the close of the session that its recording has reached: with ticks as with candles."""
        self._is_played = True
        settings, close_ns = self.settings, None
        if settings.source == "replay" and settings.exchange != "none" and not self._progress.error:
            close_ns = reached_close_ns(self.clock.now_ns(), settings.exchange)
        if close_ns is None:
            self._end()
        else:
            self._close = ReachClose()
            self.when_quiet(self._close, close_ns + BEHIND_CLOSE_NS)

    @handles(ReachClose)
    def reach_close(self, close: ReachClose, _sender: ActorAddress) -> None:
        """End the market when all that is due at the close is done."""
        if close is self._close:
            self.when_quiet(EndMarket())

    def _end(self) -> None:
        progress = self._progress
        if progress.ended:
            return
        progress.bad_rows = self._bad_rows()
        progress.ended = True
        self._release = Release()  # the one under way is void
        ended = self._market_ended()
        for waiting in progress.waiting:
            self.send(waiting, ended)
        progress.waiting.clear()
        for note in self._source.notes if self._source else ():
            self.log("recording.note", note=note)
        if self.settings.source == "replay" and self._is_played and not progress.error:
            played = RecordingPlayed(
                source=progress.source, ticks=progress.ticks, candles=progress.candles, occurred_ns=self.clock.now_ns()
            )
            self.send(JOURNAL, Append(facts=(played,)))
        level = "error" if progress.error else "info"
        self.log("market.ended", level=level, ticks=ended.ticks, candles=ended.candles, error=ended.error)

    def _bad_rows(self) -> int:
        return self._source.bad_rows if self._source and not self._progress.ended else self._progress.bad_rows

    def _market_ended(self) -> MarketEnded:
        progress = self._progress
        return MarketEnded(
            ticks=progress.ticks, candles=progress.candles, bad_rows=progress.bad_rows, error=progress.error
        )
