"""`natya db archive`: ticks of closed days to Parquet files."""

from __future__ import annotations

import datetime as dt
from typing import Annotated

import typer

from ....domain.wording import counted
from ...options import DataDirOption, JsonOption, ProfileNameOption
from ...session import faults, owner_of, tell_answer


def command(
    *,
    before: Annotated[
        dt.datetime | None,
        typer.Option(formats=["%Y-%m-%d"], metavar="DAY", help="Only days before this one; else all before today."),
    ] = None,
    data_dir: DataDirOption = None,
    profile: ProfileNameOption = "paper",
    json: JsonOption = False,
) -> None:
    """Move the ticks of closed days to Parquet files, one a day; repositories and SQL (`all_ticks`) go on seeing them.

    natya db archive --before 2026-01-01
    """
    from ....client import closed_days
    from ....messages.database import ArchiveDay, DaysArchived
    from ...views import rows

    archived: list[tuple[str, str, int]] = []
    with faults(), owner_of(data_dir, profile, writes=True) as owner, rows.progress("archive") as on_progress:
        days = closed_days(owner, None if before is None else before.date())
        for number, day in enumerate(days, start=1):
            answer: DaysArchived = owner.work(ArchiveDay(day=str(day)), timeout_s=600.0)
            archived += zip(answer.days, answer.files, answer.ticks, strict=True)
            on_progress(number / len(days))
    found = [{"day": day, "file": file, "ticks": ticks} for day, file, ticks in archived]
    text = (
        "\n".join(f"{day}: {counted(ticks, 'tick')}, {file}" for day, file, ticks in archived)
        or "no closed day is left"
    )
    tell_answer({"days": found}, text, json=json)
