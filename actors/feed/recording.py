"""A recording in a file (CSV, JSON or Parquet, see `files/`): full packets with depth, or candles.

Order. What comes out is in the order of time, of all symbols together. A file that is in another order from symbol to
symbol, or that has its newest candles first, is read twice and sorted on the way (`sorting.py`); a row that goes
against the order of its own symbol is broken.

Identity. A recording is named by a hash of all its bytes, the symbol that is given for it where it has none of its own,
its shape, the tick size, and of candles their given length, their exchange and how they become ticks: whatever changes
one tick makes it another source, and nothing else does. All bytes, since an end alone, or a size, would not tell two
days from each other when a file is corrected in the middle; BLAKE2 reads 1 GB a second, a sixth of the time that
parsing takes for a megabyte.
"""

from __future__ import annotations

import contextlib
import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

from ...domain.time import duration_ns
from ...domain.wording import counted
from .candle_rows import CandleRows, times_of_candle
from .columns import recognise
from .errors import UNREADABLE, RecordingError
from .files.folders import files_of, named
from .files.opening import open_table
from .files.sorting import SortedRows
from .files.table import NoRecordingError, is_blank, open_regular
from .first_look import FirstLook, version_of
from .merging import Merged
from .numbers import PriceReader, PricesAsWritten
from .planning import Plan, make_plan, not_wide
from .rows import SymbolColumn, is_untraded
from .source import MESSAGES_A_CHUNK
from .tick_rows import TickRows

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ...config.sections.feed import FeedSettings
    from ...domain.calendar import Exchange
    from ...messages.market import MarketMessage
    from .columns import Columns, Row
    from .files.table import FileTable, Table
    from .files.text import Written
    from .numbers import DecimalMark
    from .rows import RowReader
    from .survey import Survey
    from .times import DateOrder

HASH_BYTES: Final = 8
"""Length of a fingerprint: 64 bits; among ten thousand recordings a collision has a probability of 3 in 10^12."""

HOW_TO_GO_ON: Final = (
    "natya data inspect names all such rows, and feed.bad_rows_max (--max-bad-rows) says how many may be left out"
)
"""What somebody can do about a broken row."""

BAD_LINES_KEPT_MAX: Final = 100
"""Broken rows that are remembered with their reasons; more are counted."""


def open_recordings(settings: FeedSettings) -> Recording | Merged:
    """Return the recordings that the settings name, merged by time if there are several. Opens nothing yet.

    Raises:
        RecordingError: one is a folder without any.
    """
    recordings = [
        Recording(
            path,
            symbol=symbol or settings.symbol,
            is_named=bool(symbol),
            tick_size_rupees=settings.tick_size_rupees,
            bad_rows_max=settings.bad_rows_max,
            interval_ns=duration_ns(settings.interval) if settings.interval else None,
            exchange=None if settings.exchange == "none" else settings.exchange,
            dates=settings.dates or None,
            decimal=settings.decimal or None,
            zone=settings.zone,
        )
        for symbol, place in map(named, settings.recordings)
        for path in files_of(place)
    ]
    return recordings[0] if len(recordings) == 1 else Merged(recordings)


class Recording:
    """One file, read from its beginning each time `chunks` is called; memory does not grow with it."""

    def __init__(  # noqa: PLR0913  what a file does not say itself
        self,
        path: Path,
        *,
        symbol: str = "",
        is_named: bool = False,
        tick_size_rupees: float | None = 0.05,
        bad_rows_max: int = 0,
        interval_ns: int | None = None,
        exchange: Exchange | None = "NSE",
        replayed: bool = True,
        dates: DateOrder | None = None,
        decimal: DecimalMark | None = None,
        zone: str = "",
    ) -> None:
        """Open nothing yet.

        Args:
            path: the file.
            symbol: for a file without such a column, and for rows that have none in it.
            is_named: this file was given with its symbol, which others do not share by mistake.
            tick_size_rupees: what prices are rounded to multiples of; None to keep them as they are written.
            bad_rows_max: broken rows that are skipped before the file is refused.
            interval_ns: length of candles; None to find it by their distances.
            exchange: in whose sessions the ticks of candles lie; None where there are none.
            replayed: whether candles are to become ticks, too, as a market has them.
            dates: whether day or month comes first in dates such as 03/04/2025; None to find it in the file.
            decimal: what stands before decimals, where `74,125` may be 74.125; None to find it in the file.
            zone: of times that name none, as `times.zone_of` reads it; empty: India's, unless they are clearly UTC's.
        """
        self.path: Final = path
        self.bad_rows = 0
        self.bad_lines: list[tuple[int, str]] = []
        """Line and reason of broken rows, of the first `BAD_LINES_KEPT_MAX`."""

        self.notes: tuple[str, ...] = ()
        """How an ambiguous file was understood, for the user."""

        self._candle_lengths_ns: dict[str, int] = {}
        self.share = 0.0
        """How much of the file is read, 0 to 1, as of the last chunk."""

        self.exchange: Final = exchange
        self.understood: tuple[Row, Written, Columns, Survey] | None = None
        """Header, how the file was written, columns and order, as it was read last."""

        self._untraded = 0
        self._symbol = symbol
        self._is_named = is_named
        self._grid = PricesAsWritten() if tick_size_rupees is None else PriceReader(tick_size_rupees)
        self._grid_name = "as written" if tick_size_rupees is None else repr(self._grid.tick_size_rupees)
        self._bad_rows_max = bad_rows_max
        self._interval_ns = interval_ns
        self._exchange: Exchange | None = exchange
        self._replayed = replayed
        self._dates: DateOrder | None = dates
        self._decimal: DecimalMark | None = decimal
        self._look: Final = FirstLook(path, dates=dates, decimal=decimal, zone=zone, exchange=exchange)
        self.zone: Final = self._look.zone

    def chunks(self) -> Iterator[list[MarketMessage]]:
        """Yield the ticks and candles of the file, in chunks.

        Raises:
            RecordingError: the file is missing, of no known shape, changes while it is read, or has more than
                `bad_rows_max` broken rows; all before it has been handed out.
        """
        self.bad_rows = self._untraded = 0
        self.bad_lines = []
        with self._errors_of_ours():
            found = version_of(self.path)
            plan = self._plan()
            reader = self._reader(plan, self._source(plan))
            with contextlib.ExitStack() as stack, self._open() as (table, columns):
                rows = table if plan.survey.is_in_order else self._sorted(table, plan, stack)
                yield from self._read(rows, columns, reader)
            if self._untraded:
                rows_text = counted(self._untraded, "row")
                self.notes = (*self.notes, f"left out: {rows_text} of a time without a trade, which has no prices")
            if version_of(self.path) != found:
                raise RecordingError(self.path, 0, "a file at rest is wanted, found that it changed while it was read")

    def look(self) -> int | None:
        """Look at the rows as far as needed, and return the time of the first message, in ns; None if unknown.

        Raises:
            RecordingError: the file is missing, no file, empty, of no known shape, or has not one whole row.
        """
        with self._errors_of_ours():
            plan = self._plan(ahead=True)
        self._expect_some(plan.rows)
        firsts = [
            times_of_candle(first_ns, first_ns + plan.interval_of(name), self._exchange)[0]
            if plan.columns.shape == "candles"
            else first_ns
            for name, first_ns in plan.survey.first_times()
        ]
        return min(firsts, default=None)

    def fingerprint(self) -> str:
        """Return what two recordings have in common only if all their messages are the same: of bytes and settings.

        Raises:
            RecordingError: the file is missing, or no file.
        """
        names = [self._symbol, self._grid_name, self._interval_ns, self._exchange, self._dates, self.zone]
        if self._decimal is not None:
            names.append(self._decimal)
        with self._errors_of_ours():
            return _fingerprint(self.path, repr(tuple(names)))

    def needs_symbol(self) -> bool:
        """Return whether the file has no symbol column, and was not given with its symbol.

        Raises:
            RecordingError: as `look`.
        """
        if self._is_named:
            return False
        with self._errors_of_ours(), self._open() as (_, columns):
            return "symbol" not in columns

    @property
    def zones_are_told(self) -> bool:
        """Whether the first times name their zones all, as numbers since 1970 do; it was read."""
        return self._look.zones_are_told

    @property
    def candle_lengths(self) -> tuple[tuple[Path, dict[str, int]], ...]:
        """Itself, and how long the candles of each symbol are, as far as it was looked at: ns; none for ticks."""
        return ((self.path, self._candle_lengths_ns),)

    def close(self) -> None:
        """Release nothing: the file is open only while its chunks are read."""

    def _read(self, table: Table, columns: Columns, reader: RowReader) -> Iterator[list[MarketMessage]]:
        messages: list[MarketMessage] = []
        rows = 0
        width = columns.width
        try:
            for row in table.rows():
                try:
                    if len(row) != width:
                        if is_blank(row):
                            continue
                        raise not_wide(row, width)
                    rows += 1
                    row.append("")
                    reader.read(row, messages)
                except ValueError as fault:
                    self._leave_out(row, columns, table.line_num, fault)
                if len(messages) >= MESSAGES_A_CHUNK:
                    self.share = table.share()
                    yield messages
                    messages = []
            self._expect_some(rows)
        except (RecordingError, *UNREADABLE) as fault:
            reader.finish(messages)
            if messages:
                yield messages
            if isinstance(fault, RecordingError):
                raise
            raise self._unreadable(table.line_num, fault) from fault
        reader.finish(messages)
        if messages:
            yield messages

    def _plan(self, *, ahead: bool = False) -> Plan:
        """Find out how the file is to be read: all of it where it has several symbols, else its beginning.

        Args:
            ahead: its beginning is enough where that has several symbols in the order of time.
        """
        with self._open() as (table, columns):
            assert table.header is not None, "refused without one"
            try:
                symbol = SymbolColumn(columns, self._symbol)
                plan = make_plan(table, columns, symbol, interval_ns=self._interval_ns, ahead=ahead)
            except ValueError as fault:
                raise RecordingError(self.path, table.line_num, str(fault)) from fault
        self.notes = plan.notes
        self._candle_lengths_ns = plan.candle_lengths_ns
        self.understood = table.header, table.written, columns, plan.survey
        return plan

    def _source(self, plan: Plan) -> str:
        """Return the name of the source: the fingerprint of the file and of the settings that change its messages."""
        names = f"{self._symbol if plan.survey.has_gaps else ''} {plan.columns.shape} {self._grid_name}"
        if plan.columns.shape == "candles":
            names += f" {self._interval_ns or ''} {self._exchange} path 2"
        elif not plan.survey.is_in_order:
            names += " sorted"
        if plan.symbol.renamed:
            names += " bare"
        if plan.columns.dates is not None or self.zone != "IST":
            names += f" {plan.columns.dates} {self.zone}"
        if plan.columns.decimal == "comma":
            names += " decimal comma"
        return f"replay-{_fingerprint(self.path, names)}"

    def _sorted(self, table: Table, plan: Plan, stack: contextlib.ExitStack) -> Table:
        """Read all rows and sort them by time; those that cannot be are broken, and skipped here."""
        found = SortedRows(table.header, stack)
        for row in table.rows():
            try:
                line = plan.place(row, table.line_num)
            except ValueError as fault:
                self._skip(table.line_num, fault)
                continue
            try:
                if line is not None:
                    found.add(line)
            except ValueError as fault:
                raise RecordingError(self.path, table.line_num, str(fault)) from fault
        return found

    def _reader(self, plan: Plan, source: str) -> RowReader:
        """Make what reads rows of this shape."""
        if plan.columns.shape == "ticks":
            return TickRows(plan.columns, symbol=plan.symbol, grid=self._grid, source=source)
        return CandleRows(
            plan.columns,
            symbol=plan.symbol,
            grid=self._grid,
            source=source,
            interval_of=plan.interval_of,
            exchange=self._exchange,
            replayed=self._replayed,
        )

    @contextlib.contextmanager
    def _open(self) -> Iterator[tuple[FileTable, Columns]]:
        """Open the file, read its header, and give the table with its columns."""
        with contextlib.ExitStack() as stack:
            table, layout = open_table(self.path, stack)
            if table.header is None:
                raise RecordingError(self.path, 0, "a header and rows are wanted, found an empty file")
            try:
                columns = self._look.completed(recognise(table.header, self._look.is_of_days))
            except ValueError as fault:
                raise RecordingError(self.path, table.line_num, str(fault)) from fault
            notes = (*table.written.notes, *(layout.notes if layout else ()), *columns.notes)
            yield table, replace(columns, notes=notes)

    @contextlib.contextmanager
    def _errors_of_ours(self) -> Iterator[None]:
        try:
            _expect_name(self.path)
            yield
        except UNREADABLE as fault:
            raise self._unreadable(0, fault) from fault

    def _unreadable(self, line: int, fault: Exception) -> RecordingError:
        """Return the error that says up to which line the file could be read, and why no further."""
        return RecordingError(self.path, line, f"a file that can be read to its end is wanted, found {fault}")

    def _expect_some(self, rows: int) -> None:
        if rows == 0:
            raise RecordingError(self.path, 0, "at least one whole row is wanted, found none")

    def _leave_out(self, row: Row, columns: Columns, line: int, fault: ValueError) -> None:
        """Count a row that cannot be read: one of a time without a trade, or a broken one."""
        if len(row) > columns.width and is_untraded(row, columns):
            self._untraded += 1
        else:
            self._skip(line, fault)

    def _skip(self, line: int, fault: ValueError) -> None:
        """Count a broken row; one too many ends the recording."""
        self.bad_rows += 1
        if len(self.bad_lines) < BAD_LINES_KEPT_MAX:
            self.bad_lines.append((line, str(fault)))
        if self.bad_rows > self._bad_rows_max:
            raise RecordingError(self.path, line, f"{fault}; {HOW_TO_GO_ON}") from fault


def _expect_name(path: Path) -> None:
    """Refuse a path that no message or system call can carry.

    Raises:
        NoRecordingError: it is one.
    """
    try:
        printable = "\0" not in str(path).encode().decode()
    except UnicodeEncodeError:
        printable = False
    if not printable:
        raise NoRecordingError("a name that is not UTF-8")


def _fingerprint(path: Path, names: str) -> str:
    with open_regular(path) as file:
        return hashlib.file_digest(file, lambda: hashlib.blake2b(names.encode(), digest_size=HASH_BYTES)).hexdigest()
