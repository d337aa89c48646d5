"""`natya service show`: the unit that would be installed."""

from __future__ import annotations

from typing import Annotated

import typer

from ...options import ConfigOption, Profile, ProfileOption, SetOption
from ...service.options import SystemOption, UserOption
from ...terminal import note, tell


def command(
    *,
    profile: ProfileOption = Profile.PAPER,
    config: ConfigOption = None,
    settings: SetOption = [],
    live: Annotated[bool, typer.Option("--live", help="Let orders of the real market leave.")] = False,
    system: SystemOption = False,
    user: UserOption = "",
) -> None:
    """Print the unit that `natya service install` would write; nothing is written."""
    from ...service.files import folder_of
    from ...service.options import service_of
    from ...service.unit import unit_text

    service = service_of(profile.value, config, settings, live=live, system=system, user=user)
    tell(unit_text(service).rstrip())
    path = folder_of(service) / service.name
    note(f"{path} {'is there' if path.exists() else 'is not there yet'}")
