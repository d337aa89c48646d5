"""`natya service uninstall`: stop the service and remove it."""

from __future__ import annotations

from ...exit_codes import CANNOT_CREATE, FAILED
from ...options import JsonOption, Profile, ProfileOption
from ...service.options import SystemOption
from ...session import give_up, tell_answer
from ...terminal import note


def command(
    *,
    profile: ProfileOption = Profile.PAPER,
    system: SystemOption = False,
    json: JsonOption = False,
) -> None:
    """Stop the service and remove its unit; data and settings stay. Exits with 1 where there is none."""
    from pathlib import Path

    from ...service.files import folder_of, systemctl, uninstall
    from ...service.unit import Service

    # Whose manager has it says where it lies; as whom it runs does not.
    user = "natya" if system else ""
    service = Service(profile=profile.value, command=(), data_dir=Path(), stop_s=0.0, user=user)
    path = folder_of(service) / service.name
    if path.exists() and (failed := systemctl(service, "disable", "--now", service.name)):
        note(failed)
    try:
        was_there = uninstall(service, folder_of(service))
    except OSError as fault:
        give_up(fault, CANNOT_CREATE)
    if not was_there:
        give_up(f"there is no {path}", FAILED)
    systemctl(service, "daemon-reload")
    tell_answer({"path": str(path)}, f"{path} is removed", json=json)
