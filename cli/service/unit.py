"""The text of a unit: pure."""

from __future__ import annotations

from math import ceil
from pathlib import Path
from typing import Final

import msgspec

from .manager import LEAVING_S

MARK: Final = "# Written by `natya service install`; `natya service uninstall` removes it."

HARDENING: Final = """\
NoNewPrivileges=yes
LockPersonality=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
RestrictNamespaces=yes
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallErrorNumber=EPERM
UMask=0077
LimitCORE=0
LimitNOFILE=8192
"""

OF_THE_SYSTEM: Final = """\
ProtectSystem=strict
ProtectHome=read-only
PrivateTmp=yes
PrivateDevices=yes
ProtectKernelTunables=yes
ProtectKernelModules=yes
ProtectKernelLogs=yes
ProtectControlGroups=yes
ProtectClock=yes
ProtectHostname=yes
ProtectProc=invisible
CapabilityBoundingSet=
AmbientCapabilities=
"""
"""Only the manager of the system can grant these. MemoryDenyWriteExecute is left out: numpy and DuckDB want it so."""


NEW_LINE: Final = "\n"

ITS_OWN: Final = (Path("/tmp"), Path("/var/tmp"))  # noqa: S108  named, not written to
"""Folders that a service of the system has for itself, `PrivateTmp`: it does not see what others put there."""

STATE: Final = Path("/var/lib")
"""Where services of the system keep what outlives them; systemd makes a folder there for its user."""


class Service(msgspec.Struct, frozen=True, kw_only=True):
    """What is run."""

    profile: str
    command: tuple[str, ...]
    """`/…/bin/natya run …`."""

    data_dir: Path
    stop_s: float
    """Seconds after which its actors have ended in order, at the worst."""

    reload: tuple[str, ...] = ()
    """`/…/bin/natya reload …`."""

    user: str = ""
    """Of a unit of the system: who runs it. Empty: a unit of the user's own manager."""

    reads: tuple[Path, ...] = ()
    """Files that have to be readable where it runs, absolute: the program, and the settings file if there is one."""

    folder: Path | None = None
    """Where it runs: that of the settings file, whose strategies lie beside it. None: where systemd has it."""

    wants_token: bool = False
    """No layer of the settings but the secrets of where it runs can have the access token that it needs."""

    left_behind: tuple[str, ...] = ()
    """`broker.client_id (BROKER_CLIENT_ID)`: settings that only the environment of who writes the unit has."""

    @property
    def name(self) -> str:
        """Return the unit's name."""
        return f"natya-{self.profile}.service"

    @property
    def is_kept_by_systemd(self) -> bool:
        """Say whether systemd makes the data directory, for its user."""
        return self.data_dir.parent == STATE


def unit_text(service: Service) -> str:
    """Return the unit.

    It is ready when orders has reconciled, however long the journal is that is read back until then: the system itself
    ends one that hangs in its start. It stops in order, `KillMode=mixed`, since only the main process knows how, and is
    not killed before each actor has had the time that the settings give it. It is started again unless its options
    are refused (2), its data are damaged (65), the broker refuses it (77) or its settings are refused (78).
    """
    is_system = bool(service.user)
    own = f"ReadWritePaths={quoted(str(service.data_dir))}"
    if service.is_kept_by_systemd:
        own = f"StateDirectory={service.data_dir.name}\nStateDirectoryMode=0700"
    places = f"User={service.user}\n{own}\n" if is_system else ""
    return f"""\
{MARK}
[Unit]
Description=natya, profile {service.profile}
After=network-online.target time-sync.target
Wants=network-online.target
StartLimitIntervalSec=600
StartLimitBurst=5

[Service]
Type=notify
NotifyAccess=main
{f"WorkingDirectory={plain(service.folder)}{NEW_LINE}" if service.folder is not None else ""}\
ExecStart={" ".join(map(quoted, service.command))}
{f"ExecReload={' '.join(map(quoted, service.reload))}{NEW_LINE}" if service.reload else ""}Restart=on-failure
RestartSec=5
RestartPreventExitStatus=2 65 77 78
SuccessExitStatus=0
KillMode=mixed
KillSignal=SIGTERM
TimeoutStartSec=infinity
TimeoutStopSec={ceil(service.stop_s + LEAVING_S)}
WatchdogSec=20
{places}{HARDENING}{OF_THE_SYSTEM if is_system else ""}
[Install]
WantedBy={"multi-user.target" if is_system else "default.target"}
"""


def plain(path: Path) -> str:
    """Return a path as a directive reads it that takes the rest of its line: no specifier, and no quotes."""
    text = str(path)
    if not text.isprintable():
        raise ValueError(f"a printable path is wanted, found {text!a}")
    return text.replace("%", "%%")


def quoted(text: str) -> str:
    """Quote a word of a command as systemd reads it: no specifier, no variable, no escape of its own."""
    if not text.isprintable():
        raise ValueError(f"a printable word is wanted, found {text!a}")
    plain = text.replace("%", "%%").replace("$", "$$")
    if plain and not set(plain) & set(" \t\"'\\;"):
        return plain
    escaped = plain.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
