"""`DuckDBAdapter` owns two DuckDB files: the core file, and the market file beside it.

    with DuckDBAdapter("natya.duckdb") as database:
        database.execute("create table notes (text varchar)")
        with database.transaction() as transaction:
            transaction.execute("insert into notes values (?)", ["bought"])
        print(database.query("select * from notes").rows)

Both files are attached to one instance, as `core` and `market`, so a query may join them; a transaction writes to one
of them. Each has exactly one writing connection: several gain nothing (DuckDB has no group commit) and can conflict.
"""

from __future__ import annotations

import atexit
import contextlib
import ctypes
import functools
import os
from concurrent.futures import Executor, Future
from pathlib import Path
from time import monotonic_ns as system_monotonic_ns
from typing import TYPE_CHECKING, TypeVar

import duckdb
import msgspec

from ....config.forks import close_in_forks, point_nowhere
from ....domain.wording import expect_number
from ....messages.database import Rows, SqlValue
from ..errors import (
    DatabaseClosed,
    DatabaseDamaged,
    DatabaseForeign,
    PoolExhausted,
    QueryRefused,
    StatementFailed,
)
from ..queries.cache import CacheStatistics, QueryCache
from ..queries.reading import Readings
from ..queries.statements import ROWS_MAX, execute, may_define, may_define_macros, one_select, one_statement
from ..tables.archive_folder import archive_folder, follow
from ..tables.migrations import DatabaseFile, bring_up_to_date
from .connection import Connection, begin, roll_back
from .foreign_writes import ForeignWrites
from .lock import FileLock
from .memory import GROWTH_MARGIN_BYTES, QueryMemory
from .opening import MEMORY, attach, errors_of_ours, harden, new_cursor, refusal
from .own_thread import OwnThread
from .paths import expect_usable, market_path_of, refusing
from .pool import Pool
from .transaction import Transaction
from .witness import MarketWitness

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
    """The work that has run longest of all that runs now; empty if none does."""

    longest_s: float
    queries: int
    """Pieces of work that were done on any connection."""

    timeouts: int
    exhaustions: int
    """Callers that got no connection in time."""

    cache: CacheStatistics


CONNECTIONS_MIN = 3
"""A writer for each file, and a reader."""

_SEARCH_PATHS: dict[DatabaseFile, str] = {"core": "core,market", "market": "market,core"}


def thread_of_its_own(name: str) -> Executor:
    """Make the executor of one connection."""
    return OwnThread(f"duckdb-{name}")


class DuckDBAdapter:
    """A pool of connections, each with a thread of its own. Methods block their caller, and any thread may call them.

    It is closed at the latest when the process exits, whatever runs then.

    Args:
        path: the core file; the market file is `<stem>-market<suffix>` beside it. `:memory:` for neither.
        max_connections: one writer for each file, the rest readers.
        memory_limit_mb: DuckDB's memory limit; beyond half of it, sorts and joins of a query spill to `<path>.tmp`. A
            query is interrupted when what cannot spill has grown by the other half, or the process by 128 MiB more.
        threads: the threads that DuckDB may use for one query.
        directories: where `copy` may read and write, besides the folder `archive` beside the files; nowhere else.
        wait_s: how long a caller waits for a connection before `PoolExhausted`.
        cache_mb: size of the query cache; 0 for none.
        encryption_key: encrypts both files, where this DuckDB can do that safely.
        executor_factory: makes the executor of a connection from its name.
        monotonic_ns: measures how long queries run.
        read_only: change nothing, not even the schema; several processes may read so. There are no writers.

    Raises:
        DatabaseLocked, DatabaseDamaged, DatabaseTooNew, DatabaseEncrypted, DatabaseUnreachable: see there; nothing is
            left open.
        ValueError: a number is too small; nothing was opened.
    """

    def __init__(  # noqa: PLR0913  they are the settings of a resource, all but one by keyword
        self,
        path: str | os.PathLike[str] = MEMORY,
        *,
        max_connections: int = 10,
        memory_limit_mb: int = 128,
        threads: int = 1,
        directories: Sequence[str] = (),
        wait_s: float = 5.0,
        cache_mb: int = 8,
        encryption_key: str = "",
        executor_factory: Callable[[str], Executor] = thread_of_its_own,
        monotonic_ns: Callable[[], int] = system_monotonic_ns,
        read_only: bool = False,
    ) -> None:
        expect_number("wait_s", wait_s, least=0)
        for name, found, least in (
            ("max_connections", max_connections, CONNECTIONS_MIN),
            ("memory_limit_mb", memory_limit_mb, 1),
            ("threads", threads, 1),
            ("cache_mb", cache_mb, 0),
        ):
            expect_number(name, found, least=least, is_whole=True)
        self.core_path = str(path)
        self.market_path = MEMORY
        self.directories = tuple(directories)
        """Where it may read and write, its own archive included."""

        self._pid = os.getpid()
        self._cache = QueryCache(cache_mb * 2**20)
        self._writes: dict[DatabaseFile, int] = dict.fromkeys(_SEARCH_PATHS, 0)
        self._writers: dict[DatabaseFile, Pool] = {}
        self._foreign_writes = ForeignWrites({})
        files: list[str] = []
        with errors_of_ours(), contextlib.ExitStack() as opened:
            if self.core_path != MEMORY:
                core = Path(path).absolute()
                self.core_path, self.market_path = str(core), str(market_path_of(core))
                self.directories = (*directories, str(archive_folder(self.core_path)))
                # Permanently: DuckDB creates its write-ahead logs anew after every checkpoint.
                os.umask(0o077)
                expect_usable(core)
                lock = FileLock(core, shared=read_only)
                opened.callback(lock.release)
                opened.enter_context(refusing(lock, core, may_create=not read_only))
                files = [each + end for each in (self.core_path, self.market_path) for end in ("", ".wal")]
                # A fork has the engine's descriptors, and none of its threads.
                opened.callback(close_in_forks(functools.partial(point_nowhere, files)))
            self._readings = Readings(of_new_files=not any(map(os.path.lexists, files)))
            root = attach(
                self.core_path,
                self.market_path,
                memory_limit_mb=memory_limit_mb,
                threads=threads,
                encryption_key=encryption_key,
                read_only=read_only,
            )
            opened.callback(self._close_instance, root)

            limit_bytes = memory_limit_mb * 2**20
            memory = QueryMemory(root.cursor(), limit_bytes=limit_bytes, margin_bytes=GROWTH_MARGIN_BYTES)
            self._memory = opened.enter_context(contextlib.closing(memory))

            def connect(name: str, file: DatabaseFile) -> Connection:
                cursor = new_cursor(root, search_path=_SEARCH_PATHS[file], operators_bytes=limit_bytes // 2)
                connection = Connection(name, cursor, executor_factory(name), monotonic_ns, memory)
                opened.callback(connection.close)
                return connection

            readers = [connect(f"reader-{number}", "core") for number in range(max_connections - 2)]
            self._readers = Pool("reading", readers, wait_s=wait_s)
            for file in () if read_only else _SEARCH_PATHS:
                writer = connect(f"{file}-writer", file)
                _migrate(writer, file, self.core_path if file == "core" else self.market_path)
                self._writers[file] = Pool(f"{file} writing", [writer], wait_s=wait_s)
            self.archive_lacks = () if read_only else self._follow_archive()
            """Archived days that are not read, and why: their files are gone, or another database's."""

            harden(root, self.directories)
            self.witness = MarketWitness(MEMORY if read_only else self.market_path)
            opened.callback(self.witness.close)
            if not read_only:
                _compare(self._writers["market"].connections[0], self.witness, self.market_path)
            self._foreign_writes = ForeignWrites({"core": self.core_path, "market": self.market_path})
            for file in self._writers:
                self._foreign_writes.note(file)
            self._opened: contextlib.ExitStack | None = opened.pop_all()
        atexit.register(self.close)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def query(  # noqa: PLR0913  all but the text and its values by keyword
        self,
        sql: str,
        parameters: Sequence[SqlValue] = (),
        *,
        timeout_s: float | None = 30.0,
        rows_max: int = ROWS_MAX,
        tables: tuple[str, ...] = (),
        abandoned: Future[None] | None = None,
    ) -> Rows:
        """Answer one SELECT, in a read-only transaction on one of the readers.

        With `tables` its answer follows from these alone, and may be kept for the next time.

        Raises:
            QueryRefused, QueryTimedOut, MemoryExceeded, ResultTooLarge, StatementFailed, PoolExhausted: see there.
        """
        kept = self.kept(sql, parameters, tables)
        if kept is not None and len(kept.rows) <= rows_max:
            return kept
        began, as_of = self._cache.now(), self._readings.now()

        def work(cursor: duckdb.DuckDBPyConnection) -> Rows:
            statement = one_select(cursor, sql)
            self._readings.look(cursor, sql, parameters, as_of=as_of)
            rows = execute(cursor, statement, parameters, rows_max)
            if tables and self._cache.is_on:
                self._cache.keep(sql, parameters, rows, tables=tables, began=began)
            return rows

        return self.read(work, label=sql, timeout_s=timeout_s, abandoned=abandoned)

    def read_of(
        self,
        sql: str,
        parameters: Sequence[SqlValue],
        work: Callable[[duckdb.DuckDBPyConnection], T],
        *,
        timeout_s: float | None = None,
        abandoned: Future[None] | None = None,
    ) -> T:
        """Check that the text is one SELECT that may run, then run work that executes it in its own way.

        Raises:
            QueryRefused: it is not one SELECT, or reads what no query may.
        """
        as_of = self._readings.now()

        def checked(cursor: duckdb.DuckDBPyConnection) -> T:
            one_select(cursor, sql)
            self._readings.look(cursor, sql, parameters, as_of=as_of)
            return work(cursor)

        return self.read(checked, label=sql, timeout_s=timeout_s, abandoned=abandoned)

    def kept(self, sql: str, parameters: Sequence[SqlValue], tables: tuple[str, ...]) -> Rows | None:
        """Return the cached answer to a query, without a connection; None if there is none."""
        self._expect_open()
        return self._cache.find(sql, parameters, tables) if tables else None

    def execute(self, sql: str, parameters: Sequence[SqlValue] = (), *, file: DatabaseFile = "core") -> Rows:
        """Run one statement of any kind on a file's writer; it is durable when this returns."""

        def work(cursor: duckdb.DuckDBPyConnection) -> Rows:
            statement = one_statement(cursor, sql)
            changes = self._changing(sql) if may_define(statement) else contextlib.nullcontext()
            with changes:
                return execute(cursor, statement, parameters, ROWS_MAX)

        with self._writing(file) as connection:
            self._memory.settle()
            return connection.run(work, label=sql)

    @contextlib.contextmanager
    def transaction(self, *, file: DatabaseFile = "core") -> Iterator[Transaction]:
        """Run several statements, all or none; no other caller writes to the file in the block.

        Raises:
            DatabaseChanged: another process wrote to the file; so `write` and `execute`.
            TransactionAborted: one of them failed, and the block did not let its error through.
        """
        with self._writing(file) as connection, contextlib.ExitStack() as until_its_end:
            connection.run(functools.partial(begin, transaction="write"), label="begin")
            transaction = Transaction(connection, lambda sql: until_its_end.enter_context(self._changing(sql)))
            try:
                try:
                    yield transaction
                finally:
                    transaction.end()
                transaction.check()
                connection.run(connection.commit, label="commit")
            except BaseException:
                connection.run(roll_back, label="rollback")
                raise

    def read(
        self,
        work: Callable[[duckdb.DuckDBPyConnection], T],
        *,
        label: str = "",
        timeout_s: float | None = None,
        abandoned: Future[None] | None = None,
    ) -> T:
        """Run work on a reader, inside a read-only transaction."""
        with self._lease(self._readers) as connection:
            return connection.run(work, transaction="read", label=label, timeout_s=timeout_s, abandoned=abandoned)

    def read_and_copy(
        self,
        work: Callable[[duckdb.DuckDBPyConnection], T],
        *,
        label: str,
        timeout_s: float | None = None,
        abandoned: Future[None] | None = None,
    ) -> T:
        """Run work that copies into `directories`, on a reader: the writers go on meanwhile."""
        with self._lease(self._readers) as connection:
            return connection.run(work, label=label, timeout_s=timeout_s, abandoned=abandoned)

    def write(
        self,
        file: DatabaseFile,
        work: Callable[[duckdb.DuckDBPyConnection], T],
        *,
        label: str = "",
        tables: frozenset[str] | None = None,
    ) -> T:
        """Run work on a file's writer, inside a transaction that is durable when this returns.

        With `tables` it writes rows of these alone, and defines nothing: answers that follow from others stay kept.
        """
        defining = self._readings.changing(macros=False) if tables is None else contextlib.nullcontext()
        with self._writing(file, tables) as connection, defining:
            return connection.run(work, transaction="write", label=label)

    def writes(self, file: DatabaseFile) -> int:
        """Return the number of writes to a file so far, the running one included; so a writer sees others' writes."""
        return self._writes[file]

    def checkpoint(self) -> None:
        """Move what the write-ahead logs hold into the files."""
        for file in self._writers:
            with self._writing(file, frozenset()) as connection:
                self._memory.settle()
                connection.run(functools.partial(_checkpoint, file=file), label="checkpoint")

    def exhausted(self, *, waiters: int) -> PoolExhausted:
        """Return the error that says that all readers are busy, and with what."""
        return self._readers.exhausted(waiters=waiters)

    def statistics(self) -> PoolStatistics:
        """Return the pool's counters and its present load."""
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
            cache=self._cache.statistics(),
        )

    def close(self) -> None:
        """Interrupt what runs, close all connections and both files, release the lock. A second time does nothing.

        In a fork of the process that opened them they are left alone.
        """
        opened, self._opened = self._opened, None
        if opened is None:
            return
        atexit.unregister(self.close)
        if os.getpid() == self._pid:
            opened.close()
        else:
            # An instance that is collected closes its files, which would drop the parent's locks. So this one is never
            # collected, not even at the interpreter's exit: one reference is leaked.
            ctypes.pythonapi.Py_IncRef(ctypes.py_object(opened))

    def _close_instance(self, root: duckdb.DuckDBPyConnection) -> None:
        """Move the logs into the files, unless another process has written to them; on a full disk they stay."""
        for file in self._writers:
            if not self._foreign_writes.are_in(file):
                with contextlib.suppress(duckdb.Error):
                    _checkpoint(root, file)
        root.close()

    def _follow_archive(self) -> tuple[str, ...]:
        if self.market_path == MEMORY:
            return ()
        follows = functools.partial(follow, folder=archive_folder(self.core_path))
        return self._writers["market"].connections[0].run(follows, transaction="write", label="follow the archive")

    @contextlib.contextmanager
    def _writing(self, file: DatabaseFile, tables: frozenset[str] | None = None) -> Iterator[Connection]:
        if file not in self._writers:
            raise QueryRefused(f"{self.core_path} is open to be read only")
        with self._lease(self._writers[file]) as connection, self._cache.writing(file, tables):
            self._foreign_writes.expect_none(file)
            self._writes[file] += 1
            try:
                yield connection
            finally:
                self._foreign_writes.note(file)

    def _changing(self, sql: str) -> contextlib.AbstractContextManager[None]:
        """Surround a statement that may define something, until it is committed."""
        return self._readings.changing(macros=may_define_macros(sql))

    def _lease(self, pool: Pool) -> contextlib.AbstractContextManager[Connection]:
        self._expect_open()
        return pool.lease()

    def _expect_open(self) -> None:
        if self._opened is None:
            raise DatabaseClosed(f"{self.core_path} is closed")
        if os.getpid() != self._pid:
            raise DatabaseClosed(
                f"{self.core_path} belongs to process {self._pid}: a fork of it has none of its threads"
            )


def _migrate(writer: Connection, file: DatabaseFile, path: str) -> None:
    """Migrate a file; one whose tables are not those of the earlier migrations is no database of ours."""
    try:
        writer.run(functools.partial(bring_up_to_date, file=file), label="migrate")
    except (StatementFailed, DatabaseDamaged) as fault:
        raise refusal(path, fault) from fault
    except DatabaseForeign as fault:
        raise DatabaseForeign(f"{path}: {fault}; it stays as it is, name another path") from None


def _checkpoint(cursor: duckdb.DuckDBPyConnection, file: DatabaseFile) -> None:
    cursor.execute(f"checkpoint {file}")


def _compare(writer: Connection, witness: MarketWitness, path: str) -> None:
    try:
        writer.run(witness.hear, transaction="write", label="witness")
    except (StatementFailed, DatabaseDamaged) as fault:
        raise refusal(path, fault) from fault
