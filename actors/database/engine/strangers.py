"""Recognizes files that are no database of ours: they are refused by name, and never moved, put aside or written to.

DuckDB writes `DUCK` behind the checksum that a file begins with. A file without it is ours all the same, and damaged,
if there is a market witness beside it, which exists from the first opening on. A file that is shorter than a new one,
with a lock file beside it, was left by an owner that died while creating it: it holds nothing, and is made anew.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from .witness import is_witness

MAGIC: Final = b"DUCK"
_MAGIC_AT: Final = 8
_HEAD_BYTES: Final = 4_096
_NEW_BYTES: Final = 3 * _HEAD_BYTES
"""Of a file that DuckDB has created: three headers, in a write each."""


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


def is_only_begun(path: str, *, witness: str, was_begun: bool) -> bool:
    """Return whether the owner of a file died while DuckDB created it: none opens it, and nothing was ever in it.

    For files that are not open; its arguments are those of `stranger`.

    Raises:
        OSError: the file cannot be read.
    """
    file = Path(path)
    if not was_begun or file.is_symlink() or not file.is_file() or os.path.lexists(f"{path}.wal"):
        return False
    with file.open("rb") as begun:
        head = begun.read(_NEW_BYTES)
    has_mark = head[_MAGIC_AT : _MAGIC_AT + len(MAGIC)] == MAGIC or not head.strip(b"\0")
    return has_mark and len(head) < _NEW_BYTES and not is_witness(Path(witness))


def owner_of_market(path: Path) -> Path | None:
    """Return the core file of the database whose market file this is; None if it is none, by its name and its place."""
    core = path.with_name(f"{path.stem.removesuffix('-market')}{path.suffix}")
    if core == path or not path.exists():
        return None
    return core if os.path.lexists(core) or is_witness(Path(f"{path}.witness")) else None
