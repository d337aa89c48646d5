"""Notices when another process writes to the files that we have open.

DuckDB keeps others out by a POSIX lock, which is gone as soon as this process opens and closes the file once more, for
whatever reason. Another process can then open it, move our write-ahead log into the file and delete it; what we commit
afterwards goes to an unlinked log. So before each write the files must be as the previous one left them. Only `stat` is
used: opening a file would drop the lock.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, TypeAlias

from ..errors import DatabaseChanged
from .opening import MEMORY

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..tables.migrations import DatabaseFile

_State: TypeAlias = tuple[int, int, int, int] | None
"""Device, inode, size, time of the last change; None for no file."""


class ForeignWrites:
    """Compares each file, and its log, with how our own writes left them. Per file, for its writer's thread alone."""

    def __init__(self, paths: Mapping[DatabaseFile, str]) -> None:
        self._paths = {file: path for file, path in paths.items() if path != MEMORY}
        self._states: dict[DatabaseFile, tuple[_State, _State]] = {}

    def note(self, file: DatabaseFile) -> None:
        """Remember the state in which our write left the file.

        Raises:
            DatabaseChanged: it is another file now than the one that we worked on.
        """
        if file in self._paths:
            before, now = self._states.get(file), self._look(file)
            self._states[file] = now
            if before is not None and (now[0] is None or before[0] is None or now[0][:2] != before[0][:2]):
                self._states[file] = before
                raise self._changed(file)

    def expect_none(self, file: DatabaseFile) -> None:
        """Check that the file is as we left it.

        Raises:
            DatabaseChanged: it is not; nothing must be written to it any more.
        """
        if self.are_in(file):
            raise self._changed(file)

    def are_in(self, file: DatabaseFile) -> bool:
        """Return whether another process has written to the file."""
        return file in self._states and self._look(file) != self._states[file]

    def _look(self, file: DatabaseFile) -> tuple[_State, _State]:
        path = self._paths[file]
        return _state(path), _state(f"{path}.wal")

    def _changed(self, file: DatabaseFile) -> DatabaseChanged:
        return DatabaseChanged(
            f"{self._paths[file]} was changed, replaced or removed by another process while this one had it open"
        )


def _state(path: str) -> _State:
    try:
        found = os.stat(path)  # noqa: PTH116  a microsecond less, twice for each batch
    except OSError:
        return None
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns
