"""The disks of a backtest's journal: in memory, or the real one without waiting until data are durable.

A backtest that is interrupted is run again; nothing in it was promised to anybody.
"""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING, Final

from ...actors.journal.actor import JournalActor
from ...actors.journal.disk import RealDisk, RealFile

if TYPE_CHECKING:
    from pathlib import Path


class UnsyncedFile(RealFile):
    """A real file that is never synced."""

    def sync(self) -> None:
        """Do nothing."""

    def is_at(self, path: Path, *, size_min: int = 0) -> bool:
        """Return True: the files of a running backtest are expected to stay where they are."""
        del path, size_min
        return True


class UnsyncedDisk(RealDisk):
    """The file system of this machine, unsynced."""

    def create(self, path: Path, size: int) -> RealFile:
        """Make a file of zeros; its space is taken as it is written."""
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        os.truncate(descriptor, size)
        return UnsyncedFile(descriptor)

    def sync_directory(self, path: Path) -> None:
        """Do nothing."""


class MemoryFile:
    """Bytes under a name; those never written are zeros, and take no memory behind the last that was."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._written: Final = bytearray()

    def read(self, offset: int, size: int) -> bytes:
        """Read up to `size` bytes; fewer at the end."""
        size = max(0, min(size, self._size - offset))
        return bytes(self._written[offset : offset + size]).ljust(size, b"\0")

    def write(self, data: bytes | bytearray, offset: int) -> None:
        """Write all of it."""
        written = self._written
        if offset > len(written):
            written.extend(bytes(offset - len(written)))
        written[offset : offset + len(data)] = data
        self._size = max(self._size, len(written))

    def sync(self) -> None:
        """Do nothing."""

    def size(self) -> int:
        """Length in bytes."""
        return self._size

    def is_at(self, path: Path, *, size_min: int = 0) -> bool:
        """Return True: nobody else has it."""
        del path, size_min
        return True

    def close(self) -> None:
        """Do nothing."""


class MemoryLock:
    """The lock of a disk that only one process has."""

    def is_in_place(self) -> bool:
        """Return True."""
        return True

    def release(self) -> None:
        """Do nothing."""


class MemoryDisk:
    """Files that end with their run."""

    def __init__(self) -> None:
        self._files: Final[dict[Path, MemoryFile]] = {}

    def make_directory(self, path: Path) -> None:
        """Do nothing: every directory exists."""

    def names(self, directory: Path) -> tuple[str, ...]:
        """Names in a directory, sorted."""
        return tuple(sorted(path.name for path in self._files if path.parent == directory))

    def create(self, path: Path, size: int) -> MemoryFile:
        """Make a file of zeros."""
        self._expect_free(path)
        file = self._files[path] = MemoryFile(size)
        return file

    def open(self, path: Path, *, writable: bool = False) -> MemoryFile:
        """Open a file that exists."""
        if path not in self._files:
            raise FileNotFoundError(errno.ENOENT, f"{os.strerror(errno.ENOENT)} ({writable=})", str(path))
        return self._files[path]

    def exists(self, path: Path) -> bool:
        """Whether a file has that name."""
        return path in self._files

    def rename(self, source: Path, target: Path) -> None:
        """Move it to a name that is free."""
        self._expect_free(target)
        self.replace(source, target)

    def replace(self, source: Path, target: Path) -> None:
        """Move it, whatever has the name."""
        self._files[target] = self._files.pop(source)

    def remove(self, path: Path) -> None:
        """Remove it."""
        del self._files[path]

    def sync_directory(self, path: Path) -> None:
        """Do nothing."""

    def lock(self, path: Path) -> MemoryLock:
        """Take the lock."""
        del path
        return MemoryLock()

    def _expect_free(self, path: Path) -> None:
        if path in self._files:
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(path))


class KeptJournalActor(JournalActor):
    """The journal of a backtest whose files stay."""

    disk = UnsyncedDisk()


def journal_in_memory() -> type[JournalActor]:
    """Return the journal of a backtest whose files end with it: a class of its own, since a restart goes on with it."""

    class MemoryJournalActor(JournalActor):
        """The journal on a disk in memory."""

        disk = MemoryDisk()

    return MemoryJournalActor
