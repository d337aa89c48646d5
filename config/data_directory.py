"""The data directory: everything that outlives the process, owned by one process at a time."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from .files import NotOursError, expect_own_folder, make_own_folder
from .locks import HeldLock, LockHeldError

LOCK_NAME: Final = "natya.lock"

TALLY_NAME: Final = "requests"
"""Folder of the counts of requests to a broker, for the next process; written to by any number of processes."""


class DataDirectoryError(Exception):
    """The data directory cannot be used; the reason names it."""


class DataDirectoryBusyError(DataDirectoryError):
    """Another process works in this data directory. Wait for it, stop it, or name another directory."""

    def __init__(self, path: Path, holder_pid: int | None) -> None:
        self.path = path
        self.holder_pid = holder_pid
        holder = "another process" if holder_pid is None else f"process {holder_pid}"
        super().__init__(f"data directory {path} is in use by {holder}")


class DataDirectoryMovedError(DataDirectoryError):
    """The lock file is not at its path any more: the directory was moved or removed, or another took its place."""


def tally_folder(data_dir: str | Path) -> Path:
    """Return the folder of the counts of requests in a data directory."""
    return Path(data_dir).expanduser() / TALLY_NAME


def held_since_ns(data_dir: Path) -> int | None:
    """Return since when its holder has it, or the last one had: nanoseconds since 1970-01-01 UTC; None: nobody had."""
    try:
        return (data_dir / LOCK_NAME).stat().st_mtime_ns  # written once, by who takes it
    except OSError:
        return None


class DataDirectory:
    """A directory for one process: created if needed, writable by its user only, and locked while it is held.

    The lock is `flock` on `natya.lock`, which ends with the process however it dies; the file has the holder's pid.

    Raises:
        DataDirectoryError: the path begins with `~name`, and there is no such user.
    """

    def __init__(self, path: str | Path) -> None:
        try:
            self.path: Final = Path(path).expanduser().absolute()
        except RuntimeError as fault:
            raise DataDirectoryError(f"data directory {path} cannot be used: {fault}") from fault
        self._lock: HeldLock | None = None

    def take(self) -> None:
        """Create and lock the directory.

        Raises:
            DataDirectoryBusyError: another process holds it.
            DataDirectoryError: it cannot be created or written, or other users may write in it.
        """
        try:
            make_own_folder(self.path)
            expect_own_folder(self.path)
            self._lock = HeldLock(self.path / LOCK_NAME)
        except LockHeldError as fault:
            raise DataDirectoryBusyError(self.path, fault.holder_pid) from fault
        except NotOursError as fault:
            raise DataDirectoryError(f"data directory {self.path} cannot be used: {fault}") from fault
        except OSError as fault:
            raise DataDirectoryError(f"data directory {self.path} cannot be used: {fault.strerror}") from fault

    def expect_in_place(self) -> None:
        """Check that the directory and its lock file are still the ones that were taken.

        Raises:
            DataDirectoryMovedError: they are not; another process may work at the path.
        """
        if self._lock is not None and not self._lock.is_in_place():
            raise DataDirectoryMovedError(f"{self._lock.path} was moved, removed or replaced while it was held")

    def release(self) -> None:
        """Unlock the directory; no effect when it is not held."""
        if self._lock is not None:
            self._lock.release()
            self._lock = None
