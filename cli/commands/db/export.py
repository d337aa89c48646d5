"""`natya db export`: market data to files."""

from __future__ import annotations

import datetime as dt
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from ....domain.wording import counted
from ...options import DataDirOption, ProfileNameOption
from ...session import faults, owner_of, tell_answer


class FileFormat(StrEnum):
    """Format of the files."""

    PARQUET = "parquet"
    CSV = "csv"


def command(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Where the files go; made if it is not there.")],
    *,
    symbol: Annotated[list[str] | None, typer.Option(help="Only of this symbol; may be repeated.")] = None,
    start: Annotated[
        dt.datetime | None, typer.Option("--from", formats=["%Y-%m-%d"], metavar="DAY", help="First day.")
    ] = None,
    end: Annotated[
        dt.datetime | None, typer.Option("--to", formats=["%Y-%m-%d"], metavar="DAY", help="Last day.")
    ] = None,
    file_format: Annotated[FileFormat, typer.Option("--format", help="Of the files.")] = FileFormat.PARQUET,
    data_dir: DataDirOption = None,
    profile: ProfileNameOption = "paper",
    json: Annotated[bool, typer.Option("--json", help="One JSON object a file.")] = False,
) -> None:
    """Write ticks, a file a day, and candles, a file an interval; archived days too. `natya db import` reads them back.

    natya db export out --symbol RELIANCE --from 2025-12-01 --to 2025-12-31 --format csv
    """
    from ....domain.time import day_start_ns, number_of_day
    from ....transfer import export
    from ...views import rows

    with faults(), owner_of(data_dir, profile) as owner, rows.progress(folder.name) as on_progress:
        files = export(
            folder,
            owner,
            symbols=symbol or (),
            since_ns=None if start is None else day_start_ns(number_of_day(start.date())),
            until_ns=None if end is None else day_start_ns(number_of_day(end.date()) + 1),
            file_format=file_format.value,
            on_progress=on_progress,
        )
        for file in files:
            tell_answer(file, f"{file.file}: {counted(file.rows, 'row')}", json=json)
