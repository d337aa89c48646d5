"""Schema changes: numbered SQL files, each applied once, in order, in one transaction with its entry in the ledger.

A new file gets at once what all of them together leave behind (`schema/<file>.sql`), and is entered as if each had been
applied: two thirds of the time, and one commit a file instead of five.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import itertools
from importlib import resources
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

import duckdb
import msgspec

from ..errors import DatabaseForeign, DatabaseTooNew
from .projecting import project_emptied

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

DatabaseFile: TypeAlias = Literal["core", "market"]
"""The two files, by the names under which they are attached."""

WORK: Final[dict[tuple[DatabaseFile, int], Callable[[duckdb.DuckDBPyConnection], None]]] = {
    ("core", 8): project_emptied
}
"""What a step does after its SQL, in the same transaction. Orders are projected by the newest step that changes their
columns, since they are written into all of them."""

FILES: tuple[DatabaseFile, ...] = ("core", "market")

_LEDGER = (
    "create table if not exists migrations (number integer primary key, name varchar not null, sha256 varchar not null)"
)
_FOUND = """
select table_name from duckdb_tables() where database_name = ?
union all select view_name from duckdb_views() where database_name = ? and not internal
order by all limit 5
"""
_ENTRY = "insert into migrations values (?, ?, ?)"


class Migration(msgspec.Struct, frozen=True, kw_only=True):
    """One step: `<file>_<number>_<name>.sql` of the package's `migrations` folder."""

    number: int
    """From 1, without gaps."""

    name: str
    sql: str
    work: Callable[[duckdb.DuckDBPyConnection], None] | None = None

    @property
    def sha256(self) -> str:
        """Fingerprint of the text: a step that was applied anywhere must never change again."""
        return hashlib.sha256(self.sql.encode()).hexdigest()


@functools.cache
def migrations(file: DatabaseFile) -> tuple[Migration, ...]:
    """Read the migrations of a file, in order."""
    folder = resources.files(__package__) / "migrations"
    found = []
    for entry in folder.iterdir():
        prefix, _, rest = entry.name.removesuffix(".sql").partition("_")
        if prefix == file:
            number, _, name = rest.partition("_")
            sql, work = entry.read_text(encoding="utf-8"), WORK.get((file, int(number)))
            found.append(Migration(number=int(number), name=name, sql=sql, work=work))
    return tuple(sorted(found, key=lambda step: step.number))


@functools.cache
def schema(file: DatabaseFile) -> str:
    """Read the SQL of the schema that all migrations of a file together result in."""
    return (resources.files(__package__) / "schema" / f"{file}.sql").read_text(encoding="utf-8")


def bring_up_to_date(cursor: duckdb.DuckDBPyConnection, file: DatabaseFile) -> None:
    """Make the tables of a new file, or apply the steps that one lacks; it is first on the cursor's search path.

    Raises:
        DatabaseTooNew: as `migrate`.
        DatabaseForeign: the file has tables or views, and none of them is our ledger, which comes before all others.
    """
    steps = migrations(file)
    try:
        applied = cursor.execute(f"select number, name, sha256 from {file}.migrations order by number").fetchall()  # noqa: S608  our names
    except (duckdb.CatalogException, duckdb.BinderException):
        found = [name for (name,) in cursor.execute(_FOUND, [file, file]).fetchall()]
        if found:
            raise DatabaseForeign(f"a database of natya wanted, found one with {', '.join(found)}") from None
        with _transaction(cursor):
            cursor.execute(_LEDGER)
            cursor.execute(schema(file))
            cursor.execute(f"{_ENTRY}{', (?, ?, ?)' * (len(steps) - 1)}", list(itertools.chain(*map(_entry, steps))))
    else:
        for step in _pending(applied, steps):
            _apply(cursor, step)


def migrate(cursor: duckdb.DuckDBPyConnection, steps: tuple[Migration, ...]) -> int:
    """Apply those steps that the file lacks which is first on the cursor's search path; return how many those are.

    Raises:
        DatabaseTooNew: the file has a step that this code does not know, or knows with another text.
    """
    cursor.execute(_LEDGER)
    pending = _pending(cursor.execute("select number, name, sha256 from migrations order by number").fetchall(), steps)
    for step in pending:
        _apply(cursor, step)
    return len(pending)


def _pending(applied: Sequence[tuple[int, str, str]], steps: tuple[Migration, ...]) -> tuple[Migration, ...]:
    known = {step.number: step for step in steps}
    for number, name, sha256 in applied:
        step = known.get(number)
        if step is None:
            raise DatabaseTooNew(f"the file has migration {number} ({name}), this code knows {len(steps)}")
        if step.sha256 != sha256:
            raise DatabaseTooNew(f"migration {number} was applied as {name} ({sha256}), this code has {step.sha256}")
    return steps[len(applied) :]


def _apply(cursor: duckdb.DuckDBPyConnection, step: Migration) -> None:
    with _transaction(cursor):
        cursor.execute(step.sql)
        if step.work is not None:
            step.work(cursor)
        cursor.execute(_ENTRY, _entry(step))


def _entry(step: Migration) -> list[int | str]:
    return [step.number, step.name, step.sha256]


@contextlib.contextmanager
def _transaction(cursor: duckdb.DuckDBPyConnection) -> Iterator[None]:
    cursor.begin()
    try:
        yield
    except BaseException:
        cursor.rollback()
        raise
    cursor.commit()
