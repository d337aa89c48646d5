"""One connection: a DuckDB cursor and the only thread that ever uses it.

A cursor that two threads use at once answers wrongly without a word (5 of 120 SELECTs came back empty), so none is
ever handed out: work goes to the thread, and its result comes back.
"""

from __future__ import annotations

import threading
from concurrent.futures import Executor, Future, wait
from typing import TYPE_CHECKING, TypeVar

import duckdb
import msgspec

from .errors import DatabaseInvalidated, QueryTimedOut, StatementFailed

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

_INTERRUPT_EVERY_S = 0.02


class Running(msgspec.Struct):
    """One piece of work on a connection: what an interrupt is aimed at, so that it never meets the next one."""

    label: str
    started_ns: int = 0
    expired: bool = False


class Connection:
    """Runs one piece of work after the other, in the order they are given."""

    def __init__(
        self, name: str, cursor: duckdb.DuckDBPyConnection, executor: Executor, monotonic_ns: Callable[[], int]
    ) -> None:
        self.name = name
        self._cursor = cursor
        self._executor = executor
        self._monotonic_ns = monotonic_ns
        self._guard = threading.Lock()
        self._running: Running | None = None

    def run(
        self, work: Callable[[duckdb.DuckDBPyConnection], T], *, label: str = "", timeout_s: float | None = None
    ) -> T:
        """Run the work on this connection's thread and wait for it. May be called from any other thread.

        Raises:
            QueryTimedOut: it took longer than `timeout_s` seconds; it was interrupted and rolled back.
            StatementFailed, DatabaseInvalidated: see there.
        """
        running = Running(label)
        future = self._executor.submit(self._work, running, work)
        try:
            wait((future,), timeout_s)
        finally:
            # Also when the wait itself is interrupted (Ctrl-C): nobody would take the result.
            if not future.done():
                self._interrupt(running, future)
        try:
            return future.result()
        except duckdb.InterruptException as interrupt:
            raise QueryTimedOut(f"interrupted after {timeout_s} s: {label}") from interrupt
        except duckdb.Error as fault:
            raise translate(fault) from fault

    def running(self) -> tuple[str, float] | None:
        """Tell what runs at the moment, and for how many seconds."""
        running = self._running
        if running is None:
            return None
        return running.label, (self._monotonic_ns() - running.started_ns) / 1e9

    def close(self) -> None:
        """Interrupt what runs, end the thread, close the cursor."""
        with self._guard:
            if self._running is not None:
                self._running.expired = True
                self._cursor.interrupt()
        self._executor.shutdown(wait=True, cancel_futures=True)
        self._cursor.close()

    def _work(self, running: Running, work: Callable[[duckdb.DuckDBPyConnection], T]) -> T:
        running.started_ns = self._monotonic_ns()
        with self._guard:
            if running.expired:
                raise QueryTimedOut(f"not begun in time: {running.label}")
            self._running = running
        try:
            return work(self._cursor)
        finally:
            with self._guard:
                self._running = None

    def _interrupt(self, running: Running, future: Future[T]) -> None:
        # An interrupt that comes between two statements has no effect, so it is repeated until the work has ended.
        while not future.done():
            with self._guard:
                running.expired = True
                if self._running is running:
                    self._cursor.interrupt()
            wait((future,), _INTERRUPT_EVERY_S)


def translate(fault: duckdb.Error) -> DatabaseInvalidated | StatementFailed:
    """Say in our words what DuckDB raised: is the whole instance gone, or did one statement fail?"""
    if isinstance(fault, duckdb.FatalException):
        return DatabaseInvalidated(str(fault))
    return StatementFailed(str(fault))
