"""A simulated disk that loses or tears whatever was not synced, fills up, and fails on demand.

What survives `crash`: everything synced; of each later write, sector by sector, some arrive and some do not; of the
names made, moved and removed since `sync_directory`, the first few in order. So code that is right on this disk does
not lean on anything the real one does not promise.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Final, Literal, TypeAlias

import msgspec

from .disk import DiskLockedError
from .walk import SECTOR_SIZE

Action: TypeAlias = Literal["create", "write", "sync", "rename", "sync_directory"]
Names: TypeAlias = "dict[Path, Content]"


class Content:
    """The bytes of one file: as the process sees them, and as they are on the disk."""

    def __init__(self, size: int) -> None:
        self.seen = bytearray(size)
        self.stored = bytearray(size)
        self.unsynced: list[tuple[int, bytes]] = []

    def write(self, data: bytes, offset: int) -> None:
        """Change the bytes as the process sees them."""
        _overlay(self.seen, data, offset)
        self.unsynced.append((offset, data))

    def sync(self) -> None:
        """Bring it to the disk."""
        for offset, data in self.unsynced:
            _overlay(self.stored, data, offset)
        self.unsynced.clear()

    def crashed(self, random: Random) -> Content:
        """Return the content after a power cut."""
        survivor = Content(0)
        survivor.stored += self.stored
        arrives = random.choice((0.0, 0.5, 0.9, 1.0))
        for offset, data in self.unsynced:
            start = 0
            while start < len(data):
                stop = min(len(data), start + SECTOR_SIZE - (offset + start) % SECTOR_SIZE)
                if random.random() < arrives:
                    _overlay(survivor.stored, data[start:stop], offset + start)
                start = stop
        survivor.seen += survivor.stored
        return survivor


class Trouble(msgspec.Struct, frozen=True, kw_only=True):
    """The action fails this many successes from now; a full disk still takes half of the write."""

    action: Action
    after: int = 0
    error: int = errno.EIO


class PowerCutError(Exception):
    """The power went, at an action the test has chosen; what follows is `SimulatedDisk.crash`."""


class SimulatedFile:
    """An open file of the simulated disk."""

    def __init__(self, disk: SimulatedDisk, content: Content, *, writable: bool) -> None:
        self._disk: Final = disk
        self._content: Final = content
        self._writable: Final = writable

    def read(self, offset: int, size: int) -> bytes:
        """Read the bytes as the process sees them."""
        return bytes(self._content.seen[offset : offset + size])

    def write(self, data: bytes | bytearray, offset: int) -> None:
        """Write, or fail as arranged; a power cut may come in the middle."""
        if not self._writable:
            raise OSError(errno.EBADF, os.strerror(errno.EBADF))
        if self._disk.actions_left == 0:
            self._content.write(bytes(data), offset)
        fault = self._disk.fault_of("write")
        if fault is None:
            self._content.write(bytes(data), offset)
            return
        if fault.errno == errno.ENOSPC:
            self._content.write(bytes(data[: len(data) // 2]), offset)
        raise fault

    def sync(self) -> None:
        """Bring everything to the disk. A sync that fails forgets what was not written, as the kernel does."""
        fault = self._disk.fault_of("sync")
        if fault is not None:
            self._content.unsynced.clear()
            raise fault
        self._content.sync()

    def size(self) -> int:
        """Length of the file in bytes."""
        return len(self._content.seen)

    def is_at(self, path: Path, *, size_min: int = 0) -> bool:
        """Whether this content has that name."""
        return self._disk.holds(path, self._content) and self.size() >= size_min

    def close(self) -> None:
        """Do nothing."""


class SimulatedLock:
    """A lock of the simulated disk."""

    def __init__(self, release: Callable[[], None], is_in_place: Callable[[], bool]) -> None:
        self.release: Final = release
        self.is_in_place: Final = is_in_place


class SimulatedDisk:
    """Implements `Disk` in memory."""

    def __init__(self, *, capacity_bytes: int = 1 << 40) -> None:
        self.capacity_bytes = capacity_bytes
        """Bytes that may be allocated; lower it to fill the disk, raise it to give space back."""

        self.troubles: list[Trouble] = []
        self.actions_left: int | None = None
        """Actions until the power is cut; None: never."""

        self._names: Names = {}
        self._stored_names: Names = {}
        self._unsynced_names: list[Callable[[Names], None]] = []
        self._locked: set[Path] = set()

    def crash(self, random: Random) -> SimulatedDisk:
        """Cut the power; returns the disk as the next start finds it. Open files of this one mean nothing any more."""
        names = dict(self._stored_names)
        for change in self._unsynced_names[: random.randint(0, len(self._unsynced_names))]:
            change(names)
        survivor = SimulatedDisk(capacity_bytes=self.capacity_bytes)
        survivor._names = {path: content.crashed(random) for path, content in names.items()}
        survivor._stored_names = dict(survivor._names)
        return survivor

    def content(self, path: Path) -> bytearray:
        """Give the bytes of a file, to look at or to damage."""
        return self._names[path].seen

    def free_bytes(self) -> int:
        """Space that may still be allocated."""
        return self.capacity_bytes - sum(len(content.seen) for content in self._names.values())

    def fault_of(self, action: Action) -> OSError | None:
        """Count an action, and give the error it shall fail with, if any.

        Raises:
            PowerCutError: this is the one.
        """
        if self.actions_left is not None:
            if self.actions_left == 0:
                raise PowerCutError
            self.actions_left -= 1
        for index, trouble in enumerate(self.troubles):
            if trouble.action == action:
                if trouble.after == 0:
                    del self.troubles[index]
                    return OSError(trouble.error, os.strerror(trouble.error))
                self.troubles[index] = msgspec.structs.replace(trouble, after=trouble.after - 1)
                break
        return None

    def make_directory(self, path: Path) -> None:
        """Do nothing: every directory exists."""

    def names(self, directory: Path) -> tuple[str, ...]:
        """Names in a directory, sorted."""
        return tuple(sorted(path.name for path in self._names if path.parent == directory))

    def create(self, path: Path, size: int) -> SimulatedFile:
        """Allocate zeros."""
        self._try("create")
        self._expect_free(path)
        if size > self.free_bytes():
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        content = Content(size)
        self._change(lambda names: names.update({path: content}))
        return SimulatedFile(self, content, writable=True)

    def open(self, path: Path, *, writable: bool = False) -> SimulatedFile:
        """Open a file that exists."""
        if path not in self._names:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path))
        return SimulatedFile(self, self._names[path], writable=writable)

    def exists(self, path: Path) -> bool:
        """Whether a file has that name."""
        return path in self._names

    def rename(self, source: Path, target: Path) -> None:
        """Move within a directory, where the name is free."""
        self._expect_free(target)
        self.replace(source, target)

    def replace(self, source: Path, target: Path) -> None:
        """Move within a directory, whatever has the name."""
        self._try("rename")
        content = self._names[source]

        def move(names: Names) -> None:
            names.pop(source, None)
            names[target] = content

        self._change(move)

    def remove(self, path: Path) -> None:
        """Remove a file."""
        self._change(lambda names: names.pop(path, None))

    def sync_directory(self, path: Path) -> None:
        """Bring the names to the disk; of all directories, there is only `path`."""
        self._try("sync_directory")
        self._stored_names = {name: content for name, content in self._names.items() if name.parent == path}
        self._unsynced_names.clear()

    def lock(self, path: Path) -> SimulatedLock:
        """Take the lock, once."""
        if path in self._locked:
            raise DiskLockedError(None)
        self._locked.add(path)
        return SimulatedLock(lambda: self._locked.discard(path), lambda: path in self._locked)

    def holds(self, path: Path, content: Content) -> bool:
        """Whether it is this content that has the name."""
        return self._names.get(path) is content

    def _expect_free(self, path: Path) -> None:
        if path in self._names:
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(path))

    def _try(self, action: Action) -> None:
        fault = self.fault_of(action)
        if fault is not None:
            raise fault

    def _change(self, change: Callable[[Names], object]) -> None:
        def recorded(names: Names) -> None:
            change(names)

        change(self._names)
        self._unsynced_names.append(recorded)


def _overlay(target: bytearray, data: bytes, offset: int) -> None:
    if len(target) < offset + len(data):
        target.extend(bytes(offset + len(data) - len(target)))
    target[offset : offset + len(data)] = data
