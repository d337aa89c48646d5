"""Measures the memory of this process, to interrupt queries that use too much of it.

DuckDB's own limit covers its tables, joins, sorts and aggregates, but not the results of functions for a batch of rows,
the state of some aggregates, and fetched rows. So the thread that waits for a query watches the whole process's memory.
"""

from __future__ import annotations

import functools
import os
from typing import Final

GROWTH_MARGIN_BYTES: Final = 128 * 2**20
"""What the process may grow by while a query runs, beyond DuckDB's own limit. It is interrupted then; the batch of rows
that it works on is another 64 MiB at most (see `bounds.py`)."""

LOOK_EVERY_S: Final = 0.01

_PAGE_BYTES: Final = os.sysconf("SC_PAGE_SIZE")
_RESIDENT: Final = 1
"""The place of the number in `statm`."""


def resident_bytes() -> int:
    """Return this process's resident memory in bytes; 0 where the system does not report it."""
    descriptor = _statm()
    return int(os.pread(descriptor, 128, 0).split()[_RESIDENT]) * _PAGE_BYTES if descriptor >= 0 else 0


class Growth:
    """Measures from when it is made.

    Args:
        bytes_max: by how much the process may grow from now on.
    """

    def __init__(self, bytes_max: int) -> None:
        self._most = resident_bytes() + bytes_max

    @property
    def is_too_much(self) -> bool:
        """Whether the process has grown by more than `bytes_max`."""
        return resident_bytes() > self._most


@functools.cache
def _statm() -> int:
    """Open it once: 2 instead of 16 microseconds each time."""
    try:
        return os.open("/proc/self/statm", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return -1
