"""Connections of one kind, lent to one caller at a time.

The problem: a DuckDB cursor that two threads use at once returns wrong answers without an error, and a query cannot be
told to be short. The idea: a fixed number of connections, each leased for the length of one block; a caller waits for
one at most `wait_s`. The trap: a caller that leases a second connection while it holds one can wait for itself, so a
wait always ends in `PoolExhausted`, which names what has run longest.
"""

from __future__ import annotations

import contextlib
import queue
from typing import TYPE_CHECKING

from ..errors import PoolExhausted

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from .connection import Connection


class Pool:
    """Lends each connection to one caller at a time; others wait up to `wait_s` seconds."""

    def __init__(self, name: str, connections: Sequence[Connection], *, wait_s: float) -> None:
        self.name = name
        self.exhaustions = 0
        """Callers that got no connection in time."""

        self.connections = tuple(connections)
        self._wait_s = wait_s
        self._idle: queue.LifoQueue[Connection] = queue.LifoQueue()
        self._waiters: list[object] = []
        for connection in self.connections:
            self._idle.put(connection)

    @property
    def busy(self) -> int:
        """Connections that are lent out."""
        return len(self.connections) - self._idle.qsize()

    @property
    def waiters(self) -> int:
        """Callers that wait for a connection."""
        return len(self._waiters)

    def longest(self) -> tuple[str, float]:
        """Return the label of the work that has run longest, and its seconds so far; empty and 0 when none runs."""
        running = [now for connection in self.connections if (now := connection.running()) is not None]
        return max(running, key=lambda now: now[1], default=("", 0.0))

    @contextlib.contextmanager
    def lease(self) -> Iterator[Connection]:
        """Lend a connection for the length of the block.

        Raises:
            PoolExhausted: none became free in time.
        """
        connection = self._take()
        try:
            yield connection
        finally:
            self._idle.put(connection)

    def exhausted(self, *, waiters: int) -> PoolExhausted:
        """Return the error that names the work which has run longest."""
        query, seconds = self.longest()
        query = query or "none at the moment; a transaction is open, perhaps of this very caller"
        return PoolExhausted(
            pool=self.name,
            limit=len(self.connections),
            waiters=waiters,
            longest_query=query,
            longest_s=seconds,
        )

    def _take(self) -> Connection:
        with contextlib.suppress(queue.Empty):
            return self._idle.get_nowait()
        ticket = object()
        self._waiters.append(ticket)
        try:
            return self._idle.get(timeout=self._wait_s)
        except queue.Empty:
            self.exhaustions += 1
            raise self.exhausted(waiters=self.waiters) from None
        finally:
            self._waiters.remove(ticket)
