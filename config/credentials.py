"""The layer of secrets that systemd hands over: a file each, named as its key, in a folder of the service."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Final

from .keys import SECRET_KEYS, SECTIONS, near
from .layers import Layer

if TYPE_CHECKING:
    from collections.abc import Mapping

VARIABLE: Final = "CREDENTIALS_DIRECTORY"
"""Set by systemd where a unit has credentials (`LoadCredential=broker.pin:FILE`)."""

SIZE_MAX_BYTES: Final = 1 << 16


class CredentialUnfitError(ValueError):
    """A credential cannot be used; the text says why, and never quotes it."""


def credentials_layer(environment: Mapping[str, str]) -> Layer:
    """Read those that are named as a section's key; a unit may have others, too."""
    layer = Layer("credential")
    folder = environment.get(VARIABLE, "")
    if not folder:
        return layer
    try:
        found = sorted(path for path in Path(folder).iterdir() if path.name.partition(".")[0] in SECTIONS)
    except OSError as fault:
        layer.problems.append(f"environment {VARIABLE}: cannot be read: {fault.strerror}")
        return layer
    for path in found:
        origin = f"credential {path}"
        try:
            layer.take(path.name, _read(path), origin)
        except CredentialUnfitError as fault:
            layer.problems.append(f"{origin}: {fault}")
    return layer


def _read(path: Path) -> str:
    if path.name not in SECRET_KEYS:
        raise CredentialUnfitError(f"wanted the key of a secret as its name{near(path.name, sorted(SECRET_KEYS))}")
    try:
        with path.open("rb") as file:
            mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
            content = file.read(SIZE_MAX_BYTES + 1)
        text = content.decode().strip()
    except OSError as fault:
        raise CredentialUnfitError(f"cannot be read: {fault.strerror}") from None
    except UnicodeDecodeError:
        raise CredentialUnfitError("wanted text, found other bytes") from None
    if len(content) > SIZE_MAX_BYTES:
        raise CredentialUnfitError(f"wanted at most {SIZE_MAX_BYTES} bytes, found more")
    if mode & 0o007:  # what its group may do is the mask of the list of users that systemd gives it
        raise CredentialUnfitError(f"wanted a file that others cannot open, found mode {mode:o}")
    if not text:
        raise CredentialUnfitError("wanted a secret, found an empty file")
    return text
