"""What is written in the folder of how its secrets are kept, and what each way of keeping them can do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Protocol, TypeAlias

import msgspec

from ..secret_files import SecretUnfitError

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
    """One way; a module beside this one."""

    MARK: bytes
    """What a file begins with that is kept so."""

    def expect_usable(self, keeper: Keeper) -> None:
        """Make sure that secrets can be kept so here, before any is.

        Raises:
            SecretUnfitError: they cannot.
        """

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


_decoder = msgspec.json.Decoder(Keeper)


def keeper_of(content: bytes) -> Keeper:
    """Read `.keeper`; nothing there: plain files.

    Raises:
        SecretUnfitError: it is none.
    """
    try:
        return _decoder.decode(content) if content else Keeper()
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise SecretUnfitError("no description of a keeper of secrets: natya secrets keep writes one") from None
