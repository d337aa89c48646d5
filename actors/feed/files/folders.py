"""A folder of recordings: the files in it whose names say that they are some."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ..errors import RecordingError

if TYPE_CHECKING:
    from pathlib import Path

SUFFIXES: Final = frozenset({".csv", ".tsv", ".txt", ".json", ".parquet", ".gz", ".zip", ".zst"})


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
