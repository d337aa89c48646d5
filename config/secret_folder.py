"""The secrets that `natya secrets` keeps: a file of mode 600 each, named as its key, in a folder of the data directory.

The problem: a token is replaced each day, by whoever is awake, while a system uses it. The idea: a secret is a file of
its own, replaced by renaming a new one over it; so a reader finds the old secret or the new one, never a part, and what
has changed is seen by looking at the file alone. The trap: a folder or file that another user may write, or a link to
elsewhere, would let that user choose the account's token; nothing is read from there, nor written.
"""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import shlex
import stat
from typing import TYPE_CHECKING, Final, TypeAlias

from .files import NotOursError, expect_own_folder, new_file, sync_folder
from .keys import SECRET_KEYS, near
from .layers import Layer
from .secret_files import SIZE_MAX_BYTES, SecretUnfitError, secret_text
from .secrets import Secret

if TYPE_CHECKING:
    from pathlib import Path

FOLDER_NAME: Final = "secrets"
"""In the data directory."""

_OTHERS: Final = 0o077
_NOT_THERE: Final = frozenset({errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG})
"""Errors of a path that leads nowhere: whoever makes the data directory says what is wrong with that."""

_HIDDEN: Final = "."
"""First character of the name of a file that is not in its place yet."""

Version: TypeAlias = tuple[int, int, int]
"""Of a file: it changes when another takes its place, or it is written."""


class SecretFolder:
    """One folder. It need not be there."""

    def __init__(self, data_dir: Path) -> None:
        """Take the folder of a data directory; nothing is opened."""
        self.path: Final = data_dir / FOLDER_NAME

    def path_of(self, key: str) -> Path:
        """Return the file of a secret.

        Raises:
            SecretUnfitError: no secret has that key.
        """
        if key not in SECRET_KEYS:
            raise SecretUnfitError(f"wanted the key of a secret{near(key, sorted(SECRET_KEYS))}")
        return self.path / key

    def keys(self) -> tuple[str, ...]:
        """List the files that are there, whether or not they can be read.

        Raises:
            SecretUnfitError: others may use the folder, or it cannot be read.
        """
        try:
            names = sorted(entry.name for entry in self._folder().iterdir() if not entry.name.startswith(_HIDDEN))
        except OSError as fault:
            if fault.errno in _NOT_THERE:
                return ()
            raise SecretUnfitError(f"{self.path} cannot be read: {fault.strerror}") from None
        return tuple(names)

    def version(self, key: str) -> Version | None:
        """Tell which file has the secret now; None: there is none. It is not read."""
        try:
            found = self.path_of(key).lstat()
        except OSError:
            return None
        return found.st_ino, found.st_mtime_ns, found.st_size

    def read(self, key: str) -> Secret | None:
        """Return a secret; None: there is none.

        Raises:
            SecretUnfitError: the file or its folder is another's, or open to others, or it cannot be read.
        """
        path = self.path_of(key)
        try:
            self._folder()
            descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        except FileNotFoundError:
            return None
        except OSError as fault:
            reason = "is a link" if fault.errno == errno.ELOOP else f"cannot be read: {fault.strerror}"
            raise SecretUnfitError(f"{path} {reason}") from None
        try:
            _expect_private(path, os.fstat(descriptor))  # before it is read: a folder cannot be
            with os.fdopen(descriptor, "rb", closefd=False) as file:
                content = file.read(SIZE_MAX_BYTES + 1)
        finally:
            os.close(descriptor)
        try:
            return Secret(secret_text(content))
        except SecretUnfitError as fault:
            raise SecretUnfitError(f"{path}: {fault}") from None

    def write(self, key: str, secret: Secret) -> None:
        """Put a secret in the place of what is there, durably, all or nothing; the folder is made where there is none.

        Raises:
            SecretUnfitError: no secret has that key, or the folder is another's, or open to others.
            OSError: it cannot be written; what was there is there still.
        """
        path = self.path_of(key)
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.path.mkdir(mode=0o700, exist_ok=True)
        self._folder()
        beside = self.path / f"{_HIDDEN}{key}.{secrets.token_hex(8)}"
        try:
            with new_file(beside) as descriptor:
                with os.fdopen(os.dup(descriptor), "wb") as file:
                    file.write(secret.reveal().encode() + b"\n")
                os.fsync(descriptor)
                beside.replace(path)
        except BaseException:
            with contextlib.suppress(FileNotFoundError):
                beside.unlink()
            raise
        sync_folder(self.path)

    def remove(self, key: str) -> bool:
        """Remove a secret; False: there is none.

        Raises:
            SecretUnfitError: no secret has that key, or the folder is another's, or open to others.
        """
        path = self.path_of(key)
        try:
            self._folder()
            path.unlink()
        except FileNotFoundError:
            return False
        sync_folder(self.path)
        return True

    def layer(self) -> Layer:
        """Read all of them, as a layer of the settings."""
        layer = Layer(FOLDER_NAME)
        try:
            keys = self.keys()
        except SecretUnfitError as fault:
            layer.problems.append(str(fault))
            return layer
        for key in keys:
            origin = f"secret {self.path / key}"
            try:
                secret = self.read(key)
            except SecretUnfitError as fault:
                layer.problems.append(f"{origin}: {fault}")
            else:
                if secret is not None:
                    layer.take(key, secret, origin)
        return layer

    def _folder(self) -> Path:
        """Return the folder, if it is this user's alone.

        Raises:
            SecretUnfitError: it is not.
            OSError: there is none, or it cannot be looked at.
        """
        found = self.path.stat()
        if self.path.is_symlink():
            raise SecretUnfitError(f"{self.path} is a link: a folder wanted")
        try:
            expect_own_folder(self.path)
        except NotOursError as fault:
            raise SecretUnfitError(str(fault)) from None
        except NotADirectoryError:
            raise SecretUnfitError(f"{self.path} is a file: a folder wanted") from None
        mode = stat.S_IMODE(found.st_mode)
        if mode & _OTHERS:
            mend = f"chmod 700 {shlex.quote(str(self.path))}"
            raise SecretUnfitError(f"{self.path}: wanted mode 700 for a folder of secrets, found {mode:o}: {mend}")
        return self.path


def _expect_private(path: Path, found: os.stat_result) -> None:
    mode = stat.S_IMODE(found.st_mode)
    if not stat.S_ISREG(found.st_mode) or found.st_uid != os.geteuid():
        raise SecretUnfitError(f"{path} is no file of user {os.geteuid()}")
    if mode & _OTHERS:
        mend = f"chmod 600 {shlex.quote(str(path))}"
        raise SecretUnfitError(f"{path}: wanted mode 600 for a file with a secret, found {mode:o}: {mend}")
