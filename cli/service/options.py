"""Options of the commands about the service."""

from __future__ import annotations

import getpass
import pwd
import shlex
import sys
from pathlib import Path
from typing import Annotated, TypeAlias

import typer

from ..options import assignments
from ..session import load_for_a_service
from ..terminal import note
from .files import closed_to
from .unit import ITS_OWN, STATE, Service

SystemOption: TypeAlias = Annotated[
    bool, typer.Option("--system", help="A unit of the system, not of your own manager; needs root.")
]
UserOption: TypeAlias = Annotated[str, typer.Option("--user", metavar="NAME", help="Who runs a unit of the system.")]


def service_of(  # noqa: PLR0913  each is an option
    profile: str, config: Path | None, settings: list[str], *, live: bool, system: bool, user: str
) -> Service:
    """Return what is to be run, after its settings were checked."""
    if system and (not user or user == "root"):
        raise typer.BadParameter("--system wants --user NAME, and not root: whoever breaks in would be it")
    if user and not system:
        raise typer.BadParameter("--system, whose units run as another user, wanted beside --user; found none")
    given = {**assignments(settings), **({"broker.live": True} if live else {})}
    loaded = load_for_a_service(profile, given, config=config)
    placed_by = loaded.origins["system.data_dir"]
    is_placed = placed_by not in {"default.toml", f"{profile}.toml"}
    data_dir = Path(loaded.settings.system.data_dir) if is_placed or not system else STATE / f"natya-{profile}"
    file = None if config is None else config.expanduser().absolute()
    natya = Path(sys.executable).with_name("natya")
    command = (
        *(str(natya), "run", "--profile", profile),
        *(("--summary", "json") if profile != "node" else ()),  # those of its orders are its broker node's
        *(("--config", str(file)) if file is not None else ()),
        *(("--live",) if live else ()),
        *(word for pair in settings for word in ("--set", pair)),
        *(("--data-dir", str(data_dir)) if not is_placed or _is_of_the_environment(placed_by) else ()),
    )
    from ...composition import actors_stop_s  # noqa: PLC0415  help does without

    takes_settings = profile != "node"  # a node's are taken by a start alone
    reload = (str(natya), "reload", "--profile", profile, "--data-dir", str(data_dir)) if takes_settings else ()
    return Service(
        profile=profile,
        command=command,
        reload=reload,
        data_dir=data_dir,
        stop_s=actors_stop_s(loaded.settings),
        user=user if system else "",
        reads=(natya, Path(sys.executable), *((file,) if file is not None else ())),
        folder=None if file is None else file.parent,
        wants_token=loaded.settings.feed.source == "dhan" and not loaded.settings.broker.access_token,
        left_behind=tuple(
            f"{key} ({origin.partition(' ')[2]})"
            for key, origin in loaded.origins.items()
            if _is_of_the_environment(origin) and key != "system.data_dir"
        ),
    )


def tell_what_it_lacks(service: Service) -> None:
    """Print what a unit of these settings will not find where it runs."""
    if service.left_behind:
        note(
            f"of this environment, which the service does not have: {', '.join(service.left_behind)}; "
            "keep a secret by `natya secrets set`, and name the others in a file (--config) or by --set"
        )
    if service.wants_token:
        whose = f"given as {service.user}" if service.user else "if it is not there yet"
        note(
            f"its access token is to be in {service.data_dir} (`natya secrets set broker.access_token --data-dir …`, "
            f"{whose}), or a credential of systemd (`LoadCredential=broker.access_token:FILE`)"
        )
    if not service.user:
        return
    if not _is_known(service.user):
        note(f"there is no user {service.user} here yet: useradd --system {service.user}")
        return
    for path in service.reads:
        if _is_hidden(path):
            note(
                f"{path} is not seen by the service, which has a /tmp of its own: put it elsewhere, /etc/natya for one"
            )
        elif (closed := closed_to(service.user, path)) is not None:
            note(
                f"{service.user} may not read {path}, by the mode of {closed}: allow it (chgrp, chmod), "
                "or move the file"
            )
    if not service.is_kept_by_systemd and (lack := _lack_of(service.data_dir, service.user)):
        note(lack)


def _is_hidden(path: Path) -> bool:
    return any(path.is_relative_to(folder) for folder in ITS_OWN)


def _lack_of(data_dir: Path, user: str) -> str:
    """Return why a service of the system could not work in a directory; empty: it can, or nobody here may look."""
    if _is_hidden(data_dir):
        return f"{data_dir} is not seen by the service, which has a /tmp of its own: name another system.data_dir"
    try:
        owner = data_dir.stat().st_uid
    except FileNotFoundError:
        return (
            f"there is no {data_dir} yet, and without it systemd does not start the service (226): "
            f"install -d -o {user} -m 700 {shlex.quote(str(data_dir))}"
        )
    except OSError:
        return ""
    if owner == pwd.getpwnam(user).pw_uid:
        return ""
    return f"{data_dir} is not {user}'s: chown -R {user} {shlex.quote(str(data_dir))}"


def _is_of_the_environment(origin: str) -> bool:
    return origin.startswith("environment ")


def _is_known(user: str) -> bool:
    try:
        pwd.getpwnam(user)
    except KeyError:
        return False
    return True


def whose(service: Service) -> str:
    """Return which manager of systemd runs the service, in words."""
    return "the system's manager" if service.user else f"the manager of {getpass.getuser()}"
