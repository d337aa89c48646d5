"""Which code this is: a worker process must run exactly what its parent runs."""

from __future__ import annotations

import functools
import hashlib
from importlib import metadata
from pathlib import Path
from typing import Final

_PACKAGE: Final = Path(__file__).parents[3]

_OURS: Final = ("actors", "config", "messages")
"""Folders beside the files at the top: the rest of a checkout (tests, an environment) is not the package."""


@functools.cache
def build_id() -> str:
    """Hash the sources of the package, as they are when this is first asked, with its version."""
    digest = hashlib.sha256(_version().encode())
    sources = [*_PACKAGE.glob("*.py"), *(path for room in _OURS for path in (_PACKAGE / room).rglob("*.py"))]
    for path in sorted(sources):
        digest.update(f"\0{path.relative_to(_PACKAGE)}\0".encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _version() -> str:
    try:
        return metadata.version("natya")
    except metadata.PackageNotFoundError:  # run from its sources
        return "0"
