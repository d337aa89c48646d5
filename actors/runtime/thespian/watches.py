"""File descriptors that plain actors wait for (`ThespianWatch`): one thread for all, started with the first."""

from __future__ import annotations

import logging
import os
import select
import threading
from typing import TYPE_CHECKING

from thespian.actors import WatchMessage

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..cell import Cell

_log = logging.getLogger("natya")
_ONCE = select.EPOLLIN | select.EPOLLONESHOT


class Watches:
    """Which actor watches which descriptors. Each is reported once; the handler returns what to watch next."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._epoll: select.epoll | None = None
        self._wake_fd = -1
        self._watcher_of: dict[int, Cell] = {}

    def replace(self, cell: Cell, filenos: Iterable[int]) -> None:
        """Watch exactly these for this cell from now on."""
        wanted = set(filenos)
        with self._lock:
            if self._epoll is None:
                if not wanted:
                    return
                self._start()
            assert self._epoll is not None
            for fileno in [each for each, owner in self._watcher_of.items() if owner is cell and each not in wanted]:
                del self._watcher_of[fileno]
                self._unregister(fileno)
            for fileno in wanted:
                self._watcher_of[fileno] = cell
                self._register(fileno, cell)

    def stop(self) -> None:
        """End the thread."""
        with self._lock:
            if self._epoll is not None:
                os.eventfd_write(self._wake_fd, 1)

    def _start(self) -> None:
        self._epoll = select.epoll()
        self._wake_fd = os.eventfd(0)
        self._epoll.register(self._wake_fd, select.EPOLLIN)
        threading.Thread(target=self._run, args=(self._epoll, self._wake_fd), name="natya-watches", daemon=True).start()

    def _register(self, fileno: int, cell: Cell) -> None:
        assert self._epoll is not None
        try:
            try:
                self._epoll.modify(fileno, _ONCE)
            except FileNotFoundError:  # new, or closed and opened again: the kernel has let go of the old one
                self._epoll.register(fileno, _ONCE)
        except PermissionError:  # a regular file, which can always be read
            del self._watcher_of[fileno]
            cell.deliver(WatchMessage([fileno]), cell)
        except OSError as fault:
            del self._watcher_of[fileno]
            fields = {"fileno": fileno, "reason": str(fault)}
            _log.warning("watch.refused", extra={"actor": str(cell), "fields": fields})

    def _unregister(self, fileno: int) -> None:
        assert self._epoll is not None
        try:
            self._epoll.unregister(fileno)
        except OSError:  # closed already: the kernel has let go of it
            return

    def _run(self, epoll: select.epoll, wake_fd: int) -> None:
        while True:
            for fileno, _ in epoll.poll():
                if fileno == wake_fd:
                    with self._lock:
                        self._epoll = None
                        self._watcher_of.clear()
                    epoll.close()
                    os.close(wake_fd)
                    return
                cell = self._watcher_of.get(fileno)
                if cell is not None:
                    cell.deliver(WatchMessage([fileno]), cell)
