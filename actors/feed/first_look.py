"""A first look at the times and amounts of a file: what they do not say themselves, and have to be asked for."""

from __future__ import annotations

import contextlib
import itertools
from datetime import UTC
from typing import TYPE_CHECKING, Final, NamedTuple

from msgspec.structs import replace

from ...domain.calendar import session_at
from .errors import UNREADABLE
from .files.opening import open_table
from .files.table import is_blank
from .numbers import mark_of
from .times import DateOrderFound, TimeReader, is_day, zone_of

if TYPE_CHECKING:
    from pathlib import Path

    from ...domain.calendar import Exchange
    from .columns import Columns
    from .numbers import DecimalMark
    from .times import DateOrder

TIMES_MAX: Final = 2_000
"""Rows that are looked at."""

DECIMAL_COMMA: Final = "numbers are read with a decimal comma: 1.234,50 is one thousand two hundred and thirty-four"

CLOCKS_MIN: Final = 10
"""Fewer times tell nothing of their zone."""


class Clocks(NamedTuple):
    """The first times of a file, `TIMES_MAX` at most, without those that are days."""

    rows: int
    outside: int
    """Of them, those at which the exchange is closed, read as India's where they name no zone."""

    without_zone: int
    outside_in_utc: int
    """Of these, those at which it is closed, read as UTC's."""


def clocks_of(path: Path, place: int, columns: Columns, exchange: Exchange) -> Clocks:
    """Look at when the exchange is closed at the first times in a column of a file."""
    as_here, as_utc = columns.times(), replace(columns, zone=UTC).times()
    rows = outside = without_zone = outside_in_utc = 0
    # Where a file cannot be read any further is told by who reads it, with all that came before.
    with contextlib.suppress(*UNREADABLE), contextlib.ExitStack() as stack:
        table, _ = open_table(path, stack)
        for row in itertools.islice(table.rows(), TIMES_MAX):
            try:
                here_ns, utc_ns = as_here.read(row[place]), as_utc.read(row[place])
            except (ValueError, IndexError):  # a broken row is counted where it is read
                continue
            if is_day(here_ns):
                continue
            rows += 1
            outside += not _trades(here_ns, exchange)
            if here_ns != utc_ns:
                without_zone += 1
                outside_in_utc += not _trades(utc_ns, exchange)
    return Clocks(rows, outside, without_zone, outside_in_utc)


def _trades(time_ns: int, exchange: Exchange) -> bool:
    """Tell whether a session goes on, auctions included: ticks of a day begin with thousands of the opening's."""
    session = session_at(time_ns, exchange)
    return session is not None and session.pre_open_ns <= time_ns < session.ends_ns


def expect_zone(found: Clocks, exchange: Exchange) -> None:
    """Refuse times without a zone at which the exchange is mostly closed, read as India's, and open, read as UTC's.

    Raises:
        ValueError: they are so.
    """
    is_told = found.rows == found.without_zone >= CLOCKS_MIN
    if is_told and found.outside * 2 > found.rows and found.outside_in_utc * 10 <= found.rows:
        raise ValueError(
            f"times whose zone can be told are wanted, found that {exchange} is closed at {found.outside} of the first "
            f"{found.rows}, read as India's, and at {found.outside_in_utc} as UTC's: --zone or the setting feed.zone "
            f"says whose they are, IST, UTC or a distance such as +05:30"
        )


def note_of(found: Clocks, exchange: Exchange) -> str:
    """Say that most of the first times are outside of the exchange's hours; empty where they are not."""
    if found.outside * 2 <= found.rows or found.rows < CLOCKS_MIN:
        return ""
    return f"{exchange} is closed at {found.outside} of the first {found.rows} times"


class FirstLook:
    """At one file, once for each version of it."""

    def __init__(
        self,
        path: Path,
        *,
        dates: DateOrder | None,
        decimal: DecimalMark | None,
        zone: str,
        exchange: Exchange | None,
    ) -> None:
        """Look at nothing yet.

        Args:
            path: the file.
            dates: whether day or month comes first; None to find it.
            decimal: what stands before decimals; None to find it.
            zone: of times that name none; empty: India's, unless they are clearly UTC's.
            exchange: whose hours its times should be in; None: it never closes.
        """
        self._path: Final = path
        self._dates: Final = dates
        self._decimal: Final = decimal
        self._exchange: Final = exchange
        self._zone_is_given: Final = bool(zone)
        self.zone: Final = zone or "IST"
        self._version: tuple[int, int, int] | None = None
        self._orders: dict[int, DateOrder | None] = {}
        self._clocks: Clocks | None = None
        self._marks: dict[tuple[int, ...], DecimalMark | None] = {}

    @property
    def zones_are_told(self) -> bool:
        """Whether each of the first times names its zone, as numbers since 1970 do."""
        clocks = self._clocks
        return not self._zone_is_given and clocks is not None and clocks.rows > 0 and not clocks.without_zone

    def is_of_days(self, place: int) -> bool:
        """Return whether the first time in a column is a date without a time of day.

        Raises:
            ValueError: whether the day or the month comes first in its dates cannot be told.
        """
        return is_of_days(self._path, place, self._order(place))

    def completed(self, columns: Columns) -> Columns:
        """Return the columns with what is found out of their times and amounts, and notes of what is odd.

        Raises:
            ValueError: it cannot be told, and has to be asked for.
        """
        place = columns.at("time")
        columns = replace(columns, dates=self._order(place), zone=zone_of(self.zone), decimal=self._mark(columns))
        if columns.decimal == "comma":
            columns = replace(columns, notes=(*columns.notes, DECIMAL_COMMA))
        if self._exchange is None:
            return columns
        if self._clocks is None:
            self._clocks = clocks_of(self._path, place, columns, self._exchange)
        if not self._zone_is_given:
            expect_zone(self._clocks, self._exchange)
        note = note_of(self._clocks, self._exchange)
        return replace(columns, notes=(*columns.notes, note)) if note else columns

    def _order(self, place: int) -> DateOrder | None:
        self._forget_another_version()
        if self._dates is None and place not in self._orders:
            self._orders[place] = date_order(self._path, place)
        return self._dates or self._orders[place]

    def _mark(self, columns: Columns) -> DecimalMark | None:
        if columns.amounts not in self._marks:
            self._marks[columns.amounts] = decimal_mark(self._path, columns.amounts, given=self._decimal)
        return self._marks[columns.amounts]

    def _forget_another_version(self) -> None:
        version = version_of(self._path)
        if version != self._version:
            self._version, self._clocks = version, None
            self._orders.clear()
            self._marks.clear()


def date_order(path: Path, place: int) -> DateOrder | None:
    """Find which of day and month comes first in a column of a file; None where its dates say it themselves.

    Raises:
        ValueError: they do not, nor does any date of the file.
    """
    found = DateOrderFound()
    with contextlib.ExitStack() as stack:
        table, layout = open_table(path, stack)
        if layout is not None and layout.dates is not None:
            return layout.dates
        for row in table.rows():
            if len(row) <= place or is_blank(row):
                continue
            found.look(row[place])
            if found.order is not None or (not found.is_needed and _says_itself(row[place])):
                return found.order
    if not found.is_needed:
        return None
    raise ValueError(
        f"dates whose day and month can be told apart are wanted, found {found.example!r} and none with a day behind "
        "the 12th and a year of four digits: --dates or the setting feed.dates says which comes first, day-first or "
        "month-first"
    )


def _says_itself(text: str) -> bool:
    """Return whether a text is a time, whichever of day and month comes first: a broken row tells nothing."""
    try:
        TimeReader().read(text)
    except ValueError:
        return False
    return True


def decimal_mark(path: Path, places: tuple[int, ...], *, given: DecimalMark | None) -> DecimalMark | None:
    """Find what stands before decimals in some columns of a file; None where no number in them tells it.

    Where numbers are none of a text, it is a point, whatever is given; so it is where commas divide the fields and
    nothing is given.
    """
    # Where a file cannot be read any further is told by who reads it, with all that came before.
    with contextlib.suppress(*UNREADABLE), contextlib.ExitStack() as stack:
        table, _ = open_table(path, stack)
        if not table.written.divider:
            return "point"
        if given is not None:
            return given
        if table.written.divider == ",":
            return "point"
        for row in table.rows():
            for place in places:
                if place < len(row) and (mark := mark_of(row[place])) is not None:
                    return mark
    return given


def is_of_days(path: Path, place: int, dates: DateOrder | None) -> bool:
    """Return whether the first time in a column of a file is a date without a time of day."""
    with contextlib.ExitStack() as stack:
        table, _ = open_table(path, stack)
        assert table.header is not None, "refused without one"
        width = len(table.header)
        for row in itertools.islice(table.rows(), TIMES_MAX):
            if len(row) == width:
                with contextlib.suppress(ValueError):  # a broken row is counted where it is read
                    return is_day(TimeReader(dates=dates).read(row[place]))
    return False


def version_of(path: Path) -> tuple[int, int, int]:
    """Return what differs after a file was changed: its inode, size and modification time."""
    status = path.stat()
    return status.st_ino, status.st_size, status.st_mtime_ns
