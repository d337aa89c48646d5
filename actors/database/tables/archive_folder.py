"""The folder of archived days: beside the database files, and moved together with them.

In it each database has a folder of its own, named after its identity, so that two databases of one directory, or a new
one in the place of a damaged one, never share files. A listed file is never written again. Its path is in the table
`archived`, the identity of its database in its own metadata; the views read the listed files and no others.
"""

from __future__ import annotations

import contextlib
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

import duckdb
import msgspec

from ....config.files import copy_new, expect_own_folder, sync_folder
from ....domain.time import DAY_NS
from ..errors import DatabaseDamaged
from .moments import start_ns
from .sql_text import pattern, quoted, unescaped

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

NAME: Final = "archive"
TABLES: Final = ("ticks", "books")
"""Tables that are archived by day."""

OWNER: Final = "natya_database"
"""In a file's metadata: the identity of the database that wrote it."""

READ_OPTIONS: Final = "hive_partitioning = false"
"""A folder called `symbol=TCS` is a name, and no column."""

_IDENTITY: Final = re.compile(r"[0-9a-f-]{36}")
_PATHS: Final = re.compile(r"'((?:[^']|'')*\.parquet)'")


class Listed(msgspec.Struct, frozen=True, kw_only=True):
    """A row of the table `archived`."""

    file: str
    """Its path below the folder; of older versions a name in the folder itself, which several databases shared."""

    day: str
    rows: int

    @property
    def table(self) -> str:
        """Whose rows it has."""
        return self.file.rpartition("/")[2].partition("-")[0]

    @property
    def is_shared(self) -> bool:
        """Whether another database may have written over it."""
        return "/" not in self.file


def archive_folder(core_path: str) -> Path:
    """Return the archive folder that belongs to a core file."""
    return Path(core_path).parent / NAME


def identity_of(cursor: duckdb.DuckDBPyConnection) -> str:
    """Return the identity of the attached market file.

    Raises:
        DatabaseDamaged: it has none.
    """
    ((identity,),) = cursor.execute("select identity from market.origin").fetchall()
    if not _IDENTITY.fullmatch(identity):
        raise DatabaseDamaged(f"an identity of 36 hexadecimal digits wanted, found {identity!r}")
    return str(identity)


def own_folder(folder: Path, identity: str) -> Path:
    """Make a database's own folder in the archive.

    Raises:
        OSError: it cannot be made, or others may write there.
    """
    own = folder / identity
    for each in (folder, own):
        each.mkdir(mode=0o700, exist_ok=True)
        expect_own_folder(each)
    return own


def names_of(cursor: duckdb.DuckDBPyConnection, own: Path, table: str, day: str) -> Iterator[Path]:
    """Yield names for a file of a day that are not listed; a listed name is taken even if its file is absent."""
    listed = {each.file for each in _listed(cursor)}
    for number in range(1_000_000):
        path = own / f"{table}-{day}-{number}.parquet"
        if f"{own.name}/{path.name}" not in listed:
            yield path


def follow(cursor: duckdb.DuckDBPyConnection, folder: Path) -> tuple[str, ...]:
    """Let the views of the market file read its own archived days, from where they are now; tell which cannot be read.

    Run on the market file's writer, before anything is asked. A view names its files by whole paths, and DuckDB allows
    no others than those of our folders. A file that older versions left where several databases could write to it is
    taken over (linked into the own folder) if all it holds proves that it is this database's.
    """
    listed = _listed(cursor)
    if not listed:
        return ()
    base, identity = _base(cursor, folder), identity_of(cursor)
    wanted = [each for each in listed if each.table == "ticks"]
    if not any((base / each.file).exists() for each in wanted):
        return (f"{len(wanted)} files of archived days are wanted in {base}, and none are there",)
    problems: list[str] = []
    good: list[Listed] = []
    with contextlib.closing(cursor.cursor()) as probe:
        for each in listed:
            problem = _problem(probe, base, each, identity)
            if problem:
                problems.append(f"{each.file} of {each.day} is not read: {problem}")
            else:
                good.append(_taken_over(cursor, base, each, identity) if each.is_shared else each)
    if _read_now(cursor) != _wanted(base, good):
        write_views(cursor, base, good)
    return tuple(problems)


def is_elsewhere(cursor: duckdb.DuckDBPyConnection, folder: Path) -> bool:
    """Return whether `follow` has something to do: files were moved here, or have to be taken over."""
    listed = _listed(cursor)
    base = _base(cursor, folder)
    here = [each for each in listed if (base / each.file).exists()]
    return bool(here) and _read_now(cursor) != _wanted(base, here)


def missing(cursor: duckdb.DuckDBPyConnection, folder: Path) -> tuple[str, ...]:
    """Check each listed file; return why it cannot be read or is not ours, a text for each such file."""
    base, identity = _base(cursor, folder), identity_of(cursor)
    found = ((each, _problem(cursor, base, each, identity)) for each in _listed(cursor))
    return tuple(f"{each.file} of {each.day}: {problem}" for each, problem in found if problem)


def list_file(cursor: duckdb.DuckDBPyConnection, base: Path, files: Iterable[Listed]) -> None:
    """List new files of the archive, and let the views read them as well."""
    new = tuple(files)
    for each in new:
        cursor.execute("insert into archived values (?, ?, ?)", [each.file, each.day, each.rows])
    read_now = _read_now(cursor)
    good = [each for each in _listed(cursor) if each in new or _path(base, each) in read_now]
    write_views(cursor, base, good)


def write_views(cursor: duckdb.DuckDBPyConnection, base: Path, files: Iterable[Listed]) -> None:
    """Let `all_ticks` and `all_books` read these files besides the tables."""
    of_table: dict[str, list[str]] = {table: [] for table in TABLES}
    for each in files:
        of_table[each.table].append(quoted(_path(base, each)))
    for table, paths in of_table.items():
        archived = f" union all by name select * from read_parquet([{', '.join(paths)}], {READ_OPTIONS})"  # noqa: S608  our own names
        cursor.execute(f"create or replace view all_{table} as select * from {table}{archived if paths else ''}")  # noqa: S608  our own text


def make_durable(file: Path) -> None:
    """Force a file that DuckDB wrote, and its name, to the disk: what it holds is about to be deleted elsewhere."""
    descriptor = os.open(file, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    sync_folder(file.parent)


def _listed(cursor: duckdb.DuckDBPyConnection) -> list[Listed]:
    rows = cursor.execute("select file, day, rows from market.archived order by file").fetchall()
    return [Listed(file=file, day=str(day), rows=count) for file, day, count in rows]


def _read_now(cursor: duckdb.DuckDBPyConnection) -> frozenset[str]:
    """List the patterns that the views read."""
    views = cursor.execute(
        "select sql from duckdb_views() where database_name = 'market' and sql like '%read_parquet(%'"
    ).fetchall()
    return frozenset(path.replace("''", "'") for (sql,) in views for path in _PATHS.findall(sql))


def _wanted(base: Path, files: Iterable[Listed]) -> frozenset[str]:
    return frozenset(_path(base, each) for each in files)


def _path(base: Path, each: Listed) -> str:
    return pattern(str(base / each.file))


def _base(cursor: duckdb.DuckDBPyConnection, folder: Path) -> Path:
    """Return the folder in which the listed files are now: `folder`, if they were in a folder of its kind before."""
    for path in sorted(_read_now(cursor)):
        before = Path(unescaped(path)).parent
        if _IDENTITY.fullmatch(before.name):
            before = before.parent
        return folder if before.name == NAME else before
    return folder


def _problem(cursor: duckdb.DuckDBPyConnection, base: Path, each: Listed, identity: str) -> str:
    """Return why a file is not readable as one of ours; empty if it is."""
    path = base / each.file
    if not path.exists():
        return "it is not there"
    file = quoted(pattern(str(path)))
    try:
        ((rows,),) = cursor.execute(f"select num_rows from parquet_file_metadata({file})").fetchall()  # noqa: S608  a quoted path
        owners = cursor.execute(
            f"select decode(value) from parquet_kv_metadata({file}) where decode(key) = ?",  # noqa: S608  a quoted path
            [OWNER],
        ).fetchall()
        if any(owner != identity for (owner,) in owners):
            return f"it is of the database {owners[0][0]}, and this is {identity}"
        if rows != each.rows:
            return f"it has {rows} rows, {each.rows} wanted"
        if each.is_shared and not _is_proved(cursor, base, each):
            return "another database wrote over it, with a version that let several share a folder"
    except duckdb.Error as fault:
        return str(fault)
    return ""


def _is_proved(cursor: duckdb.DuckDBPyConnection, base: Path, each: Listed) -> bool:
    """Return whether this database wrote a shared file: all its rows are of that day, recorded, and only there."""
    begin = start_ns(each.day)
    file = f"read_parquet({quoted(_path(base, each))}, {READ_OPTIONS})"
    ((foreign,),) = cursor.execute(
        f"select count(*) from {file} as file left join market.recorded on file.source = recorded.source "  # noqa: S608  our names
        f"where exchange_ns < {begin} or exchange_ns >= {begin + DAY_NS} "
        "or recorded.sequence is null or file.sequence > recorded.sequence"
    ).fetchall()
    ((doubles,),) = cursor.execute(
        f"select count(*) from {file} as file semi join market.{each.table} as t "  # noqa: S608  our names
        "on file.source = t.source and file.sequence = t.sequence"
    ).fetchall()
    return not foreign and not doubles


def _taken_over(cursor: duckdb.DuckDBPyConnection, base: Path, each: Listed, identity: str) -> Listed:
    """Link a file that is ours into this database's own folder; the old name stays, too."""
    with contextlib.suppress(OSError):  # a file system without room or links: it is read from where it is
        own = own_folder(base, identity)
        for target in names_of(cursor, own, each.table, each.day):
            with contextlib.suppress(FileExistsError):
                _link(base / each.file, target)
                sync_folder(own)
                listed = msgspec.structs.replace(each, file=f"{identity}/{target.name}")
                cursor.execute("update archived set file = ? where file = ?", [listed.file, each.file])
                return listed
    return each


def _link(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except FileExistsError:
        raise
    except OSError:
        copy_new(source, target)
