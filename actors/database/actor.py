"""The database actor: the only opener of the DuckDB files.

Owns    one DuckDBAdapter while the files can be opened; market data on its way to a batch (`ROWS_WAITING_MAX` ticks at
        most, what comes then is counted as dropped); the place in the journal up to which the core file is current;
        beside the files its own folder of `archive`, and one in which it hands files over.
Hears   Tick, Ticks, Candle; Journaled; SaveMarketData; ReadHistory, Query, QueryToFile, BackUp, CheckDatabase and
        ArchiveDay (see `requests/handler.py`), and Abandon.
Sends   TicksRecorded to the feed after each durable batch; ReadJournal when it has to catch up; to requesters Rows,
        RowsFile, HistoryRead, BackedUp, DatabaseChecked, DaysArchived, MarketDataSaved or QueryFailed.
Fails   at its start, if the files were written by newer code, need a key that this DuckDB cannot use, never were ours
        (`engine/strangers.py`), or cannot be created; and if the core file has facts that the journal lacks
        (`JournalBehind`): then trading must not begin. No other fault of the environment stops it. While another
        process holds the files, the disk is full or DuckDB has invalidated the instance, it is down: it refuses
        queries with the reason, keeps what is not durable, and tries to open the files every second. A damaged file is
        renamed to `*.corrupt-<time>`; the core file is rebuilt from the journal, the market file begun empty. A stop
        does not wait for an opening, which nothing can interrupt.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

import msgspec

from ...domain.market_messages import parted
from ...messages.database import (
    Abandon,
    ArchiveDay,
    BackUp,
    CheckDatabase,
    DatabaseStatistics,
    MarketDataSaved,
    Query,
    QueryFailed,
    QueryToFile,
    ReadHistory,
    SaveMarketData,
)
from ...messages.journal import Journaled
from ...messages.market import Candle, Tick, Ticks
from ..runtime import READS_BACK_S, RuntimeActor, handles
from .engine.adapter import thread_of_its_own
from .engine.paths import market_path_of
from .errors import DatabaseError, WritesRefused
from .requests.answerer import Answerer
from .requests.files import Files
from .requests.handler import RequestHandler
from .requests.projector import Projector
from .requests.recorder import LANE as MARKET_LANE
from .requests.recorder import Recorder
from .upkeep.days import tidy
from .upkeep.recovery import open_database

if TYPE_CHECKING:
    from ...config.sections.database import DatabaseSettings
    from ...messages.market import MarketMessage
    from ..runtime import ActorAddress, Outcome
    from .requests.recorder import Recorded
    from .upkeep.recovery import Opened

THREADS_MAX = 12
JOBS_BESIDE_QUERIES = 4
"""Jobs that run beside the queries: a batch for each file, opening the files, upkeep."""

WRITERS = 2
LAG_TOLD_MIN = 1_000
"""Records behind the journal from which on the tree reports it: fewer merely wait for their batch."""

QUIET_TICKS_A_S = 1_000
"""At a higher rate of ticks no day is sorted: the market writer is needed."""


def trouble(down: str, lag: int) -> str:
    """Put into words why the files are down, and how many records of the journal the core file lacks; empty if well."""
    if down:
        return f"down: {down}; {lag:,} records behind the journal"
    return f"{lag:,} records behind the journal" if lag >= LAG_TOLD_MIN else ""


class WriteMarket(msgspec.Struct, frozen=True, gc=False):
    """To itself: the first row of the batch has waited long enough."""


class Project(msgspec.Struct, frozen=True, gc=False):
    """To itself: the first record of the batch has waited long enough."""


class ReadOn(msgspec.Struct, frozen=True, gc=False):
    """To itself: time to read the journal again."""


class Reopen(msgspec.Struct, frozen=True, gc=False):
    """To itself: time to try to open the files again."""


class Expire(msgspec.Struct, frozen=True, gc=False):
    """To itself: queries may have waited too long."""


class Tidy(msgspec.Struct, frozen=True, gc=False):
    """To itself: check whether a closed day can be sorted."""


class DatabaseActor(RuntimeActor):
    """Records the market in batches, projects the journal, answers queries; all three at the same time."""

    start_s = READS_BACK_S
    ready_when_told = True  # when its files are open, or down
    background = True  # a simulated market does not wait for it; the feed's flow control does
    system_time = True  # its files, and other processes that have them open, go by the machine's clock
    offload_threads_max = THREADS_MAX

    executor_factory = staticmethod(thread_of_its_own)
    """Makes the executor of a connection. A simulation has a subclass with another."""

    settings: DatabaseSettings

    def on_start(self) -> None:
        """Open the files, bring their schema up to date, and begin to read what the journal has beyond them."""
        settings = self.settings
        opens = functools.partial(open_database, settings, executor_factory=self.executor_factory)
        files = Files(self, opens=opens, reopen=Reopen(), on_open=self._on_open, on_down=self._on_down)
        self._files = files
        self._handler: RequestHandler | None = None
        self._recorder = Recorder(self, files, settings, in_time=WriteMarket())
        self._projector = Projector(self, files, settings, in_time=Project(), read_on=ReadOn())
        lanes = min(settings.max_connections - WRITERS, THREADS_MAX - JOBS_BESIDE_QUERIES)
        self._answerer = Answerer(self, files, lanes=lanes, expire=Expire())
        self._heard_at_tidying = 0
        files.open(self._begun)
        self.after(settings.tidy_interval_s, Tidy())

    def _begun(self) -> None:
        self.unstash_all()
        self.ready()

    def _waits(self, message: msgspec.Struct, sender: ActorAddress) -> bool:
        """Put a request aside until the first try to open the files has ended; return whether it was."""
        if self._files.are_opening:
            self.stash(message, sender)
        return self._files.are_opening

    def on_stop(self) -> None:
        """Answer all that wait, and close the files; DuckDB moves the write-ahead logs into them first."""
        self._answerer.end()
        self._recorder.end()
        if not self._recorder.is_idle:
            self.log("market_data.lost", level="error", rows=self._recorder.rows, down=self._files.down)
        self._files.end()
        if self._handler is not None:
            self._handler.close()

    def snapshot(self) -> Recorded:
        """Return the counters: they go on over restarts."""
        return self._recorder.recorded

    def restore(self, state: Recorded) -> None:
        """Take over the counters."""
        self._recorder.recorded = state

    def is_drained(self) -> bool:
        """Write what waits, drop requests from outside; return whether everything is durable and answered.

        While the files are down nothing waits.
        """
        self._answerer.abandon_all()
        if self._files.database is None:
            return True
        self._recorder.write()
        self._projector.project()
        return self._recorder.is_idle and self._projector.is_idle and self._answerer.is_idle

    def statistics(self) -> DatabaseStatistics:
        """Return the counters, and the trouble, if any."""
        recorded, database = self._recorder.recorded, self._files.database
        cursor = self._projector.journal_cursor
        cache = None if database is None else database.statistics().cache
        return DatabaseStatistics(
            ticks=recorded.ticks,
            candles=recorded.candles,
            duplicates=recorded.duplicates,
            batches=recorded.batches,
            projected_sequence=cursor.projected,
            core_path=self.settings.path,
            market_path=str(market_path_of(self.settings.path)),
            dropped=self._recorder.dropped,
            journal_sequence=cursor.newest,
            lag=cursor.lag,
            down=self._files.down,
            damage=self._files.damage,
            waiting=self._recorder.rows,
            queries=self._answerer.answered,
            queries_waiting=self._answerer.waiting,
            cache_hits=cache.hits if cache else 0,
            cache_misses=cache.misses if cache else 0,
            cache_bytes=cache.bytes if cache else 0,
            market_ticks=recorded.heard_ticks,
            market_candles=recorded.heard_candles,
            market_damage=self._files.market_damage,
        )

    @property
    def trouble(self) -> str:  # type: ignore[override]  # made when it is read, not after each tick
        """Why the database cannot do its work, if so; shown in the tree."""
        return trouble(self._files.down, self._projector.journal_cursor.lag)

    # The files: open, or not for now.

    def _on_open(self, opened: Opened) -> None:
        self._projector.opened(opened)
        self._recorder.opened(opened.database)
        self._handler = RequestHandler(opened.database, opened.folders)
        self._answerer.opened(self._handler)

    def _on_down(self, fault: DatabaseError) -> None:
        self._answerer.went_down(fault)

    @handles(Reopen)
    def reopen(self, _message: Reopen, _sender: ActorAddress) -> None:
        """Try the files again."""
        self._files.reopen()

    # Market data: gathered into batches, one batch on its way at a time.

    @handles(Tick)
    def record_tick(self, tick: Tick, _sender: ActorAddress) -> None:
        """Add the tick to the batch."""
        self._recorder.hear_tick(tick)

    @handles(Ticks)
    def record_ticks(self, together: Ticks, _sender: ActorAddress) -> None:
        """Add the ticks to the batch."""
        self._recorder.hear_ticks(together.ticks)

    @handles(Candle)
    def record_candle(self, candle: Candle, _sender: ActorAddress) -> None:
        """Add the candle to the batch."""
        self._recorder.hear_candle(candle)

    def defers(self, message: Tick | Candle) -> bool:
        """Say that market data may be recorded some messages late."""
        del message
        return True

    def catch_up(self, messages: list[MarketMessage]) -> None:
        """Add them to the batch."""
        ticks, candles = parted(messages)
        if ticks:
            self._recorder.hear_ticks(tuple(ticks))
        for candle in candles:
            self._recorder.hear_candle(candle)

    @handles(SaveMarketData)
    def save_market_data(self, message: SaveMarketData, sender: ActorAddress) -> None:
        """Write these in the next batch, and answer when they are durable."""
        if self._waits(message, sender):
            return
        try:
            self._recorder.save(message, sender)
        except WritesRefused as refusal:
            self.send(sender, QueryFailed(error="WritesRefused", reason=str(refusal)))

    @handles(WriteMarket)
    def write_market(self, _message: WriteMarket, _sender: ActorAddress) -> None:
        """Write a batch that did not fill up in time."""
        self._recorder.time_is_up()

    # The journal: what comes in sequence is projected, what is missing is read.

    @handles(Journaled)
    def hear_records(self, batch: Journaled, _sender: ActorAddress) -> None:
        """Project the records, or note that they have to be read from the journal."""
        self._projector.hear(batch.records)

    @handles(ReadOn)
    def read_on(self, _message: ReadOn, _sender: ActorAddress) -> None:
        """Ask the journal again."""
        self._projector.read()

    @handles(Project)
    def project(self, _message: Project, _sender: ActorAddress) -> None:
        """Project records that did not fill a batch in time."""
        self._projector.time_is_up()

    # Requests: each on a lane of its own, as many at a time as there are readers.

    @handles(Query, QueryToFile, BackUp, CheckDatabase)
    def answer_query(self, query: Query | QueryToFile | BackUp | CheckDatabase, sender: ActorAddress) -> None:
        """Answer as soon as a reader is free."""
        if not self._waits(query, sender):
            self._answerer.ask(query, sender)

    @handles(ReadHistory)
    def read_history(self, request: ReadHistory, sender: ActorAddress) -> None:
        """Answer after all earlier messages are written: the newest candle may be made of ticks that still wait.

        The time is the system's: in a replay that of the market, which a strategy in a worker process does not know.
        """
        if self._waits(request, sender):
            return
        request = msgspec.structs.replace(request, until_ns=min(request.until_ns, self.fact_clock.now_ns()))
        if self._recorder.is_idle:
            self._answerer.ask(request, sender)
            return

        def read(outcome: Outcome) -> None:
            if isinstance(outcome.value, MarketDataSaved):
                self._answerer.ask(request, sender)
            else:
                reason = f"what has come before could not be written: {outcome.value or outcome.error}"
                self.send(sender, QueryFailed(error="WritesRefused", reason=reason))

        self.ask(self.name, SaveMarketData(), timeout_s=request.timeout_s, then=read)

    @handles(ArchiveDay)
    def archive_day(self, work: ArchiveDay, sender: ActorAddress) -> None:
        """Archive between two batches, and answer."""
        if not self._waits(work, sender):
            self._answerer.archive(work, sender)

    @handles(Abandon)
    def abandon(self, message: Abandon, _sender: ActorAddress) -> None:
        """Interrupt this client's running request, and cancel its waiting ones."""
        self._answerer.abandon(message.asker)

    @handles(Expire)
    def expire(self, _message: Expire, _sender: ActorAddress) -> None:
        """Answer requests whose deadline has passed."""
        self._answerer.expire()

    # Sorting closed days: while few ticks come.

    @handles(Tidy)
    def tidy_up(self, _message: Tidy, _sender: ActorAddress) -> None:
        """Sort a closed day by symbol and time, if there is one and few ticks come."""
        recorded = self._recorder.recorded
        heard = recorded.ticks + recorded.duplicates + self._recorder.rows
        quiet = heard - self._heard_at_tidying < QUIET_TICKS_A_S * self.settings.tidy_interval_s
        self._heard_at_tidying = heard
        if self._files.database is not None and quiet:
            self.offload(tidy, self._files.database, self.clock.now_ns(), then=self._tidied, lane=MARKET_LANE)
        else:
            self.after(self.settings.tidy_interval_s, Tidy())

    def _tidied(self, outcome: Outcome) -> None:
        self.after(self.settings.tidy_interval_s, Tidy())
        if isinstance(outcome.error, DatabaseError):
            self.log("database.not_tidied", level="warning", reason=str(outcome.error))
        elif (day := outcome.unwrap()) is not None:
            self.log("day.sorted", day=str(day))
