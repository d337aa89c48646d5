"""Where units lie; none is touched that natya has not written."""

from __future__ import annotations

import os
import pwd
import shutil
import stat
import subprocess
from pathlib import Path
from typing import Final

from .unit import MARK, Service, unit_text

SYSTEM_UNITS: Final = Path("/etc/systemd/system")
SYSTEMCTL_S: Final = 90.0


class NotOurUnitError(OSError):
    """A file of that name is there, and natya has not written it."""


def folder_of(service: Service) -> Path:
    """Return where its unit lies."""
    if service.user:
        return SYSTEM_UNITS
    home = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config")
    return home / "systemd" / "user"


def install(service: Service, folder: Path) -> Path:
    """Write the unit, in the place of one that natya wrote before.

    Raises:
        NotOurUnitError: there is another's.
        OSError: it cannot be written.
    """
    path = folder / service.name
    _expect_ours(path)
    folder.mkdir(parents=True, exist_ok=True)
    beside = folder / f".{service.name}.{os.getpid()}"
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o644)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(unit_text(service))
    beside.replace(path)
    return path


def uninstall(service: Service, folder: Path) -> bool:
    """Remove the unit; False: there is none.

    Raises:
        NotOurUnitError: it is another's.
    """
    path = folder / service.name
    if not path.exists():
        return False
    _expect_ours(path)
    path.unlink()
    return True


def closed_to(user: str, path: Path) -> Path | None:
    """Return what keeps a user from reading a file: the file itself, or a folder on the way; None: nothing does.

    Only owner, group and mode are looked at: an access control list may allow it, or forbid it.
    """
    account = pwd.getpwnam(user)
    groups = os.getgrouplist(user, account.pw_gid)
    file = path.resolve()
    for each in (*reversed(file.parents), file):
        try:
            found = each.stat()
        except OSError:
            return each
        whose = (
            stat.S_IRUSR if found.st_uid == account.pw_uid else stat.S_IRGRP if found.st_gid in groups else stat.S_IROTH
        )
        wanted = whose if each == file else whose >> 2  # a folder on the way is passed, not read
        if not found.st_mode & wanted:
            return each
    return None


def systemctl(service: Service, *arguments: str) -> str:
    """Run systemctl for the unit's manager; return why it failed, or an empty text."""
    program = shutil.which("systemctl")
    if program is None:
        return "there is no systemctl here"
    command = [program, *([] if service.user else ["--user"]), *arguments]
    try:
        ended = subprocess.run(  # noqa: S603  our own words
            command, capture_output=True, text=True, timeout=SYSTEMCTL_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as fault:
        return f"{' '.join(command)}: {type(fault).__name__}"
    return f"{' '.join(command)}: {ended.stderr.strip()}" if ended.returncode else ""


def _expect_ours(path: Path) -> None:
    if path.is_symlink() or (path.exists() and not path.read_text(encoding="utf-8", errors="replace").startswith(MARK)):
        raise NotOurUnitError(f"{path} is there, and natya has not written it: remove it yourself, or leave it")
