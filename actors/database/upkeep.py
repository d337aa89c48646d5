"""Keeping a database in order: check it, copy it, move old days to Parquet. All of it while it is used.

Files are only written in the adapter's `directories`; nothing but DuckDB ever opens a database file.
"""

from __future__ import annotations

import datetime as dt
import functools
from typing import TYPE_CHECKING, TypeAlias

import msgspec

from .adapter import DuckDBAdapter
from .archive_folder import make_durable
from .connection import roll_back
from .errors import DatabaseDamaged
from .migrations import FILES
from .moments import INDIA, INDIA_OFFSET_NS
from .opening import quoted

if TYPE_CHECKING:
    from concurrent.futures import Future
    from pathlib import Path

    import duckdb


Fingerprints: TypeAlias = dict[str, tuple[int, int]]
"""Rows, and a checksum of their contents in any order, by table."""


MARKET_TABLES = ("ticks", "books")
"""What goes by days."""

_DAY = f"(make_timestamp_ns(exchange_ns + {INDIA_OFFSET_NS}))::date"

LATE_NS = 1_800_000_000_000

_UNSORTED = f"""
select days.day from (select {_DAY} as day, count(*) as rows from ticks group by all) days
left join sorted_days on days.day = sorted_days.day
where days.day < ?::date and days.rows is distinct from sorted_days.rows order by days.day limit 1
"""  # noqa: S608  our own text

_CONTRADICTIONS = {
    "a tick is there more than once": "select source, sequence from all_ticks group by all having count(*) > 1",
    "a tick lies beyond what its source has recorded": """
        select source, sequence from all_ticks anti join recorded
        on all_ticks.source = recorded.source and all_ticks.sequence <= recorded.sequence""",
    "a book has no tick": """
        select source, sequence from all_books anti join all_ticks using (symbol, exchange_ns, source, sequence)""",
    "the market file has lost data": "select make_timestamp_ns(found_ns)::varchar, what from losses order by found_ns",
    "a source is listed more than once": "select source from recorded group by all having count(*) > 1",
    "the facts have a gap or a double": """
        select sequence from projection
        where (sequence, sequence) <> (
            select (coalesce(max(sequence), 0), count(*) + if(count(*) = 0, 0, first_sequence - 1)) from facts)""",
    "the fills of an order do not add up": """
        select client_order_id from orders left join fills using (client_order_id)
        group by client_order_id, filled_quantity having coalesce(sum(fills.quantity), 0) <> filled_quantity""",
}


class Archived(msgspec.Struct, frozen=True, kw_only=True):
    """One day that went to the archive."""

    day: dt.date
    """On the exchange's calendar."""

    file: str
    rows: int


def read_every_block(
    database: DuckDBAdapter, *, timeout_s: float | None = None, abandoned: Future[None] | None = None
) -> None:
    """Read all that both files hold: DuckDB checks the checksum of every block that it reads.

    Raises:
        DatabaseDamaged: naming the file.
    """
    for file, path in (("core", database.core_path), ("market", database.market_path)):
        try:
            work = functools.partial(_fingerprints, file=file)
            database.read(work, label=f"read all of {file}", timeout_s=timeout_s, abandoned=abandoned)
        except DatabaseDamaged as damage:
            raise DatabaseDamaged(f"{path}: {damage}", path=path) from damage


def check(
    database: DuckDBAdapter, *, timeout_s: float | None = None, abandoned: Future[None] | None = None
) -> tuple[str, ...]:
    """Read every block of both files and look for contradictions; return what is wrong, nothing if all is well."""

    def work(cursor: duckdb.DuckDBPyConnection) -> tuple[str, ...]:
        found = []
        for problem, sql in _CONTRADICTIONS.items():
            rows = cursor.execute(f"{sql} limit 1").fetchall()
            if rows:
                found.append(f"{problem}: {rows[0]}")
        return tuple(found)

    read_every_block(database, timeout_s=timeout_s, abandoned=abandoned)
    return database.read(work, label="check", timeout_s=timeout_s, abandoned=abandoned)


def back_up(
    database: DuckDBAdapter,
    folder: Path,
    *,
    timeout_s: float | None = None,
    abandoned: Future[None] | None = None,
) -> tuple[Path, Path]:
    """Copy both files, each as it is at one moment, into a folder that has none yet; read the copies back.

    Returns:
        The copies of the core file and of the market file. They are compact, and open like any other.

    Raises:
        FileExistsError: a copy is there already.
        DatabaseDamaged: a copy does not read back as it was written.
        StatementFailed: the folder is not among the adapter's `directories`, or the disk is full.
    """
    core, market = (folder / name for name in _names(database))
    for file, target in (("core", core), ("market", market)):
        if target.exists():
            raise FileExistsError(f"{target} is there already")
        _copy(database, file, target, timeout_s, abandoned)
    return core, market


def snapshot(
    database: DuckDBAdapter,
    target: Path,
    *,
    timeout_s: float | None = None,
    abandoned: Future[None] | None = None,
) -> None:
    """Copy the tables and views of both files into one new file, all as they are at one moment, and read it back.

    Raises:
        As `back_up`.
    """
    if target.exists():
        raise FileExistsError(f"{target} is there already")

    def write(cursor: duckdb.DuckDBPyConnection) -> Fingerprints:
        cursor.execute(f"attach {quoted(str(target))} as snapshot")
        try:
            cursor.begin()
            # Each file's moment is that of its first use: so both are used at once.
            cursor.execute("select 1 from core.projection, market.recorded limit 0").fetchall()
            wanted: Fingerprints = {}
            for file in reversed(FILES):
                cursor.execute(f"copy from database {file} to snapshot")
                if file == "market":
                    cursor.execute("drop table snapshot.migrations")  # the core file has one of its own
                wanted |= _fingerprints(cursor, file)
            cursor.commit()
        finally:
            roll_back(cursor)
            cursor.execute("detach snapshot")
        return wanted

    wanted = database.read_and_copy(write, label="snapshot", timeout_s=timeout_s, abandoned=abandoned)
    _read_back(database, target, wanted, timeout_s, abandoned)


def archive(database: DuckDBAdapter, folder: Path, *, before: dt.date) -> tuple[Archived, ...]:
    """Move the ticks of all days before this one to Parquet files, a day each, sorted by symbol and time.

    Repositories go on seeing them (through the view `all_ticks`). A day leaves the table in the transaction that lists
    its file, after the file was read back; a file that is not listed counts for nothing.

    Raises:
        DatabaseDamaged: a file does not read back as it was written; its day stays where it is.
        StatementFailed: the folder is not among the adapter's `directories`, or the disk is full.
    """
    days = database.query(f"select distinct {_DAY} as day from ticks where day < ? order by day", [str(before)]).rows  # noqa: S608  our own text
    return tuple(_archive_day(database, folder, str(day)) for (day,) in days)


def export(database: DuckDBAdapter, folder: Path) -> None:
    """Write all ticks and candles to Parquet: `ticks/day=…/*.parquet` and `candles.parquet`.

    Raises:
        StatementFailed: the folder is not among the adapter's `directories`, or the disk is full.
    """
    ticks, candles = quoted(str(folder / "ticks")), quoted(str(folder / "candles.parquet"))

    def work(cursor: duckdb.DuckDBPyConnection) -> None:
        by_day = f"select *, {_DAY} as day from full_ticks order by day, symbol, exchange_ns, sequence"  # noqa: S608  our own text
        cursor.execute(f"copy ({by_day}) to {ticks} (format parquet, compression zstd, partition_by (day))")
        cursor.execute(f"copy candles to {candles} (format parquet, compression zstd)")

    database.read_and_copy(work, label="export")


def tidy(database: DuckDBAdapter, now_ns: int) -> dt.date | None:
    """Sort the oldest day that is over and not in order; return it, or None when all are.

    Half an hour after midnight at the earliest: late ticks of the day before are there by then.
    """
    today = dt.datetime.fromtimestamp((now_ns - LATE_NS) // 10**9, INDIA).date()
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


def _archive_day(database: DuckDBAdapter, folder: Path, day: str) -> Archived:
    (earlier,) = database.query("select count(*) from archived where day = ? and file like 'ticks-%'", [day]).rows[0]
    files = {table: folder / f"{table}-{day}-{earlier}.parquet" for table in MARKET_TABLES}

    def work(cursor: duckdb.DuckDBPyConnection) -> int:
        rows = {table: _archive_table(cursor, table, file, day) for table, file in files.items()}
        return rows["ticks"]

    rows = database.write("market", work, label=f"archive {day}")
    return Archived(day=dt.date.fromisoformat(day), file=str(files["ticks"]), rows=rows)


def _archive_table(cursor: duckdb.DuckDBPyConnection, table: str, file: Path, day: str) -> int:
    rows = f"from {table} where {_DAY} = date {quoted(day)}"
    in_order = f"{rows} order by symbol, exchange_ns, sequence"
    cursor.execute(f"copy ({in_order}) to {quoted(str(file))} (format parquet, compression zstd)")
    make_durable(file)
    written = _fingerprint(cursor, f"({rows})")
    read_back = _fingerprint(cursor, f"read_parquet({quoted(str(file))})")
    if read_back != written:
        raise DatabaseDamaged(f"{file} has {read_back} (rows, checksum), {written} wanted")
    cursor.execute(f"delete {rows}")
    cursor.execute("insert into archived values (?, ?, ?)", [file.name, day, written[0]])
    all_files = quoted(str(file.parent / f"{table}-*.parquet"))
    cursor.execute(
        f"create or replace view all_{table} as select * from {table} union all by name "  # noqa: S608  our own text
        f"select * exclude (filename) from read_parquet({all_files}, filename = true) "
        f"where parse_filename(filename) in (select file from archived)"
    )
    return written[0]


def _copy(
    database: DuckDBAdapter, file: str, target: Path, timeout_s: float | None, abandoned: Future[None] | None
) -> None:
    def write(cursor: duckdb.DuckDBPyConnection) -> Fingerprints:
        cursor.execute(f"attach {quoted(str(target))} as backup")
        try:
            cursor.begin()
            cursor.execute(f"copy from database {file} to backup")
            wanted = _fingerprints(cursor, file)
            cursor.commit()
        finally:
            roll_back(cursor)
            cursor.execute("detach backup")
        return wanted

    wanted = database.read_and_copy(write, label=f"back up {file}", timeout_s=timeout_s, abandoned=abandoned)
    _read_back(database, target, wanted, timeout_s, abandoned)


def _read_back(
    database: DuckDBAdapter,
    target: Path,
    wanted: Fingerprints,
    timeout_s: float | None,
    abandoned: Future[None] | None,
) -> None:
    def work(cursor: duckdb.DuckDBPyConnection) -> Fingerprints:
        cursor.execute(f"attach {quoted(str(target))} as backup (read_only)")
        try:
            return _fingerprints(cursor, "backup")
        finally:
            cursor.execute("detach backup")

    found = database.read_and_copy(work, label=f"read back {target.name}", timeout_s=timeout_s, abandoned=abandoned)
    if found != wanted:
        raise DatabaseDamaged(f"{target} reads back as {found}, {wanted} wanted")


def _fingerprints(cursor: duckdb.DuckDBPyConnection, file: str) -> Fingerprints:
    tables = cursor.execute(
        "select table_name from duckdb_tables() where database_name = ? order by table_name", [file]
    ).fetchall()
    return {name: _fingerprint(cursor, f"{file}.{name}") for (name,) in tables}


def _fingerprint(cursor: duckdb.DuckDBPyConnection, table: str) -> tuple[int, int]:
    ((rows, checksum),) = cursor.execute(f"select count(*), coalesce(bit_xor(hash(t)), 0) from {table} t").fetchall()  # noqa: S608  our names
    return int(rows), int(checksum)


def _names(database: DuckDBAdapter) -> tuple[str, str]:
    return database.core_path.rpartition("/")[2], database.market_path.rpartition("/")[2]
