"""The columns of tables: without the console that draws them, which JSON does not need."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.table import Table

if TYPE_CHECKING:
    from collections.abc import Collection


def lined(*headings: str, numbers: Collection[str] = ()) -> Table:
    """Return an empty table of one line a row: where there is no room, the last column goes on below.

    Args:
        headings: of its columns.
        numbers: those of them that are aligned to the right.
    """
    table = Table(box=None, pad_edge=False, header_style="dim")
    for heading in headings:
        if heading == headings[-1] and heading not in numbers:
            table.add_column(heading, overflow="fold")
        else:
            table.add_column(heading, justify="right" if heading in numbers else "left", no_wrap=True)
    return table
