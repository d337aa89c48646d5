"""The live feed actor: passes on a market that comes by itself, as fast as it comes.

Owns    one live source (see live_source.py), on a thread of its own.
Hears   TicksRecorded, AwaitMarketEnd; Appended, AppendRefused, Failed and Unavailable as answers of the journal; the
        answers of the list of instruments and of the database.
Sends   ShowInstrument to the list of instruments, for each symbol; Query to the database, once, for when the last tick
        of the day came, in the life of the process before; Ticks to events, each once, numbered without gaps;
        FeedGapped to the journal for each time in which the market may have moved unheard, and MarketStatusHeard when
        it opens or closes; MarketEnded to everyone who awaited it, once it is told to end.
Fails   when the source fails by a fault of ours; what the service does is waited out, and told in `trouble`.
        Restarted, it is connected anew, as another source, and what was missed meanwhile is a gap (hand-over); so is
        what was missed since the last tick that was recorded on the same day, where the process was.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, Final

import msgspec
from msgspec.structs import force_setattr

from ...config.sections.feed import FeedSettings
from ...domain.freshness import Moment, elapsed_ns, is_late
from ...domain.instruments import Instrument
from ...domain.time import SECOND_NS, day_of, day_start_ns
from ...messages.addresses import DATABASE, EVENTS, INSTRUMENTS, JOURNAL
from ...messages.database import Query, Rows
from ...messages.instruments import InstrumentShown, ShowInstrument
from ...messages.journal import Append, Appended, AppendRefused
from ...messages.market import (
    GAPPED_SYMBOLS_MAX,
    TICKS_TOGETHER_MAX,
    AwaitMarketEnd,
    FeedGapped,
    FeedStatistics,
    MarketEnded,
    MarketStatusHeard,
    Tick,
    Ticks,
    TicksRecorded,
)
from ...messages.supervision import Failed, Unavailable
from ..runtime import RuntimeActor, handles
from .live_source import LiveSource, LiveSurroundings
from .simulated import RECORDING_S, EndMarket, StopWaiting
from .sources import live_source_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..runtime import ActorAddress, Outcome, Timer
    from .live_source import Gap, Status

ASK_TIMEOUT_S: Final = 30.0
LAST_TICK_TIMEOUT_S: Final = 5.0
"""Seconds that the database may take to tell the last tick, before the market is opened: without an answer the gap
before the start is not told."""

LAST_TICK: Final = "select max(received_ns) from ticks where source like ? and received_ns >= ?"

ASK_AGAIN_S: Final = 30.0
"""After which the list is asked once more for symbols that it did not know: it may have been read meanwhile."""


class LiveFeedSettings(msgspec.Struct, frozen=True, kw_only=True):
    """The user's settings, and what `composition/` knows."""

    limits: FeedSettings
    symbols: tuple[str, ...]
    """That are subscribed to."""

    client_id: str
    token: Callable[[], str | None]
    """Returns the access token in use; None: there is none that is alive."""

    token_refused: Callable[[], object]


class Woken(msgspec.Struct, frozen=True, gc=False):
    """To itself, from the source's thread and by itself: there is something to take."""


class AskAgain(msgspec.Struct, frozen=True, gc=False):
    """To itself: ask for symbols that are not known yet."""


class Past(msgspec.Struct, frozen=True, kw_only=True):
    """What a restarted one has to know."""

    last: Moment | None
    """When the last tick came; None: none has."""

    newest: dict[str, Tick]
    waiting: list[Any]
    ended: bool
    gaps: int


class LiveFeedActor(RuntimeActor):
    """Connects, passes on, and tells of gaps."""

    settings: LiveFeedSettings

    def on_start(self) -> None:
        """Ask what the symbols are; the market is opened when all answers are there, after `restore`."""
        self._source: LiveSource | None = None
        self._source_instruments: tuple[Instrument, ...] = ()
        self._name = f"{self.settings.limits.source}-{self.clock.now_ns()}"
        self._found: dict[str, Instrument] = {}
        self._unknown: dict[str, str] = {}
        self._outstanding = 1
        self._before_ns = 0
        """When the last tick came that was recorded today before the start: ns since 1970-01-01 UTC; 0 for none."""

        self._ticks = self._recorded = self._gaps = 0
        self._last: Moment | None = None
        self._newest: dict[str, Tick] = {}
        self._waiting: list[ActorAddress] = []
        self._ended = False
        self._last_wait: Timer | None = None
        self._waits = True
        if self.settings.limits.duration_s:
            self.after(self.settings.limits.duration_s, EndMarket())
        today_ns = day_start_ns(day_of(self.clock.now_ns()))
        self.ask(
            DATABASE,
            Query(sql=LAST_TICK, parameters=(f"{self.settings.limits.source}-%", today_ns)),
            timeout_s=LAST_TICK_TIMEOUT_S,
            then=self._hear_of_last_tick,
        )
        self._ask_for(self.settings.symbols)

    def on_stop(self) -> None:
        """End the source."""
        if self._source is not None:
            self._source.close()

    def snapshot(self) -> Past:
        """Hand over when the last tick came, and who waits."""
        return Past(
            last=self._last,
            newest=self._newest,
            waiting=self._waiting,
            ended=self._ended,
            gaps=self._gaps,
        )

    def restore(self, state: Past) -> None:
        """Take them over."""
        self._last, self._newest, self._gaps = state.last, state.newest, state.gaps
        self._waiting, self._ended = state.waiting, state.ended

    # The instruments.

    @handles(AskAgain)
    def ask_again(self, _message: AskAgain, _sender: ActorAddress) -> None:
        """Ask for the symbols that were not known."""
        unknown = tuple(self._unknown)
        self._unknown.clear()
        self._ask_for(unknown)

    def _ask_for(self, symbols: tuple[str, ...]) -> None:
        self._outstanding += len(symbols)
        for symbol in symbols:
            self.ask(
                INSTRUMENTS,
                ShowInstrument(name=symbol),
                timeout_s=ASK_TIMEOUT_S,
                then=functools.partial(self._hear_of, symbol),
            )
        if not symbols:
            self.trouble = "no symbol is subscribed to: name some in feed.symbols"

    def _hear_of_last_tick(self, outcome: Outcome) -> None:
        told = outcome.value
        if isinstance(told, Rows):
            self._before_ns = int(told.rows[0][0] or 0)
        else:
            reason = getattr(told, "reason", "") or str(outcome.error)
            self.log("feed.last_tick_unknown", level="warning", reason=reason)
        self._hear_answer()

    def _hear_of(self, symbol: str, outcome: Outcome) -> None:
        told = outcome.value
        if isinstance(told, InstrumentShown) and told.instrument.security_id:
            self._found[symbol] = Instrument.of(told.instrument)
        else:
            reason = getattr(told, "reason", "") or str(outcome.error or "it has no number at the broker")
            self._unknown[symbol] = reason
            self.log("feed.symbol_unknown", level="error", symbol=symbol, reason=reason)
        self._hear_answer()

    def _hear_answer(self) -> None:
        """Open the market once all has been answered; one that is stopped meanwhile has nothing to open."""
        self._outstanding -= 1
        if not self._outstanding and not self._ended and self._last_wait is None:
            if self._unknown:
                self.after(ASK_AGAIN_S, AskAgain())
            self._open()

    def _open(self) -> None:
        """Connect; with all instruments anew, where more have become known."""
        if self._source is not None and len(self._source_instruments) == len(self._found):
            return
        if not self._found:
            self._tell_trouble()
            return
        if self._source is not None:
            self._source.close()
            self._tell_of(self._source)
        self._source_instruments = tuple(self._found.values())
        make, options = live_source_of(self.settings.limits)
        enter = self.entrance()
        source = make(
            self.settings.limits,
            options,
            LiveSurroundings(
                instruments=self._source_instruments,
                source=self._name,
                client_id=self.settings.client_id,
                token=self.settings.token,
                token_refused=self.settings.token_refused,
                now_ns=self.clock.now_ns,
                monotonic_ns=self.clock.monotonic_ns,
                random=self.random,
                wake=functools.partial(enter, Woken()),
                last_ns=self._before_ns if self._last is None else self._last.wall_ns,
            ),
        )
        self._source = source
        self.offload(source.run, then=functools.partial(self._hear_end, source))
        self.log("feed.opened", instruments=len(self._source_instruments), source=self._name)
        self._tell_trouble()

    def _hear_end(self, source: LiveSource, outcome: Outcome) -> None:
        outcome.unwrap()  # a fault of ours: fail
        if source is self._source and not self._ended and self._last_wait is None:
            raise RuntimeError("a live source that goes on until it is closed wanted, found it ended")

    # The market.

    @handles(Woken)
    def pass_on(self, _message: Woken, _sender: ActorAddress) -> None:
        """Send on what has come. The most frequent work of a live market."""
        source = self._source
        if source is None or self._ended:
            return
        # As many as all others handle in a turn: what is more waits in the source, where the newest replaces the older,
        # and not before the router, where it would only become older.
        ticks = source.take(TICKS_TOGETHER_MAX)
        sequence, newest = self._ticks, self._newest
        for tick in ticks:
            sequence += 1
            # No other actor has seen the tick yet; where some were left out, the numbers have no gap all the same.
            force_setattr(tick, "sequence", sequence)
            known = newest.get(tick.symbol)
            if known is None or not is_late(tick.exchange_ns, known.exchange_ns, tick.received_ns):
                newest[tick.symbol] = tick
        self._ticks = sequence
        if ticks:
            self.send(EVENTS, Ticks(ticks=tuple(ticks)))
            self._last = Moment(ticks[-1].received_ns, self.clock.monotonic_ns())
        if len(ticks) == TICKS_TOGETHER_MAX:
            self.send(self.myAddress, Woken())
        self._tell_of(source)
        self._tell_trouble()

    def _tell_of(self, source: LiveSource) -> None:
        for gap in source.take_gaps():
            self._tell_gap(gap)
        for status in source.take_statuses():
            self._tell_status(status)

    def _tell_gap(self, gap: Gap) -> None:
        self._gaps += 1
        self.log("feed.gapped", level="warning", instruments=len(gap.symbols), cause=gap.cause)
        for begin in range(0, len(gap.symbols), GAPPED_SYMBOLS_MAX):
            fact = FeedGapped(
                source=self._name,
                symbols=gap.symbols[begin : begin + GAPPED_SYMBOLS_MAX],
                start_ns=gap.start_ns,
                end_ns=gap.end_ns,
                cause=gap.cause,
                occurred_ns=self.clock.now_ns(),
            )
            self.send(JOURNAL, Append(facts=(fact,)))

    def _tell_status(self, status: Status) -> None:
        self.log("feed.market_status", segment=status.segment, is_open=status.is_open)
        fact = MarketStatusHeard(
            source=self._name, segment=status.segment, is_open=status.is_open, occurred_ns=status.at_ns
        )
        self.send(JOURNAL, Append(facts=(fact,)))

    @handles(Appended, AppendRefused, Failed, Unavailable)
    def hear_of_fact(self, answer: Appended | AppendRefused | Failed | Unavailable, _sender: ActorAddress) -> None:
        """Take the journal's answer about a gap or a status; log why it was refused."""
        if not isinstance(answer, Appended):
            self.log("feed.fact_not_written", level="error", reason=answer.reason)

    @handles(TicksRecorded)
    def note_recorded(self, recorded: TicksRecorded, _sender: ActorAddress) -> None:
        """Note how much market data is durable."""
        if recorded.source == self._name:
            self._recorded = max(self._recorded, recorded.sequence)

    @handles(AwaitMarketEnd)
    def await_end(self, _request: AwaitMarketEnd, sender: ActorAddress) -> None:
        """Answer when the market is told to end."""
        if self._ended:
            self.send(sender, self._market_ended())
        else:
            self._waiting.append(sender)

    @handles(EndMarket, from_outside=True)
    def end_market(self, _message: EndMarket, _sender: ActorAddress) -> None:
        """End it: nothing more is passed on."""
        if self._ended:
            return
        self._ended = True
        if self._source is not None:
            self._source.close()
        ended = self._market_ended()
        for waiting in self._waiting:
            self.send(waiting, ended)
        self._waiting.clear()
        self.log("market.ended", ticks=ended.ticks, candles=0, error="")

    @handles(StopWaiting)
    def stop_waiting(self, _message: StopWaiting, _sender: ActorAddress) -> None:
        """Stop although the database has not recorded everything."""
        self.log("market.not_recorded", level="warning", ticks=self._ticks, recorded=self._recorded)
        self._waits = False

    def is_drained(self) -> bool:
        """Receive nothing more; return True once all that was sent is durable, or after `RECORDING_S`."""
        if self._last_wait is None:
            self._last_wait = self.after(RECORDING_S, StopWaiting())
            if self._source is not None:
                self._source.close()
        return self._recorded >= self._ticks or not self._waits

    def statistics(self) -> FeedStatistics:
        """Count what came and what was sent."""
        counts = self._source.counts() if self._source is not None else None
        now = Moment(self.clock.now_ns(), self.clock.monotonic_ns())
        return FeedStatistics(
            ticks=self._ticks,
            candles=0,
            bad_rows=0,
            source=self._name,
            ended=self._ended,
            last_prices={symbol: tick.price for symbol, tick in self._newest.items()},
            priced_ns={symbol: tick.exchange_ns for symbol, tick in self._newest.items()},
            recorded_sequence=self._recorded,
            gaps=self._gaps,
            data_age_s=None if self._last is None else elapsed_ns(self._last, now) / SECOND_NS,
            **({} if counts is None else msgspec.structs.asdict(counts)),
        )

    def _tell_trouble(self) -> None:
        parts = [self._source.trouble] if self._source is not None else []
        if self._unknown:
            symbol, reason = next(iter(self._unknown.items()))
            parts.append(f"{len(self._unknown)} symbols are not known, {symbol} for one: {reason}")
        self.trouble = "; ".join(filter(None, parts))

    def _market_ended(self) -> MarketEnded:
        return MarketEnded(ticks=self._ticks, candles=0, bad_rows=0)
