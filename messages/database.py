"""Questions to the database, and what it counts."""

from typing import TypeAlias

import msgspec

from .history import Fetched
from .market import Candle, Tick
from .units import Bytes, Count, Cursor, Nanoseconds, Seconds, SomeCount

SqlValue: TypeAlias = bool | int | float | str | None
"""What may be bound to a parameter, and what comes back in a row (decimals as text)."""


class Query(msgspec.Struct, frozen=True, kw_only=True, array_like=True, tag="Query"):
    """To the database: one SELECT. Answered by `Rows` or `QueryFailed`."""

    sql: str
    parameters: tuple[SqlValue, ...] = ()
    timeout_s: Seconds = 30.0
    rows_max: Count = 1_000_000
    asker: str = ""
    """Which client asked, as named in `Abandon`; the control socket fills it in."""

    tables: tuple[str, ...] = ()
    """Tables that the answer depends on, as the repositories know of their own SQL: it may be cached until one of them
    is written to. Empty: it is not cached."""


class Rows(msgspec.Struct, frozen=True, kw_only=True, array_like=True, tag="Rows"):
    """Answer to `Query`."""

    columns: tuple[str, ...]
    rows: tuple[tuple[SqlValue, ...], ...]


class QueryFailed(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="QueryFailed"):
    """Answer to `Query`: refused, timed out, or wrong."""

    error: str
    """Name of the error's type."""

    reason: str


class DatabaseStatistics(
    msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="DatabaseStatistics"
):
    """What the database counts in a run; the counts go on over a restart of the actor."""

    ticks: Count
    """Tick rows committed."""

    candles: Count
    """Candle rows committed."""

    duplicates: Count
    """Ticks that were there already and were not written again."""

    batches: Count
    """Market batches committed."""

    projected_sequence: Cursor
    """Journal sequence up to which the core file is current."""

    core_path: str
    market_path: str

    dropped: Count = 0
    """Ticks that were not recorded: too many waited, or no row can hold them."""

    journal_sequence: Cursor = 0
    """Newest journal sequence that the database has been told of."""

    lag: Count = 0
    """Records of the journal that are not in the core file yet."""

    down: str = ""
    """Why the files are not open at the moment (who holds them, what is full); empty when they are."""

    damage: str = ""
    """What was found damaged or missing since it started, and where it was put; empty if nothing was."""

    waiting: Count = 0
    """Rows of market data that are not durable yet: of ticks or of candles, whichever are more."""

    queries: Count = 0
    """Queries answered."""

    queries_waiting: Count = 0
    """Queries that wait for a free connection."""

    cache_hits: Count = 0
    """Queries answered from the cache."""

    cache_misses: Count = 0
    """Queries that may be cached, and were not in the cache."""

    cache_bytes: Bytes = 0
    """Size of the cache."""

    market_ticks: Count = 0
    """Ticks received in this run that are durable, whether written in it or found in the file."""

    market_candles: Count = 0
    """The same of candles."""

    market_damage: str = ""
    """What of `damage` concerns market data: no journal brings that back."""


class SaveMarketData(msgspec.Struct, frozen=True, kw_only=True, array_like=True, tag="SaveMarketData"):
    """To the database: keep these, all or none, each tick once. Answered by `MarketDataSaved`, or `QueryFailed`.

    Sources are stored with `saved:` before their names, so that a client cannot write rows in the feed's name.
    """

    ticks: tuple[Tick, ...] = ()
    candles: tuple[Candle, ...] = ()

    fetches: tuple[Fetched, ...] = ()
    """The requests that the candles of this message, and of those before it, answer."""


class MarketDataSaved(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="MarketDataSaved"):
    """Answer to `SaveMarketData`: they are durable."""

    rows: Count
    """Rows written by this request; ticks that were in the file already do not count."""


class ReadHistory(msgspec.Struct, frozen=True, kw_only=True, array_like=True, tag="ReadHistory"):
    """To the database, from a strategy before it begins: closed candles. Answered by `HistoryRead`, or `QueryFailed`.

    What has come before it counts, written or not: the newest candle may be made of it.
    """

    symbols: tuple[str, ...]
    """Of these; empty: of all that it has."""

    interval_ns: Nanoseconds
    """Length of the candles."""

    bars: SomeCount
    """Candles of each symbol, at most: the newest."""

    until_ns: Nanoseconds
    """No candle that ends later; nanoseconds since 1970-01-01 UTC."""

    timeout_s: Seconds = 30.0
    asker: str = ""
    """As in `Query`."""


class HistoryRead(msgspec.Struct, frozen=True, kw_only=True, array_like=True, tag="HistoryRead"):
    """Answer to `ReadHistory`: of each symbol the newest, the oldest first; fewer where less is known."""

    candles: tuple[Candle, ...]


class QueryToFile(msgspec.Struct, frozen=True, kw_only=True, array_like=True, tag="QueryToFile"):
    """To the database: one SELECT, its rows into a Parquet file. Answered by `RowsFile` or `QueryFailed`.

    For a result of any size: no process holds the whole of it in memory, and the columns keep their types.
    """

    sql: str
    parameters: tuple[SqlValue, ...] = ()
    timeout_s: Seconds = 30.0
    rows_max: Count = 1_000_000
    asker: str = ""
    inline_rows_max: Count = 0
    """Rows that may come in the answer itself; the database sends fewer where they are long, or lose by it."""


class RowsFile(msgspec.Struct, frozen=True, kw_only=True, array_like=True, tag="RowsFile"):
    """Answer to `QueryToFile`: the client opens the file and deletes it, soon; only the newest few are kept."""

    path: str
    """Of a Parquet file that only the user of the process may read; empty where the rows are inline."""

    names: tuple[str, ...]
    """Names of the columns."""

    types: tuple[str, ...]
    """DuckDB's types of the columns, as the query returned them; Parquet cannot express some of them."""

    rows: Count
    inline: tuple[tuple[SqlValue, ...], ...] | None = None
    """All rows, if those are few: numbers, truths and texts, times in ISO 8601. Then there is no file."""


class BackUp(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="BackUp"):
    """To the database: copy everything as it is, and read the copy back. Answered by `BackedUp` or `QueryFailed`."""

    single_file: bool = False
    """False: a copy of each file, which natya can run on. True: one file with all tables and views, for reading."""

    timeout_s: Seconds = 1_800.0
    asker: str = ""


class BackedUp(msgspec.Struct, frozen=True, kw_only=True, array_like=True, tag="BackedUp"):
    """Answer to `BackUp`: the client takes the files away, as with `RowsFile`."""

    paths: tuple[str, ...]
    """The core file and the market file, or the single one."""


class ArchiveDay(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="ArchiveDay"):
    """To the database: move the ticks up to a day's end to Parquet. Answered by `DaysArchived` or `QueryFailed`."""

    day: str
    """On the exchange's calendar: `2026-01-31`."""


class DaysArchived(msgspec.Struct, frozen=True, kw_only=True, array_like=True, tag="DaysArchived"):
    """Answer to `ArchiveDay`: these days are in Parquet files now; queries of ticks read them as before."""

    days: tuple[str, ...]
    files: tuple[str, ...]
    """Paths, one a day."""

    ticks: tuple[Count, ...]
    """Ticks in each file."""


class CheckDatabase(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="CheckDatabase"):
    """To the database: read every block, look for contradictions. Answered by `DatabaseChecked` or `QueryFailed`."""

    timeout_s: Seconds = 1_800.0
    asker: str = ""


class DatabaseChecked(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="DatabaseChecked"):
    """Answer to `CheckDatabase`."""

    problems: tuple[str, ...]
    """What is wrong; nothing if all is well."""


class Abandon(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="Abandon"):
    """To the database: this client is gone; its queries are interrupted, or not begun. No answer."""

    asker: str
