"""`natya data inspect`: how files of market data are understood."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ...exit_codes import BAD_DATA
from ...options import DatesOption, IntervalOption, JsonOption, ZoneOption
from ...session import give_up, tell_answer
from ...terminal import complain


def command(
    files: Annotated[
        list[Path], typer.Argument(metavar="FILE…", help="CSV, JSON or Parquet; gzip, zip or zstd; or folders of them.")
    ],
    *,
    symbol: Annotated[str, typer.Option(help="Symbol of files that have no column for it.")] = "",
    interval: IntervalOption = None,
    dates: DatesOption = None,
    zone: ZoneOption = None,
    json: JsonOption = False,
) -> None:
    """Show how files are understood before anything of them is stored: columns, times, order, what is left out.

    Exits with 65 when one is refused, after the others; the reason says which option tells what it does not.

    natya data inspect reliance.csv --symbol RELIANCE
    """
    from ....actors.feed import UNNAMED, Recording, RecordingError, files_of, inspect
    from ....domain.time import duration_ns
    from ...views.recordings import inspection_text

    try:
        found_files = [each for given in files for each in files_of(given)]
    except RecordingError as fault:
        give_up(fault, BAD_DATA)
    refused = False
    for file in found_files:
        recording = Recording(
            file,
            symbol=symbol or UNNAMED,
            tick_size_rupees=None,
            bad_rows_max=1 << 53,
            interval_ns=duration_ns(interval) if interval else None,
            dates=None if dates is None else dates.value,
            zone=zone or "IST",
            replayed=False,
        )
        try:
            found = inspect(recording)
        except RecordingError as fault:
            refused = True
            complain(fault)
            continue
        tell_answer(found, inspection_text(found), json=json)
    if refused:
        raise typer.Exit(BAD_DATA)
