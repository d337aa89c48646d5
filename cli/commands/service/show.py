"""`natya service show`: the unit that would be installed."""

from __future__ import annotations

from typing import Annotated

import typer

from ...options import ConfigOption, JsonOption, Profile, ProfileOption, SetOption
from ...service.options import SystemOption, UserOption
from ...session import tell_answer
from ...terminal import note


def command(
    *,
    profile: ProfileOption = Profile.PAPER,
    config: ConfigOption = None,
    settings: SetOption = [],
    live: Annotated[bool, typer.Option("--live", help="Let orders of the real market leave.")] = False,
    system: SystemOption = False,
    user: UserOption = "",
    json: JsonOption = False,
) -> None:
    """Print the unit that `natya service install` would write; nothing is written."""
    from ...service.files import folder_of
    from ...service.options import service_of, tell_what_it_lacks
    from ...service.unit import unit_text

    service = service_of(profile.value, config, settings, live=live, system=system, user=user)
    unit, path = unit_text(service), folder_of(service) / service.name
    tell_answer({"path": str(path), "is_there": path.exists(), "unit": unit}, unit.rstrip(), json=json)
    tell_what_it_lacks(service)
    note(f"{path} {'is there' if path.exists() else 'is not there yet'}")
