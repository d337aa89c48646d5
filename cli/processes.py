"""Memory of a process and of those that it has started, by the kernel's word (Linux)."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

import msgspec

PROCESSES: Final = Path("/proc")
_RESIDENT: Final = 1
"""Place in `statm` of the pages in memory."""


class ProcessMemory(msgspec.Struct, frozen=True, kw_only=True):
    """One process."""

    pid: int
    resident_bytes: int


def memory_of(pid: int, root: Path = PROCESSES) -> tuple[ProcessMemory, ...]:
    """Return the process and its children, itself first; those that have ended meanwhile are left out."""
    found = []
    for each in (pid, *_children_of(pid, root)):
        try:
            pages = int((root / str(each) / "statm").read_text(encoding="ascii").split()[_RESIDENT])
        except (OSError, ValueError, IndexError):  # it has ended, or is ending
            continue
        found.append(ProcessMemory(pid=each, resident_bytes=pages * os.sysconf("SC_PAGE_SIZE")))
    return tuple(found)


def _children_of(pid: int, root: Path) -> list[int]:
    found: set[int] = set()
    for listed in (root / str(pid) / "task").glob("*/children"):
        try:
            found.update(int(each) for each in listed.read_text(encoding="ascii").split())
        except (OSError, ValueError):  # a thread that has ended
            continue
    return sorted(found)
