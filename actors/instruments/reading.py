"""A published file into instruments, whole or not at all.

What a broken download looks like: a page of HTML with status 200, an empty file, a file that ends in the middle of a
row, one with half of the rows, one with other columns. Each is refused here, with what was wanted and found.
"""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING, Final

from ...domain.dhan.scrips import ScripList, ScripListError, read_scrips
from .errors import ListRefusedError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import IO

ROWS_MAX: Final = 2_000_000
_LINE_MAX: Final = 1 << 16
_HALF: Final = 2


def read_list(path: Path, *, rows_min: int, rows_before: int) -> ScripList:
    """Read a file.

    Args:
        path: of the file, in one of the two forms that Dhan publishes.
        rows_min: fewer instruments are refused.
        rows_before: of the list in use; less than half of it is refused, 0 for none.

    Raises:
        ListRefusedError: it may not be used.
        OSError: it cannot be read.
    """
    with path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
        lines = _lines(file)
        rows = csv.reader(lines, strict=True)
        try:
            header = next(rows, [])
            found = read_scrips(header, _whole(rows))
        except csv.Error as fault:
            raise ListRefusedError(f"line {rows.line_num}: a row of CSV wanted, found {fault}") from fault
        except ScripListError as fault:
            raise ListRefusedError(str(fault)) from fault
    wanted = max(rows_min, -(-rows_before // _HALF))
    if len(found.instruments) < wanted:
        why = "half of the list in use" if wanted > rows_min else "what a list has"
        raise ListRefusedError(f"rows: at least {wanted:,} ({why}) wanted, found {len(found.instruments):,}")
    return found


def _lines(file: IO[str]) -> Iterator[str]:
    """Read lines of bounded length; the last row must have its end."""
    number = 0
    while line := file.readline(_LINE_MAX):
        number += 1
        if number > ROWS_MAX:
            raise ListRefusedError(f"rows: at most {ROWS_MAX:,} wanted, found more")
        if number > 1 and not line.endswith("\n"):
            cut = len(line) >= _LINE_MAX
            found = f"more than {_LINE_MAX:,} characters" if cut else f"the end of the file behind {line[-40:]!a}"
            raise ListRefusedError(f"line {number}: a line with its end wanted, found {found}")
        yield line


def _whole(rows: Iterator[list[str]]) -> Iterator[list[str]]:
    """Pass on rows that are not empty."""
    return (row for row in rows if row)
