"""The database actor: the only opener of the DuckDB files.

Owns    one DuckDBAdapter; market data on its way to a batch (`TICKS_WAITING_MAX` ticks at most, what comes then is
        counted as dropped); the place in the journal up to which the core file is current.
Hears   Tick, Candle; Journaled, JournalPage; Query; SaveMarketData; Failed and Unavailable of the journal.
Sends   TicksRecorded to the feed after each durable batch; ReadJournal when it has to catch up; Rows,
        MarketDataSaved or QueryFailed to who asked.
Fails   when a file cannot be opened, is damaged, or is in use elsewhere, and when a write fails: market data that was
        not durable yet is lost with it. Restarted, it opens the files anew and reads from the journal what it missed.
"""

from __future__ import annotations

import functools
from collections import deque
from typing import TYPE_CHECKING

import msgspec

from ...messages.database import DatabaseStatistics, MarketDataSaved, Query, QueryFailed, SaveMarketData
from ...messages.journal import Journaled, JournalPage, JournalRecord, ReadJournal
from ...messages.market import Candle, Tick, TicksRecorded
from ...messages.supervision import Failed, Unavailable
from ..runtime import RuntimeActor, handles
from .adapter import DuckDBAdapter, thread_of_its_own
from .core import ReadModel
from .errors import DatabaseError, JournalGap, Unstorable
from .market import MarketStore, Written

if TYPE_CHECKING:
    from ...config.settings import DatabaseSettings
    from ..runtime import ActorAddress, Outcome, Timer

JOURNAL = "journal"
FEED = "feed"
WRITERS = 2
"""One for each file; all other threads and connections answer queries."""

TICKS_WAITING_MAX = 100_000
RECORDS_WAITING_MAX = 100_000
"""Beyond it records are left to the journal, and read from there."""

QUERIES_WAITING_MAX = 1_000
JOURNAL_PAGE_RECORDS = 10_000
JOURNAL_RETRY_S = 1.0


class WriteMarket(msgspec.Struct, frozen=True, gc=False):
    """To itself: the first row of the batch has waited long enough."""


class Project(msgspec.Struct, frozen=True, gc=False):
    """To itself: the first record of the batch has waited long enough."""


class ReadOn(msgspec.Struct, frozen=True, gc=False):
    """To itself: time to ask the journal again."""


class DatabaseActor(RuntimeActor):
    """Records the market in batches, projects the journal, answers queries; all three at the same time."""

    background = True  # a simulated market does not wait for it; the feed's flow control does
    offload_threads_max = 10  # so many queries and writes at the same time

    executor_factory = staticmethod(thread_of_its_own)
    """Makes what runs a connection's work. A simulation has a subclass with another."""

    settings: DatabaseSettings

    def on_start(self) -> None:
        """Open the files, bring their schema up to date, and begin to read what the journal has beyond them."""
        self._database = DuckDBAdapter(
            self.settings.path,
            max_connections=self.settings.max_connections,
            memory_limit_mb=self.settings.memory_limit_mb,
            threads=self.settings.threads,
            executor_factory=self.executor_factory,
        )
        try:
            self._projected = ReadModel(self._database).sequence()
        except BaseException:
            self._database.close()
            raise
        self._market = MarketStore(self._database)
        self._ticks: list[Tick] = []
        self._candles: list[Candle] = []
        self._market_timer: Timer | None = None
        self._writing = False
        self._saving = 0
        self._rows = self._candle_rows = self._duplicates = self._batches = self._dropped = 0

        self._read_model = ReadModel(self._database)
        self._records: list[JournalRecord] = []
        self._projecting = False
        self._projection_timer: Timer | None = None
        self._asked_journal = False
        self._newest = self._projected
        self._read_journal()

        readers = min(self.settings.max_connections, self.offload_threads_max) - WRITERS
        self._lanes = [f"query-{number}" for number in range(readers)]
        self._querying = 0
        self._queries: deque[tuple[Query, ActorAddress]] = deque()

    def on_stop(self) -> None:
        """Let go of the files; DuckDB moves the write-ahead logs into them first."""
        self._database.close()

    def is_drained(self) -> bool:
        """Write what waits for its batch; say whether everything is durable and answered."""
        self._write_market()
        self._project()
        return not (self._writing or self._saving or self._projecting or self._queries or self._querying)

    def statistics(self) -> DatabaseStatistics:
        """Count what is durable."""
        return DatabaseStatistics(
            ticks=self._rows,
            candles=self._candle_rows,
            duplicates=self._duplicates,
            batches=self._batches,
            projected_sequence=self._projected,
            core_path=self._database.core_path,
            market_path=self._database.market_path,
            dropped=self._dropped,
        )

    # Market data: gathered into batches, one batch on its way at a time.

    @handles(Tick)
    def record_tick(self, tick: Tick, _sender: ActorAddress) -> None:
        """Add the tick to the batch."""
        ticks = self._ticks
        if len(ticks) >= TICKS_WAITING_MAX:
            self._drop()
            return
        ticks.append(tick)
        if self._writing:
            return
        if len(ticks) >= self.settings.batch_rows_max:
            self._write_market()
        elif self._market_timer is None:
            self._market_timer = self.after(self.settings.batch_wait_s, WriteMarket())

    @handles(Candle)
    def record_candle(self, candle: Candle, _sender: ActorAddress) -> None:
        """Add the candle to the batch."""
        if len(self._candles) >= TICKS_WAITING_MAX:
            self._drop()
            return
        self._candles.append(candle)
        self._gather()

    @handles(SaveMarketData)
    def save_market_data(self, message: SaveMarketData, sender: ActorAddress) -> None:
        """Write these by themselves, after the batch that is on its way."""
        self._saving += 1
        self.offload(
            functools.partial(self._market.write, all_or_none=True),
            message.ticks,
            message.candles,
            then=functools.partial(self._saved, sender),
            lane="market",
        )

    def _saved(self, sender: ActorAddress, outcome: Outcome) -> None:
        self._saving -= 1
        if isinstance(outcome.error, Unstorable):
            self.send(sender, QueryFailed(error="Unstorable", reason=str(outcome.error)))
            return
        written: Written = outcome.unwrap()
        self._count(written)
        self.send(sender, MarketDataSaved(rows=written.ticks + written.candles))

    @handles(WriteMarket)
    def write_market(self, _message: WriteMarket, _sender: ActorAddress) -> None:
        """Write a batch that did not fill up in time."""
        self._market_timer = None
        self._write_market()

    def _gather(self) -> None:
        """Write the batch if it is full, or see that it is written in time."""
        if self._writing:
            return
        waiting = max(len(self._ticks), len(self._candles))
        if waiting >= self.settings.batch_rows_max:
            self._write_market()
        elif waiting and self._market_timer is None:
            self._market_timer = self.after(self.settings.batch_wait_s, WriteMarket())

    def _write_market(self) -> None:
        if self._writing or not (self._ticks or self._candles):
            return
        if self._market_timer is not None:
            self._market_timer.cancel()
            self._market_timer = None
        ticks, self._ticks = self._ticks, []
        candles, self._candles = self._candles, []
        self._writing = True
        self.offload(self._market.write, ticks, candles, then=self._market_written, lane="market")

    def _market_written(self, outcome: Outcome) -> None:
        self._writing = False
        written: Written = outcome.unwrap()
        self._count(written)
        if written.refused:
            self.log("market_data.refused", level="warning", count=written.refused)
        for source, sequence in written.recorded.items():
            self.send(FEED, TicksRecorded(source=source, sequence=sequence))
        self._gather()

    def _count(self, written: Written) -> None:
        self._batches += 1
        self._rows += written.ticks
        self._candle_rows += written.candles
        self._duplicates += written.duplicates
        self._dropped += written.refused

    def _drop(self) -> None:
        if self._dropped == 0:
            self.log("market_data.dropped", level="warning", waiting=TICKS_WAITING_MAX)
        self._dropped += 1

    # The journal: what comes in sequence is projected, what is missing is read.

    @handles(Journaled)
    def hear_records(self, batch: Journaled, _sender: ActorAddress) -> None:
        """Project the records, or remember that they are there to be read."""
        self._newest = max(self._newest, batch.records[-1].sequence)
        if not self._asked_journal and len(self._records) < RECORDS_WAITING_MAX:
            self._records.extend(batch.records)
        self._gather_records()

    @handles(JournalPage)
    def take_page(self, page: JournalPage, _sender: ActorAddress) -> None:
        """Project what the journal was asked for."""
        self._asked_journal = False
        self._newest = max(self._newest, page.last_sequence)
        self._records = list(page.records)
        if page.records or page.last_sequence <= self._projected:
            self._project()
        else:
            self.log("journal.page_missing", level="error", after=self._projected, newest=page.last_sequence)
            self._ask_later()

    @handles(Failed, Unavailable)
    def journal_failed(self, failure: Failed | Unavailable, _sender: ActorAddress) -> None:
        """Ask the journal again in a while; nothing else that we send it is answered.

        Also when we seem to miss nothing: a page that a life before had asked for may have come in between.
        """
        if failure.actor == JOURNAL:
            self._ask_later()

    @handles(ReadOn)
    def read_on(self, _message: ReadOn, _sender: ActorAddress) -> None:
        """Ask the journal again."""
        self._read_journal()

    @handles(Project)
    def project(self, _message: Project, _sender: ActorAddress) -> None:
        """Project records that did not fill a batch in time."""
        self._projection_timer = None
        self._project()

    def _gather_records(self) -> None:
        """Project the batch if it is full, or see that it is projected in time: each costs a commit of its own."""
        if len(self._records) >= self.settings.batch_rows_max or not self._records:
            self._project()
        elif self._projection_timer is None and not self._projecting:
            self._projection_timer = self.after(self.settings.batch_wait_s, Project())

    def _project(self) -> None:
        if self._projecting or self._asked_journal:
            return
        if self._projection_timer is not None:
            self._projection_timer.cancel()
            self._projection_timer = None
        if self._records:
            records, self._records = self._records, []
            self._projecting = True
            self.offload(self._read_model.apply, records, then=self._projection_done, lane="core")
        elif self._projected < self._newest:
            self._read_journal()

    def _projection_done(self, outcome: Outcome) -> None:
        self._projecting = False
        if isinstance(outcome.error, JournalGap):
            self._records = []
        else:
            self._projected = outcome.unwrap()
        self._gather_records()

    def _read_journal(self) -> None:
        self._asked_journal = True
        self.send(JOURNAL, ReadJournal(after_sequence=self._projected, records_max=JOURNAL_PAGE_RECORDS))

    def _ask_later(self) -> None:
        self._asked_journal = True
        self.after(JOURNAL_RETRY_S, ReadOn())

    # Queries: each on a lane of its own, as many at a time as there are readers.

    @handles(Query)
    def answer_query(self, query: Query, sender: ActorAddress) -> None:
        """Answer as soon as a reader is free."""
        if len(self._queries) >= QUERIES_WAITING_MAX:
            reason = f"{QUERIES_WAITING_MAX} queries wait already"
            self.send(sender, QueryFailed(error="PoolExhausted", reason=reason))
            return
        self._queries.append((query, sender))
        self._next_query()

    def _next_query(self) -> None:
        if self._queries and self._lanes:
            query, sender = self._queries.popleft()
            lane = self._lanes.pop()
            self._querying += 1
            self.offload(
                functools.partial(self._database.query, timeout_s=query.timeout_s, rows_max=query.rows_max),
                query.sql,
                query.parameters,
                then=functools.partial(self._query_done, sender, lane),
                lane=lane,
            )

    def _query_done(self, sender: ActorAddress, lane: str, outcome: Outcome) -> None:
        self._lanes.append(lane)
        self._querying -= 1
        if isinstance(outcome.error, DatabaseError):
            self.send(sender, QueryFailed(error=type(outcome.error).__name__, reason=str(outcome.error)))
        else:
            self.send(sender, outcome.unwrap())
        self._next_query()
