"""The token of the HTTP interface: `control.token` in the data directory, which only this user can read."""

from __future__ import annotations

import os
import re
import secrets
import stat
from pathlib import Path
from typing import Final

from ....config.files import NotOursError
from ....config.secrets import Secret
from ..errors import TokenFileError

TOKEN_NAME: Final = "control.token"  # noqa: S105  the name of a file

_WRITTEN: Final = re.compile(r"[A-Za-z0-9_-]{43}\n?")
_BYTES_MAX: Final = 64


def token_of(data_dir: Path) -> Secret:
    """Read the token, or make one; it stays until its file is removed.

    Raises:
        TokenFileError: the file is a link, another user's, one that others may read, or holds no token of ours.
    """
    path = data_dir / TOKEN_NAME
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    except OSError as fault:
        raise TokenFileError(f"{path} cannot be opened: {fault.strerror}") from fault
    try:
        _expect_own(path, os.fstat(descriptor))
    except TokenFileError:
        os.close(descriptor)
        raise
    with os.fdopen(descriptor, "r+", encoding="ascii", errors="replace") as file:
        text = file.read(_BYTES_MAX)
        if not text:
            text = secrets.token_urlsafe(32)
            file.write(f"{text}\n")
        if not _WRITTEN.fullmatch(text):
            raise TokenFileError(f"{path} holds no token of natya's: remove it, and a new one is made")
    return Secret(text.strip())


def read_token(data_dir: Path) -> Secret:
    """Read the token that a running system has made.

    Raises:
        TokenFileError: there is none, or it is not to be trusted.
    """
    if not (data_dir / TOKEN_NAME).exists():
        raise TokenFileError(f"{data_dir / TOKEN_NAME} does not exist: the system there has not served HTTP")
    return token_of(data_dir)


def _expect_own(path: Path, found: os.stat_result) -> None:
    mode = stat.S_IMODE(found.st_mode)
    if not stat.S_ISREG(found.st_mode) or found.st_uid != os.geteuid() or found.st_nlink != 1:
        raise TokenFileError(str(NotOursError(path, "is no plain file of this user: remove it")))
    if mode & 0o077:
        raise TokenFileError(f"{path} may be read by others (mode {mode:04o}): remove it, and a new one is made")
