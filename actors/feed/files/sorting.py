"""Rows in the order of time, whatever the order of the file: an external merge sort.

Rows are gathered, sorted and written to a temporary file, `ROWS_A_RUN` at a time, and the runs merged a few rows of
each in memory. So a file of any size takes about 50 MB of memory and as much disk as its text, until it is read.
"""

from __future__ import annotations

import heapq
import os
import tempfile
from typing import IO, TYPE_CHECKING, Final, TypeAlias

import msgspec

from ....messages.framing import LENGTH_BYTES, announced, framed
from ..columns import Row

if TYPE_CHECKING:
    import contextlib
    from collections.abc import Iterator

ROWS_A_RUN: Final = 20_000
ROWS_A_FRAME: Final = 50
RUNS_MAX: Final = 2_000
"""Forty million rows."""


Line: TypeAlias = tuple[int, int, int, Row]
"""Time, place among the rows of equal time, line in the file, row."""

_encoder: Final = msgspec.msgpack.Encoder()
_decoder: Final = msgspec.msgpack.Decoder(list[Line])


class SortedRows:
    """Takes rows in any order, then gives them in the order of time: a table that has been read already."""

    def __init__(self, header: Row | None, stack: contextlib.ExitStack) -> None:
        """Take the header, and what closes the temporary file."""
        self.header = header
        self.line_num = 0
        """Line on which the last row read ends, from 1."""

        self._stack = stack
        self._lines: list[Line] = []
        self._file: IO[bytes] | None = None
        self._runs: list[tuple[int, int]] = []
        """Where each begins and ends in the temporary file."""

    def add(self, line: Line) -> None:
        """Add a row.

        Raises:
            ValueError: there are too many.
        """
        self._lines.append(line)
        if len(self._lines) >= ROWS_A_RUN:
            self._write()

    def rows(self) -> Iterator[Row]:
        """Yield all rows in the order of time."""
        self._lines.sort()
        for _, _, line, row in heapq.merge(*map(self._read, self._runs), self._lines):
            self.line_num = line
            yield row

    def share(self) -> float:
        """Return the part of the file that is read: 1."""
        return 1.0

    def _write(self) -> None:
        if len(self._runs) >= RUNS_MAX:
            raise ValueError(f"at most {RUNS_MAX * ROWS_A_RUN:,} rows are wanted where they have to be sorted by time")
        if self._file is None:
            self._file = self._stack.enter_context(tempfile.TemporaryFile(buffering=0))  # noqa: SIM115  entered
        self._lines.sort()
        start = self._file.tell()
        for place in range(0, len(self._lines), ROWS_A_FRAME):
            frame = _encoder.encode(self._lines[place : place + ROWS_A_FRAME])
            self._file.write(framed(frame))
        self._runs.append((start, self._file.tell()))
        self._lines.clear()

    def _read(self, run: tuple[int, int]) -> Iterator[Line]:
        assert self._file is not None, "a run was written"
        place, end = run
        while place < end:
            length = announced(os.pread(self._file.fileno(), LENGTH_BYTES, place))
            yield from _decoder.decode(os.pread(self._file.fileno(), length, place + LENGTH_BYTES))
            place += LENGTH_BYTES + length
