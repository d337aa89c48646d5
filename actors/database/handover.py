"""Taking what the owner hands over: the file moves to where the asker wants it, and replaces nothing."""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
from pathlib import Path

from .errors import DatabaseDamaged


def take(source: Path, target: Path) -> None:
    """Move a file that was handed over; on another file system it is copied, and read back.

    Raises:
        FileExistsError: the target is there already.
        DatabaseDamaged: the copy does not read back as it was written.
        OSError: the target cannot be written; its message names it.
    """
    try:
        os.link(source, target)  # like a move, but it replaces nothing
    except OSError as fault:
        if fault.errno not in {errno.EXDEV, errno.EPERM, errno.EOPNOTSUPP}:
            raise
        _copy(source, target)
    source.unlink()


def _copy(source: Path, target: Path) -> None:
    with target.open("xb") as written:
        try:
            target.chmod(0o600)
            with source.open("rb") as read:
                shutil.copyfileobj(read, written, 1 << 20)
            written.flush()
            os.fsync(written.fileno())
            _compare(source, target)
        except BaseException:
            target.unlink(missing_ok=True)
            raise


def _compare(source: Path, target: Path) -> None:
    if _digest(source) != _digest(target):
        raise DatabaseDamaged(f"{target} does not read back as it was written")


def _digest(path: Path) -> bytes:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "blake2b").digest()
