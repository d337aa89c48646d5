"""Backups, snapshots and integrity checks of a database while it is used.

Files are only written in the adapter's `directories`; nothing but DuckDB ever opens a database file.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, TypeAlias

from ....config.files import expect_absent
from ..engine.connection import roll_back
from ..engine.opening import MEMORY
from ..errors import DatabaseDamaged
from ..tables.archive_folder import archive_folder, missing
from ..tables.migrations import FILES
from ..tables.sql_text import quoted

if TYPE_CHECKING:
    from concurrent.futures import Future
    from pathlib import Path

    import duckdb

    from ..engine.adapter import DuckDBAdapter

Fingerprints: TypeAlias = dict[str, tuple[int, int]]
"""By table: the number of rows, and a checksum of their contents that does not depend on their order."""

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
    """Read every block of both files and look for contradictions; return a text for each, none if all is well."""

    def work(cursor: duckdb.DuckDBPyConnection) -> tuple[str, ...]:
        found = []
        for problem, sql in _CONTRADICTIONS.items():
            rows = cursor.execute(f"{sql} limit 1").fetchall()
            if rows:
                found.append(f"{problem}: {rows[0]}")
        if database.market_path != MEMORY:
            archive = archive_folder(database.core_path)
            found += [f"an archived day cannot be read: {each}" for each in missing(cursor, archive)]
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
        _expect_new(target)
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
    _expect_new(target)

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


def fingerprint(cursor: duckdb.DuckDBPyConnection, table: str) -> tuple[int, int]:
    """Count the rows of a table, a file or a query, and sum up their contents, whatever their order."""
    ((rows, checksum),) = cursor.execute(f"select count(*), coalesce(bit_xor(hash(t)), 0) from {table} t").fetchall()  # noqa: S608  our names
    return int(rows), int(checksum)


def _expect_new(target: Path) -> None:
    """Check that no file has the name, or that of a write-ahead log, which DuckDB would apply to the new file."""
    for each in (target, target.with_name(f"{target.name}.wal")):
        expect_absent(each)


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
    return {name: fingerprint(cursor, f"{file}.{name}") for (name,) in tables}


def _names(database: DuckDBAdapter) -> tuple[str, str]:
    return database.core_path.rpartition("/")[2], database.market_path.rpartition("/")[2]
