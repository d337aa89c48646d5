"""Identifies the code of this process: a worker process must run exactly its parent's."""

from __future__ import annotations

import functools
import hashlib
from importlib import metadata
from pathlib import Path
from typing import Final

_PACKAGE: Final = Path(__file__).parents[3]

_OURS: Final = ("actors", "config", "messages")
"""Folders that belong to the package; the rest of a checkout (tests, an environment) does not."""


@functools.cache
def build_id() -> str:
    """Return a hash of the package's sources, as of the first call, with its version."""
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
