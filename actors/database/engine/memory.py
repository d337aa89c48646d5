"""Measures what queries use of the memory, to interrupt one that uses too much of it.

DuckDB's own limit is that of the whole instance: a query that fills it leaves nothing to the writers, and a commit that
finds no 512 bytes, not even to be rolled back, makes DuckDB invalidate the instance for everyone. Sorts, joins and hash
tables give way, their blocks are moved to disk; the states of aggregates (`list`, `string_agg`, `median`) and large
tops do not. So the former have half of the limit (`operator_memory_limit`), and a query is interrupted when the latter
have grown by the other half; commits wait until it has ended.

The limit does not cover the results of functions for a batch of rows, the states of some aggregates, and fetched rows
at all. So the whole process's memory is watched, too. Both by the thread that waits for the query.
"""

from __future__ import annotations

import contextlib
import functools
import math
import os
import threading
import time
from typing import TYPE_CHECKING, Final

import duckdb

if TYPE_CHECKING:
    from collections.abc import Iterator

GROWTH_MARGIN_BYTES: Final = 128 * 2**20
"""How much the process may grow while a query runs, beyond DuckDB's own limit. It is interrupted then; the batch of
rows that it works on is another 64 MiB at most (see `bounds.py`)."""

LOOK_EVERY_S: Final = 0.01
SETTLE_LOOKS_MAX: Final = 50
"""Looks after which a commit is tried all the same: what holds the memory is no query that can be interrupted."""

_HELD: Final = "select memory_usage_bytes from duckdb_memory() where tag = 'ALLOCATOR'"
"""Memory that DuckDB can neither move to disk nor drop. Sorts and hash tables hold at most 3/8 of the limit of it."""

_PAGE_BYTES: Final = os.sysconf("SC_PAGE_SIZE")
_RESIDENT: Final = 1
"""The place of the number in `statm`."""


def resident_bytes() -> int:
    """Return this process's resident memory in bytes; 0 where the system does not report it."""
    descriptor = _statm()
    return int(os.pread(descriptor, 128, 0).split()[_RESIDENT]) * _PAGE_BYTES if descriptor >= 0 else 0


class QueryMemory:
    """What queries may use, all together.

    Args:
        cursor: used by this object alone.
        limit_bytes: of the engine.
        margin_bytes: what the process may grow by beyond that while a query runs.
    """

    def __init__(self, cursor: duckdb.DuckDBPyConnection, *, limit_bytes: int, margin_bytes: int) -> None:
        self.growth_max_bytes = limit_bytes + margin_bytes
        self.held_max_bytes = limit_bytes // 2
        self.limit_bytes = limit_bytes
        self.long: set[Growth] = set()
        """Queries that have run long enough to be looked at."""

        self._cursor = cursor
        (self._statement,) = cursor.extract_statements(_HELD)
        self._guard = threading.Lock()
        self._held_bytes = 0
        self._looked_s = -math.inf
        self._ended = threading.Condition()
        """Notified when a query has."""

    @contextlib.contextmanager
    def watched(self) -> Iterator[Growth]:
        """Measure what a query uses that runs in the block."""
        growth = Growth(self)
        try:
            yield growth
        finally:
            with self._ended:
                self.long.discard(growth)
                self._ended.notify_all()

    def held_bytes(self, *, age_max_s: float = LOOK_EVERY_S) -> int:
        """Return what DuckDB holds and can neither move to disk nor drop; the limit, if it has no memory to say so."""
        with self._guard:
            if time.monotonic() - self._looked_s > age_max_s:
                self._held_bytes = self._look()
                self._looked_s = time.monotonic()
            return self._held_bytes

    def settle(self) -> None:
        """Wait until queries hold no more than they may: the one that holds most is being interrupted then."""
        with self._ended:
            for _ in range(SETTLE_LOOKS_MAX):
                if not self.long or self.held_bytes(age_max_s=0) <= self.held_max_bytes:
                    return
                self._ended.wait(LOOK_EVERY_S)

    def close(self) -> None:
        """Close the cursor."""
        with self._guard:
            self._cursor.close()

    def _look(self) -> int:
        try:
            ((held_bytes,),) = self._cursor.execute(self._statement).fetchall()
        except duckdb.OutOfMemoryException:
            return self.limit_bytes
        except duckdb.Error:  # invalidated, or closed: the query itself will say so
            return 0
        return int(held_bytes)


class Growth:
    """By how much a query, and those that began after it, have made the memory grow."""

    def __init__(self, memory: QueryMemory) -> None:
        self._memory = memory
        self._resident_bytes = resident_bytes()
        self._least_held_bytes = memory.limit_bytes

    def excess(self) -> str:
        """Return why the query has to be interrupted; empty if it may run on."""
        memory = self._memory
        if resident_bytes() > self._resident_bytes + memory.growth_max_bytes:
            return f"the process had grown by {memory.growth_max_bytes:,} bytes"
        memory.long.add(self)  # measured only now: most queries end before they are looked at
        held_bytes = memory.held_bytes()
        self._least_held_bytes = min(self._least_held_bytes, held_bytes)
        grown_bytes = held_bytes - self._least_held_bytes
        if grown_bytes > memory.held_max_bytes:
            return (
                "its memory that cannot be moved to disk (lists, joined texts, medians, large tops) had grown by "
                f"{grown_bytes:,} bytes, {memory.held_max_bytes:,} allowed"
            )
        return ""


@functools.cache
def _statm() -> int:
    """Open it once: 2 instead of 16 microseconds each time."""
    try:
        return os.open("/proc/self/statm", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return -1
