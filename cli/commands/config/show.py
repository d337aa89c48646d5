"""`natya config show`: every setting in force."""

from __future__ import annotations

from ...options import ConfigOption, JsonOption, Profile, ProfileOption, SetOption, assignments
from ...session import load_to_run, tell_answer


def command(
    *,
    profile: ProfileOption = Profile.PAPER,
    config: ConfigOption = None,
    settings: SetOption = [],
    json: JsonOption = False,
) -> None:
    """Print every setting in force and where it came from; secrets are masked."""
    from ....config.show import as_json, as_text

    loaded = load_to_run(profile.value, assignments(settings), config=config)
    tell_answer(as_json(loaded).encode(), as_text(loaded), json=json)
