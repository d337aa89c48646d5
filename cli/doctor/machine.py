"""Checks of this machine."""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import re
import resource
import sys
import time
from datetime import date, timedelta
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ...domain.calendar import covered_years
from ...domain.readiness import DISK_CRITICAL_BYTES, DISK_WARN_BYTES
from ...domain.time import date_of
from .finding import Finding, State

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ...config.settings import Settings

FILES_MIN: Final = 1_024
CALENDAR_AHEAD_DAYS: Final = 21
"""The exchanges tell the holidays of a year in the middle of the December before."""

SYNC_WARN_MS: Final = 20.0
SYNCS: Final = 15
MENDS: Final = {
    errno.ENOSPC: "free some room there",
    errno.EDQUOT: "free some room there, or have more allowed",
    errno.EROFS: "mount it for writing, or name another system.data_dir",
    errno.EOPNOTSUPP: "name a system.data_dir on a local disk",
}
"""How to fix a write that failed, by its error."""

MOUNTS: Final = Path("/proc/self/mountinfo")
IN_MEMORY: Final = frozenset({"tmpfs", "ramfs", "devtmpfs"})
OVER_THE_NETWORK: Final = frozenset({"nfs", "nfs4", "cifs", "smb3", "9p", "afs", "ceph", "fuse.sshfs"})
"""File systems whose locks and syncs are another machine's to keep."""

CLOCK_UNSYNCHRONISED: Final = 5
"""`TIME_ERROR` of adjtimex(2): nothing synchronises the kernel's clock."""


def python(_: object) -> Iterator[Finding]:
    """Python and the system that it runs on."""
    found = f"Python {platform.python_version()}, {platform.system()}, {platform.machine()}"
    if sys.maxsize < 1 << 32:  # an older one than 3.11 does not come so far
        yield Finding("python", "fault", found, "install a 64-bit Python")
    elif platform.system() != "Linux":
        yield Finding("python", "warning", found, "natya is tested on Linux: peers of the socket are checked there")
    else:
        yield Finding("python", "ok", found)


def libraries(_: object) -> Iterator[Finding]:
    """Whether what natya needs is installed."""
    missing = []
    for requirement in requires("natya") or ():
        named = re.match(r"[A-Za-z0-9._-]+", requirement)
        if named is None or ";" in requirement:  # of an extra, or of some versions of Python
            continue
        name = named.group()
        try:
            version(name)
        except PackageNotFoundError:
            missing.append(name)
    if missing:
        yield Finding("libraries", "fault", f"not installed: {', '.join(missing)}", "pip install --upgrade natya")
    else:
        yield Finding("libraries", "ok", f"natya {version('natya')} and all that it needs")


def environment(_: object) -> Iterator[Finding]:
    """Whether the environment reveals secrets."""
    if os.environ.get("SSLKEYLOGFILE"):
        yield Finding(
            "environment", "fault", "SSLKEYLOGFILE is set: keys of encrypted connections are written to a file",
            "unset SSLKEYLOGFILE",
        )  # fmt: skip
    else:
        yield Finding("environment", "ok", "no variable gives keys away")


def open_files(_: object) -> Iterator[Finding]:
    """How many files a process may open."""
    soft, _hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    few = soft != resource.RLIM_INFINITY and soft < FILES_MIN
    mend = f"ulimit -n {FILES_MIN}, or LimitNOFILE={FILES_MIN} in the unit" if few else ""
    yield Finding("open files", "warning" if few else "ok", f"{soft} may be open at once", mend)


def clock(_: object) -> Iterator[Finding]:
    """Whether the clock is synchronised."""
    state = _clock_state()
    if state is None:
        yield Finding("clock", "warning", "the kernel does not say whether it is kept right", "see timedatectl")
    elif state == CLOCK_UNSYNCHRONISED:
        yield Finding(
            "clock", "warning", "nothing keeps it right, as far as the kernel knows", "timedatectl set-ntp true"
        )
    else:
        yield Finding("clock", "ok", "it is kept right")


def calendar(_: object) -> Iterator[Finding]:
    """Whether the holidays of the exchanges are known, for a while to come too."""
    today = date_of(time.time_ns())
    last = date(covered_years()[-1], 12, 31)
    if today + timedelta(days=CALENDAR_AHEAD_DAYS) <= last:
        yield Finding("calendar", "ok", f"the holidays of the exchanges are known until {last}")
        return
    found = f"the holidays of the exchanges are known until {last}; each weekday after it is taken for one of trading"
    yield Finding("calendar", "warning", found, "install a newer natya, which knows those of the next year")


def disk(settings: Settings) -> Iterator[Finding]:
    """Whether there is room, and how long a durable write takes, for which each order waits."""
    folder, journal = (_existing(Path(each)) for each in (settings.system.data_dir, settings.journal.path))
    yield _room(folder, "system.data_dir")
    if journal.stat().st_dev == folder.stat().st_dev:
        journal = folder
    else:
        yield _room(journal, "journal.path")
    yield _durable_writes(journal)


def _room(folder: Path, key: str) -> Finding:
    found = os.statvfs(folder)
    free = found.f_bavail * found.f_frsize
    state: State = "fault" if free < DISK_CRITICAL_BYTES else "warning" if free < DISK_WARN_BYTES else "ok"
    mend = "" if state == "ok" else f"free {DISK_WARN_BYTES >> 20} MiB, or name another {key}"
    return Finding("disk space", state, f"{free / (1 << 30):,.1f} GiB free in {folder}", mend)


def _durable_writes(folder: Path) -> Finding:
    try:
        took_ms = _sync_ms(folder)
    except OSError as fault:
        mend = MENDS.get(fault.errno or 0, f"make {folder} writable for this user")
        return Finding("durable writes", "fault", f"{folder}: {fault.strerror}", mend)
    kind = _file_system_of(folder)
    if kind in IN_MEMORY:
        found = f"none: {folder} is in memory alone ({kind}), and gone with the next start of the machine"
        return Finding("durable writes", "warning", found, "name a system.data_dir on a disk")
    if kind in OVER_THE_NETWORK:
        found = f"{took_ms:.2f} ms each (median); {folder} is on another machine ({kind}), which may not keep its word"
        return Finding("durable writes", "warning", found, "name a system.data_dir on a local disk")
    slow = took_ms > SYNC_WARN_MS
    mend = "every order waits for one: use a local disk, no network file system" if slow else ""
    return Finding("durable writes", "warning" if slow else "ok", f"{took_ms:.2f} ms each (median)", mend)


def _file_system_of(folder: Path) -> str:
    """Return the kind of the file system that a folder is on, such as `ext4`; empty where the kernel does not say."""
    device = folder.stat().st_dev
    place = f"{os.major(device)}:{os.minor(device)}"
    try:
        mounts = MOUNTS.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ""
    # `36 35 98:0 /root /place rw,noatime shared:1 - ext4 /dev/root rw`; none or several fields are before the dash.
    kinds = [each.partition(" - ")[2].split(" ")[0] for each in mounts if each.split(" ")[2] == place]
    return kinds[0] if kinds else ""


def _sync_ms(folder: Path) -> float:
    """Return how long a write of 200 bytes and its fdatasync take: the median of some, in a file without a name."""
    descriptor = os.open(folder, os.O_TMPFILE | os.O_WRONLY, 0o600)
    try:
        times_ms = []
        for _ in range(SYNCS):
            began_ns = time.monotonic_ns()
            os.write(descriptor, bytes(200))
            os.fdatasync(descriptor)
            times_ms.append((time.monotonic_ns() - began_ns) / 1e6)
    finally:
        os.close(descriptor)
    return sorted(times_ms)[SYNCS // 2]


def _existing(folder: Path) -> Path:
    """Return the folder, or the nearest above it that exists."""
    while not folder.is_dir() and folder != folder.parent:
        folder = folder.parent
    return folder


def _clock_state() -> int | None:
    """Return what adjtimex(2) says of the clock; None where it cannot be asked."""
    try:
        adjtimex = ctypes.CDLL(None).adjtimex
    except (OSError, AttributeError):
        return None
    state: int = adjtimex(ctypes.create_string_buffer(512))  # `modes` is its first field: 0 only reads
    return None if state < 0 else state
