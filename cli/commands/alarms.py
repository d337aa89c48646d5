"""`natya alarms`: what a person should know now; and whether it would be told."""

from __future__ import annotations

from typing import Annotated

import typer

from ..exit_codes import FAILED
from ..options import DataDirOption, JsonOption, ProfileNameOption
from ..session import give_up, running, tell_answer

TEST_S = 60.0


def command(
    *,
    test: Annotated[bool, typer.Option("--test", help="Send a message by each way that the settings name.")] = False,
    data_dir: DataDirOption = None,
    profile: ProfileNameOption = "paper",
    json: JsonOption = False,
) -> None:
    """List the alarms that last in the running system; with --test, have notifications tried."""
    from ...actors.control.forms import plain
    from ..views.alarms import alarms_text

    with running(data_dir, profile) as system:
        if not test:
            found = system.alarms()
            tell_answer(plain(found), alarms_text(found), json=json)
            return
        tested = system.test_notifications(timeout_s=TEST_S)
    if not tested.delivered and not tested.failed:
        give_up("no way is named in [notifications]: command, webhook, or telegram_token and telegram_chat", FAILED)
    if tested.delivered or json:
        tell_answer(plain(tested), f"delivered by {', '.join(tested.delivered)}", json=json)
    if tested.failed:
        give_up("\n".join(tested.failed), FAILED)
