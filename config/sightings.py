"""Which file is at a path: looked up by a call that does not let go of the interpreter, as `os.lstat` does.

A thread that lets go waits for it again, behind all that compute. For a look of 1 us, four of which stand between a
commit of the journal and its acknowledgements, that was a third of the longest waits beside a busy market.
"""

from __future__ import annotations

import ctypes
import functools
import os
import struct
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_AT_FDCWD: Final = -100
_AT_SYMLINK_NOFOLLOW: Final = 0x100
_STATX_BASIC_STATS: Final = 0x7FF
_STATX: Final = struct.Struct("=32x Q Q 88x I I 112x")
"""Of Linux's `struct statx`, the same on every machine: inode, size, and the numbers of its device."""


class Sighting(NamedTuple):
    """A file, as the system knows it."""

    device: int
    inode: int
    size: int
    """Bytes."""

    def is_same_file(self, other: Sighting) -> bool:
        """Whether both are of one file, whatever its size was."""
        return self.inode == other.inode and self.device == other.device

    @classmethod
    def of(cls, found: os.stat_result) -> Sighting:
        """Return what a `stat` says."""
        return cls(found.st_dev, found.st_ino, found.st_size)


def sighted(path: Path | str) -> Sighting:
    """Return what is at a path; a link is not followed.

    For files of a disk of this machine that are open, so that the system has in memory what it answers: all threads
    wait meanwhile.

    Raises:
        OSError: nothing is there, or it may not be looked at.
    """
    statx = _statx()
    return Sighting.of(os.lstat(path)) if statx is None else _asked(statx, path)


def _asked(statx: Callable[..., int], path: Path | str) -> Sighting:
    found = ctypes.create_string_buffer(_STATX.size)
    if statx(_AT_FDCWD, os.fsencode(path), _AT_SYMLINK_NOFOLLOW, _STATX_BASIC_STATS, found):
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), str(path))
    inode, size, major, minor = _STATX.unpack(found)
    return Sighting(os.makedev(major, minor), inode, size)


@functools.cache
def _statx() -> Callable[..., int] | None:
    """Return Linux's statx (glibc since 2018), called with the interpreter held; None where it does not answer."""
    found: Callable[..., int] | None = getattr(ctypes.PyDLL(None, use_errno=True), "statx", None)
    if found is None:
        return None
    try:
        is_right = _asked(found, os.sep).is_same_file(Sighting.of(os.lstat(os.sep)))
    except OSError:  # forbidden by a filter of system calls
        return None
    return found if is_right else None
