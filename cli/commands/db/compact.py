"""`natya db compact`: the files without their gaps."""

from __future__ import annotations

from pathlib import Path

from ...options import DataDirOption, JsonOption, ProfileNameOption
from ...session import alone, expect_database, faults, tell_answer


def command(*, data_dir: DataDirOption = None, profile: ProfileNameOption = "paper", json: JsonOption = False) -> None:
    """Copy both files without their gaps and put the copies in their places; not while a system runs there.

    What was there stays beside them as FILE.old-1: delete it when you have seen that all is well.

    natya db compact
    """
    from ....actors.database import compact as compact_files

    with faults(), alone(data_dir, profile) as settings:
        expect_database(settings)
        before = [Path(path).stat().st_size for path in (settings.database.path, settings.database.market_path)]
        moved = compact_files(settings.database)
        found = [
            {"file": str(file), "bytes_before": size, "bytes": file.stat().st_size, "old": str(old)}
            for size, (file, old) in zip(before, moved, strict=True)
        ]
    text = "\n".join(
        f"{each['file']}: {each['bytes_before']:,} bytes before, {each['bytes']:,} now; the old one is {each['old']}"
        for each in found
    )
    tell_answer({"files": found}, text, json=json)
