"""The layer of secrets that systemd hands over: a file each, named as its key, in a folder of the service."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Final

from .keys import SECRET_KEYS, SECTIONS, near
from .layers import Layer
from .secret_files import SIZE_MAX_BYTES, SecretUnfitError, secret_text

if TYPE_CHECKING:
    from collections.abc import Mapping

VARIABLE: Final = "CREDENTIALS_DIRECTORY"
"""Set by systemd where a unit has credentials (`LoadCredential=broker.pin:FILE`)."""


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
        except SecretUnfitError as fault:
            layer.problems.append(f"{origin}: {fault}")
    return layer


def _read(path: Path) -> str:
    if path.name not in SECRET_KEYS:
        raise SecretUnfitError(f"wanted the key of a secret as its name{near(path.name, sorted(SECRET_KEYS))}")
    try:
        with path.open("rb") as file:
            mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
            content = file.read(SIZE_MAX_BYTES + 1)
    except OSError as fault:
        raise SecretUnfitError(f"cannot be read: {fault.strerror}") from None
    text = secret_text(content)
    if mode & 0o007:  # what its group may do is the mask of the list of users that systemd gives it
        raise SecretUnfitError(f"wanted a file that others cannot open, found mode {mode:o}")
    return text
