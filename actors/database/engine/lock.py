"""The lock of a database: an advisory lock on a file beside it, held for the life of its owner.

DuckDB's own lock is a POSIX record lock: it is gone as soon as the owning process opens and closes the file once more
for any reason (a copy, a checksum). So it cannot be what keeps two owners apart.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ....config.locks import HeldLock, LockHeldError
from ..errors import DatabaseLocked, DatabaseUnreachable

if TYPE_CHECKING:
    from pathlib import Path


class FileLock:
    """Holds `<path>.lock`; the file contains the holder's process id, and stays when the lock is released.

    Several may hold it `shared`, to read files without an owner. If the database cannot be opened, a lock file that was
    not there before is removed.

    Raises:
        DatabaseLocked: another owner has it, in this process or another.
        DatabaseUnreachable: the file cannot be made or opened, or is not ours.
    """

    def __init__(self, path: Path, *, shared: bool = False) -> None:
        self.path = path.with_name(path.name + ".lock")
        self.was_there = os.path.lexists(self.path)
        """Whether the lock file was there before: the database was opened, or about to be created, earlier."""

        try:
            self._lock = HeldLock(self.path, shared=shared)
        except LockHeldError as refusal:
            raise DatabaseLocked(str(path), refusal.holder_pid) from refusal
        except OSError as fault:
            raise DatabaseUnreachable(f"{self.path} cannot be opened: {fault}") from fault

    def release(self) -> None:
        """Release the lock."""
        self._lock.release()

    def withdraw(self) -> None:
        """Release the lock, and remove the lock file if it was not there before."""
        if not self.was_there:
            self._lock.remove()
        self._lock.release()
