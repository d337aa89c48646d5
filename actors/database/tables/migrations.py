"""Schema changes: numbered SQL files, each applied once, in order, in one transaction with its entry in the ledger."""

from __future__ import annotations

import hashlib
from importlib import resources
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

import msgspec

from ..errors import DatabaseTooNew
from .projecting import project_anew

if TYPE_CHECKING:
    from collections.abc import Callable

    import duckdb

DatabaseFile: TypeAlias = Literal["core", "market"]
"""The two files, by the names under which they are attached."""

WORK: Final[dict[tuple[DatabaseFile, int], Callable[[duckdb.DuckDBPyConnection], None]]] = {("core", 4): project_anew}
"""What a step does after its SQL, in the same transaction."""

FILES: tuple[DatabaseFile, ...] = ("core", "market")

_LEDGER = (
    "create table if not exists migrations (number integer primary key, name varchar not null, sha256 varchar not null)"
)


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


def migrations(file: DatabaseFile) -> tuple[Migration, ...]:
    """Read the steps that this code knows for a file, in order."""
    folder = resources.files(__package__) / "migrations"
    found = []
    for entry in folder.iterdir():
        prefix, _, rest = entry.name.removesuffix(".sql").partition("_")
        if prefix == file:
            number, _, name = rest.partition("_")
            sql, work = entry.read_text(encoding="utf-8"), WORK.get((file, int(number)))
            found.append(Migration(number=int(number), name=name, sql=sql, work=work))
    return tuple(sorted(found, key=lambda step: step.number))


def migrate(cursor: duckdb.DuckDBPyConnection, steps: tuple[Migration, ...]) -> int:
    """Bring the file that is first on the cursor's search path up to date; return how many steps that took.

    Raises:
        DatabaseTooNew: the file has a step that this code does not know, or knows with another text.
    """
    cursor.execute(_LEDGER)
    applied = cursor.execute("select number, name, sha256 from migrations order by number").fetchall()
    known = {step.number: step for step in steps}
    for number, name, sha256 in applied:
        step = known.get(number)
        if step is None:
            raise DatabaseTooNew(f"the file has migration {number} ({name}), this code knows {len(steps)}")
        if step.sha256 != sha256:
            raise DatabaseTooNew(f"migration {number} was applied as {name} ({sha256}), this code has {step.sha256}")
    pending = steps[len(applied) :]
    for step in pending:
        _apply(cursor, step)
    return len(pending)


def _apply(cursor: duckdb.DuckDBPyConnection, step: Migration) -> None:
    cursor.begin()
    try:
        cursor.execute(step.sql)
        if step.work is not None:
            step.work(cursor)
        cursor.execute("insert into migrations values (?, ?, ?)", [step.number, step.name, step.sha256])
    except BaseException:
        cursor.rollback()
        raise
    cursor.commit()
