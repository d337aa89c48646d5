"""`natya data inspect`: how files of market data are understood."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from msgspec.structs import replace

from ...exit_codes import BAD_DATA
from ...options import DatesOption, DecimalOption, IntervalOption, JsonOption, ZoneOption
from ...session import faults, tell_answer
from ...terminal import complain

if TYPE_CHECKING:
    from collections.abc import Iterator


def command(
    files: Annotated[
        list[Path],
        typer.Argument(
            metavar="FILE…",
            help="CSV, JSON or Parquet; gzip, zip or zstd; or folders of them; databases; or data directories.",
        ),
    ],
    *,
    symbol: Annotated[str, typer.Option(help="Symbol of files that have no column for it.")] = "",
    interval: IntervalOption = None,
    dates: DatesOption = None,
    decimal: DecimalOption = None,
    zone: ZoneOption = None,
    json: JsonOption = False,
) -> None:
    """Show how files are understood before anything of them is stored: columns, times, order, what is left out.

    Exits with 65 when one is refused, or has no row that can be read, after the others; the reason says which option
    tells what it does not.

    natya data inspect reliance.csv --symbol RELIANCE
    """
    from ....actors.feed import UNNAMED, Recording, RecordingError, inspect
    from ....domain.time import duration_ns
    from ...views.recordings import inspection_text

    refused = False
    for file, name in _named(files):
        recording = Recording(
            file,
            symbol=symbol or UNNAMED,
            tick_size_rupees=None,
            bad_rows_max=1 << 53,
            interval_ns=duration_ns(interval) if interval else None,
            dates=None if dates is None else dates.value,
            decimal=None if decimal is None else decimal.value,
            zone=zone or "",
            replayed=False,
        )
        try:
            found = inspect(recording)
        except RecordingError as fault:
            refused = True
            complain(fault)
            continue
        if name:
            found = replace(found, file=name, kind="database", packing="")
        refused |= not found.rows
        tell_answer(found, inspection_text(found), json=json)
    if refused:
        raise typer.Exit(BAD_DATA)


def _named(given: list[Path]) -> Iterator[tuple[Path, str]]:
    """Yield each file, with the name to show where it is a part of a database: a day's ticks, or candles."""
    from ....actors.feed import files_of
    from ....transfer import export, is_database, owner_at

    for place in given:
        if not is_database(place):
            with faults():
                found = files_of(place)
            yield from ((file, "") for file in found)
            continue
        scratch = tempfile.TemporaryDirectory(prefix="natya-inspect-")
        with faults(), scratch as folder, owner_at(place) as owner:
            for part in export(Path(folder), owner):
                file = Path(part.file)
                yield file, f"{place}: {file.stem}"
                file.unlink()
