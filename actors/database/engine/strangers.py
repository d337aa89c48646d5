"""Recognizes files that are no database of ours: they are refused by name, and never moved, put aside or written to.

DuckDB writes `DUCK` behind the checksum that a file begins with. A file without it is ours all the same, and damaged,
if there is a market witness beside it, which exists from the first opening on. An empty file with a lock file beside it
was left by an owner that died while creating it.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from .witness import is_witness

MAGIC: Final = b"DUCK"
_MAGIC_AT: Final = 8
_HEAD_BYTES: Final = 4_096


def stranger(path: str, *, witness: str, was_begun: bool) -> str:
    """Return what a file is, in words, if it never was a database of ours; empty if it is ours, and damaged.

    For files that are not open: closing one would drop the engine's lock.

    Args:
        path: of the file; empty if it is unknown which one it is.
        witness: that of the market file beside it.
        was_begun: whether there was a lock file: the database had an owner before.
    """
    try:
        with Path(path).open("rb") as file:
            head = file.read(_HEAD_BYTES)
    except OSError:
        return ""
    if head[_MAGIC_AT : _MAGIC_AT + len(MAGIC)] == MAGIC or is_witness(Path(witness)):
        return ""
    if was_begun and not head.strip(b"\0"):
        return ""
    found = f"one that begins with {head[:16]!r}" if head else "an empty one"
    return f"{path} cannot be opened: a file of DuckDB wanted, found {found}; it stays where it is, name another path"


def owner_of_market(path: Path) -> Path | None:
    """Return the core file of the database whose market file this is; None if it is none, by its name and its place."""
    core = path.with_name(f"{path.stem.removesuffix('-market')}{path.suffix}")
    if core == path or not path.exists():
        return None
    return core if os.path.lexists(core) or is_witness(Path(f"{path}.witness")) else None
