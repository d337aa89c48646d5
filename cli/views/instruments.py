"""Instruments as text and tables for people, and JSON for programs. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from rich.text import Text

from ...domain.wording import counted
from .columns import lined

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.table import Table

    from ...domain.instruments import Instrument
    from ...messages.instruments import InstrumentList


def list_json(of: InstrumentList) -> dict[str, Any]:
    """Return where a list is from."""
    return msgspec.structs.asdict(of)


def one_json(instrument: Instrument, of: InstrumentList) -> dict[str, Any]:
    """Return an instrument, and where it is from."""
    return msgspec.structs.asdict(instrument) | {"list": list_json(of)}


def some_json(instruments: Sequence[Instrument], total: int, of: InstrumentList) -> dict[str, Any]:
    """Return what was found: the first ones, and how many there are."""
    return {
        "instruments": [msgspec.structs.asdict(each) for each in instruments],
        "total": total,
        "list": list_json(of),
    }


def one_text(instrument: Instrument, of: InstrumentList) -> str:
    """Return an instrument, a line for each thing that is known of it, and where it is from."""
    known = {name: value for name, value in msgspec.structs.asdict(instrument).items() if value not in {None, ""}}
    width = max(map(len, known))
    return "\n".join([*(f"{name:{width}}  {value}" for name, value in known.items()), "", _source(of)])


def table(instruments: Sequence[Instrument], total: int, of: InstrumentList) -> Table:
    """Return a line for each that was found, how many there are, and where they are from."""
    numbers = "lot", "tick", "freeze"
    found = lined("symbol", "segment", "number", "type", *numbers, "expiry", "name", numbers=numbers)
    for each in instruments:
        found.add_row(
            each.symbol,
            each.segment,
            each.security_id,
            each.instrument_type,
            str(each.lot_size),
            f"{each.tick_size_rupees:g}",
            str(each.freeze_quantity or ""),
            str(each.expiry or ""),
            each.display_name,
        )
    shown = "" if len(instruments) == total else f", the first {len(instruments):,} shown"
    found.caption = Text(f"{total:,} found{shown}; {_source(of)}", "dim")
    found.caption_justify = "left"
    return found


def _source(of: InstrumentList) -> str:
    if of.day is None:
        return (
            f"{of.source} list of {counted(of.instruments, 'instrument')}: natya instruments refresh fetches the whole"
        )
    return f"list of {of.day} with {counted(of.instruments, 'instrument')}, from {of.source}"
