"""How a secret is kept in its file: as it is, encrypted by age, or in the desktop's keyring with a note in the file.

keeper    what `.keeper` says, and what a way of keeping can do
plain     the secret itself
age       encrypted for a key: of a file of your own, or one that a passphrase opens
desktop   the keyring of the desktop has it

What is read tells itself how it is kept, so that a change from one to another may end between two files; what is
written goes by the file `.keeper` of the folder. A keeper is one file here and one line in `BODIES`.
"""

from __future__ import annotations

from typing import Final

from . import age, desktop, plain
from .keeper import Body, Keeper, Kind, keeper_of

__all__ = ["BODIES", "Keeper", "Kind", "age", "keeper_of", "kind_of"]

BODIES: Final[dict[Kind, Body]] = {"age": age, "keyring": desktop, "files": plain}
"""In the order in which a content is asked for its mark; that of `files` is empty."""


def kind_of(content: bytes) -> Kind:
    """Tell how a file is kept by its content."""
    return next(kind for kind, body in BODIES.items() if content.startswith(body.MARK))
