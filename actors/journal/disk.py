"""The file layer: the protocol that the journal needs of a disk, and the real disk.

The journal touches files only through `Disk`, so that the same code runs on a simulated disk (`simulated.py`) that
loses or tears whatever was not synced. All faults are `OSError`, as the kernel reports them.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from pathlib import Path
from typing import Final, Protocol

from ...config.files import NotOursError, make_own_folder, move_new
from ...config.locks import HeldLock, LockHeldError
from ...config.sightings import Sighting, sighted

NEW_SUFFIX: Final = ".new"
"""Suffix of a file that is being made; it has no record yet."""

NO_FILE: Final = "is a link or no file at all: remove it, it is in the place of one of the journal's"


class ReadableFile(Protocol):
    """One open file; positions are explicit, so readers and the writer share nothing."""

    def read(self, offset: int, size: int) -> bytes:
        """Read up to `size` bytes from `offset`; fewer at the end of the file."""
        ...

    def size(self) -> int:
        """Length of the file in bytes."""
        ...

    def close(self) -> None:
        """Close the file."""
        ...


class DiskFile(ReadableFile, Protocol):
    """An open file that can be written, too."""

    def write(self, data: bytes | bytearray, offset: int) -> None:
        """Write all of `data` at `offset`, or raise OSError (some of it may then be there)."""
        ...

    def sync(self) -> None:
        """Return when everything written is on the disk. After an OSError it is unknown what is."""
        ...

    def is_at(self, path: Path, *, size_min: int = 0) -> bool:
        """Whether this file is at `path` now: not moved, removed or replaced, and `size_min` bytes long at least."""
        ...


class Disk(Protocol):
    """A file system, as far as a journal needs it."""

    def make_directory(self, path: Path) -> None:
        """Create it, with parents, readable by its user alone; an existing one stays."""
        ...

    def names(self, directory: Path) -> tuple[str, ...]:
        """Names in a directory, sorted."""
        ...

    def create(self, path: Path, size: int) -> DiskFile:
        """Create a file of `size` zeros whose space is allocated. On OSError (disk full) no file is left.

        An existing file of that name is never touched: FileExistsError.
        """
        ...

    def open(self, path: Path, *, writable: bool = False) -> DiskFile:
        """Open a file that exists; FileNotFoundError when it does not, NotOursError when it is a link."""
        ...

    def exists(self, path: Path) -> bool:
        """Whether something has that name."""
        ...

    def rename(self, source: Path, target: Path) -> None:
        """Move within a directory; durable after `sync_directory`. FileExistsError when the target is there."""
        ...

    def replace(self, source: Path, target: Path) -> None:
        """Move within a directory, replacing the target; durable after `sync_directory`."""
        ...

    def remove(self, path: Path) -> None:
        """Remove a file; durable after `sync_directory`."""
        ...

    def sync_directory(self, path: Path) -> None:
        """Return when names created, moved and removed in it are on the disk."""
        ...

    def lock(self, path: Path) -> DiskLock:
        """Take the lock file for this process, or raise `DiskLockedError`."""
        ...


class DiskLock(Protocol):
    """A lock that ends with its process, however it dies."""

    def is_in_place(self) -> bool:
        """Whether the lock file is at its path, so that other processes see the lock."""
        ...

    def release(self) -> None:
        """Release the lock."""
        ...


def put_whole(disk: Disk, path: Path, data: bytes, *, replaces: bool = True) -> None:
    """Make a file with this content, durably, all or nothing.

    Args:
        disk: has it.
        path: of the file.
        data: not empty.
        replaces: what is there is replaced; else FileExistsError.

    Raises:
        OSError: what was there is there still.
    """
    assert data, f"{path}: bytes to allocate space for"
    new = path.with_name(path.name + NEW_SUFFIX)
    if disk.exists(new):
        disk.remove(new)
    file = disk.create(new, len(data))
    try:
        try:
            file.write(data, 0)
            file.sync()
        finally:
            file.close()
        (disk.replace if replaces else disk.rename)(new, path)
    except OSError:
        with contextlib.suppress(OSError):
            disk.remove(new)
        raise
    disk.sync_directory(path.parent)


class DiskLockedError(Exception):
    """Another process holds the lock."""

    def __init__(self, holder_pid: int | None) -> None:
        self.holder_pid = holder_pid
        super().__init__(f"held by process {holder_pid}")


class RealFile:
    """A file of the operating system."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor: Final = descriptor
        self._identity: Final = Sighting.of(os.fstat(descriptor))

    def read(self, offset: int, size: int) -> bytes:
        """Read up to `size` bytes; a file system may give fewer at a time, so this asks until the end."""
        parts = []
        while size > 0:
            part = os.pread(self._descriptor, size, offset)
            if not part:
                break
            parts.append(part)
            offset += len(part)
            size -= len(part)
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def write(self, data: bytes | bytearray, offset: int) -> None:
        """Write all of it. A full disk answers with a short write first (176 of 200 bytes seen), ENOSPC only then."""
        done = os.pwrite(self._descriptor, data, offset)
        while done < len(data):
            done += os.pwrite(self._descriptor, memoryview(data)[done:], offset + done)

    def sync(self) -> None:
        """`fdatasync`: the data and what is needed to find it, not the time stamps."""
        os.fdatasync(self._descriptor)

    def size(self) -> int:
        """Length of the file in bytes."""
        return os.fstat(self._descriptor).st_size

    def is_at(self, path: Path, *, size_min: int = 0) -> bool:
        """Look at the path, 4 us."""
        try:
            found = sighted(path)
        except (FileNotFoundError, NotADirectoryError):
            return False
        return found.is_same_file(self._identity) and found.size >= size_min

    def close(self) -> None:
        """Close the descriptor."""
        os.close(self._descriptor)


class RealDisk:
    """The file system of this machine."""

    def make_directory(self, path: Path) -> None:
        """Make it, for its user alone."""
        make_own_folder(path)

    def names(self, directory: Path) -> tuple[str, ...]:
        """Names in a directory, sorted."""
        return tuple(sorted(path.name for path in directory.iterdir()))

    def create(self, path: Path, size: int) -> RealFile:
        """Allocate with `posix_fallocate`: a file so made takes records even when the disk has become full."""
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            os.posix_fallocate(descriptor, 0, size)
            os.fsync(descriptor)
        except OSError:
            os.close(descriptor)
            path.unlink()
            raise
        return RealFile(descriptor)

    def open(self, path: Path, *, writable: bool = False) -> RealFile:
        """Open a file that exists."""
        return RealFile(_open_own(path, os.O_RDWR if writable else os.O_RDONLY))

    def exists(self, path: Path) -> bool:
        """Whether something has that name, even a dangling link."""
        return os.path.lexists(path)

    def rename(self, source: Path, target: Path) -> None:
        """Move it to a name that is free: the plain `rename` would replace."""
        move_new(source, target)

    def replace(self, source: Path, target: Path) -> None:
        """Move within a directory, in one step."""
        source.replace(target)

    def remove(self, path: Path) -> None:
        """Remove a file."""
        path.unlink()

    def sync_directory(self, path: Path) -> None:
        """`fsync` on the directory."""
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def lock(self, path: Path) -> HeldLock:
        """Take `flock`, and write our process id into the file, for another process's error message."""
        try:
            return HeldLock(path)
        except LockHeldError as refusal:
            raise DiskLockedError(refusal.holder_pid) from refusal


def _open_own(path: Path, flags: int) -> int:
    """Open a plain file: no link is followed, and no pipe or device waits for its other end."""
    try:
        descriptor = os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, 0o600)
    except OSError as fault:
        if fault.errno in {errno.ELOOP, errno.EISDIR, errno.ENXIO}:
            raise NotOursError(path, NO_FILE) from fault
        raise
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise NotOursError(path, NO_FILE)
    return descriptor
