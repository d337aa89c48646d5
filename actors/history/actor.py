"""The history actor: reads the broker's charts, and fills with them what the feed has missed.

Owns    the book of gaps: what the feed told of in `GAPS_DAYS` days, less what was filled.
Hears   FeedGapped and GapFilled, as they are journaled; ReadChart.
Sends   ShowInstrument to the list of instruments and Ask to the owner of the calls to the broker, whose limits hold;
        to the database SaveMarketData; to the journal GapFilled, when the candles are durable; to the sender of a
        ReadChart its ChartRead or ChartNotRead.
Fails   not by what others do: a gap that cannot be filled is tried again after 30 s, 60 s, … 15 minutes, and is seen in
        the statistics. Restarted, also in another process, it reads the gaps back from the journal.
"""

from __future__ import annotations

import functools
import itertools
from typing import TYPE_CHECKING, Any, ClassVar, Final

import msgspec

from ...domain.calendar import MINUTE_NS
from ...domain.chart_candles import candles_of
from ...domain.dhan.writing import InvalidRequestError
from ...domain.gap_filling import Filling, GapBook, is_whole
from ...domain.instruments import Instrument
from ...domain.time import DAY_NS, SECOND_NS, day_of_number
from ...messages.addresses import DATABASE, INSTRUMENTS, JOURNAL, ORDERS
from ...messages.database import MarketDataSaved, SaveMarketData
from ...messages.history import (
    ChartNotRead,
    ChartRead,
    Fetched,
    GapFilled,
    HistoryStatistics,
    ReadChart,
)
from ...messages.instruments import InstrumentShown, ShowInstrument
from ...messages.journal import Append, Appended, ReadJournal
from ...messages.market import FeedGapped
from ...messages.order_listing import OrdersStatistics
from ...messages.system import Ping, Pong
from .. import broker
from ..external import Ask, ExternalServiceResult
from ..runtime import JournalPages, RuntimeActor, handles

if TYPE_CHECKING:
    from collections.abc import Callable

    from ...domain.calendar import Span
    from ...messages.market import Candle
    from ..runtime import ActorAddress, Outcome, Timer

GAPS_DAYS: Final = 5
"""Gaps that are older are not filled any more."""

FILLINGS_AT_ONCE: Final = 2
READS_AT_ONCE: Final = 16
PAGE_RECORDS: Final = 1_000
ANSWER_S: Final = 10.0
CHART_ANSWER_S: Final = 80.0
SAVE_S: Final = 60.0
RETRY_S: Final = 5.0
"""After which the journal is asked again at the start."""

_HAS, _TRADED, _OTHERS = range(3)


class HistorySettings(msgspec.Struct, frozen=True, kw_only=True):
    """What the actor needs."""

    service: str
    """Name of the owner of the calls to the broker."""

    base_url: str
    """Of the broker; empty for its usual one."""

    fills_gaps: bool
    """Whether a live feed runs, whose gaps are to be filled."""


class FillDue(msgspec.Struct, frozen=True, gc=False):
    """To itself: a gap may be filled now."""


class ReadGaps(msgspec.Struct, frozen=True, gc=False):
    """To itself: read on which gaps the journal has."""


class HistoryActor(RuntimeActor):
    """Reads charts."""

    system_time: ClassVar[bool] = True  # the broker knows nothing of a simulated market
    background: ClassVar[bool] = True

    settings: HistorySettings

    def on_start(self) -> None:
        """Read which gaps there are."""
        self._book = GapBook()
        self._timer: Timer | None = None
        self._fillings = self._reads = 0
        self._filled = self._candles = self._requests = self._failures = 0
        self._last_failure = ""
        self._ranks: dict[str, int] = {}
        wanted = ReadJournal(
            records_max=PAGE_RECORDS,
            since_ns=max(0, self.clock.now_ns() - GAPS_DAYS * DAY_NS),
            types=(FeedGapped.__name__, GapFilled.__name__),
        )
        self._earlier = JournalPages(
            self,
            wanted,
            timeout_s=ANSWER_S,
            take=lambda record: self._note(record.fact),
            done=self._fill_on,
            unanswered=lambda _: self.after(RETRY_S, ReadGaps()),
        )
        if self.settings.fills_gaps:
            self.send(self.myAddress, ReadGaps())

    def statistics(self) -> HistoryStatistics:
        """Return the counts."""
        return HistoryStatistics(
            gaps_open=self._book.open,
            gaps_filled=self._filled,
            candles=self._candles,
            requests=self._requests,
            failures=self._failures,
            last_failure=self._last_failure,
        )

    # What was before.

    @handles(ReadGaps)
    def read_gaps(self, _: ReadGaps, __: ActorAddress) -> None:
        """Read on in the journal."""
        self._earlier.read()

    # Gaps.

    @handles(FeedGapped, GapFilled)
    def hear_of_gap(self, fact: FeedGapped | GapFilled, _: ActorAddress) -> None:
        """Note it, and fill what can be filled."""
        self._note(fact)
        self._fill_on()

    @handles(FillDue)
    def fill_next(self, _: FillDue, __: ActorAddress) -> None:
        """Look which symbols matter most, then fill."""
        self._timer = None
        self.ask(ORDERS, Ping(), timeout_s=ANSWER_S, then=self._take_positions)

    def _take_positions(self, outcome: Outcome) -> None:
        """Rank: what is held before what was traded before all others; without an answer as before."""
        if isinstance(outcome.value, Pong) and isinstance(outcome.value.statistics, OrdersStatistics):
            positions = outcome.value.statistics.positions
            self._ranks = {each.symbol: _HAS if each.quantity else _TRADED for each in positions}
        while self._fillings < FILLINGS_AT_ONCE:
            filling = self._book.begin(self.clock.now_ns(), lambda symbol: self._ranks.get(symbol, _OTHERS))
            if filling is None:
                break
            self._fillings += 1
            since, until = filling.days
            chart = ReadChart(
                symbol=filling.symbol,
                interval_ns=MINUTE_NS,
                since=day_of_number(since),
                until=day_of_number(until),
            )
            self._read(chart, functools.partial(self._take_chart, filling))
        self._fill_on()

    def _note(self, fact: Any) -> None:
        if isinstance(fact, FeedGapped):
            for symbol in fact.symbols:
                self._book.tell(symbol, fact.start_ns, fact.end_ns)
        elif isinstance(fact, GapFilled):
            self._book.fill(fact.symbol, fact.start_ns, fact.end_ns)

    def _fill_on(self) -> None:
        """Set the timer for the next gap that can be filled."""
        due_ns = self._book.next_ns()
        if due_ns is None or self._timer is not None or self._fillings >= FILLINGS_AT_ONCE:
            return
        self._timer = self.after(max(0, due_ns - self.clock.now_ns()) / SECOND_NS, FillDue())

    def _take_chart(self, filling: Filling, answer: ChartRead | ChartNotRead) -> None:
        self._requests += answer.requests
        if isinstance(answer, ChartNotRead):
            self._end(filling, answer.reason)
            return
        now_ns = self.clock.now_ns()
        newest_end_ns = answer.starts_s[-1] * SECOND_NS + MINUTE_NS if answer.starts_s else 0
        found = {
            span: _within(answer, filling.symbol, span)
            for span in filling.spans
            if is_whole(span, newest_end_ns, now_ns)
        }
        candles = tuple(itertools.chain.from_iterable(found.values()))
        note = Fetched(
            symbol=filling.symbol,
            interval_ns=MINUTE_NS,
            start_ns=filling.spans[0][0],
            end_ns=filling.spans[0][0],  # days that go on: a fetch has to ask for them all the same
            asked_ns=now_ns,
            requests=answer.requests,
            candles=len(candles),
        )
        then = functools.partial(self._take_saved, filling, {span: len(each) for span, each in found.items()})
        self.ask(DATABASE, SaveMarketData(candles=candles, fetches=(note,)), timeout_s=SAVE_S, then=then)

    def _take_saved(self, filling: Filling, saved: dict[Span, int], outcome: Outcome) -> None:
        """Write down which gaps are filled, each with how many candles."""
        if not isinstance(outcome.value, MarketDataSaved):
            self._end(filling, _reason_of(outcome))
            return
        if not saved:
            self._end(filling, "the broker's charts do not have these minutes yet")
            return
        facts = tuple(
            GapFilled(
                symbol=filling.symbol,
                start_ns=start_ns,
                end_ns=end_ns,
                candles=candles,
                occurred_ns=self.clock.now_ns(),
            )
            for (start_ns, end_ns), candles in saved.items()
        )
        then = functools.partial(self._take_appended, filling, facts)
        self.ask(JOURNAL, Append(facts=facts), timeout_s=ANSWER_S, then=then)

    def _take_appended(self, filling: Filling, facts: tuple[GapFilled, ...], outcome: Outcome) -> None:
        if not isinstance(outcome.value, Appended):
            self._end(filling, _reason_of(outcome))
            return
        for fact in facts:
            self._note(fact)
            self._filled += 1
            self._candles += fact.candles
        is_all = len(facts) == len(filling.spans)
        self._end(filling, "" if is_all else "the broker's charts do not have all of these minutes yet")

    def _end(self, filling: Filling, failure: str) -> None:
        self._fillings -= 1
        if failure:
            self._failures += 1
            self._last_failure = failure
            self._book.failed(filling.symbol, self.clock.now_ns())
            self.log_bounded("gap.not_filled", level="warning", symbol=filling.symbol, reason=failure)
        else:
            self._book.ended(filling.symbol)
            self.log_bounded("gap.filled", symbol=filling.symbol, gaps=len(filling.spans))
        self._fill_on()

    # Charts.

    @handles(ReadChart)
    def read_chart(self, wanted: ReadChart, sender: ActorAddress) -> None:
        """Read candles, by one request."""
        if self._reads >= READS_AT_ONCE:
            self.send(sender, ChartNotRead(why="later", reason=f"{READS_AT_ONCE} charts are being read, and may be"))
            return
        self._reads += 1
        trace = self.trace

        def answer(chart: ChartRead | ChartNotRead) -> None:
            self._reads -= 1
            self.trace = trace
            self.send(sender, chart)

        self._read(wanted, answer)

    def _read(self, wanted: ReadChart, then: Callable[[ChartRead | ChartNotRead], object]) -> None:
        def shown(outcome: Outcome) -> None:
            answer = outcome.value
            if not isinstance(answer, InstrumentShown):
                then(ChartNotRead(why="refused", reason=_reason_of(outcome)))
                return
            days = wanted.interval_ns, wanted.since, wanted.until
            try:
                call = broker.chart_call(self.settings.base_url, Instrument.of(answer.instrument), *days)
            except (InvalidRequestError, OverflowError) as fault:
                then(ChartNotRead(why="refused", reason=str(fault)))
                return
            self.ask(self.settings.service, Ask(call), timeout_s=CHART_ANSWER_S, then=told)

        def told(outcome: Outcome) -> None:
            result = outcome.value
            if isinstance(result, ExternalServiceResult):
                then(broker.chart_answer(result))
            else:
                then(ChartNotRead(why="unreachable", reason=_reason_of(outcome)))

        self.ask(INSTRUMENTS, ShowInstrument(name=wanted.symbol), timeout_s=ANSWER_S, then=shown)


def _within(chart: ChartRead, symbol: str, span: Span) -> tuple[Candle, ...]:
    candles, _ = candles_of(chart, symbol=symbol, interval_ns=MINUTE_NS, since_ns=span[0], until_ns=span[1])
    return candles


def _reason_of(outcome: Outcome) -> str:
    """Say what came in the place of what was wanted."""
    return getattr(outcome.value, "reason", "") or str(outcome.error or type(outcome.value).__name__)
