"""`BaseRepository`: one kind of message, kept in one table."""

from __future__ import annotations

import contextlib
from abc import ABC, abstractmethod
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Generic, TypeVar

from . import sharing
from .adapter import DuckDBAdapter
from .errors import DatabaseError, QueryRefused
from .results import Answer, RepositoryResult
from .stores import SystemStore

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from types import TracebackType
    from typing import Self

    from ...messages.database import SqlValue
    from .stores import Store, System, Table

Entity = TypeVar("Entity")
T = TypeVar("T")

THREADS = 4
"""Calls of one repository that run at the same time; further ones wait."""


class BaseRepository(ABC, Generic[Entity]):
    """Finds and keeps messages of one kind; each method returns an `Answer`, to be awaited or simply read.

    Args:
        path_or_system: a DuckDB file, open until `close` and shared by all repositories of this process that name it;
            `:memory:`; an open `DuckDBAdapter`; a running system; or nothing, for the file that the settings name
            (`DATABASE_PATH`).

    Raises:
        DatabaseError: the file cannot be opened; see `DuckDBAdapter`.
        SettingsError: the settings are wrong, which say how a file is opened (`DATABASE_MAX_CONNECTIONS`).
    """

    table: ClassVar[str]
    key: ClassVar[tuple[str, ...]]
    """The columns that identify one row."""

    order: ClassVar[tuple[str, ...]]
    """The columns by which results are sorted."""

    selection: ClassVar[str] = "*"
    source: ClassVar[str | None] = None
    """The view to read from; None for the table itself."""

    columns: ClassVar[frozenset[str]]
    """The columns that `find` and `count` may name: identifiers cannot be bound, so they come from here alone."""

    def __init__(self, path_or_system: str | Path | DuckDBAdapter | System | None = None) -> None:
        self._closing = contextlib.ExitStack()
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix=f"repository-{self.table}")
        self._store = self._closing.enter_context(_store_of(path_or_system))
        self._closing.callback(self._threads.shutdown)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Finish what was asked, and close the file if it is our own."""
        self._closing.close()

    @abstractmethod
    def _entities(self, table: Table) -> tuple[Entity, ...]:
        """Build the messages from the columns of the table."""

    def _save(self, entities: Sequence[Entity]) -> int:
        """Write the messages, all or none; return how many rows were written."""
        raise QueryRefused(f"{self.table} is projected from the journal and written by nobody else: {len(entities)}")

    def _delete(self, sql: str, parameters: Sequence[SqlValue]) -> int:
        """Delete rows; return how many."""
        raise QueryRefused(f"{self.table} is projected from the journal and deleted by nobody: {sql} {parameters}")

    def get(self, *key: SqlValue) -> Answer[Entity]:
        """Find the one with this key; None when there is none."""

        def work() -> Entity | None:
            found = self._find(self._by_key(key))
            return found[0] if found else None

        return self._answer(work)

    def find(self, **criteria: SqlValue) -> Answer[tuple[Entity, ...]]:
        """Find all whose columns have these values; without criteria all there are."""
        return self._answer(lambda: self._find(criteria))

    def count(self, **criteria: SqlValue) -> Answer[int]:
        """Count those whose columns have these values."""

        def work() -> int:
            where, parameters = self._where(criteria)
            rows = self._store.query(f"select count(*) as rows from {self.source or self.table}{where}", parameters)  # noqa: S608  our names
            return int(rows["rows"][0])

        return self._answer(work)

    def save(self, entity: Entity) -> Answer[int]:
        """Keep one; the answer counts the rows that were written, 0 for one that is there already."""
        return self.save_many((entity,))

    def save_many(self, entities: Sequence[Entity]) -> Answer[int]:
        """Keep several, all or none."""
        return self._answer(lambda: self._save(entities))

    def delete(self, *key: SqlValue) -> Answer[int]:
        """Delete the one with this key; the answer counts 0 or 1."""

        def work() -> int:
            where, parameters = self._where(self._by_key(key))
            return self._delete(f"delete from {self.table}{where}", parameters)  # noqa: S608  our names

        return self._answer(work)

    @contextlib.contextmanager
    def transaction(self) -> Iterator[list[Entity]]:
        """Gather messages in the list of the block and save them together at its end; none if it raises.

        Raises:
            DatabaseError: they could not be saved; none was.
        """
        gathered: list[Entity] = []
        yield gathered
        self._save(gathered)

    def _answer(self, work: Callable[[], T | None]) -> Answer[T]:
        return Answer(self._threads.submit(_result, work))

    def _find(self, criteria: dict[str, SqlValue]) -> tuple[Entity, ...]:
        where, parameters = self._where(criteria)
        sql = f"select {self.selection} from {self.source or self.table}{where} order by {', '.join(self.order)}"  # noqa: S608  our names
        return self._entities(self._store.query(sql, parameters))

    def _by_key(self, key: tuple[SqlValue, ...]) -> dict[str, SqlValue]:
        if len(key) != len(self.key):
            raise QueryRefused(f"a key of {self.table} is {', '.join(self.key)}; found {key}")
        return dict(zip(self.key, key, strict=True))

    def _where(self, criteria: dict[str, SqlValue]) -> tuple[str, list[SqlValue]]:
        unknown = criteria.keys() - self.columns
        if unknown:
            raise QueryRefused(f"{self.table} has the columns {sorted(self.columns)}, found {sorted(unknown)}")
        # `is not distinct from` is equality that takes NULL for a value.
        terms = " and ".join(f"{name} is not distinct from ?" for name in criteria)
        return (f" where {terms}" if terms else ""), list(criteria.values())


def _result(work: Callable[[], T | None]) -> RepositoryResult[T]:
    try:
        return RepositoryResult(success=True, data=work())
    except (DatabaseError, ValueError) as failure:
        return RepositoryResult(success=False, error=f"{type(failure).__name__}: {failure}")


@contextlib.contextmanager
def _store_of(path_or_system: str | Path | DuckDBAdapter | System | None) -> Iterator[Store]:
    if path_or_system is not None and not isinstance(path_or_system, str | Path | DuckDBAdapter):
        yield SystemStore(path_or_system)
        return
    store = sharing.take(path_or_system)
    try:
        yield store
    finally:
        sharing.release(store.database)
