"""`natya db snapshot`: the whole database in one file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ....config.files import expect_new
from ...options import DataDirOption, JsonOption, ProfileNameOption, TimeoutOption
from ...session import faults, owner_of, tell_answer


def command(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A new DuckDB file.")],
    *,
    data_dir: DataDirOption = None,
    profile: ProfileNameOption = "paper",
    json: JsonOption = False,
    timeout: TimeoutOption = 600.0,
) -> None:
    """Write all tables and views, as they are at one moment, to one DuckDB file that anyone may read.

    Archived days stay in the archive; `all_ticks` in the file reads them there.

    natya db snapshot today.duckdb
    """
    from ....actors.database import take
    from ....messages.database import BackUp

    with faults(), owner_of(data_dir, profile) as owner:
        expect_new(file)
        answer = owner.work(BackUp(single_file=True, timeout_s=timeout), timeout_s=timeout)
        take(Path(answer.paths[0]), file)
        size = file.stat().st_size
    tell_answer({"file": str(file), "bytes": size}, f"{file}: {size:,} bytes, read back", json=json)
