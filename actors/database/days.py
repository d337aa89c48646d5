"""Days that are over: sorted once by symbol and time, and moved to Parquet, while the market goes on."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import msgspec

from ...domain.time import DAY_NS, IST, IST_OFFSET_NS, SECOND_NS
from .archive_folder import make_durable
from .connection import roll_back
from .errors import DatabaseDamaged
from .moments import start_ns
from .opening import quoted
from .upkeep import fingerprint

if TYPE_CHECKING:
    from pathlib import Path

    import duckdb

    from .adapter import DuckDBAdapter

MARKET_TABLES = ("ticks", "books")
"""What goes by days."""

_DAY = f"(make_timestamp_ns(exchange_ns + {IST_OFFSET_NS}))::date"

LATE_NS = 1_800_000_000_000

_UNSORTED = f"""
select days.day from (select {_DAY} as day, count(*) as rows from ticks group by all) days
left join sorted_days on days.day = sorted_days.day
where days.day < ?::date and days.rows is distinct from sorted_days.rows order by days.day limit 1
"""  # noqa: S608  our own text


class Archived(msgspec.Struct, frozen=True, kw_only=True):
    """One day that went to the archive."""

    day: dt.date
    """On the exchange's calendar."""

    file: str
    rows: int


def tidy(database: DuckDBAdapter, now_ns: int) -> dt.date | None:
    """Sort the oldest day that is over and not in order; return it, or None when all are.

    Half an hour after midnight at the earliest: late ticks of the day before are there by then.
    """
    today = dt.datetime.fromtimestamp((now_ns - LATE_NS) // SECOND_NS, IST).date()
    rows = database.query(_UNSORTED, [str(today)]).rows
    if not rows:
        return None
    day = dt.date.fromisoformat(str(rows[0][0]))
    sort_day(database, day)
    return day


def sort_day(database: DuckDBAdapter, day: dt.date) -> int:
    """Put the ticks of a closed day in order of symbol and time, once, so that one symbol is read from a few blocks.

    From 10,000,000 ticks, one symbol and day: 38 ms in the order of arrival, 2 to 5 ms sorted. Returns the rows.
    """

    def work(cursor: duckdb.DuckDBPyConnection) -> int:
        counts: list[int] = []
        for table in MARKET_TABLES:
            in_order = f"from {table} where {_DAY} = ? order by symbol, exchange_ns, sequence"
            cursor.execute(f"create or replace temp table sorted as {in_order}", [str(day)])
            cursor.execute(f"delete from {table} where {_DAY} = ?", [str(day)])  # noqa: S608  our own names
            counts += cursor.execute(f"insert into {table} from sorted").fetchall()[0]
            cursor.execute("drop table sorted")
        cursor.execute("delete from sorted_days where day = ?", [str(day)])
        cursor.execute("insert into sorted_days values (?, ?)", [str(day), counts[0]])
        return counts[0]

    return database.write("market", work, label=f"sort {day}", tables=frozenset({"ticks", "sorted_days"}))


def archive(database: DuckDBAdapter, folder: Path, *, before: dt.date) -> tuple[Archived, ...]:
    """Move the ticks of all days before this one to Parquet files, a day each, sorted by symbol and time.

    Repositories go on seeing them (through the view `all_ticks`), and the writer goes on while a day is copied. A day
    leaves the table in the transaction that lists its file, after the file was read back; a file that is not listed
    counts for nothing.

    Raises:
        DatabaseDamaged: a file does not read back as it was written; its day stays where it is.
        StatementFailed: the folder is not among the adapter's `directories`, or the disk is full.
    """
    days = database.query(f"select distinct {_DAY} as day from ticks where day < ? order by day", [str(before)]).rows  # noqa: S608  our own text
    return tuple(_archive_day(database, folder, str(day)) for (day,) in days)


def _archive_day(database: DuckDBAdapter, folder: Path, day: str) -> Archived:
    (earlier,) = database.query("select count(*) from archived where day = ? and file like 'ticks-%'", [day]).rows[0]
    files = {table: folder / f"{table}-{day}-{earlier}.parquet" for table in MARKET_TABLES}

    def copy(cursor: duckdb.DuckDBPyConnection) -> dict[str, tuple[int, int]]:
        try:
            cursor.begin()
            return {table: _copy_table(cursor, table, file, day) for table, file in files.items()}
        finally:
            roll_back(cursor)

    # On a reader, while the writer goes on: 2,000,000 ticks take seconds, and 100,000 a second may come.
    copied = database.read_and_copy(copy, label=f"copy {day}")

    def move(cursor: duckdb.DuckDBPyConnection) -> int:
        for table, file in files.items():
            if _keys(cursor, table, day) != copied[table]:  # late ticks came meanwhile
                copied[table] = _copy_table(cursor, table, file, day)
            _move_table(cursor, table, file, day, copied[table][0])
        return copied["ticks"][0]

    rows = database.write("market", move, label=f"archive {day}")
    return Archived(day=dt.date.fromisoformat(day), file=str(files["ticks"]), rows=rows)


def _copy_table(cursor: duckdb.DuckDBPyConnection, table: str, file: Path, day: str) -> tuple[int, int]:
    """Copy the rows of a day to a file and read it back; return how many there are, and a checksum of their keys."""
    rows = _rows_of(table, day)
    in_order = f"{rows} order by symbol, exchange_ns, sequence"
    cursor.execute(f"copy ({in_order}) to {quoted(str(file))} (format parquet, compression zstd)")
    make_durable(file)
    written = fingerprint(cursor, f"({rows})")
    read_back = fingerprint(cursor, f"read_parquet({quoted(str(file))})")
    if read_back != written:
        raise DatabaseDamaged(f"{file} has {read_back} (rows, checksum), {written} wanted")
    return _keys(cursor, table, day)


def _move_table(cursor: duckdb.DuckDBPyConnection, table: str, file: Path, day: str, count: int) -> None:
    """Take the rows of a day out of the table, and list the file that has them."""
    cursor.execute(f"delete {_rows_of(table, day)}")
    cursor.execute("insert into archived values (?, ?, ?)", [file.name, day, count])
    all_files = quoted(str(file.parent / f"{table}-*.parquet"))
    cursor.execute(
        f"create or replace view all_{table} as select * from {table} union all by name "  # noqa: S608  our own text
        f"select * exclude (filename) from read_parquet({all_files}, filename = true) "
        f"where parse_filename(filename) in (select file from archived)"
    )


def _rows_of(table: str, day: str) -> str:
    begin = start_ns(dt.date.fromisoformat(day))
    return f"from {table} where exchange_ns >= {begin} and exchange_ns < {begin + DAY_NS}"


def _keys(cursor: duckdb.DuckDBPyConnection, table: str, day: str) -> tuple[int, int]:
    """Tell how many rows of a day there are, and which: a row is written once and never changes."""
    return fingerprint(cursor, f"(select source, sequence {_rows_of(table, day)})")
