"""A small disk that fills up, mounted where nobody but this process sees it."""

import ctypes
import errno
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
        """Take all but so many bytes, rounded up to whole blocks; less is left where others write meanwhile.

        A call that finds less space than it asks for takes nothing at all: it is made again for what there is then.
        """
        disk = os.statvfs(self._path.parent)
        blocks_left = -(-free_bytes // disk.f_bsize)
        with self._path.open("ab") as file:
            while (blocks := os.statvfs(self._path.parent).f_bavail - blocks_left) > 0:
                try:
                    os.posix_fallocate(file.fileno(), file.tell(), blocks * disk.f_bsize)
                except OSError as fault:
                    if fault.errno != errno.ENOSPC:
                        raise
                file.seek(0, os.SEEK_END)

    def go(self):
        """Give everything back."""
        self._path.unlink()
