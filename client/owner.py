"""Queries to the owner of the database: a running system, or this process where none runs."""

from __future__ import annotations

import datetime as dt
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol

import msgspec

from ..domain.time import DAY_NS, IST_OFFSET_NS, date_of, day_of_number, day_start_ns, number_of_day
from ..messages.database import QueryToFile

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..messages.database import RowsFile, SqlValue

QUERY_S: Final = 600.0
ROWS_MAX: Final = 1_000_000_000


TABLE_DAYS: Final = f"""
select distinct (exchange_ns + {IST_OFFSET_NS}) // {DAY_NS} as day from ticks where exchange_ns < ? order by day
"""  # noqa: S608  our own text
DAYS_TOLD: Final = f"""
select count(*), min(day), max(day) from (
    select distinct (exchange_ns + {IST_OFFSET_NS}) // {DAY_NS} as day from all_ticks)
"""  # noqa: S608  our own text
TABLES: Final = ("facts", "orders", "fills", "ticks", "books", "candles", "all_ticks", "all_books")


class Owner(Protocol):
    """The owner of the database."""

    def work(self, message: msgspec.Struct, *, timeout_s: float) -> Any:
        """Handle a request to the database, and return its answer."""


class DatabaseStat(msgspec.Struct, frozen=True, kw_only=True):
    """The content of the database."""

    files: dict[str, int]
    """Size in bytes, by path."""

    rows: dict[str, int]
    """Rows by table; `all_ticks` and `all_books` include the archived ones."""

    projected_sequence: int
    """Journal sequence up to which the core file is current."""

    days: int
    """Days with ticks, on the exchange's calendar."""

    first_day: dt.date | None
    last_day: dt.date | None
    archived_days: int
    symbols: tuple[str, ...]


def closed_days(owner: Owner, before: dt.date | None = None) -> tuple[dt.date, ...]:
    """Return the days before `before` and before today (in India) whose ticks are not archived yet."""
    today = date_of(time.time_ns())
    first_left_ns = day_start_ns(number_of_day(min(before or today, today)))
    rows = rows_of(owner, TABLE_DAYS, [first_left_ns])
    return tuple(day_of_number(day) for (day,) in rows)


def projected_sequence(owner: Owner) -> int:
    """Return the journal sequence up to which the core file is current."""
    ((sequence,),) = rows_of(owner, "select sequence from projection", ())
    return int(sequence)


def stat(owner: Owner) -> DatabaseStat:
    """Return the content of the database."""
    projected = projected_sequence(owner)
    ((days, first, last),) = rows_of(owner, DAYS_TOLD, ())
    ((archived,),) = rows_of(owner, "select count(distinct day) from archived", ())
    symbols = rows_of(owner, "select symbol from all_ticks union select symbol from candles order by symbol", ())
    paths = rows_of(
        owner, "select path from duckdb_databases() where database_name in ('core', 'market') order by 1", ()
    )
    return DatabaseStat(
        files={path: Path(path).stat().st_size for (path,) in paths},
        rows={table: rows_of(owner, f"select count(*) from {table}", ())[0][0] for table in TABLES},  # noqa: S608  ours
        projected_sequence=projected,
        days=days,
        first_day=None if first is None else day_of_number(first),
        last_day=None if last is None else day_of_number(last),
        archived_days=archived,
        symbols=tuple(symbol for (symbol,) in symbols),
    )


def rows_of(owner: Owner, sql: str, parameters: Sequence[SqlValue]) -> tuple[tuple[Any, ...], ...]:
    """Run a SELECT and return all its rows."""
    from ..actors.database import INLINE_ROWS_MAX, QueryResult  # noqa: PLC0415  loads DuckDB

    with QueryResult(_answer(owner, sql, parameters, inline_rows_max=INLINE_ROWS_MAX)) as result:
        return result.rows


def ask(owner: Owner, sql: str, parameters: Sequence[SqlValue]) -> RowsFile:
    """Run a SELECT and return the file of its rows."""
    return _answer(owner, sql, parameters, inline_rows_max=0)


def _answer(owner: Owner, sql: str, parameters: Sequence[SqlValue], *, inline_rows_max: int) -> RowsFile:
    query = QueryToFile(
        sql=sql,
        parameters=tuple(parameters),
        timeout_s=QUERY_S,
        rows_max=ROWS_MAX,
        inline_rows_max=inline_rows_max,
    )
    answer: RowsFile = owner.work(query, timeout_s=QUERY_S)
    return answer
