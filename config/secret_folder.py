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

import msgspec

from .files import NotOursError, expect_own_folder, make_own_folder, new_file, sync_folder
from .keepers import BODIES, Keeper, Kind, age, keeper_of, kind_of
from .keepers.age import PassphraseWantedError
from .keys import SECRET_KEYS, near
from .layers import Layer
from .private_files import OTHERS, read_private
from .secret_files import SecretUnfitError, secret_text
from .secrets import Secret

if TYPE_CHECKING:
    from pathlib import Path

FOLDER_NAME: Final = "secrets"
"""In the data directory."""

_NOT_THERE: Final = frozenset({errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG})
"""Errors of a path that leads nowhere: whoever makes the data directory says what is wrong with that."""

OBTAINED_TOKEN: Final = "broker.access_token.obtained"  # noqa: S105  its key
"""No setting: the access token that a running system has had of the broker by itself, which those beside it need."""

KEEPER_NAME: Final = ".keeper"
"""In the folder: how secrets are written; absent: as plain files."""

_HIDDEN: Final = "."
"""First character of the name of a file that is no secret, or not in its place yet."""

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
        if key not in SECRET_KEYS and key != OBTAINED_TOKEN:
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

    def newest_of(self, *keys: str) -> Secret | None:
        """Return the secret that was written last, of several; None: there is none.

        Raises:
            SecretUnfitError: as `read`.
        """
        written = {version[1]: key for key in keys if (version := self.version(key)) is not None}
        return self.read(written[max(written)]) if written else None

    def read(self, key: str) -> Secret | None:
        """Return a secret; None: there is none.

        Raises:
            SecretUnfitError: the file or its folder is another's, or open to others, or it cannot be read.
        """
        path = self.path_of(key)
        try:
            self._folder()
            content = read_private(path)
        except FileNotFoundError:
            return None
        except OSError as fault:
            raise SecretUnfitError(f"{path} cannot be read: {fault.strerror}") from None
        if content is None:
            return None
        body = BODIES[kind_of(content)]
        try:
            return Secret(secret_text(body.opened(self.path, self.keeper(), key, content).encode()))
        except PassphraseWantedError:
            raise
        except SecretUnfitError as fault:
            raise SecretUnfitError(f"{path}: {fault}") from None

    def write(self, key: str, secret: Secret) -> None:
        """Put a secret in the place of what is there, durably, all or nothing; the folder is made where there is none.

        Raises:
            SecretUnfitError: no secret has that key, or the folder is another's, or open to others.
            OSError: it cannot be written; what was there is there still.
        """
        path = self.path_of(key)
        self._make()
        self._folder()
        keeper, before = self.keeper(), read_private(path)
        self._put(path, BODIES[keeper.kind].sealed(keeper, key, secret))
        self._forget(before, key, unless=keeper.kind)

    def keeper(self) -> Keeper:
        """Tell how secrets are written here.

        Raises:
            SecretUnfitError: what says so is another's, open to others, or damaged.
        """
        return keeper_of(read_private(self.path / KEEPER_NAME) or b"")

    def kinds(self) -> dict[str, Kind]:
        """Tell how each that is there is kept now; those that cannot be looked at are left out."""
        found: dict[str, Kind] = {}
        for key in self.keys():
            with contextlib.suppress(SecretUnfitError):
                if (content := read_private(self.path / key)) is not None:
                    found[key] = kind_of(content)
        return found

    def keep_by(self, keeper: Keeper, key_behind: bytes = b"") -> tuple[str, ...]:
        """Keep secrets in another way from now on, and those that are there, too; return the keys of these.

        Whatever ends it in between, each secret is there in the one way or the other: begin it again.

        Args:
            keeper: how.
            key_behind: of age: the key, encrypted by a passphrase.

        Raises:
            SecretUnfitError: one of those that are there cannot be read, or cannot be kept so.
            OSError: it cannot be written.
        """
        BODIES[keeper.kind].expect_usable(keeper)
        self._make()
        known = {key: secret for key in self.keys() if (secret := self.read(key)) is not None}  # all, before anything
        sealed = {key: BODIES[keeper.kind].sealed(keeper, key, secret) for key, secret in known.items()}
        if key_behind:
            self._put(self.path / age.KEY_NAME, key_behind)
        # What age has encrypted is read by what the description says: it is there before the first, and until the last.
        description = self.path / KEEPER_NAME, msgspec.json.encode(keeper)
        if keeper.kind == "age":
            self._put(*description)
        for key, content in sealed.items():
            before = read_private(self.path / key)
            self._put(self.path / key, content)
            self._forget(before, key, unless=keeper.kind)
        if keeper.kind != "age":
            self._put(*description)
        return tuple(known)

    def _put(self, path: Path, content: bytes) -> None:
        beside = self.path / f"{_HIDDEN}{path.name.removeprefix(_HIDDEN)}.{secrets.token_hex(8)}"
        try:
            with new_file(beside) as descriptor:
                with os.fdopen(os.dup(descriptor), "wb") as file:
                    file.write(content)
                os.fsync(descriptor)
                beside.replace(path)
        except BaseException:
            with contextlib.suppress(FileNotFoundError):
                beside.unlink()
            raise
        sync_folder(self.path)

    def _forget(self, content: bytes | None, key: str, *, unless: Kind) -> None:
        """Remove what was kept elsewhere than in a file that is another now."""
        if content is not None and kind_of(content) != unless:
            BODIES[kind_of(content)].forgotten(content, key)

    def remove(self, key: str) -> bool:
        """Remove a secret; False: there is none.

        Raises:
            SecretUnfitError: no secret has that key, or the folder is another's, or open to others.
        """
        path = self.path_of(key)
        try:
            self._folder()
            content = read_private(path)
            path.unlink()
        except FileNotFoundError:
            return False
        if content is not None:
            BODIES[kind_of(content)].forgotten(content, key)
        sync_folder(self.path)
        return True

    def layer(self, *, locked_left_out: bool) -> Layer:
        """Read all that are settings, as a layer of them; those whose passphrase is wanted may be left out."""
        layer = Layer(FOLDER_NAME)
        try:
            keys = self.keys()
        except SecretUnfitError as fault:
            layer.problems.append(str(fault))
            return layer
        for key in keys:
            if key == OBTAINED_TOKEN:
                continue
            origin = f"secret {self.path / key}"
            try:
                secret = self.read(key)
            except PassphraseWantedError as fault:
                if not locked_left_out:
                    layer.problems.append(f"{origin}: {fault}")
            except SecretUnfitError as fault:
                layer.problems.append(f"secret {fault}")  # which names the file
            else:
                if secret is not None:
                    layer.take(key, secret, origin)
        return layer

    def _make(self) -> None:
        """Make the folder for this user alone."""
        make_own_folder(self.path)

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
        if mode & OTHERS:
            mend = f"chmod 700 {shlex.quote(str(self.path))}"
            raise SecretUnfitError(f"{self.path}: wanted mode 700 for a folder of secrets, found {mode:o}: {mend}")
        return self.path
