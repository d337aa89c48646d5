"""A file as a header and rows of texts. Reading takes no more memory than the longest row allowed."""

from __future__ import annotations

import csv
import gzip
import io
import os
import stat
from typing import TYPE_CHECKING, Final, Protocol

from .columns import Row

if TYPE_CHECKING:
    import contextlib
    from collections.abc import Iterator
    from io import BufferedReader
    from pathlib import Path

GZIP_MAGIC: Final = b"\x1f\x8b"

ROW_LENGTH_MAX: Final = 1 << 20
"""Characters of one row, unpacked; csv itself bounds one field, but neither a line nor the lines of one row."""


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


class CsvTable:
    """A CSV file, plain or gzipped."""

    def __init__(self, path: Path, stack: contextlib.ExitStack) -> None:
        """Open it, until the stack is closed."""
        self._file = file = stack.enter_context(open_regular(path))
        self._size = max(1, os.fstat(file.fileno()).st_size)
        zipped = file.read(len(GZIP_MAGIC)) == GZIP_MAGIC
        file.seek(0)
        plain = stack.enter_context(gzip.GzipFile(fileobj=file)) if zipped else file
        # Bytes that are not UTF-8 become U+FFFD, which no number, time or symbol may contain.
        self._text = stack.enter_context(io.TextIOWrapper(plain, encoding="utf-8-sig", errors="replace", newline=""))
        self._row_length = 0
        self._reader = csv.reader(self._lines())
        self.header: Row | None = next((row for row in self.rows() if not is_blank(row)), None)

    @property
    def line_num(self) -> int:
        """Where the row that was read last ends in the file, from 1."""
        return self._reader.line_num

    def rows(self) -> Iterator[Row]:
        """Give the rows behind the header."""
        for row in self._reader:
            self._row_length = 0
            yield row

    def share(self) -> float:
        """Tell how much of the file is read: 0 to 1."""
        return self._file.tell() / self._size

    def _lines(self) -> Iterator[str]:
        read = self._text.readline
        while line := read(ROW_LENGTH_MAX + 1):
            self._row_length += len(line)
            if self._row_length > ROW_LENGTH_MAX:
                raise csv.Error(f"a row of more than {ROW_LENGTH_MAX} characters")
            yield line


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
