"""`natya audit list`: the operations that someone asked for, and their outcomes."""

from __future__ import annotations

from typing import Annotated, Final

import typer

from ...journals import journal_directory
from ...options import INTEGER_MAX, DataDirOption, JsonOption, ProfileNameOption, SinceOption, UntilOption
from ...session import tell_answer

RECORDS_MAX: Final = 10_000


def command(
    *,
    data_dir: DataDirOption = None,
    profile: ProfileNameOption = "paper",
    records: Annotated[int, typer.Option("--records", "-n", min=1, max=RECORDS_MAX, help="How many.")] = 50,
    since_ns: SinceOption = 0,
    until_ns: UntilOption = INTEGER_MAX,
    json: JsonOption = False,
) -> None:
    """Print the newest operations that change something: when, who, what, with which arguments, and the outcome.

    One without an outcome was begun, and the system ended before its answer: its outcome is not known.
    """
    from ....actors.journal import tools
    from ...views.audit import FACTS, as_json, as_table, operations
    from ...views.tables import show

    with journal_directory(data_dir, profile) as directory:
        found = operations(
            tools.tail(
                directory,
                records_max=2 * records,
                since_ns=since_ns,
                until_ns=until_ns,
                types=FACTS,
            )
        )[-records:]
    shown = (lambda: show(as_table(found))) if found else "no operations"
    tell_answer(as_json(found), shown, json=json)
