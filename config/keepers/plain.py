"""A secret in its file as it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ..secret_files import secret_text

if TYPE_CHECKING:
    from pathlib import Path

    from ..secrets import Secret
    from .keeper import Keeper

MARK: Final = b""


def expect_usable(_keeper: Keeper) -> None:
    """Do nothing: where there is a folder there are files."""


def sealed(_keeper: Keeper, _key: str, secret: Secret) -> bytes:
    """Return it with a line feed."""
    return secret.reveal().encode() + b"\n"


def opened(_folder: Path, _keeper: Keeper, _key: str, content: bytes) -> str:
    """Return it without white space around it."""
    return secret_text(content)


def forgotten(_content: bytes, _key: str) -> None:
    """Do nothing: it is in the file alone."""
