"""Creating, moving and removing files without ever destroying one that natya did not make.

The trap is that a name proves nothing: the file there may belong to another user, be a symbolic link, or have been
created a moment ago. So nothing here replaces a file, follows a link in the last component of a path, or removes what
does not carry natya's mark.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import functools
import grp
import hashlib
import os
import pwd
import re
import shlex
import shutil
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MARK: Final = ".natya"
"""Name of a file in each folder that natya made and may remove again."""

MARK_BYTES_MAX: Final = 1_024

KEPT_BYTES_MAX: Final = 256
"""Size of a lock or witness file."""

_OTHERS_MAY_WRITE: Final = 0o022
_RENAME_NOREPLACE: Final = 1
_CANNOT_MOVE_SO: Final = frozenset({errno.EINVAL, errno.ENOSYS, errno.EPERM, errno.EOPNOTSUPP})
"""Errors of file systems that cannot rename without replacing."""


class NotOursError(OSError):
    """A link, another kind of file, or another user's: nothing was changed. The text says which, and what to do."""

    def __init__(self, path: str | Path, reason: str) -> None:
        super().__init__(errno.EEXIST, reason, str(path))

    def __str__(self) -> str:
        return f"{self.filename} {self.strerror}"


def expect_own_folder(path: Path, *, shared: bool = False) -> None:
    """Check that only this user may create files in a folder.

    Args:
        path: of the folder.
        shared: accept a folder with the sticky bit, such as /tmp.

    Raises:
        NotOursError: it is another user's, or others may write there.
        OSError: it cannot be read.
    """
    found = path.stat()
    if not stat.S_ISDIR(found.st_mode):
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(path))
    sticky = shared and found.st_mode & stat.S_ISVTX
    if found.st_uid != os.geteuid() and not sticky:
        raise NotOursError(
            path, f"belongs to user {found.st_uid}, and this is user {os.geteuid()}: name a directory of your own"
        )
    if found.st_mode & _OTHERS_MAY_WRITE and not sticky:
        mode = stat.S_IMODE(found.st_mode)
        raise NotOursError(path, f"may be written by others (mode {mode:04o}): chmod go-w {shlex.quote(str(path))}")


def may_be_written_by_others(found: os.stat_result) -> bool:
    """Tell whether a file may be by its mode; by a group not, which is this user's alone, as Debian gives each one."""
    if not found.st_mode & stat.S_IWGRP or found.st_mode & stat.S_IWOTH:
        return bool(found.st_mode & stat.S_IWOTH)
    try:
        user, group = pwd.getpwuid(os.geteuid()), grp.getgrgid(found.st_gid)
    except KeyError:  # a number without a name
        return True
    is_own = found.st_gid == user.pw_gid and group.gr_name == user.pw_name
    return not is_own or bool(set(group.gr_mem) - {user.pw_name})


def make_own_folder(path: Path) -> None:
    """Create a folder of mode 700 unless it is there, and those above it alike: `mkdir` makes these as the umask would.

    Raises:
        OSError: it cannot be created, or is no folder.
    """
    try:
        path.mkdir(mode=0o700, exist_ok=True)
    except FileNotFoundError:
        if path.parent == path:
            raise
        make_own_folder(path.parent)
        path.mkdir(mode=0o700, exist_ok=True)


def open_kept(path: Path, *, is_ours: Callable[[bytes], bool]) -> int:
    """Open a small permanent file, such as a lock, creating it if needed; return the descriptor.

    Args:
        path: of the file.
        is_ours: says by the content, which may be empty, whether the file may be overwritten.

    Raises:
        NotOursError: a link, no regular file, another user's, or of other content.
        OSError: it cannot be opened or created.
    """
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK, 0o600)
    except OSError as fault:
        if fault.errno in {errno.ELOOP, errno.ENXIO, errno.EISDIR}:
            raise NotOursError(path, "is a link or no file at all: remove it, it is in the place of ours") from fault
        raise
    try:
        _expect_kept(path, descriptor, is_ours)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


@contextlib.contextmanager
def new_file(path: Path) -> Iterator[int]:
    """Create a file of mode 600 and yield its descriptor; it is removed if the block raises.

    Raises:
        FileExistsError: the path exists.
        OSError: it cannot be created.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        try:
            yield descriptor
        except BaseException:
            _remove_made(path, descriptor)
            raise
    finally:
        os.close(descriptor)


def expect_absent(path: Path) -> None:
    """Look, before work begins, whether a name is free; who takes it looks again, since it may be taken meanwhile.

    Raises:
        FileExistsError: something of that name is there already, if only a link to nowhere.
    """
    if os.path.lexists(path):
        raise FileExistsError(f"{path} is there already")


def expect_new(path: Path) -> None:
    """Do the same, and look whether there is a folder for it.

    Raises:
        FileExistsError: something of that name is there already.
        FileNotFoundError: there is no folder for it.
    """
    expect_absent(path)
    if not path.absolute().parent.is_dir():
        raise FileNotFoundError(f"there is no directory {path.absolute().parent}")


def move_new(source: Path, target: Path) -> None:
    """Move a file (within one file system also a folder) without replacing anything; to another file system by copy.

    Raises:
        FileExistsError: the target exists; the source is where it was.
        OSError: the target cannot be written, or does not read back as written; it is removed again.
    """
    try:
        _rename_new(source, target)
    except OSError as fault:
        if fault.errno != errno.EXDEV:
            raise
        copy_new(source, target)
        source.unlink()


def copy_new(source: Path, target: Path) -> None:
    """Copy a file to a new one, durably, and compare what reads back.

    Raises:
        FileExistsError: the target exists.
        OSError: it cannot be written, or does not read back as written; it is removed again.
    """
    with new_file(target) as descriptor, os.fdopen(os.dup(descriptor), "wb") as written:
        with source.open("rb") as read:
            shutil.copyfileobj(read, written, 1 << 20)
        written.flush()
        os.fsync(descriptor)
        if _digest(source) != _digest(target):
            raise OSError(errno.EIO, "does not read back as it was written", str(target))
    sync_folder(target.parent)


def make_private_folder(path: Path, owner: str) -> None:
    """Create a folder of mode 700 with a mark that names its owner; `remove_private_folder` removes it.

    Args:
        path: of the folder.
        owner: text of the mark; the same must be given to remove it.

    Raises:
        FileExistsError: the path exists.
        OSError: it cannot be created; it is removed again.
    """
    path.mkdir(mode=0o700)
    try:
        with new_file(path / MARK) as descriptor:
            os.write(descriptor, owner.encode("utf-8", "surrogateescape"))
    except BaseException:
        with contextlib.suppress(OSError):
            path.rmdir()  # without its mark nothing would ever remove it
        raise


def remove_private_folder(path: Path, owner: str, *, names: re.Pattern[str]) -> bool:
    """Remove a folder with this owner's mark, and the files and marked folders in it whose names match; follow no link.

    Returns:
        Whether it was removed: other files stay, and the folder with them.
    """
    with contextlib.suppress(OSError), _folder(path) as folder:
        if mark_of(folder) == owner and _empty(folder, names):
            os.unlink(MARK, dir_fd=folder)
            path.rmdir()
            return True
    return False


def empty_private_folder(path: Path, owner: str, *, names: re.Pattern[str]) -> None:
    """Remove the files with matching names from a folder with this owner's mark; the folder stays."""
    with contextlib.suppress(OSError), _folder(path) as folder:
        if mark_of(folder) == owner:
            _empty(folder, names)


def open_from_private_folder(path: Path) -> int:
    """Open a file for reading, in a folder that `make_private_folder` made for this user; follow no link.

    Raises:
        NotOursError: the folder is no such folder, or the file is another user's or no regular file.
        OSError: it cannot be opened.
    """
    with _folder(path.parent) as folder:
        found = os.fstat(folder)
        if found.st_mode & 0o077 or mark_of(folder) is None:
            raise NotOursError(path, "lies in no folder of ours that files are handed over in: it was left alone")
        descriptor = os.open(path.name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
    found = os.fstat(descriptor)
    if not stat.S_ISREG(found.st_mode) or found.st_uid != os.geteuid():
        os.close(descriptor)
        raise NotOursError(path, f"is no file of user {os.geteuid()}: it was left alone")
    return descriptor


def is_private_folder(path: Path, owner: str) -> bool:
    """Tell whether the path is a folder, not a link to one, with this owner's mark."""
    with contextlib.suppress(OSError), _folder(path) as folder:
        return mark_of(folder) == owner
    return False


def mark_of(folder: int) -> str | None:
    """Return the mark of an open folder: its owner; None if it has no mark, or is another user's."""
    try:
        descriptor = os.open(MARK, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
    except OSError:
        return None
    try:
        mark, found = os.fstat(descriptor), os.fstat(folder)
        if not stat.S_ISREG(mark.st_mode) or {mark.st_uid, found.st_uid} != {os.geteuid()}:
            return None
        return os.pread(descriptor, MARK_BYTES_MAX, 0).decode("utf-8", "surrogateescape")
    finally:
        os.close(descriptor)


def private_folders(parent: Path, names: re.Pattern[str]) -> tuple[Path, ...]:
    """List the folders with such names that may have been made by `make_private_folder`."""
    with contextlib.suppress(OSError):
        return tuple(each for each in sorted(parent.iterdir()) if names.fullmatch(each.name) and not each.is_symlink())
    return ()


def sync_folder(path: Path) -> None:
    """Make the directory entries of a folder durable (fsync).

    Raises:
        OSError: it cannot be opened or synced.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _expect_kept(path: Path, descriptor: int, is_ours: Callable[[bytes], bool]) -> None:
    found = os.fstat(descriptor)
    if not stat.S_ISREG(found.st_mode) or found.st_uid != os.geteuid():
        raise NotOursError(path, f"is no file of user {os.geteuid()}: remove it, it is in the place of ours")
    if found.st_size > KEPT_BYTES_MAX or not is_ours(os.pread(descriptor, KEPT_BYTES_MAX, 0)):
        raise NotOursError(path, "holds something that is not ours: move it away, it is in the place of ours")


def _rename_new(source: Path, target: Path) -> None:
    rename = _renameat2()
    if rename is not None:
        current = -100  # AT_FDCWD: paths as the process sees them
        if rename(current, os.fsencode(source), current, os.fsencode(target), _RENAME_NOREPLACE) == 0:
            return
        number = ctypes.get_errno()
        if number not in _CANNOT_MOVE_SO:
            raise OSError(number, os.strerror(number), str(source), None, str(target))
    source.lstat()
    # An empty file of our own is created at the target first (O_EXCL), and only that is replaced.
    os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    try:
        source.replace(target)
    except BaseException:
        target.unlink()
        raise


@functools.cache
def _renameat2() -> Callable[..., int] | None:
    """Return Linux's renameat2, which can rename without replacing (glibc since 2018); None where there is none."""
    found: Callable[..., int] | None = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    return found


def _remove_made(path: Path, descriptor: int) -> None:
    """Remove a file that was just created, if the path still leads to it."""
    with contextlib.suppress(FileNotFoundError):
        made, there = os.fstat(descriptor), path.lstat()
        if (made.st_dev, made.st_ino) == (there.st_dev, there.st_ino):
            path.unlink()


@contextlib.contextmanager
def _folder(path: Path | str, within: int | None = None) -> Iterator[int]:
    """Open a folder, following no link."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=within)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _empty(folder: int, names: re.Pattern[str]) -> bool:
    """Remove what has a matching name; return whether nothing but the mark is left."""
    is_empty = True
    for name in os.listdir(folder):
        mode = os.lstat(name, dir_fd=folder).st_mode
        if name == MARK:
            continue
        if names.fullmatch(name) and stat.S_ISREG(mode):
            os.unlink(name, dir_fd=folder)
        elif names.fullmatch(name) and stat.S_ISDIR(mode):
            is_empty = _remove_below(folder, name, names) and is_empty
        else:
            is_empty = False
    return is_empty


def _remove_below(folder: int, name: str, names: re.Pattern[str]) -> bool:
    with _folder(name, folder) as below:
        if mark_of(below) is None or not _empty(below, names):
            return False
        os.unlink(MARK, dir_fd=below)
    os.rmdir(name, dir_fd=folder)
    return True


def _digest(path: Path) -> bytes:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "blake2b").digest()


def free_bytes(*folders: Path) -> int | None:
    """Return how much this user may still write in the fullest of these folders; None where none is there."""
    return min((free for each in folders if (free := _free_bytes(each)) is not None), default=None)


def _free_bytes(folder: Path) -> int | None:
    try:
        found = os.statvfs(folder)
    except OSError:
        return None
    return found.f_bavail * found.f_frsize
