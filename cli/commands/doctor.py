"""`natya doctor`: what keeps natya from working here, and how to fix it."""

from __future__ import annotations

from typing import Annotated

import typer

from ..exit_codes import FAILED
from ..options import ConfigOption, DataDirOption, JsonOption, Profile, ProfileOption, SetOption, assignments
from ..session import read_to_run, tell_answer


def command(
    *,
    profile: ProfileOption = Profile.PAPER,
    offline: Annotated[bool, typer.Option("--offline", help="Ask nobody over the network.")] = False,
    data_dir: DataDirOption = None,
    config: ConfigOption = None,
    settings: SetOption = [],
    json: JsonOption = False,
) -> None:
    """Look at Python, clock, disk, files, ports, credentials and connection, and say how to mend what is wrong.

    No credentials are shown. The access token is sent to the broker alone, to ask whether it takes orders from this
    machine's address; not with --offline. Exits with 1 if there is a fault, as where the settings are refused.
    """
    from ...config.errors import SettingsError
    from ..doctor.checks import LOCAL, OVER_THE_NETWORK, examine, refused
    from ..views.doctor import findings_text

    given = {} if data_dir is None else {"system.data_dir": str(data_dir)}
    try:
        loaded = read_to_run(profile.value, {**assignments(settings), **given}, config=config)
        findings = tuple(examine(loaded.settings, LOCAL if offline else (*LOCAL, *OVER_THE_NETWORK)))
    except SettingsError as fault:
        findings = tuple(refused(fault.problems))
    tell_answer({"findings": findings}, findings_text(findings), json=json)
    if any(each.state == "fault" for each in findings):
        raise typer.Exit(FAILED)
