"""`natya reload`: settings that have changed, without a restart."""

from __future__ import annotations

from typing import Annotated

import typer

from ..exit_codes import SETTINGS
from ..options import DataDirOption, JsonOption, ProfileNameOption
from ..session import running, tell_answer
from ..terminal import complain, tell

RELOAD_S = 30.0


def command(
    *,
    check: Annotated[bool, typer.Option("--check", help="Show what would change, and change nothing.")] = False,
    data_dir: DataDirOption = None,
    profile: ProfileNameOption = "paper",
    json: JsonOption = False,
) -> None:
    """Have the running system read its settings anew, and use those that have changed: all of them, or none.

    It reads what it read at its start: the same file, credentials and secrets, environment and options of then. The
    log level, alarms and the schedule of the list of instruments change at once; a change of any other setting, such as
    a limit of orders, is taken by a start only: then nothing changes, and each is named. Exits with 78 then, and where
    the settings are wrong. In a service without a terminal SIGHUP does the same.
    """
    from ...messages.settings import ReloadRefused
    from ..views.reload import reload_json, reload_lines

    with running(data_dir, profile) as system:
        answer = system.reload_settings(check_only=check, timeout_s=RELOAD_S)
    lines = "\n".join(reload_lines(answer))
    is_refused = isinstance(answer, ReloadRefused)
    tell_answer(reload_json(answer, applied=not check), lambda: (complain if is_refused else tell)(lines), json=json)
    if is_refused:
        raise typer.Exit(SETTINGS)
