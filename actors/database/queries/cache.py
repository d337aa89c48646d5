"""The query cache: answers to the repositories' own SQL are kept until a table they depend on is written to.

The tables are not derived from the SQL: the caller names them; each repository class knows its own.

Never stale. Every write counts: before it begins, the tables it may touch are marked as busy; when it has ended, they
get the next number of a counter. An answer carries the number that was current before its transaction began, and is
good while none of its tables is busy, or has a higher number.
"""

from __future__ import annotations

import contextlib
import sys
import threading
from collections import Counter, OrderedDict
from typing import TYPE_CHECKING, TypeAlias

import msgspec

from ..tables.migrations import FILES, DatabaseFile

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ....messages.database import Rows, SqlValue

Table: TypeAlias = tuple[DatabaseFile, str]
"""A table of one of the two files; an empty name stands for all that the file holds."""

Key: TypeAlias = tuple[str, bytes, tuple[str, ...]]
"""Includes the tables: a caller that names wrong ones gets stale answers itself, but no other caller does."""

_PLAIN = frozenset({bool, int, float, str, type(None)})


class CacheStatistics(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Counters of the cache since it was opened."""

    hits: int
    misses: int
    """Misses: queries that may be cached and were not in the cache."""

    entries: int
    bytes: int


class Entry(msgspec.Struct, frozen=True):
    """One answer."""

    rows: Rows
    tables: tuple[Table, ...]
    began: int
    bytes: int


class QueryCache:
    """Keeps answers of `bytes_max` bytes at most, the least recently used go first. Any thread may call."""

    def __init__(self, bytes_max: int) -> None:
        self.is_on = bytes_max > 0
        """Whether the cache is in use."""

        self._bytes_max = bytes_max
        self._guard = threading.Lock()
        self._entries: OrderedDict[Key, Entry] = OrderedDict()
        self._bytes = self._hits = self._misses = 0
        self._now = 0
        self._written: dict[Table, int] = {}
        """The number of the last write, by table; bounded by the number of tables."""

        self._busy: Counter[Table] = Counter()

    def now(self) -> int:
        """Return the current number: to be asked for before the transaction of a reading begins."""
        return self._now

    def find(self, sql: str, parameters: Sequence[SqlValue], tables: tuple[str, ...]) -> Rows | None:
        """Return the answer to a reading of these tables if it is kept and still good."""
        key = _key(sql, parameters, tables)
        if key is None:
            return None
        with self._guard:
            entry = self._entries.get(key)
            if entry is None:
                return None
            if not self._is_good(entry):
                self._drop(key)
                return None
            self._entries.move_to_end(key)
            self._hits += 1
            return entry.rows

    def keep(
        self, sql: str, parameters: Sequence[SqlValue], rows: Rows, *, tables: tuple[str, ...], began: int
    ) -> None:
        """Keep the answer to a reading of these tables, and no others, that began no earlier than the number says.

        Where a table of the name is in both files, it is both.
        """
        key = _key(sql, parameters, tables)
        if key is None:
            return
        size = _size(rows, self._bytes_max)
        with self._guard:
            self._misses += 1
            if size > self._bytes_max:
                return
            if key in self._entries:
                self._drop(key)
            read = tuple((file, table) for file in FILES for table in ("", *tables))
            self._entries[key] = Entry(rows, read, began, size)
            self._bytes += size
            while self._bytes > self._bytes_max:
                self._drop(next(iter(self._entries)))

    @contextlib.contextmanager
    def writing(self, file: DatabaseFile, tables: frozenset[str] | None = None) -> Iterator[None]:
        """Surround a write from before its first statement until its end, whatever that is; None for any table."""
        touched = [(file, table) for table in (tables if tables is not None else ("",))]
        with self._guard:
            self._busy.update(touched)
        try:
            yield
        finally:
            with self._guard:
                self._now += 1
                self._busy.subtract(touched)
                self._written |= dict.fromkeys(touched, self._now)

    def statistics(self) -> CacheStatistics:
        """Return the counters."""
        return CacheStatistics(hits=self._hits, misses=self._misses, entries=len(self._entries), bytes=self._bytes)

    def _is_good(self, entry: Entry) -> bool:
        return not any(self._busy[table] or self._written.get(table, 0) > entry.began for table in entry.tables)

    def _drop(self, key: Key) -> None:
        self._bytes -= self._entries.pop(key).bytes


def _key(sql: str, parameters: Sequence[SqlValue], tables: tuple[str, ...]) -> Key | None:
    """Return the key, which keeps apart what SQL does: 1, 1.0 and true are equal in Python, and so are 0.0 and -0.0."""
    if any(type(value) not in _PLAIN for value in parameters):
        return None
    try:
        return sql, msgspec.msgpack.encode(tuple(parameters)), tables
    except (UnicodeEncodeError, OverflowError):
        return None


def _size(rows: Rows, bytes_max: int) -> int:
    """Return the bytes of the answer; counting stops beyond `bytes_max`."""
    size = sys.getsizeof(rows.rows)
    for row in rows.rows:
        size += sys.getsizeof(row) + sum(map(sys.getsizeof, row))
        if size > bytes_max:
            break
    return size
