"""Files that their user alone may open: read only where nobody else could have written them, nor read them."""

from __future__ import annotations

import errno
import os
import shlex
import stat
from typing import TYPE_CHECKING, Final

from .secret_files import SIZE_MAX_BYTES, SecretUnfitError

if TYPE_CHECKING:
    from pathlib import Path

OTHERS: Final = 0o077


def read_private(path: Path) -> bytes | None:
    """Return the content, one byte more than a secret has at most; None: there is no file.

    Raises:
        SecretUnfitError: it is a link or no file, another's, or open to others, or it cannot be read.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    except OSError as fault:
        reason = "is a link" if fault.errno == errno.ELOOP else f"cannot be read: {fault.strerror}"
        raise SecretUnfitError(f"{path} {reason}") from None
    try:
        _expect_private(path, os.fstat(descriptor))  # before it is read: a folder cannot be
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            return file.read(SIZE_MAX_BYTES + 1)
    finally:
        os.close(descriptor)


def _expect_private(path: Path, found: os.stat_result) -> None:
    mode = stat.S_IMODE(found.st_mode)
    if not stat.S_ISREG(found.st_mode) or found.st_uid != os.geteuid():
        raise SecretUnfitError(f"{path} is no file of user {os.geteuid()}")
    if mode & OTHERS:
        mend = f"chmod 600 {shlex.quote(str(path))}"
        raise SecretUnfitError(f"{path}: wanted mode 600 for a file with a secret, found {mode:o}: {mend}")
