"""The owner of two DuckDB files: the core file, and the market file beside it.

    with DuckDBAdapter("natya.duckdb") as database:
        database.execute("create table notes (text varchar)")
        with database.transaction() as transaction:
            transaction.execute("insert into notes values (?)", ["bought"])
        print(database.query("select * from notes").rows)

Both files are attached to one instance, as `core` and `market`, so a query may join them; a transaction writes to one
of them. Each has exactly one writing connection: several gain nothing (DuckDB has no group commit) and can conflict.
"""

from __future__ import annotations

import contextlib
import functools
import os
import re
from concurrent.futures import Executor, ThreadPoolExecutor
from pathlib import Path
from time import monotonic_ns as system_monotonic_ns
from typing import TYPE_CHECKING, TypeVar

import duckdb
import msgspec

from ...messages.database import Rows, SqlValue
from .connection import Connection, roll_back
from .errors import DatabaseClosed, DatabaseDamaged, DatabaseLocked, TransactionAborted
from .lock import FileLock
from .migrations import DatabaseFile, migrate, migrations
from .pool import Pool
from .statements import execute, one_select, one_statement

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from types import TracebackType
    from typing import Self

T = TypeVar("T")


class PoolStatistics(msgspec.Struct, frozen=True, kw_only=True):
    """How busy the pool is, now and since it was opened."""

    connections: int
    readers_busy: int
    waiters: int
    """Callers that wait for a connection."""

    longest_query: str
    """What has run for the longest, of all that runs now; empty if nothing does."""

    longest_s: float
    queries: int
    """Pieces of work that were done on any connection."""

    timeouts: int
    exhaustions: int
    """Callers that got no connection in time."""


MEMORY = ":memory:"
ROWS_MAX = 1_000_000
CONNECTIONS_MIN = 3
"""A writer for each file, and a reader."""

# Ticks with depth have 47 columns, and a checkpoint writes the newest row group anew. 1,000,000 of them in batches of
# 5,000: with DuckDB's 122,880 rows and 16 MB the checkpoints took 5.8 s, the longest 0.96 s; so, 1.1 s and 0.11 s.
_ROW_GROUP_ROWS = 30_720
_CHECKPOINT_MB = 32

_SEARCH_PATHS: dict[DatabaseFile, str] = {"core": "core,market", "market": "market,core"}


def thread_of_its_own(name: str) -> Executor:
    """Make the executor of one connection."""
    return ThreadPoolExecutor(max_workers=1, thread_name_prefix=f"duckdb-{name}")


class DuckDBAdapter:
    """A pool of connections, each with a thread of its own. Methods block their caller, and any thread may call them.

    Args:
        path: the core file; the market file is `<stem>-market<suffix>` beside it. `:memory:` for neither.
        max_connections: one writer for each file, the rest readers.
        memory_limit_mb: what DuckDB may hold; it spills to `<path>.tmp` beyond.
        threads: what it may use for one query.
        directories: where `copy` and `attach` may read and write; nowhere else.
        wait_s: how long a caller waits for a connection before `PoolExhausted`.
        executor_factory: makes the executor of a connection from its name.
        monotonic_ns: measures how long queries run.

    Raises:
        DatabaseLocked, DatabaseDamaged, DatabaseTooNew: see there; nothing is left open.
    """

    def __init__(  # noqa: PLR0913  they are the settings of a resource, all but one by keyword
        self,
        path: str | os.PathLike[str] = MEMORY,
        *,
        max_connections: int = 10,
        memory_limit_mb: int = 96,
        threads: int = 2,
        directories: Sequence[str] = (),
        wait_s: float = 5.0,
        executor_factory: Callable[[str], Executor] = thread_of_its_own,
        monotonic_ns: Callable[[], int] = system_monotonic_ns,
    ) -> None:
        if max_connections < CONNECTIONS_MIN:
            raise ValueError(f"max_connections must be at least {CONNECTIONS_MIN}, was {max_connections}")
        self.core_path = str(path)
        self.market_path = MEMORY
        with contextlib.ExitStack() as opened:
            if self.core_path != MEMORY:
                core = Path(path).absolute()
                self.core_path = str(core)
                self.market_path = str(core.with_name(f"{core.stem}-market{core.suffix}"))
                # For good, not only now: DuckDB creates its write-ahead logs anew after every checkpoint.
                os.umask(0o077)
                core.parent.mkdir(parents=True, exist_ok=True)
                opened.callback(FileLock(core).release)
            root = _open(self.core_path, self.market_path, memory_limit_mb=memory_limit_mb, threads=threads)
            opened.callback(root.close)

            def connect(name: str, file: DatabaseFile) -> Connection:
                cursor = root.cursor()
                cursor.execute(f"set search_path = '{_SEARCH_PATHS[file]}'")
                connection = Connection(name, cursor, executor_factory(name), monotonic_ns)
                opened.callback(connection.close)
                return connection

            readers = [connect(f"reader-{number}", "core") for number in range(max_connections - 2)]
            self._readers = Pool("reading", readers, wait_s=wait_s)
            self._writers: dict[DatabaseFile, Pool] = {}
            for file in _SEARCH_PATHS:
                writer = connect(f"{file}-writer", file)
                writer.run(functools.partial(migrate, steps=migrations(file)), label="migrate")
                self._writers[file] = Pool(f"{file} writing", [writer], wait_s=wait_s)
            _harden(root, directories)
            self._opened: contextlib.ExitStack | None = opened.pop_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def query(
        self,
        sql: str,
        parameters: Sequence[SqlValue] = (),
        *,
        timeout_s: float | None = 30.0,
        rows_max: int = ROWS_MAX,
    ) -> Rows:
        """Answer one SELECT, in a read-only transaction on one of the readers.

        Raises:
            QueryRefused, QueryTimedOut, ResultTooLarge, StatementFailed, PoolExhausted: see there.
        """
        return self.read(
            lambda cursor: execute(cursor, one_select(cursor, sql), parameters, rows_max),
            label=sql,
            timeout_s=timeout_s,
        )

    def execute(self, sql: str, parameters: Sequence[SqlValue] = (), *, file: DatabaseFile = "core") -> Rows:
        """Run one statement of any kind on a file's writer; it is durable when this returns."""
        with self._lease(self._writers[file]) as connection:
            return connection.run(
                lambda cursor: execute(cursor, one_statement(cursor, sql), parameters, ROWS_MAX), label=sql
            )

    @contextlib.contextmanager
    def transaction(self, *, file: DatabaseFile = "core") -> Iterator[Transaction]:
        """Run several statements, all or none; no one else writes to the file in the block.

        Raises:
            TransactionAborted: one of them failed, and the block did not let its error through.
        """
        with self._lease(self._writers[file]) as connection:
            connection.run(lambda cursor: cursor.begin(), label="begin")
            transaction = Transaction(connection)
            try:
                yield transaction
                transaction.check()
                connection.run(lambda cursor: cursor.commit(), label="commit")
            except BaseException:
                connection.run(roll_back, label="rollback")
                raise

    def read(
        self, work: Callable[[duckdb.DuckDBPyConnection], T], *, label: str = "", timeout_s: float | None = None
    ) -> T:
        """Run work on a reader, inside a read-only transaction."""
        with self._lease(self._readers) as connection:
            return connection.run(work, transaction="read", label=label, timeout_s=timeout_s)

    def read_and_copy(self, work: Callable[[duckdb.DuckDBPyConnection], T], *, label: str) -> T:
        """Run work that copies into `directories`, on a reader: the writers go on meanwhile."""
        with self._lease(self._readers) as connection:
            return connection.run(work, label=label)

    def write(self, file: DatabaseFile, work: Callable[[duckdb.DuckDBPyConnection], T], *, label: str = "") -> T:
        """Run work on a file's writer, inside a transaction that is durable when this returns."""
        with self._lease(self._writers[file]) as connection:
            return connection.run(work, transaction="write", label=label)

    def checkpoint(self) -> None:
        """Move what the write-ahead logs hold into the files."""
        for file in self._writers:
            self.execute(f"checkpoint {file}", file=file)

    def statistics(self) -> PoolStatistics:
        """Count what the pool did, and look at what it does."""
        pools = (self._readers, *self._writers.values())
        connections = [connection for pool in pools for connection in pool.connections]
        query, seconds = max((pool.longest() for pool in pools), key=lambda longest: longest[1])
        return PoolStatistics(
            connections=len(connections),
            readers_busy=self._readers.busy,
            waiters=sum(pool.waiters for pool in pools),
            longest_query=query,
            longest_s=seconds,
            queries=sum(connection.done for connection in connections),
            timeouts=sum(connection.timeouts for connection in connections),
            exhaustions=sum(pool.exhaustions for pool in pools),
        )

    def close(self) -> None:
        """Interrupt what runs, close all connections and both files, release the lock. A second time does nothing."""
        opened, self._opened = self._opened, None
        if opened is not None:
            opened.close()

    def _lease(self, pool: Pool) -> contextlib.AbstractContextManager[Connection]:
        if self._opened is None:
            raise DatabaseClosed(f"{self.core_path} is closed")
        return pool.lease()


class Transaction:
    """An open transaction of `DuckDBAdapter.transaction`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._failure: Exception | None = None

    def execute(self, sql: str, parameters: Sequence[SqlValue] = ()) -> Rows:
        """Run one statement; it sees what those before it wrote."""
        try:
            return self._connection.run(
                lambda cursor: execute(cursor, one_statement(cursor, sql), parameters, ROWS_MAX), label=sql
            )
        except Exception as failure:
            self._failure = failure
            raise

    def check(self) -> None:
        """Raise `TransactionAborted` if a statement failed: DuckDB would commit nothing, in silence."""
        if self._failure is not None:
            raise TransactionAborted(f"nothing was written: {self._failure}") from self._failure


def _open(core_path: str, market_path: str, *, memory_limit_mb: int, threads: int) -> duckdb.DuckDBPyConnection:
    """Attach both files to a new instance."""
    root = duckdb.connect(
        MEMORY,
        config={
            "threads": threads,
            "memory_limit": f"{memory_limit_mb}MiB",
            "temp_directory": "" if core_path == MEMORY else core_path + ".tmp",
            "max_temp_directory_size": "2GB",
            "checkpoint_threshold": f"{_CHECKPOINT_MB}MB",
            "autoload_known_extensions": False,
            "autoinstall_known_extensions": False,
            "allow_community_extensions": False,
            "allow_persistent_secrets": False,
            "python_enable_replacements": False,
        },
    )
    try:
        for path, name in ((core_path, "core"), (market_path, "market")):
            root.execute(f"attach {quoted(path)} as {name} (row_group_size {_ROW_GROUP_ROWS})")
    except duckdb.Error as fault:
        root.close()
        holder = re.search(r"Conflicting lock is held.*\(PID (\d+)\)", str(fault))
        if holder:
            raise DatabaseLocked(path, int(holder[1])) from fault
        raise DatabaseDamaged(f"{path} cannot be opened: {fault}") from fault
    return root


def _harden(root: duckdb.DuckDBPyConnection, directories: Sequence[str]) -> None:
    """Close every door that no query needs; the order matters, and the last line makes it final."""
    root.execute(f"set allowed_directories = [{', '.join(quoted(directory) for directory in directories)}]")
    root.execute("set enable_external_access = false")
    root.execute("set lock_configuration = true")


def quoted(text: str) -> str:
    """Write a text as SQL does, where no parameter may stand: in ATTACH, COPY and CREATE VIEW."""
    return "'" + text.replace("'", "''") + "'"
