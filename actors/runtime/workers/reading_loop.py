"""The loop of a worker process, which also reads the parent's socket, so that no second thread handles a message."""

from __future__ import annotations

import os
import select
import socket
from typing import TYPE_CHECKING, Final

from ..worker import TURNS_BETWEEN_TIMERS, Worker

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..clock import Clock


WAIT_MS_MAX: Final = float((1 << 31) - 1)
"""The longest that `poll` waits: 24 days; then the loop looks again."""


class ReadingLoop(Worker):
    """Runs actors; reads the socket when it is idle, and else between turns at intervals."""

    __slots__ = ("_flush", "_poll", "_read", "_waker")

    def __init__(
        self,
        clock: Clock,
        on_idle: Callable[[], bool],
        *,
        connection: socket.socket,
        read: Callable[[], None],
        flush: Callable[[], None],
    ) -> None:
        """Take the callbacks to run between turns.

        Args:
            clock: for timers.
            on_idle: as for any worker.
            connection: what wakes the loop.
            read: reads what has arrived, without blocking.
            flush: writes what is queued, without blocking; called after every turn.
        """
        super().__init__("natya-worker", clock, on_idle)
        self._read: Final = read
        self._flush: Final = flush
        self._waker: Final = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._poll: Final = select.poll()
        self._poll.register(connection, select.POLLIN)
        self._poll.register(self._waker, select.POLLIN)

    def start(self) -> None:
        """Start no thread: `run` is for the main thread of the process."""

    def run(self) -> None:
        """Run until `stop`."""
        self._run()

    def wake(self) -> None:
        """Wake the loop, from any thread."""
        self.asleep = False
        os.eventfd_write(self._waker, 1)

    def _work(self) -> None:
        ready, timers, take, flush = self.ready, self.timers, self.ready.popleft, self._flush
        while not self.stopping:
            self.rounds += 1
            for _ in range(TURNS_BETWEEN_TIMERS):
                if not ready:
                    break
                self.current = cell = take()
                cell.turn()
                flush()
            self.current = None
            if timers:
                timers.fire_due(self._clock.monotonic_ns())
            if not ready:
                self._sleep()
            self._read()

    def _sleep(self) -> None:
        # As any worker does it, but for the socket.
        self.asleep = True
        if not self.ready and not self.stopping and not self.on_idle():
            due_ns = self.timers.next_due_ns()
            wait_ms = None
            if due_ns is not None:
                wait_ms = min(max(0.0, (due_ns - self._clock.monotonic_ns()) / 1e6), WAIT_MS_MAX)
            for descriptor, _ in self._poll.poll(wait_ms):
                if descriptor == self._waker:
                    os.eventfd_read(self._waker)
        self.asleep = False
        self.wakes += 1
