"""A small disk that fills up, mounted where nobody but this process sees it."""

import contextlib
import ctypes
import os
from pathlib import Path

CLONE_NEWNS, CLONE_NEWUSER = 0x20000, 0x10000000
MS_REC, MS_PRIVATE, MNT_DETACH = 16384, 1 << 18, 2


def mount_small_disk(directory, size_bytes):
    """Mount a file system of this size; whoever is not root becomes it, in a name space of their own.

    The process has one thread yet.

    Raises:
        OSError: nobody may do this here.
    """
    user, group = os.geteuid(), os.getegid()
    try:
        _call("unshare", CLONE_NEWNS)
    except PermissionError:
        _call("unshare", CLONE_NEWNS | CLONE_NEWUSER)
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"0 {user} 1")
        Path("/proc/self/gid_map").write_text(f"0 {group} 1")
    _call("mount", b"none", b"/", None, MS_REC | MS_PRIVATE, None)
    _call("mount", b"tmpfs", os.fsencode(directory), b"tmpfs", 0, f"size={size_bytes}".encode())


def unmount(directory):
    """Take it away, whatever is still open there."""
    _call("umount2", os.fsencode(directory), MNT_DETACH)


def _call(name, *arguments):
    if getattr(ctypes.CDLL(None, use_errno=True), name)(*arguments):
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}")


class Ballast:
    """A file that takes space and gives it back."""

    def __init__(self, directory):
        self._path = directory / "ballast"

    def leave(self, free_bytes):
        """Take all but so many bytes."""
        disk = os.statvfs(self._path.parent)
        size = disk.f_bavail * disk.f_bsize - free_bytes
        # Whoever else writes may have been faster; what they took is taken, too.
        with self._path.open("ab") as file, contextlib.suppress(OSError):
            if size > 0:
                os.posix_fallocate(file.fileno(), file.tell(), size)

    def go(self):
        """Give everything back."""
        self._path.unlink()
