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
    """What the database counts since it started."""

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


class SaveMarketData(msgspec.Struct, frozen=True, kw_only=True, array_like=True, tag="SaveMarketData"):
    """To the database: keep these, all or none, each tick once. Answered by `MarketDataSaved`, or `QueryFailed`."""

    ticks: tuple[Tick, ...] = ()
    candles: tuple[Candle, ...] = ()


class MarketDataSaved(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="MarketDataSaved"):
    """Answer to `SaveMarketData`: they are durable."""

    rows: Count
    """Written now: ticks that were there already do not count."""
