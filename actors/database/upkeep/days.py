"""Sorts the ticks of days that are over by symbol and time, and moves them to Parquet, while recording goes on."""

from __future__ import annotations

import contextlib
import datetime as dt
import errno
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from ....config.files import make_private_folder, move_new, private_folders, remove_private_folder, sync_folder
from ....domain.time import DAY_NS, IST_OFFSET_NS, date_of
from ..engine.connection import roll_back
from ..errors import DatabaseDamaged
from ..tables.archive_folder import (
    OWNER,
    READ_OPTIONS,
    Listed,
    identity_of,
    list_file,
    make_durable,
    names_of,
    own_folder,
)
from ..tables.archive_folder import TABLES as MARKET_TABLES
from ..tables.moments import start_ns
from ..tables.sql_text import pattern, quoted
from .copies import fingerprint

if TYPE_CHECKING:
    from collections.abc import Iterator

    import duckdb

    from ..engine.adapter import DuckDBAdapter

_DAY = f"(make_timestamp_ns(exchange_ns + {IST_OFFSET_NS}))::date"

LATE_NS = 1_800_000_000_000

_WORKPLACES: Final = re.compile(r"new-[0-9-]+")
_COPIES: Final = re.compile(r"(tmp_)?(ticks|books)\.parquet")

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
    today = date_of(now_ns - LATE_NS)
    rows = database.read(lambda cursor: cursor.execute(_UNSORTED, [str(today)]).fetchall(), label="unsorted days")
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

    return database.write("market", work, label=f"sort {day}", tables=frozenset({"ticks", "books", "sorted_days"}))


def archive(database: DuckDBAdapter, folder: Path, *, before: dt.date) -> tuple[Archived, ...]:
    """Move the ticks of all days before this one to Parquet files, a day each, sorted by symbol and time.

    Repositories go on seeing them (through the view `all_ticks`), and the writer goes on while a day is copied. A day
    leaves the table in the transaction that lists its file, after the file was read back; a file that is not listed
    counts for nothing. No file that is there is ever replaced.

    Args:
        database: whose market file it is.
        folder: the archive; the files go to this database's own folder in it.
        before: the first day that stays, on the exchange's calendar.

    Raises:
        DatabaseDamaged: a file does not read back as it was written; its day stays where it is.
        StatementFailed: the folder is not among the adapter's `directories`, or the disk is full.
        OSError: the folder cannot be made, or others may write there.
    """
    days = database.query(f"select distinct {_DAY} as day from ticks where day < ? order by day", [str(before)]).rows  # noqa: S608  our own text
    if not days:
        return ()
    identity = database.read(identity_of, label="identity")
    own = own_folder(folder, identity)
    mark = f"{Path(database.core_path).name} {identity}"
    for left in private_folders(own, _WORKPLACES):
        remove_private_folder(left, mark, names=_COPIES)
    return tuple(_archive_day(database, own, identity, mark, str(day)) for (day,) in days)


def _archive_day(database: DuckDBAdapter, own: Path, identity: str, mark: str, day: str) -> Archived:
    workplace = own / f"new-{day}-{os.getpid()}"
    make_private_folder(workplace, mark)
    try:
        return _archive_by_way_of(workplace, database, own, identity, day)
    finally:
        remove_private_folder(workplace, mark, names=_COPIES)


def _archive_by_way_of(workplace: Path, database: DuckDBAdapter, own: Path, identity: str, day: str) -> Archived:
    copies = {table: workplace / f"{table}.parquet" for table in MARKET_TABLES}

    def copy(cursor: duckdb.DuckDBPyConnection) -> dict[str, tuple[int, int]]:
        try:
            cursor.begin()
            return {table: _copy_table(cursor, table, file, day, identity) for table, file in copies.items()}
        finally:
            roll_back(cursor)

    # On a reader, while the writer goes on: 2,000,000 ticks take seconds, and 100,000 a second may come.
    copied = database.read_and_copy(copy, label=f"copy {day}")

    def move(cursor: duckdb.DuckDBPyConnection) -> tuple[int, Path]:
        listed = []
        for table, file in copies.items():
            if _keys(cursor, table, day) != copied[table]:  # late ticks came meanwhile
                copied[table] = _copy_table(cursor, table, file, day, identity)
            placed = _place(file, names_of(cursor, own, table, day))
            cursor.execute(f"delete {_rows_of(table, day)}")
            listed.append(Listed(file=f"{own.name}/{placed.name}", day=day, rows=copied[table][0]))
        sync_folder(own)
        list_file(cursor, own.parent, listed)
        return copied["ticks"][0], own.parent / listed[0].file

    rows, file = database.write("market", move, label=f"archive {day}")
    return Archived(day=dt.date.fromisoformat(day), file=str(file), rows=rows)


def _place(file: Path, names: Iterator[Path]) -> Path:
    """Move a copy to the first name that is free."""
    for target in names:
        with contextlib.suppress(FileExistsError):
            move_new(file, target)
            return target
    raise FileExistsError(errno.EEXIST, "no name is free for another file of the day", str(file))


def _copy_table(cursor: duckdb.DuckDBPyConnection, table: str, file: Path, day: str, identity: str) -> tuple[int, int]:
    """Copy the rows of a day to a file and read it back; return how many there are, and a checksum of their keys."""
    rows = _rows_of(table, day)
    in_order = f"{rows} order by symbol, exchange_ns, sequence"
    options = f"format parquet, compression zstd, kv_metadata {{{OWNER}: {quoted(identity)}, natya_day: {quoted(day)}}}"
    cursor.execute(f"copy ({in_order}) to {quoted(str(file))} ({options})")
    make_durable(file)
    written = fingerprint(cursor, f"({rows})")
    read_back = fingerprint(cursor, f"read_parquet({quoted(pattern(str(file)))}, {READ_OPTIONS})")
    if read_back != written:
        raise DatabaseDamaged(f"{file} has {read_back} (rows, checksum), {written} wanted")
    return _keys(cursor, table, day)


def _rows_of(table: str, day: str) -> str:
    begin = start_ns(dt.date.fromisoformat(day))
    return f"from {table} where exchange_ns >= {begin} and exchange_ns < {begin + DAY_NS}"


def _keys(cursor: duckdb.DuckDBPyConnection, table: str, day: str) -> tuple[int, int]:
    """Tell how many rows of a day there are, and which: a row is written once and never changes."""
    return fingerprint(cursor, f"(select source, sequence {_rows_of(table, day)})")
