"""How a secret is kept in its file: as it is, encrypted by age, or in the desktop's keyring with a note in the file.

plain     the secret itself
age       encrypted for a key: of a file of your own, or one that a passphrase opens
desktop   the keyring of the desktop has it

What is read tells itself how it is kept, so that a change from one to another may end between two files; what is
written goes by the file `.keeper` of the folder. A keeper is one file here and one line in `BODIES`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, Protocol, TypeAlias

import msgspec

from ..secret_files import SecretUnfitError
from . import age, desktop, plain

if TYPE_CHECKING:
    from pathlib import Path

    from ..secrets import Secret

Kind: TypeAlias = Literal["files", "age", "keyring"]


class Keeper(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """The content of `.keeper`: how secrets are written."""

    kind: Kind = "files"
    recipient: str = ""
    """Of age: whom they are encrypted for."""

    key_file: str = ""
    """Of age: where the key is that reads them; empty: in the folder, opened by a passphrase."""

    service: str = ""
    """Of the keyring: under which name it has them."""


class Body(Protocol):
    """One way; a module of this package."""

    MARK: bytes
    """What a file begins with that is kept so."""

    def sealed(self, keeper: Keeper, key: str, secret: Secret) -> bytes:
        """Return the content of the file.

        Raises:
            SecretUnfitError: it cannot be kept so here.
        """

    def opened(self, folder: Path, keeper: Keeper, key: str, content: bytes) -> str:
        """Return the secret of such a content, unchecked.

        Raises:
            SecretUnfitError: it cannot be read.
        """

    def forgotten(self, content: bytes, key: str) -> None:
        """Remove what is kept elsewhere than in the file.

        Raises:
            SecretUnfitError: it cannot be removed.
        """


BODIES: Final[dict[Kind, Body]] = {"age": age, "keyring": desktop, "files": plain}
"""In the order in which a content is asked for its mark; that of `files` is empty."""

_decoder = msgspec.json.Decoder(Keeper)


def kind_of(content: bytes) -> Kind:
    """Tell how a file is kept by its content."""
    return next(kind for kind, body in BODIES.items() if content.startswith(body.MARK))


def keeper_of(content: bytes) -> Keeper:
    """Read `.keeper`; nothing there: plain files.

    Raises:
        SecretUnfitError: it is none.
    """
    try:
        return _decoder.decode(content) if content else Keeper()
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise SecretUnfitError("no description of a keeper of secrets: natya secrets keep writes one") from None
