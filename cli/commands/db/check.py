"""`natya db check`: are the database files intact?"""

from __future__ import annotations

import typer

from ...exit_codes import BAD_DATA
from ...options import DataDirOption, JsonOption, ProfileNameOption, TimeoutOption
from ...session import faults, owner_of, tell_answer
from ...terminal import note


def command(
    *,
    data_dir: DataDirOption = None,
    profile: ProfileNameOption = "paper",
    json: JsonOption = False,
    timeout: TimeoutOption = 1_800.0,
) -> None:
    """Read every block of both files and look for contradictions; exit with 65 when there are any.

    natya db check --json
    """
    from ....messages.database import CheckDatabase, DatabaseChecked

    with faults(), owner_of(data_dir, profile) as owner:
        checked: DatabaseChecked = owner.work(CheckDatabase(timeout_s=timeout), timeout_s=timeout)
    problems = checked.problems
    shown = (lambda: note("\n".join(problems))) if problems else "both files are whole, and nothing in them contradicts"
    tell_answer({"ok": not problems, "problems": problems}, shown, json=json)
    if problems:
        raise typer.Exit(BAD_DATA)
