"""One connection: a DuckDB cursor and the only thread that ever uses it.

A cursor that two threads use at once gives wrong answers without an error (5 of 120 SELECTs came back empty), so none
is ever handed out: work goes to the thread, and its result comes back.
"""

from __future__ import annotations

import contextlib
import math
import threading
from concurrent.futures import FIRST_COMPLETED, CancelledError, Executor, Future, wait
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, TypeVar

import duckdb

from ....domain.time import SECOND_NS
from ..errors import DatabaseClosed, MemoryExceeded, QueryTimedOut
from .memory import LOOK_EVERY_S
from .opening import meaning

if TYPE_CHECKING:
    from collections.abc import Callable

    from .memory import Growth, QueryMemory

T = TypeVar("T")
Transaction: TypeAlias = Literal["read", "write"]

_BEGIN_READING = "begin transaction read only"
_INTERRUPT_EVERY_S = 0.02


class Running:
    """One piece of work on a connection: the target of an interrupt, which must not hit the next one."""

    def __init__(self, label: str) -> None:
        self.label = label
        self.started_ns = 0
        self.expired = False
        self.closed = False
        """Expired because the connection closes."""

        self.excess = ""
        """Why it used too much memory, if it expired for that."""

        self.ended = threading.Event()


class Connection:
    """Runs one piece of work after the other, in the order they are given.

    Args:
        name: of the connection.
        cursor: used by this object alone.
        executor: of one thread, used by this object alone.
        monotonic_ns: measures how long work runs.
        memory: what work that reads may use, and what a commit waits for; None for no limit.
    """

    def __init__(
        self,
        name: str,
        cursor: duckdb.DuckDBPyConnection,
        executor: Executor,
        monotonic_ns: Callable[[], int],
        memory: QueryMemory | None = None,
    ) -> None:
        self.name = name
        self.done = 0
        """Pieces of work that have ended."""

        self.timeouts = 0
        self._cursor = cursor
        self._executor = executor
        self._monotonic_ns = monotonic_ns
        self._memory = memory
        self._guard = threading.Lock()
        self._running: Running | None = None

    def run(
        self,
        work: Callable[[duckdb.DuckDBPyConnection], T],
        *,
        transaction: Transaction | None = None,
        label: str = "",
        timeout_s: float | None = None,
        abandoned: Future[None] | None = None,
    ) -> T:
        """Run the work on this connection's thread and wait for it. May be called from any other thread.

        With `transaction` it runs inside one of its own. `write` is committed when the work returns, and rolled back
        when it raises; the work must let every error of the cursor through, since COMMIT of an aborted transaction
        writes nothing, and says nothing. `read` is refused every write, and always rolled back.

        Raises:
            QueryTimedOut: it took longer than `timeout_s` seconds, or `abandoned` was done before it; it was
                interrupted and rolled back.
            MemoryExceeded: it used too much memory, likewise; or DuckDB had none left for it.
            DatabaseClosed: `close` came first, or in the middle.
            StatementFailed, DatabaseInvalidated, DatabaseDamaged: see there.
        """
        running = Running(label)
        with self._watched(transaction) as growth:
            try:
                future = self._executor.submit(self._work, running, work, transaction)
            except RuntimeError as ended:
                raise DatabaseClosed(f"closed before it began: {label}") from ended
            ends: list[Future[Any]] = [future] if abandoned is None else [future, abandoned]
            try:
                if growth is None:
                    wait(ends, timeout_s, FIRST_COMPLETED)
                else:
                    running.excess = _wait(ends, timeout_s, growth)
            finally:
                # Also when the wait itself is interrupted (Ctrl-C): the result would not be used.
                if not future.done():
                    self._interrupt(running)
        try:
            return future.result()
        except CancelledError as cancelled:
            raise DatabaseClosed(f"closed before it began: {label}") from cancelled
        except duckdb.InterruptException as interrupt:
            if running.closed:
                raise DatabaseClosed(f"closed while it ran: {label}") from interrupt
            if running.excess:
                raise MemoryExceeded(f"interrupted when {running.excess}: {label}") from interrupt
            self.timeouts += 1
            raise QueryTimedOut(f"interrupted after {timeout_s} s: {label}") from interrupt
        except duckdb.Error as fault:
            raise meaning(fault) from fault

    def commit(self, cursor: duckdb.DuckDBPyConnection) -> None:
        """Commit what this connection's thread has begun, as soon as no query leaves too little memory for it."""
        if self._memory is not None:
            self._memory.settle()
        cursor.commit()

    def running(self) -> tuple[str, float] | None:
        """Return the label of the running work and its seconds so far; None if none runs."""
        running = self._running
        if running is None:
            return None
        return running.label, (self._monotonic_ns() - running.started_ns) / SECOND_NS

    def close(self) -> None:
        """Interrupt what runs, drop what has not begun, end the thread, close the cursor."""
        self._executor.shutdown(wait=False, cancel_futures=True)
        running = self._running
        if running is not None:
            running.closed = True
            self._interrupt(running)
        self._executor.shutdown(wait=True)
        self._cursor.close()

    def _watched(self, transaction: Transaction | None) -> contextlib.AbstractContextManager[Growth | None]:
        if self._memory is None or transaction != "read":
            return contextlib.nullcontext()
        return self._memory.watched()

    def _work(
        self, running: Running, work: Callable[[duckdb.DuckDBPyConnection], T], transaction: Transaction | None
    ) -> T:
        running.started_ns = self._monotonic_ns()
        with self._guard:
            if running.expired:
                running.ended.set()
                raise QueryTimedOut(f"not begun in time: {running.label}")
            self._running = running
        unfinished = transaction is not None
        try:
            if transaction is not None:
                begin(self._cursor, transaction)
            result = work(self._cursor)
            if transaction == "write":
                self.commit(self._cursor)
                unfinished = False
            return result
        finally:
            with self._guard:
                self._running = None
                self.done += 1
            # Only now, when no interrupt can hit it any more: an interrupted BEGIN or ROLLBACK leaves an aborted
            # transaction behind, which refuses all later statements.
            if unfinished:
                roll_back(self._cursor)
            running.ended.set()

    def _interrupt(self, running: Running) -> None:
        # An interrupt that comes between two statements has no effect, so it is repeated until the work has ended.
        with self._guard:
            running.expired = True
        while not running.ended.is_set():
            with self._guard:
                if self._running is running:
                    self._cursor.interrupt()
            running.ended.wait(_INTERRUPT_EVERY_S)


def _wait(ends: list[Future[Any]], timeout_s: float | None, growth: Growth) -> str:
    """Wait for the first future, up to the timeout; return why too much memory was used before, if so."""
    left_s = math.inf if timeout_s is None else timeout_s
    while left_s > 0 and not wait(ends, min(left_s, LOOK_EVERY_S), FIRST_COMPLETED).done:
        if excess := growth.excess():
            return excess
        left_s -= LOOK_EVERY_S
    return ""


def begin(cursor: duckdb.DuckDBPyConnection, transaction: Transaction) -> None:
    """Begin a transaction; one is still open where DuckDB had no memory left for the word that rolls it back."""
    try:
        _begin(cursor, transaction)
    except duckdb.TransactionException:
        roll_back(cursor)
        _begin(cursor, transaction)


def _begin(cursor: duckdb.DuckDBPyConnection, transaction: Transaction) -> None:
    if transaction == "write":
        cursor.begin()  # 0.07 ms less than the same as text
    else:
        cursor.execute(_BEGIN_READING)


def roll_back(cursor: duckdb.DuckDBPyConnection) -> None:
    """Roll back the open transaction, if there is one; errors are ignored: an invalidated instance has none."""
    with contextlib.suppress(duckdb.Error):
        cursor.rollback()
