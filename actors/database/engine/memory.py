"""Measures the memory of this process, and interrupts work that makes it grow too far.

DuckDB's own limit covers its tables, joins, sorts and aggregates; what functions make of a batch of rows, what some
aggregates keep, and what is fetched is beyond it. So whoever waits for a query looks at the whole process meanwhile.
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
    """Tell what this process holds in memory; 0 where the system does not say."""
    descriptor = _statm()
    return int(os.pread(descriptor, 128, 0).split()[_RESIDENT]) * _PAGE_BYTES if descriptor >= 0 else 0


class Growth:
    """Measures from when it is made.

    Args:
        bytes_max: what may come on top of what the process holds now.
    """

    def __init__(self, bytes_max: int) -> None:
        self._most = resident_bytes() + bytes_max

    @property
    def is_too_much(self) -> bool:
        """Whether it has grown too far."""
        return resident_bytes() > self._most


@functools.cache
def _statm() -> int:
    """Open it once: 2 instead of 16 microseconds each time."""
    try:
        return os.open("/proc/self/statm", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return -1
