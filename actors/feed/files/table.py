"""A file as a header and rows of texts: the protocol of all kinds, and how their files are opened."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING, Protocol

from ..columns import Row

if TYPE_CHECKING:
    from collections.abc import Iterator
    from io import BufferedReader
    from pathlib import Path

    from .text import Written


class NoRecordingError(OSError):
    """The path is not that of a regular file."""


class Table(Protocol):
    """A header, and rows of texts that are read once."""

    header: Row | None
    """None where there is not one row."""

    @property
    def line_num(self) -> int:
        """Where the row that was read last ends in the file, from 1."""

    def rows(self) -> Iterator[Row]:
        """Give the rows behind the header."""

    def share(self) -> float:
        """Tell how much of the file is read: 0 to 1."""


class FileTable(Table, Protocol):
    """A table that is read from a file."""

    @property
    def written(self) -> Written:
        """How the file was written."""


def open_regular(path: Path) -> BufferedReader:
    """Open a regular file for reading.

    Raises:
        NoRecordingError: it is a directory, a pipe or a device, which may not end, or not be readable twice.
        OSError: it is missing, or may not be read.
    """
    # Opening a pipe would block until it has a writer, and opening a device may have any effect.
    if not stat.S_ISREG(path.stat().st_mode):
        raise _not_regular(path)
    file = open(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb")  # noqa: PTH123, SIM115  given away
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        file.close()
        raise _not_regular(path)
    return file


def is_blank(row: Row) -> bool:
    """Return whether the row is an empty line."""
    return len(row) <= 1 and not "".join(row).strip()


def _not_regular(path: Path) -> NoRecordingError:
    kind = "Is a directory" if path.is_dir() else "a pipe, a socket or a device"
    return NoRecordingError(f"{kind}: {str(path)!r}")
