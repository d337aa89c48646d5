"""How a file is to be read: the order of its rows and the length of its candles, found by a first pass over it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ...domain.time import duration_text, time_text
from .files.table import is_blank
from .numbers import whole
from .survey import INTERVAL_MAX_NS, SYMBOLS_MAX, Survey

if TYPE_CHECKING:
    from .columns import Columns, Row
    from .files.sorting import Line
    from .files.table import Table
    from .rows import SymbolColumn

LOOK_AHEAD_ROWS: Final = 2_000
"""Rows from which the length and order of candles is found, where there is one symbol."""


class Plan:
    """How a file is to be read."""

    def __init__(self, columns: Columns, symbol: SymbolColumn, survey: Survey, *, rows: int) -> None:
        self.columns: Final = columns
        self.symbol: Final = symbol
        self.survey: Final = survey
        self.rows: Final = rows
        """Whole rows that were found, 0 or 1."""

        self.notes = (*columns.notes, *symbol.notes(), *survey.notes({}))
        self._intervals: dict[str, int] = {}
        self._interval_ns: int | None = None
        self._newest_ns: dict[str, int] = {}
        self._time = columns.times().read
        self._of_ticks: Final = columns.shape == "ticks"
        self._time_at, self._last_at = columns.at("time"), columns.at("last")

    def set_intervals(self, *, given_ns: int | None, told_ns: int | None) -> None:
        """Set the length of candles: that of the settings, else of the file's column, else by distances, per symbol.

        Raises:
            ValueError: candles cannot have this length.
        """
        survey = self.survey
        self._interval_ns = given_ns or told_ns
        self._intervals = {name: self._interval_ns or survey.interval_of(name) for name in survey.ways}
        longest_ns = max(self._intervals.values(), default=0)
        if longest_ns > INTERVAL_MAX_NS:
            raise ValueError(
                f"candles of at most {duration_text(INTERVAL_MAX_NS)} are wanted, found {duration_text(longest_ns)} "
                f"from one to the next; --interval or the setting feed.interval says how long they are, and those of "
                f"months and years are played as days"
            )
        for name, way in survey.ways.items():
            if given_ns and way.distances and given_ns > (apart_ns := survey.interval_of(name)):
                raise ValueError(
                    f"an interval of at most {duration_text(apart_ns)} is wanted, as far as the candles of {name} are "
                    f"apart, found {duration_text(given_ns)}"
                )
        if given_ns and (note := survey.note_of_shorter(given_ns)):
            self.notes = (*self.notes, note)
        if not self._interval_ns:
            self.notes = (*self.columns.notes, *self.symbol.notes(), *survey.notes(self._intervals))

    @property
    def candle_lengths_ns(self) -> dict[str, int]:
        """Of candles by symbol, as far as they were looked at; empty: these are ticks."""
        return {} if self._of_ticks else dict(self._intervals)

    def interval_of(self, symbol: str) -> int:
        """Return the length of a symbol's candles, in ns."""
        return self._interval_ns or self.survey.interval_of(symbol)

    def place(self, row: Row, line: int) -> Line | None:
        """Return a row with its place in the order of time; None if it has no content. Called for each, in order.

        Raises:
            ValueError: the row is broken: it has no valid time, or goes against the order of its symbol.
        """
        if is_blank(row):
            return None
        if len(row) != self.columns.width:
            raise not_wide(row, self.columns.width)
        row.append("")
        if self._of_ticks and not row[self._last_at]:
            return None
        name, time_ns = self.symbol.of(row), self._time(row[self._time_at])
        way = self.survey.ways.get(name)
        back = way is not None and way.is_newest_first
        before_ns = self._newest_ns.get(name, time_ns)
        if time_ns > before_ns if back else time_ns < before_ns:
            wanted = f"a {'time' if self._of_ticks else 'start'} not {'after' if back else 'before'}"
            raise ValueError(f"{wanted} {time_text(before_ns)} is wanted, found {row[self._time_at]!r}")
        self._newest_ns[name] = time_ns
        row.pop()
        return time_ns, -line if back else line, line, row


def make_plan(table: Table, columns: Columns, symbol: SymbolColumn, *, interval_ns: int | None, ahead: bool) -> Plan:
    """Look at the rows, all of them where they have a symbol column, else the first ones; return the plan.

    Args:
        table: the rows, from the first one.
        columns: what they hold.
        symbol: reads the symbol of each.
        interval_ns: how long candles are, where that is given.
        ahead: the first ones are enough, too, where they have several symbols in the order of time.

    Raises:
        ValueError: the file as a whole cannot be read.
    """
    survey, first = _survey(table, columns, symbol, ahead=ahead)
    plan = Plan(columns, symbol, survey, rows=int(first is not None))
    if columns.shape == "ticks":
        _expect_oldest_first(survey)
    else:
        told_ns = whole(first[columns.at("interval_ns")]) if first is not None else None
        plan.set_intervals(given_ns=interval_ns, told_ns=told_ns)
    return plan


def not_wide(row: Row, width: int) -> ValueError:
    """Return the error for a row with too many columns, or too few."""
    return ValueError(f"{width} columns are wanted, found {len(row)}")


def _survey(table: Table, columns: Columns, symbol: SymbolColumn, *, ahead: bool) -> tuple[Survey, Row | None]:
    """Look at the rows; return the first whole one, too."""
    of_ticks = columns.shape == "ticks"
    survey = Survey(may_go_back=not of_ticks)
    first: Row | None = None
    time = columns.times().read
    time_at, last_at = columns.at("time"), columns.at("last")
    rows_max = None if "symbol" in columns else 1 if of_ticks else LOOK_AHEAD_ROWS
    for row in table.rows():
        if len(row) != columns.width:
            continue
        row.append("")
        first = first or row
        if row[last_at] or not of_ticks:
            try:
                name, time_ns = symbol.of(row), time(row[time_at])
            except ValueError:  # a broken row is counted where it is read
                continue
            survey.has_gaps = survey.has_gaps or symbol.is_missing(row)
            survey.add(name, time_ns)
            if len(survey.ways) > SYMBOLS_MAX:
                raise ValueError(f"at most {SYMBOLS_MAX:,} symbols are wanted, found more")
        if survey.rows == rows_max or (
            ahead and survey.rows == LOOK_AHEAD_ROWS and survey.is_in_order and len(survey.ways) > 1
        ):
            break
    return survey, first


def _expect_oldest_first(survey: Survey) -> None:
    """Refuse ticks with the newest first: those of equal times would have to be reversed, and no vendor writes that.

    Raises:
        ValueError: they do.
    """
    for name, way in survey.ways.items():
        if way.backward > max(1, way.forward):
            raise ValueError(f"the oldest tick first is wanted, found those of {name} with the newest first")
