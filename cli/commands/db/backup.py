"""`natya db backup`: both files, copied."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ....config.files import expect_new
from ...options import DataDirOption, JsonOption, ProfileNameOption, TimeoutOption
from ...session import faults, owner_of, tell_answer


def command(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The copy of the core file; NAME-market lies beside.")],
    *,
    data_dir: DataDirOption = None,
    profile: ProfileNameOption = "paper",
    json: JsonOption = False,
    timeout: TimeoutOption = 1_800.0,
) -> None:
    """Copy both database files, while the system trades, and read the copies back.

    To restore them, stop the system and replace its files by them. Archived days are files in `archive`, and
    never change: copy them as they are. So are closed segments of the journal; without its journal a core file is put
    aside at the next start, and what it held is not known to the orders.

    natya db backup /backups/natya-monday.duckdb
    """
    from ....actors.database import take
    from ....messages.database import BackUp

    targets = (file, file.with_name(f"{file.stem}-market{file.suffix}"))
    with faults(), owner_of(data_dir, profile) as owner:
        for target in targets:
            expect_new(target)
        answer = owner.work(BackUp(timeout_s=timeout), timeout_s=timeout)
        for source, target in zip(answer.paths, targets, strict=True):
            take(Path(source), target)
        sizes = [target.stat().st_size for target in targets]
    found = [{"file": str(target), "bytes": size} for target, size in zip(targets, sizes, strict=True)]
    text = "\n".join(f"{target}: {size:,} bytes, read back" for target, size in zip(targets, sizes, strict=True))
    tell_answer({"files": found}, text, json=json)
