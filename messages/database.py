"""Questions to the database, and what it counts."""

from __future__ import annotations

from typing import TypeAlias

import msgspec

from .market import Candle, Tick
from .units import Bytes, Count, Cursor, Seconds

SqlValue: TypeAlias = bool | int | float | str | None
"""What may be bound to a parameter, and what comes back in a row (decimals as text)."""


class Query(msgspec.Struct, frozen=True, kw_only=True, array_like=True, tag="Query"):
    """To the database: one SELECT. Answered by `Rows` or `QueryFailed`."""

    sql: str
    parameters: tuple[SqlValue, ...] = ()
    timeout_s: Seconds = 30.0
    rows_max: Count = 1_000_000
    asker: str = ""
    """Who asked, as `Abandon` names him; the control room fills it in."""


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
    """What the database counts in a run; what of it is lost with a life that failed, it counts on with the next."""

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
    """Newest journal sequence that was heard of."""

    lag: Count = 0
    """Records of the journal that are not in the core file yet."""

    down: str = ""
    """Why the files are not open at the moment (who holds them, what is full); empty when they are."""

    damage: str = ""
    """What was found damaged or missing since it started, and where it was put; empty if nothing was."""

    waiting: Count = 0
    """Rows of market data that are not durable yet, of the kind that there is most of."""

    queries: Count = 0
    """Queries answered."""

    queries_waiting: Count = 0
    """Queries that wait for a reader."""

    cache_hits: Count = 0
    """Queries answered from what was kept of an earlier answer."""

    cache_misses: Count = 0
    """Answers that could have been kept, and were not there."""

    cache_bytes: Bytes = 0
    """What the kept answers take."""

    market_ticks: Count = 0
    """Ticks of the market that are durable: heard since the run began, and written then or there before."""

    market_candles: Count = 0
    """The same of candles."""

    market_damage: str = ""
    """What of `damage` concerns market data: no journal brings that back."""


class SaveMarketData(msgspec.Struct, frozen=True, kw_only=True, array_like=True, tag="SaveMarketData"):
    """To the database: keep these, all or none, each tick once. Answered by `MarketDataSaved`, or `QueryFailed`.

    A source of ticks is written with `saved:` before its name: nobody saves in the name of the market's feed.
    """

    ticks: tuple[Tick, ...] = ()
    candles: tuple[Candle, ...] = ()


class MarketDataSaved(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="MarketDataSaved"):
    """Answer to `SaveMarketData`: they are durable."""

    rows: Count
    """Written now: ticks that were there already do not count."""


class QueryToFile(msgspec.Struct, frozen=True, kw_only=True, array_like=True, tag="QueryToFile"):
    """To the database: one SELECT, its rows into a Parquet file. Answered by `RowsFile` or `QueryFailed`.

    For a result of any size: it passes through nobody's memory as a whole, and keeps its types.
    """

    sql: str
    parameters: tuple[SqlValue, ...] = ()
    timeout_s: Seconds = 30.0
    rows_max: Count = 1_000_000
    asker: str = ""


class RowsFile(msgspec.Struct, frozen=True, kw_only=True, array_like=True, tag="RowsFile"):
    """Answer to `QueryToFile`: the file is its asker's now, to be opened and deleted soon; only some are kept."""

    path: str
    """For the owner's user alone."""

    names: tuple[str, ...]
    """Of the columns."""

    types: tuple[str, ...]
    """DuckDB's types of the columns, as the query gave them; Parquet has none for some."""

    rows: Count


class BackUp(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="BackUp"):
    """To the database: copy everything as it is, and read the copy back. Answered by `BackedUp` or `QueryFailed`."""

    single_file: bool = False
    """False: a copy of each file, which natya opens again. True: one file with all tables and views, to be read."""

    timeout_s: Seconds = 1_800.0
    asker: str = ""


class BackedUp(msgspec.Struct, frozen=True, kw_only=True, array_like=True, tag="BackedUp"):
    """Answer to `BackUp`: the files are their asker's now, as with `RowsFile`."""

    paths: tuple[str, ...]
    """The core file and the market file, or the single one."""


class ArchiveDay(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="ArchiveDay"):
    """To the database: move the ticks up to a day's end to Parquet. Answered by `DaysArchived` or `QueryFailed`."""

    day: str
    """On the exchange's calendar: `2026-01-31`."""


class DaysArchived(msgspec.Struct, frozen=True, kw_only=True, array_like=True, tag="DaysArchived"):
    """Answer to `ArchiveDay`: these are in files now; whoever reads ticks sees them as before."""

    days: tuple[str, ...]
    files: tuple[str, ...]
    """One a day."""

    ticks: tuple[Count, ...]
    """In each."""


class CheckDatabase(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="CheckDatabase"):
    """To the database: read every block, look for contradictions. Answered by `DatabaseChecked` or `QueryFailed`."""

    timeout_s: Seconds = 1_800.0
    asker: str = ""


class DatabaseChecked(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="DatabaseChecked"):
    """Answer to `CheckDatabase`."""

    problems: tuple[str, ...]
    """What is wrong; nothing if all is well."""


class Abandon(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="Abandon"):
    """To the database: this asker is gone; what he asked for is interrupted, or not begun. No answer."""

    asker: str
