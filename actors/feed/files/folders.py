"""Which recordings are given: a file, a folder of them, or either with the symbol that it is of (`TCS=tcs.csv`)."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from ....domain.instruments import is_symbol
from ..errors import RecordingError

SUFFIXES: Final = frozenset({".csv", ".tsv", ".txt", ".json", ".parquet", ".gz", ".zip", ".zst"})


def named(given: str | Path) -> tuple[str, Path]:
    """Return the symbol that a recording is given with, empty if it is not, and its path.

    A path that is there counts as it is, whatever its name.
    """
    text = str(given)
    symbol, _, path = text.partition("=")
    if not (path and is_symbol(symbol) and "/" not in symbol) or Path(text).exists():
        return "", Path(text)
    return symbol, Path(path)


def absolute(given: str | Path) -> str:
    """Return it with an absolute path."""
    symbol, path = named(given)
    return f"{symbol}={path.absolute()}" if symbol else str(path.absolute())


def files_of(path: Path) -> list[Path]:
    """Return the files in a folder and the folders below it, by name; a path that is none as it is.

    Raises:
        RecordingError: there are none.
    """
    try:
        is_folder = path.is_dir()
    except OSError:  # a name that no system call takes: whoever opens it says so
        is_folder = False
    if not is_folder:
        return [path]
    files = sorted(
        each
        for each in path.rglob("*")
        if each.suffix.lower() in SUFFIXES and not each.name.startswith(".") and each.is_file()
    )
    if not files:
        raise RecordingError(path, 0, f"a folder with files {' '.join(sorted(SUFFIXES))} is wanted, found none of them")
    return files
