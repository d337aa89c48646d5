"""The right to own a database: an advisory lock beside the file, held for the life of the owner.

DuckDB's own lock is a POSIX record lock: it is gone as soon as the owning process opens and closes the file once more
for any reason (a copy, a checksum). So it cannot be what keeps two owners apart.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from pathlib import Path

from .errors import DatabaseLocked, DatabaseUnreachable


class FileLock:
    """Holds `<path>.lock` with `flock`; the file tells the holder's process id, and stays when the lock is gone.

    Several may hold it `shared`, to read what nobody owns.

    Raises:
        DatabaseLocked: another owner has it, in this process or another.
        DatabaseUnreachable: the file cannot be made or opened.
    """

    def __init__(self, path: Path, *, shared: bool = False) -> None:
        self.path = path.with_name(path.name + ".lock")
        try:
            self._descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as fault:
            raise DatabaseUnreachable(f"{self.path} cannot be opened: {fault}") from fault
        try:
            fcntl.flock(self._descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
        except BlockingIOError as refusal:
            holder = os.pread(self._descriptor, 20, 0).strip()
            os.close(self._descriptor)
            raise DatabaseLocked(str(path), int(holder) if holder.isdigit() else None) from refusal
        # Always as long, so that a full disk that has the file has room for it; the lock is one without it, too.
        with contextlib.suppress(OSError):
            os.pwrite(self._descriptor, b"%-19d\n" % os.getpid(), 0)

    def release(self) -> None:
        """Let others have it."""
        os.close(self._descriptor)
