"""`natya config check`: are the settings valid?"""

from __future__ import annotations

import typer

from ...exit_codes import SETTINGS
from ...options import ConfigOption, JsonOption, Profile, ProfileOption, SetOption, assignments
from ...session import tell_answer, with_passphrase
from ...terminal import note


def command(
    *,
    profile: ProfileOption = Profile.PAPER,
    config: ConfigOption = None,
    settings: SetOption = [],
    json: JsonOption = False,
) -> None:
    """Check the settings: list everything that is wrong, and exit with 78 if anything is."""
    from ....bodies import expect_bodies
    from ....config.errors import SettingsError
    from ....config.loader import load_with_origins
    from ....config.show import problems_as_json

    problems: tuple[str, ...] = ()
    try:
        overrides = assignments(settings)
        loaded = with_passphrase(lambda: load_with_origins(profile.value, config=config, overrides=overrides))
        expect_bodies(loaded.settings, loaded.origins)
    except SettingsError as fault:
        problems = fault.problems
    shown = (lambda: note("\n".join(problems))) if problems else "the settings are right"
    tell_answer(problems_as_json(problems).encode(), shown, json=json)
    if problems:
        raise typer.Exit(SETTINGS)
