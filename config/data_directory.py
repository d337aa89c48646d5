"""The data directory: where everything lies that survives the process, owned by one process at a time."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from typing import Final

LOCK_NAME: Final = "natya.lock"


class DataDirectoryError(Exception):
    """The data directory cannot be used; the reason names it."""


class DataDirectoryBusyError(DataDirectoryError):
    """Another process works in this data directory. Wait for it, stop it, or name another directory."""

    def __init__(self, path: Path, holder_pid: int | None) -> None:
        self.path = path
        self.holder_pid = holder_pid
        holder = "another process" if holder_pid is None else f"process {holder_pid}"
        super().__init__(f"data directory {path} is in use by {holder}")


class DataDirectory:
    """A directory for one process: made if needed, readable by its user alone, and locked while it is held.

    The lock is `flock` on `natya.lock`, which ends with the process however it dies; the file keeps the holder's pid.
    """

    def __init__(self, path: str | Path) -> None:
        self.path: Final = Path(path).expanduser().absolute()
        self._descriptor: int | None = None

    def take(self) -> None:
        """Make and lock the directory.

        Raises:
            DataDirectoryBusyError: another process holds it.
            DataDirectoryError: it cannot be made or written.
        """
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor = os.open(self.path / LOCK_NAME, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as fault:
            raise DataDirectoryError(f"data directory {self.path} cannot be used: {fault.strerror}") from fault
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as fault:
            holder = os.pread(descriptor, 32, 0).decode("ascii", "replace").strip()
            os.close(descriptor)
            raise DataDirectoryBusyError(self.path, int(holder) if holder.isdigit() else None) from fault
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode("ascii"), 0)
        self._descriptor = descriptor

    def release(self) -> None:
        """Give the directory free; without effect when it is not held."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
