"""`natya resume`: leave HALTED, or a REDUCING of a limit."""

from __future__ import annotations

from typing import Annotated

import typer

from ..exit_codes import FAILED
from ..options import DataDirOption, JsonOption, ProfileNameOption
from ..session import give_up, running, tell_answer


def command(
    *,
    reason: Annotated[str, typer.Option("--reason", help="Why trading may go on; it is journaled under your name.")],
    data_dir: DataDirOption = None,
    profile: ProfileNameOption = "paper",
    json: JsonOption = False,
) -> None:
    """Let orders pass again after the risk state was HALTED, or REDUCING by a limit.

    A limit that is still passed, such as the loss of the day, reduces or halts again at once. Exits with 1 where there
    is nothing to resume.
    """
    from ...messages.risk_state import ResumeRefused

    with running(data_dir, profile) as system:
        answer = system.resume(reason)
    if isinstance(answer, ResumeRefused):
        give_up(f"nothing changed: {answer.reason}", FAILED)
    passing = (
        f"orders that reduce pass again, and no others, since {answer.still}" if answer.still else "orders pass again"
    )
    found = {"halted_because": answer.halted_because, "still": answer.still}
    tell_answer(found, f"{passing}; they were halted because {answer.halted_because}", json=json)
