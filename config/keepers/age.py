"""A secret encrypted by age (age-encryption.org/v1), by the library pyrage: `pip install 'natya[secrets]'`.

The problem: a copy of the data directory, in a backup or on a stolen disk, has the token in it. The idea: each file
is encrypted for one key. The key is a file of your own, kept elsewhere (`age-keygen`, or made here), or lies in the
folder, encrypted itself by a passphrase: that is asked for at a terminal, or a credential of systemd. To write a secret
neither is wanted.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from ..files import new_file
from ..private_files import read_private
from ..secret_files import SecretUnfitError
from ..secrets import Secret

if TYPE_CHECKING:
    from .keeper import Keeper

MARK: Final = b"age-encryption.org/v1\n"
KEY_NAME: Final = ".key.age"
"""In the folder: the key, encrypted by a passphrase."""

CREDENTIAL: Final = "natya.passphrase"
"""Of systemd (`LoadCredentialEncrypted=natya.passphrase:FILE`)."""

PREFIX: Final = "AGE-SECRET-KEY-1"

_passphrases: Final[dict[Path, Secret]] = {}
"""Given by a person to this process, by the key that they open: the running system reads secrets for months."""

_wanted: Final[set[Path]] = set()
"""Keys that were not opened for want of one."""

_keys: Final[dict[tuple[Path, bytes], Any]] = {}
"""Opened by a passphrase, which takes half a second."""


class PassphraseWantedError(SecretUnfitError):
    """A passphrase is wanted; a person at a terminal may give it to `give_passphrase`."""

    def __init__(self, path: Path) -> None:
        """Say of which key."""
        self.path = path
        super().__init__(
            f"the passphrase of {path} is wanted: at a terminal, or as {CREDENTIAL}, a credential of systemd"
        )
        _wanted.add(path)


def passphrase_wanted() -> Path | None:
    """Return the key that was not opened for want of a passphrase, once."""
    return _wanted.pop() if _wanted else None


def give_passphrase(path: Path, passphrase: Secret) -> None:
    """Have this process use a passphrase for a key from now on."""
    _passphrases[path] = passphrase


def expect_usable(keeper: Keeper) -> None:
    """Encrypt nothing."""
    sealed(keeper, "", Secret(""))


def sealed(keeper: Keeper, _key: str, secret: Secret) -> bytes:
    """Encrypt it for the recipient."""
    pyrage = _library()
    try:
        recipient = pyrage.x25519.Recipient.from_str(keeper.recipient)
    except pyrage.RecipientError:
        raise SecretUnfitError("the recipient of age is none") from None
    encrypted: bytes = pyrage.encrypt(secret.reveal().encode(), [recipient])
    return encrypted


def opened(folder: Path, keeper: Keeper, _key: str, content: bytes) -> str:
    """Decrypt it."""
    pyrage = _library()
    key = _key_of_file(Path(keeper.key_file)) if keeper.key_file else _key_of_passphrase(folder / KEY_NAME)
    try:
        text: bytes = pyrage.decrypt(content, [key])
    except pyrage.DecryptError:
        raise SecretUnfitError("it was encrypted for another key, or is damaged") from None
    return text.decode("utf-8", "replace")


def forgotten(_content: bytes, _key: str) -> None:
    """Do nothing: it is in the file alone."""


def new_key_file(path: Path) -> str:
    """Make a file with a new key, for its user alone; return the recipient.

    Raises:
        FileExistsError: there is something.
        OSError: it cannot be made.
    """
    identity = _library().x25519.Identity.generate()
    with new_file(path) as descriptor:
        os.write(descriptor, f"# public key: {identity.to_public()}\n{identity}\n".encode())
        os.fsync(descriptor)
    return str(identity.to_public())


def recipient_of(path: Path) -> str:
    """Return whom the key in a file reads for.

    Raises:
        SecretUnfitError: it is no key of age, another's file, or open to others.
    """
    return str(_key_of_file(path).to_public())


def new_key_behind(passphrase: Secret) -> tuple[str, bytes]:
    """Make a key; return its recipient, and itself encrypted by a passphrase, for the file `KEY_NAME`."""
    pyrage = _library()
    identity = pyrage.x25519.Identity.generate()
    return str(identity.to_public()), pyrage.passphrase.encrypt(str(identity).encode(), passphrase.reveal())


def _key_of_file(path: Path) -> Any:
    content = read_private(path)
    if content is None:
        raise SecretUnfitError(f"{path}: wanted a key of age, found nothing there")
    return _identity(path, content.decode("utf-8", "replace"))


def _key_of_passphrase(path: Path) -> Any:
    content = read_private(path)
    if content is None:
        raise SecretUnfitError(f"{path}: wanted the key that reads these secrets, found nothing there")
    if (found := _keys.get((path, content))) is not None:
        return found
    passphrase = _passphrases.get(path) or _credential()
    if passphrase is None:
        raise PassphraseWantedError(path)
    pyrage = _library()
    try:
        text = pyrage.passphrase.decrypt(content, passphrase.reveal())
    except pyrage.DecryptError:
        _passphrases.pop(path, None)
        raise SecretUnfitError(f"{path}: another passphrase wanted, or it is damaged") from None
    key = _keys[path, content] = _identity(path, text.decode("utf-8", "replace"))
    return key


def _credential() -> Secret | None:
    folder = os.environ.get("CREDENTIALS_DIRECTORY", "")
    try:
        text = Path(folder, CREDENTIAL).read_text(encoding="utf-8").strip() if folder else ""
    except (OSError, UnicodeDecodeError):
        return None
    return Secret(text) if text else None


def _identity(path: Path, text: str) -> Any:
    pyrage = _library()
    line = next((line.strip() for line in text.splitlines() if line.startswith(PREFIX)), "")
    try:
        return pyrage.x25519.Identity.from_str(line)
    except pyrage.IdentityError:
        raise SecretUnfitError(f"{path}: wanted a key of age ({PREFIX}…), found none") from None


def _library() -> Any:
    try:
        import pyrage  # noqa: PLC0415  an extra
    except ImportError:
        raise SecretUnfitError("wanted the library pyrage, found none: pip install 'natya[secrets]'") from None
    return pyrage
