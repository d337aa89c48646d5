"""Locks (`flock`) on small files: a lock ends with its process, however that dies."""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
from pathlib import Path
from typing import Final

from .files import open_kept
from .forks import close_in_forks
from .sightings import Sighting, sighted

LOCKS: Final = Path("/proc/locks")
_PID: Final = re.compile(rb"[\s\0]*\d*[\s\0]*")


class LockHeldError(Exception):
    """Another process, or another part of this one, holds the lock."""

    def __init__(self, path: Path, holder_pid: int | None) -> None:
        self.holder_pid: Final = holder_pid
        super().__init__(f"{path} is held by {'another process' if holder_pid is None else f'process {holder_pid}'}")


class HeldLock:
    """Holds `flock` on a file. The file has the holder's process id, and stays when the lock is released.

    Forked children of this process do not hold it. Several may hold it `shared`.

    Raises:
        LockHeldError: another holds it, in this process or another.
        NotOursError, OSError: the file cannot be made or opened, or is not ours.
    """

    def __init__(self, path: Path, *, shared: bool = False) -> None:
        self.path: Final = path
        kind = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
        descriptor = _locked(path, kind)
        # One that was removed between opening and locking is no lock: others would lock a new file.
        while not _has_name(Sighting.of(os.fstat(descriptor)), path):
            os.close(descriptor)
            descriptor = _locked(path, kind)
        # Always of one length, so that an existing file can be rewritten on a full disk; the lock holds without it.
        with contextlib.suppress(OSError):
            os.pwrite(descriptor, b"%-19d\n" % os.getpid(), 0)
            os.ftruncate(descriptor, 20)
        self._descriptor: int | None = descriptor
        self._identity: Final = Sighting.of(os.fstat(descriptor))
        self._no_fork = close_in_forks(self._close)

    def is_in_place(self) -> bool:
        """Tell whether the path still leads to the locked file: a lock on a deleted file excludes no one."""
        return self._descriptor is not None and _has_name(self._identity, self.path)

    def remove(self) -> None:
        """Remove the file, unless others share the lock; the next holder creates a new one."""
        if self._descriptor is None or not self.is_in_place():
            return
        with contextlib.suppress(OSError):
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self.path.unlink()

    def release(self) -> None:
        """Release the lock; a repeat has no effect."""
        self._no_fork()
        self._close()

    def _close(self) -> None:
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            os.close(descriptor)


def _locked(path: Path, kind: int) -> int:
    descriptor = open_kept(path, is_ours=lambda held: _PID.fullmatch(held) is not None)
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError as refusal:
        holder = _holder(descriptor)
        os.close(descriptor)
        raise LockHeldError(path, holder) from refusal
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def holder_of(path: Path) -> int | None:
    """Return the process that holds a lock, without trying to take it; None: none does, or the kernel lists nobody."""
    try:
        return _listed(path.stat())
    except OSError:
        return None


def _holder(descriptor: int) -> int | None:
    """Return who holds the lock on an open file: by the kernel's list, since the file may still name the one before."""
    listed = _listed(os.fstat(descriptor))
    if listed is not None:
        return listed
    written = os.pread(descriptor, 20, 0).strip(b"\0 \n")  # of another machine, or another container
    return int(written) if written.isdigit() else None


def _listed(found: os.stat_result) -> int | None:
    place = f"{os.major(found.st_dev):02x}:{os.minor(found.st_dev):02x}:{found.st_ino}"
    # A line: `1: FLOCK  ADVISORY  WRITE 4711 fe:00:1234 0 EOF`; that of one who waits has `->` before FLOCK.
    with contextlib.suppress(OSError):
        listed = re.search(rf"^\d+: FLOCK .* ([1-9]\d*) {place} ", LOCKS.read_text("ascii"), re.MULTILINE)
        if listed is not None:
            return int(listed[1])
    return None


def _has_name(identity: Sighting, path: Path) -> bool:
    try:
        return sighted(path).is_same_file(identity)
    except OSError:
        return False
