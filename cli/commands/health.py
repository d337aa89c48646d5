"""`natya health`: is the running system well?"""

from __future__ import annotations

from typing import Annotated

import typer

from ..exit_codes import UNAVAILABLE
from ..options import DataDirOption, JsonOption, ProfileNameOption
from ..session import running, tell_answer


def command(
    *,
    live: Annotated[bool, typer.Option("--live", help="Exit with 69 only if its actors do not answer.")] = False,
    data_dir: DataDirOption = None,
    profile: ProfileNameOption = "paper",
    json: JsonOption = False,
) -> None:
    """Show whether the running system is ready, and what each component lacks. Exits with 69 if it is not."""
    from ...actors.control.forms import plain
    from ..views.health import health_text

    with running(data_dir, profile) as system:
        found = system.health()
    tell_answer(plain(found), health_text(found), json=json)
    if not (found.live if live else found.ready):
        raise typer.Exit(UNAVAILABLE)
