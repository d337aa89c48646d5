"""`BaseRepository`: one kind of message, kept in one table.

class Note(msgspec.Struct, frozen=True):
    number: int
    text: str


class NoteRepository(natya.BaseRepository[Note]):
    entity = Note
    table = "notes"
    key = ("number",)
    schema = "create table if not exists notes (number bigint primary key, text varchar not null)"
"""

from __future__ import annotations

import contextlib
import functools
import os
import re
import threading
import types
from abc import ABC
from concurrent.futures import Future, ThreadPoolExecutor, wait
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar, Union, cast, get_args, get_origin

import msgspec

from ..engine.adapter import DuckDBAdapter
from ..errors import DatabaseClosed, QueryRefused
from ..results.answers import Answer
from ..results.frames import column_of, rows_of
from . import sharing
from .stores import SystemStore

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Sequence
    from types import TracebackType
    from typing import Self

    from ....messages.database import SqlValue
    from ..tables.columns import Columns
    from ..tables.migrations import DatabaseFile
    from .stores import Store, System

Entity = TypeVar("Entity", bound=msgspec.Struct)
T = TypeVar("T")

THREADS = 4
"""Calls of one repository that run at the same time; further ones wait."""

_IDENTIFIER = re.compile(r"[A-Za-z_]\w*")
_PLAIN_TYPES = frozenset({int, float, str, bool, types.NoneType})


class BaseRepository(ABC, Generic[Entity]):
    """Finds and keeps messages of one kind; each method returns an `Answer`, to be awaited or simply read.

    Writes happen in the order they are asked for, waited for or not, and whatever is read after them has seen them.

    A subclass names the message, its table and its key; the fields of the message are the columns of the table. Fields
    of other types than numbers, texts and truths (`Decimal`, `date`, …) travel as text, exactly.

    Args:
        path_or_system: a DuckDB file, open until `close` and shared by all repositories of this process that name it;
            `:memory:`; an open `DuckDBAdapter`; a running system; or nothing, for the file that the settings name
            (`DATABASE_PATH`).
        create: makes the file, and its folder, where they are not there. Without it only the one of the settings is
            made: a mistyped name is refused.

    Raises:
        DatabaseMissing: there is no such file, and `create` was not said; nothing was made.
        DatabaseError: the file cannot be opened; see `DuckDBAdapter`.
        SettingsError: the settings are wrong, which say how a file is opened (`DATABASE_MAX_CONNECTIONS`).
        TypeError: the subclass leaves out a required name, or gives one that is no identifier.
    """

    entity: ClassVar[type[msgspec.Struct]]
    """The message: a frozen `msgspec.Struct`."""

    table: ClassVar[str]
    key: ClassVar[tuple[str, ...]]
    """The columns that identify one row: the table's primary key."""

    order: ClassVar[tuple[str, ...]] = ()
    """The columns by which results are sorted; the key, if there are none."""

    source: ClassVar[str] = ""
    """The view to read from; empty for the table itself."""

    reads: ClassVar[tuple[str, ...]] = ()
    """The tables that every answer depends on, all of them: a running system caches answers until one of them is
    written to. Empty where that is not certain: then nothing is cached."""

    schema: ClassVar[str] = ""
    """One statement that makes the table where it is not there yet; empty for a table of our own migrations."""

    file: ClassVar[DatabaseFile] = "market"
    """The file that it lies in. The core file can be dropped and rebuilt from the journal: not for your tables."""

    searchable: ClassVar[frozenset[str]] = frozenset()
    """The columns that `find` and `count` may name: identifiers cannot be bound, so they come from here alone. Empty
    for the fields of the message."""

    def __init__(
        self, path_or_system: str | Path | DuckDBAdapter | System | None = None, *, create: bool = False
    ) -> None:
        _check(type(self))
        self._closing = contextlib.ExitStack()
        with contextlib.ExitStack() as opened:
            # Never left to the garbage collector: it would close a database on any thread, at any moment.
            if path_or_system is None or isinstance(path_or_system, str | Path | DuckDBAdapter):
                store = sharing.take(path_or_system, create=create)
                opened.callback(sharing.release, store.database)
                self._store: Store = store
            else:
                self._store = SystemStore(path_or_system)
            if self.schema:
                self._store.define(self.file, self.schema)
            self._pid = os.getpid()
            self._guard = threading.Lock()
            self._last_write: Future[Any] | None = None
            self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix=f"repository-{self.table}")
            opened.callback(self._threads.shutdown)
            self._closing.push(opened.pop_all())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Finish pending calls, and close the file if no other repository of this process uses it."""
        self._closing.close()

    def get(self, *key: SqlValue) -> Answer[Entity]:
        """Find the one with this key; None when there is none."""
        return self._select_one(lambda: self._read(self._by_key(key)))

    def find(self, **criteria: SqlValue) -> Answer[tuple[Entity, ...]]:
        """Find all whose columns have these values; without criteria all there are."""
        return self._select(lambda: self._read(criteria), self._entities)

    def count(self, **criteria: SqlValue) -> Answer[int]:
        """Count those whose columns have these values."""

        def work() -> int:
            where, parameters = self._where(criteria)
            rows = self._query(f"select count(*) as rows from {self.source or self.table}{where}", parameters)  # noqa: S608  our names
            return int(rows["rows"][0])

        return self._answer(work)

    def save(self, entity: Entity) -> Answer[int]:
        """Keep one, over an earlier one of the same key; the answer counts the rows that were written."""
        return self.save_many((entity,))

    def save_many(self, entities: Sequence[Entity]) -> Answer[int]:
        """Keep several, all or none; of one key the last counts."""
        gathered = tuple(entities)
        return self._answer(lambda: self._save(gathered), writes=True)

    def delete(self, *key: SqlValue) -> Answer[int]:
        """Delete the one with this key; the answer counts 0 or 1."""
        return self._answer(lambda: self._delete(*self._where(self._by_key(key))), writes=True)

    def transaction(self) -> Transaction[Entity]:
        """Gather messages in the list of a block, `with` or `async with`, and save them together at its end.

        None is saved if the block raises. At its end it raises `DatabaseError` if they could not be saved; none was.
        """
        return Transaction(lambda entities: self._begin(lambda: self._save(entities), writes=True))

    # What a subclass may do in its own way.

    def _entities(self, columns: Columns) -> tuple[Entity, ...]:
        """Build the messages from what was read."""
        return messages_of(columns, cast("type[Entity]", self.entity))

    def _save(self, entities: tuple[Entity, ...]) -> int:
        """Write the messages, all or none; return how many rows were written.

        Raises:
            Unstorable: one of them fits into no row.
        """
        by_key = {tuple(getattr(entity, name) for name in self.key): entity for entity in entities}
        if not by_key:
            return 0
        plain, _ = _fields(self.entity)
        columns = {
            name: column_of([value if name in plain else _text(value) for value in values])
            for name, values in zip(
                self.entity.__struct_fields__,
                zip(*map(msgspec.structs.astuple, by_key.values()), strict=True),
                strict=True,
            )
        }
        sql = f"insert or replace into {self.table} by name select * from batch"  # noqa: S608  our names
        return self._store.insert(self.file, sql, columns)

    def _delete(self, where: str, parameters: Sequence[SqlValue]) -> int:
        """Delete rows; return how many."""
        return self._store.delete(self.file, (self.table,), where, parameters)

    def _select(self, work: Callable[[], Columns], build: Callable[[Columns], T | None]) -> Answer[T]:
        """Begin to read columns; messages are built from them only on demand."""
        return Answer(self._begin(work), build)

    def _select_one(self, work: Callable[[], Columns]) -> Answer[Entity]:
        return self._select(work, lambda columns: next(iter(self._entities(columns)), None))

    def _answer(self, work: Callable[[], T], *, writes: bool = False) -> Answer[T]:
        return Answer(self._begin(work, writes=writes))

    def _begin(self, work: Callable[[], T], *, writes: bool = False) -> Future[T]:
        """Begin what comes after every write that was asked for before it: writes keep their order, reads see them."""
        if os.getpid() != self._pid:
            refused: Future[T] = Future()
            reason = f"the repository belongs to process {self._pid}: a fork of it has none of its threads"
            refused.set_exception(DatabaseClosed(reason))
            return refused
        with self._guard:
            begun = self._threads.submit(_after, self._last_write, work)
            if writes:
                self._last_write = begun
        return begun

    def _read(self, criteria: dict[str, SqlValue]) -> Columns:
        where, parameters = self._where(criteria)
        order = ", ".join(self.order or self.key)
        sql = f"select {self._selection()} from {self.source or self.table}{where} order by {order}"  # noqa: S608  our names
        return self._query(sql, parameters)

    def _query(self, sql: str, parameters: Sequence[SqlValue] = ()) -> Columns:
        return self._store.query(sql, parameters, self.reads)

    def _selection(self) -> str:
        plain, others = _fields(self.entity)
        return ", ".join([*plain, *(f"{name}::varchar as {name}" for name in others)])

    def _by_key(self, key: tuple[SqlValue, ...]) -> dict[str, SqlValue]:
        if len(key) != len(self.key):
            raise QueryRefused(f"a key of {self.table} is {', '.join(self.key)}; found {key}")
        return dict(zip(self.key, key, strict=True))

    def _where(self, criteria: dict[str, SqlValue]) -> tuple[str, list[SqlValue]]:
        known = self.searchable or frozenset(self.entity.__struct_fields__)
        unknown = criteria.keys() - known
        if unknown:
            raise QueryRefused(f"{self.table} has the columns {sorted(known)}, found {sorted(unknown)}")
        # `is not distinct from` is equality that takes NULL for a value.
        terms = " and ".join(f"{name} is not distinct from ?" for name in criteria)
        return (f" where {terms}" if terms else ""), list(criteria.values())


class Transaction(Generic[Entity]):
    """A list of messages that are saved together; see `BaseRepository.transaction`."""

    def __init__(self, save: Callable[[tuple[Entity, ...]], Future[int]]) -> None:
        self._save = save
        self._gathered: list[Entity] = []

    def __enter__(self) -> list[Entity]:
        return self._gathered

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self._save(tuple(self._gathered)).result()

    async def __aenter__(self) -> list[Entity]:
        return self._gathered

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        import asyncio  # noqa: PLC0415  20 ms that only who awaits has to pay

        if kind is None:
            # Once begun it goes on, even if its caller is cancelled: all of it is saved, or nothing.
            await asyncio.shield(asyncio.wrap_future(self._save(tuple(self._gathered))))


def _after(before: Future[Any] | None, work: Callable[[], T]) -> T:
    if before is not None:
        wait((before,))
    return work()


def messages_of(columns: Columns, message_type: type[T]) -> tuple[T, ...]:
    """Build a message of each row.

    Raises:
        msgspec.ValidationError: a value is not of its field's type.
    """
    rows = [dict(zip(columns, row, strict=True)) for row in rows_of(columns)]
    return msgspec.convert(rows, tuple[message_type, ...])  # type: ignore[valid-type]  # a type at run time


@functools.cache
def _fields(entity: Hashable) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the fields that are stored as they are, and those that are stored as text."""
    fields = msgspec.structs.fields(cast("type[msgspec.Struct]", entity))
    plain = {field.name: _is_plain(field.type) for field in fields}
    return tuple(name for name in plain if plain[name]), tuple(name for name in plain if not plain[name])


def _is_plain(annotation: Any) -> bool:
    origin = get_origin(annotation)
    if origin in {Union, types.UnionType}:
        return all(map(_is_plain, get_args(annotation)))
    if hasattr(annotation, "__metadata__"):  # Annotated
        return _is_plain(annotation.__origin__)
    return annotation in _PLAIN_TYPES or str(origin).endswith("Literal")


def _text(value: Any) -> str | None:
    return None if value is None else str(msgspec.to_builtins(value))


def _check(repository: type[BaseRepository[Any]]) -> None:
    """Check that a subclass has all names, each an identifier: they are put into SQL unquoted."""
    missing = [name for name in ("entity", "table", "key") if not hasattr(repository, name)]
    if missing:
        raise TypeError(f"{repository.__name__} is abstract: it does not name {', '.join(missing)}")
    names = (repository.table, *repository.key, *repository.order)
    wrong = [name for name in names if not _IDENTIFIER.fullmatch(name)]
    if wrong:
        raise TypeError(f"{repository.__name__} must name tables and columns, found {wrong[0]!r}")
