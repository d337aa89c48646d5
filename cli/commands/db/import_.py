"""`natya db import`: market data from files."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from ...exit_codes import BAD_DATA
from ...options import DataDirOption, DatesOption, DecimalOption, IntervalOption, ProfileNameOption, ZoneOption
from ...session import faults, give_up, owner_of, tell_answer
from ...terminal import complain


def command(
    files: Annotated[
        list[Path], typer.Argument(metavar="FILE…", help="CSV, JSON or Parquet; gzip, zip or zstd; or folders of them.")
    ],
    *,
    symbol: Annotated[str, typer.Option(help="Symbol of files that have no column for it.")] = "",
    tick_size: Annotated[
        float | None,
        typer.Option(
            min=1e-9, max=1_000, metavar="RUPEES", help="Round prices to multiples of it; else they stay as written."
        ),
    ] = None,
    interval: IntervalOption = None,
    max_bad_rows: Annotated[int, typer.Option(min=0, help="Broken rows of a file before it is refused.")] = 0,
    dates: DatesOption = None,
    decimal: DecimalOption = None,
    zone: ZoneOption = None,
    data_dir: DataDirOption = None,
    profile: ProfileNameOption = "paper",
    json: Annotated[bool, typer.Option("--json", help="One JSON object a file.")] = False,
) -> None:
    """Save the ticks or candles of files: all of a file, or nothing of it.

    They are recognised by their columns: time and ltp make ticks; date, open, high, low, close and volume make candles.
    A time without an offset is read on the exchange's clock. A file that is imported again is there already; what was
    interrupted goes on when it is called again. Candles replace earlier ones of their time, ticks of files that overlap
    stay beside each other, and it says how many of either. Exits with 65 when a file is refused, after the others.

    natya db import reliance-2025-*.csv --symbol RELIANCE

    natya db import ticks.parquet --max-bad-rows 10
    """
    from ....actors.feed import RecordingError, files_of
    from ....domain.time import duration_ns
    from ....transfer import import_file
    from ...views import rows

    try:
        found_files = [each for given in files for each in files_of(given)]
    except RecordingError as fault:
        give_up(fault, BAD_DATA)
    refused = False
    with faults(), owner_of(data_dir, profile, writes=True) as owner:
        for file in found_files:
            with rows.progress(file.name) as on_progress:
                try:
                    done = import_file(
                        file,
                        owner,
                        symbol=symbol,
                        tick_size_rupees=tick_size,
                        bad_rows_max=max_bad_rows,
                        interval_ns=duration_ns(interval) if interval else None,
                        dates=None if dates is None else dates.value,
                        decimal=None if decimal is None else decimal.value,
                        zone=zone or "",
                        on_progress=on_progress,
                    )
                except RecordingError as fault:
                    refused = True
                    on_progress(None)
                    complain(f"{fault}; nothing of it was saved")
                    continue
            tell_answer(done, partial(rows.tell_import, done), json=json)
    if refused:
        raise typer.Exit(BAD_DATA)
