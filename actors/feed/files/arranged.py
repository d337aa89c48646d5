"""A table whose columns are made into those that the readers know: renamed, joined, composed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

from ..columns import plain_name
from ..numbers import Memo
from ..times import is_clock, joined
from .layouts import Layout, Made, layout_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ..columns import Row
    from .layouts import Rule
    from .table import FileTable
    from .text import Written

_DATES: Final = ("date", "trade_date", "trading_date", "day", "dtyyyymmdd")
_CLOCKS: Final = ("time", "trade_time")
_UNREAD: Final = "({})"
"""How a column is called that is read with another one: no field has such a name."""


class Arranged:
    """Another table, with columns made of its own; rows have as many as before."""

    def __init__(
        self, table: FileTable, header: Row, rules: list[tuple[tuple[int, ...], Rule]], *, written: Written
    ) -> None:
        self.header: Row | None = header
        self.written: Final = written
        self._table = table
        self._width = len(header)
        self._rules = rules

    @property
    def line_num(self) -> int:
        """Where the row that was read last ends in the file, from 1."""
        return self._table.line_num

    def rows(self) -> Iterator[Row]:
        """Give the rows; one that is not whole as it is, since it is refused anyhow."""
        for row in self._table.rows():
            if len(row) == self._width:
                row.append("")
                for places, rule in self._rules:
                    row[places[0]] = _made(rule, [row[place] for place in places])
                row.pop()
            yield row

    def share(self) -> float:
        """Tell how much of the file is read: 0 to 1."""
        return self._table.share()


def arranged(table: FileTable) -> tuple[FileTable, Layout | None]:
    """Arrange a table as its layout and its column names say; itself where there is nothing to do."""
    if table.header is None:
        return table, None
    layout = layout_of(table.header)
    names = [plain_name(name) for name in table.header]
    header = list(table.header)
    made = list(layout.made) if layout is not None else []
    for place, name in enumerate(names):
        if layout is not None and name in layout.renamed:
            header[place] = layout.renamed[name] or _UNREAD.format(header[place])
    day = next((name for name in _DATES if name in names), "")
    clock = next((name for name in _CLOCKS if name in names), "")
    if day and clock:
        made.append(Made(of=(day, clock), by=_joining()))
        header[names.index(day)] = header[names.index(day)] if day == "date" else "date"
        header[names.index(clock)] = _UNREAD.format(header[names.index(clock)])
    if layout is None and not made:
        return table, None
    rules = [(_places(names, each), each.by) for each in made]
    written = replace(
        table.written,
        layout=table.written.layout if layout is None else layout.name,
        renamed={new: old for new, old in zip(header, table.header, strict=True) if new != old},
    )
    return Arranged(table, header, rules, written=written), layout


def read_together(header: Row) -> str:
    """Return the name of the column of clocks that is read with that of days; empty: there is none."""
    inside = (name[1:-1] for name in header if name == _UNREAD.format(name[1:-1]))
    return next((name for name in inside if plain_name(name) in _CLOCKS), "")


def _places(names: list[str], made: Made) -> tuple[int, ...]:
    return tuple(names.index(name) if name in names else len(names) for name in made.of)


def _made(rule: Rule, texts: list[str]) -> str:
    """Make a text; where that cannot be done, one that is no symbol and no time, so that the row is refused."""
    try:
        return rule(*texts)
    except ValueError:
        return "\0"


def _joining() -> Callable[[str, str], str]:
    clocks = Memo(is_clock)
    return lambda day, clock: joined(day, clock) if clocks[clock] or not clock.strip() else clock
