"""Identifies the code of this process: a worker process must run exactly its parent's."""

from __future__ import annotations

import functools
import hashlib
import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

_PACKAGE: Final = str(Path(__file__).parents[3])

_OURS: Final = ("actors", "config", "domain", "messages")
"""Folders that belong to the package; the rest of a checkout (tests, an environment) does not."""


@functools.cache
def build_id() -> str:
    """Return a hash of the package's sources, as of the first call."""
    digest = hashlib.sha256()
    for path in sorted([*_sources(_PACKAGE), *(path for room in _OURS for path in _sources(_PACKAGE, room))]):
        digest.update(f"\0{path.removeprefix(_PACKAGE)}\0".encode())
        with open(path, "rb", buffering=0) as file:  # noqa: PTH123  six hundred files, at the start of each process
            digest.update(file.read())
    return digest.hexdigest()


def _sources(folder: str, room: str = "") -> Iterator[str]:
    """Yield the paths of the sources in a folder; of a room also those of its folders."""
    for entry in os.scandir(os.path.join(folder, room)):  # noqa: PTH118
        if entry.name.endswith(".py"):
            yield entry.path
        elif room and entry.is_dir(follow_symlinks=False):
            yield from _sources(folder, f"{room}/{entry.name}")
