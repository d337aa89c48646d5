"""How a recording is understood, as text for people. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..terminal import plain

if TYPE_CHECKING:
    from ...actors.feed import Inspection

BAD_LINES_SHOWN = 5


def inspection_text(found: Inspection) -> str:
    """Return a line for each thing that was understood."""
    written = [found.kind, found.packing, found.encoding, f"divided by {found.divider!r}" if found.divider else ""]
    symbols = ", ".join(found.some_symbols)
    more = f" and {found.symbols - len(found.some_symbols):,} more" if found.symbols > len(found.some_symbols) else ""
    dates = f", dates {found.dates}" if found.dates else ""
    lines = [
        ("written", ", ".join(filter(None, written))),
        ("layout", found.layout or "by the names of its columns"),
        ("columns", ", ".join(f"{field} = {name}" for field, name in found.columns.items())),
        ("not read", ", ".join(found.unread)),
        (found.shape, f"{found.rows:,}"),
        ("interval", ", ".join(found.intervals)),
        ("times", f"without a zone: {found.zone}{dates}" if found.zone else f"each with its zone{dates}"),
        ("decimals", f"after a {found.decimal}" if found.decimal else ""),
        ("session", f"{found.outside:,} outside" if found.outside else "all within"),
        ("order", found.order),
        ("symbols", f"{found.symbols:,}: {symbols}{more}" if found.symbols else "none"),
        ("first", found.first),
        ("last", found.last),
        ("bad rows", f"{found.bad_rows:,}"),
        *(("", f"line {line}: {reason}") for line, reason in found.bad_lines[:BAD_LINES_SHOWN]),
        *(("note", note) for note in found.notes),
    ]
    return "\n".join([plain(found.file), *(f"  {name:9} {plain(text)}" for name, text in lines if text)])
