"""`natya service install`: run natya as a service of systemd."""

from __future__ import annotations

from typing import Annotated

import typer

from ...exit_codes import CANNOT_CREATE, FAILED
from ...options import ConfigOption, JsonOption, Profile, ProfileOption, SetOption
from ...service.options import SystemOption, UserOption
from ...session import give_up, tell_answer
from ...terminal import note


def command(
    *,
    profile: ProfileOption = Profile.PAPER,
    config: ConfigOption = None,
    settings: SetOption = [],
    live: Annotated[bool, typer.Option("--live", help="Let orders of the real market leave.")] = False,
    system: SystemOption = False,
    user: UserOption = "",
    now: Annotated[bool, typer.Option("--now", help="Start it now, and with each start of the machine.")] = False,
    json: JsonOption = False,
) -> None:
    """Write a unit of systemd that runs natya with these settings; --now starts it.

    It is ready when orders has reconciled, killed when its actors or a sync of its journal do not answer for 20 s, and
    started again unless its data are damaged or its settings or credentials refused. `natya service show` prints it
    without writing.
    """
    from ...service.files import folder_of, install, systemctl
    from ...service.options import service_of, tell_what_it_lacks, whose

    service = service_of(profile.value, config, settings, live=live, system=system, user=user)
    try:
        path = install(service, folder_of(service))
    except OSError as fault:
        give_up(fault, CANNOT_CREATE)
    tell_what_it_lacks(service)
    done = [f"{path} is written, for {whose(service)}"]
    begin = ("enable", "--now", service.name)
    asked = f"systemctl {'' if service.user else '--user '}"
    if failed := systemctl(service, "daemon-reload"):
        note(f"not read by systemd yet: {failed}")
    was_running = not systemctl(service, "is-active", "--quiet", service.name)
    if now:
        if failed := systemctl(service, *begin):
            give_up(failed, FAILED)
        done.append(f"{service.name} runs")
    else:
        done.append(f"start it: {asked}{' '.join(begin)}")
    if was_running:  # systemd has begun nothing anew
        note(f"it runs as it was started before; to have it run as is written now: {asked}restart {service.name}")
    if not service.user:
        done.append("it ends when you log out, unless: loginctl enable-linger")
    tell_answer({"path": str(path), "unit": service.name, "is_started": now}, "\n".join(done), json=json)
