"""A recording in a CSV file, plain or gzipped: full packets with depth, or candles.

Identity. A recording is named by a hash of all its bytes, the symbol that is given for it where it has no column of
them, its shape and the tick size: whatever changes one tick makes it another source, and nothing else does. All bytes,
since an end alone, or a size, would not tell two days from each other when a file is corrected in the middle; BLAKE2
reads 1 GB a second, a sixth of the time that parsing takes for a megabyte.
"""

from __future__ import annotations

import contextlib
import csv
import gzip
import hashlib
import io
import itertools
import os
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

from ..apart import Apart
from ..candle_rows import CandleRows, interval_of
from ..columns import Columns, recognise
from ..errors import RecordingError
from ..numbers import PriceReader, PricesAsWritten, whole
from ..source import MESSAGES_A_CHUNK
from ..tick_rows import TickRows
from ..times import TimeReader

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from ....config.settings import FeedSettings
    from ..columns import Row
    from ..rows import RowReader
    from ..source import MarketMessage, Surroundings

GZIP_MAGIC: Final = b"\x1f\x8b"

LOOK_AHEAD_ROWS: Final = 2_000
"""Candles from which the interval is inferred."""

HASH_BYTES: Final = 8
"""Of a fingerprint: 64 bits, so that ten thousand recordings share one with a chance of one in 10^11."""

BAD_LINES_KEPT_MAX: Final = 100
"""Broken rows that are remembered with their reasons; more are counted."""

_UNREADABLE = (OSError, EOFError, zlib.error, csv.Error)


def replay(settings: FeedSettings, _: Surroundings) -> Apart:
    """Make the recording that the settings name, read in a process of its own."""
    return Apart(settings)


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
        self._file = file = stack.enter_context(path.open("rb"))
        self._size = max(1, os.fstat(file.fileno()).st_size)
        zipped = file.read(len(GZIP_MAGIC)) == GZIP_MAGIC
        file.seek(0)
        plain = stack.enter_context(gzip.GzipFile(fileobj=file)) if zipped else file
        # Bytes that are not UTF-8 become U+FFFD, which no number, time or symbol may contain.
        text = io.TextIOWrapper(plain, encoding="utf-8-sig", errors="replace", newline="")
        self._reader = csv.reader(stack.enter_context(text))
        self.header: Row | None = next((row for row in self._reader if not _is_blank(row)), None)

    @property
    def line_num(self) -> int:
        """Where the row that was read last ends in the file, from 1."""
        return self._reader.line_num

    def rows(self) -> Iterator[Row]:
        """Give the rows behind the header."""
        return self._reader

    def share(self) -> float:
        """Tell how much of the file is read: 0 to 1."""
        return self._file.tell() / self._size


class Recording:
    """One file, read from its beginning each time `chunks` is called; memory does not grow with it."""

    def __init__(  # noqa: PLR0913  what a file does not say itself
        self,
        path: Path,
        *,
        symbol: str = "",
        tick_size_rupees: float | None = 0.05,
        bad_rows_max: int = 0,
        replayed: bool = True,
        table: Callable[[Path, contextlib.ExitStack], Table] = CsvTable,
    ) -> None:
        """Open nothing yet.

        Args:
            path: the file.
            symbol: for a file without such a column; a column, where there is one, decides.
            tick_size_rupees: what prices are rounded to multiples of; None to keep them as they are written.
            bad_rows_max: broken rows that are skipped before the file is refused.
            replayed: a market is to be made of it, in which time never goes back, and candles need ticks.
            table: opens the file, until the stack is closed.
        """
        self.path: Final = path
        self.bad_rows = 0
        self.bad_lines: list[tuple[int, str]] = []
        """Line and reason of broken rows, of the first `BAD_LINES_KEPT_MAX`."""

        self._symbol = symbol
        self._grid = PricesAsWritten() if tick_size_rupees is None else PriceReader(tick_size_rupees)
        self._grid_name = "as written" if tick_size_rupees is None else repr(self._grid.tick_size_rupees)
        self._bad_rows_max = bad_rows_max
        self._replayed = replayed
        self._table = table
        self.share = 0.0
        """How much of the file is read, 0 to 1, as of the last chunk."""

    @classmethod
    def of(cls, settings: FeedSettings) -> Recording:
        """Make the recording that the settings name."""
        return cls(
            Path(settings.recording),
            symbol=settings.symbol,
            tick_size_rupees=settings.tick_size_rupees,
            bad_rows_max=settings.bad_rows_max,
        )

    def chunks(self) -> Iterator[list[MarketMessage]]:
        """Make the ticks and candles of the file.

        Raises:
            RecordingError: the file is missing, of no known shape, changes while it is read, or has more than
                `bad_rows_max` broken rows; all before it has been handed out.
        """
        self.bad_rows = 0
        self.bad_lines = []
        try:
            found = _version(self.path)
            reader = self._row_reader()
            with self._open() as (table, columns):
                yield from self._read(table, columns.width, reader)
            if _version(self.path) != found:
                raise RecordingError(self.path, 0, "a file at rest is wanted, found that it changed while it was read")
        except _UNREADABLE as fault:
            raise self._unreadable(0, fault) from fault

    def close(self) -> None:
        """Release nothing: the file is open only while its chunks are read."""

    def _read(self, table: Table, width: int, reader: RowReader) -> Iterator[list[MarketMessage]]:
        messages: list[MarketMessage] = []
        rows = 0
        try:
            for row in table.rows():
                try:
                    if len(row) != width:
                        if _is_blank(row):
                            continue
                        raise ValueError(f"{width} columns are wanted, found {len(row)}")  # noqa: TRY301  like the rest
                    rows += 1
                    row.append("")
                    reader.read(row, messages)
                except ValueError as fault:
                    self._skip(table.line_num, fault)
                if len(messages) >= MESSAGES_A_CHUNK:
                    self.share = table.share()
                    yield messages
                    messages = []
            self._expect_some(rows)
        except (RecordingError, *_UNREADABLE) as fault:
            if messages:
                yield messages
            if isinstance(fault, RecordingError):
                raise
            raise self._unreadable(table.line_num, fault) from fault
        if messages:
            yield messages

    def _row_reader(self) -> RowReader:
        """Make what reads rows of this shape; candles are looked ahead at for their interval."""
        with self._open() as (table, columns):
            symbol = "" if "symbol" in columns else self._symbol
            names = f"{symbol} {columns.shape} {self._grid_name}"
            source = f"replay-{_fingerprint(self.path, names)}"
            try:
                if columns.shape == "ticks":
                    return TickRows(
                        columns, symbol=self._symbol, grid=self._grid, source=source, replayed=self._replayed
                    )
                interval_ns = _interval(itertools.islice(table.rows(), LOOK_AHEAD_ROWS), columns)
                return CandleRows(
                    columns,
                    symbol=self._symbol,
                    grid=self._grid,
                    source=source,
                    interval_ns=interval_ns,
                    replayed=self._replayed,
                )
            except ValueError as fault:
                raise RecordingError(self.path, table.line_num, str(fault)) from fault

    @contextlib.contextmanager
    def _open(self) -> Iterator[tuple[Table, Columns]]:
        """Open the file behind its header, and say what that says."""
        with contextlib.ExitStack() as stack:
            table = self._table(self.path, stack)
            if table.header is None:
                raise RecordingError(self.path, 0, "a header and rows are wanted, found an empty file")
            try:
                columns = recognise(table.header)
            except ValueError as fault:
                raise RecordingError(self.path, table.line_num, str(fault)) from fault
            yield table, columns

    def _unreadable(self, line: int, fault: Exception) -> RecordingError:
        """Say up to which line the file could be read, and why no further."""
        return RecordingError(self.path, line, f"a file that can be read to its end is wanted, found {fault}")

    def _expect_some(self, rows: int) -> None:
        if rows == 0:
            raise RecordingError(self.path, 0, "at least one whole row is wanted, found none")

    def _skip(self, line: int, fault: ValueError) -> None:
        """Count a broken row; one too many ends the recording."""
        self.bad_rows += 1
        if len(self.bad_lines) < BAD_LINES_KEPT_MAX:
            self.bad_lines.append((line, str(fault)))
        if self.bad_rows > self._bad_rows_max:
            raise RecordingError(self.path, line, str(fault)) from fault


def _fingerprint(path: Path, names: str) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.blake2b(names.encode(), digest_size=HASH_BYTES)).hexdigest()


def _version(path: Path) -> tuple[int, int, int]:
    """Tell one state of a file from another."""
    status = path.stat()
    return status.st_ino, status.st_size, status.st_mtime_ns


def _interval(rows: Iterator[Row], columns: Columns) -> int:
    """Read the interval where the file says it, as our own exports do; else infer it."""
    if "interval_ns" in columns:
        first = next((row for row in rows if len(row) == columns.width), None)
        if first is not None and (interval_ns := whole(first[columns.at("interval_ns")])):
            return interval_ns
    return interval_of(_times(rows, columns))


def _times(rows: Iterable[Row], columns: Columns) -> Iterator[int]:
    """Read the times of rows, as far as they have one."""
    reader = TimeReader()
    place = columns.at("time")
    for row in rows:
        if len(row) == columns.width:
            with contextlib.suppress(ValueError):  # a broken row is counted where it is read
                yield reader.read(row[place])


def _is_blank(row: Row) -> bool:
    return len(row) <= 1 and not "".join(row).strip()
