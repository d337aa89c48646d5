"""Text as a table: lines whose fields a comma divides, or what else the header shows.

Reading takes no more memory than the longest row allowed.
"""

from __future__ import annotations

import csv
import io
import itertools
import os
from typing import TYPE_CHECKING, Final

from .table import is_blank
from .text import Written, divider_of, encoding_of, is_hint

if TYPE_CHECKING:
    import contextlib
    from collections.abc import Iterator
    from io import BufferedReader

    from ..columns import Row
    from .packing import Packing

ROW_LENGTH_MAX: Final = 1 << 20
"""Characters of one row, unpacked; csv itself bounds one field, but neither a line nor the lines of one row."""


class CsvTable:
    """Lines of text."""

    def __init__(
        self, file: BufferedReader, plain: BufferedReader, packing: Packing, head: bytes, stack: contextlib.ExitStack
    ) -> None:
        """Take the file, what it holds, and the first bytes of that; the stack closes what is opened here."""
        self._file = file
        self._size = max(1, os.fstat(file.fileno()).st_size)
        encoding = encoding_of(head)
        # Bytes that are not of the encoding become U+FFFD, which no number, time or symbol may contain.
        decoded = io.TextIOWrapper(plain, encoding=encoding, errors="replace", newline="")
        self._text = stack.enter_context(decoded)
        self._row_length = 0
        lines = self._lines()
        first = list(itertools.islice(_until_text(lines), ROW_LENGTH_MAX))
        divider = divider_of(first[-1]) if first else ","
        self._skipped = 0
        if first and is_hint(first[-1]):
            self._skipped = len(first)
            first = []
        self._reader = csv.reader(itertools.chain(first, lines), delimiter=divider)
        self.header: Row | None = next((row for row in self.rows() if not is_blank(row)), None)
        notes = ("it is no UTF-8: read as Windows text",) if encoding == "cp1252" else ()
        self.written: Final = Written(kind="CSV", packing=packing, encoding=encoding, divider=divider, notes=notes)

    @property
    def line_num(self) -> int:
        """Where the row that was read last ends in the file, from 1."""
        return self._skipped + self._reader.line_num

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


def _until_text(lines: Iterator[str]) -> Iterator[str]:
    """Give lines up to the first one that is not blank, included."""
    for line in lines:
        yield line
        if line.strip():
            return
