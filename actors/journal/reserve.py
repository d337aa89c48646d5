"""The reserve: one segment file kept allocated beside the active one, for the day when the disk is full."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Final

from ...config.files import NotOursError
from ...domain.time import SECOND_NS
from .disk import NEW_SUFFIX, Disk
from .walk import is_zero

RESERVE_NAME: Final = "journal.reserve"
RETRY_NS: Final = SECOND_NS
"""How often its allocation is tried again."""


class Reserve:
    """Allocated space for one segment.

    While it is held, every fact is accepted. Once used, all facts but outcomes are refused until it is allocated again,
    so that there is always room for the outcomes of open orders.
    """

    def __init__(self, disk: Disk, directory: Path, *, size: int) -> None:
        self.path: Final = directory / RESERVE_NAME
        self.held = False
        self._disk: Final = disk
        self._directory: Final = directory
        self._size: Final = size
        self._tried_ns: int | None = None

    def restore(self, now_ns: int) -> bool:
        """Allocate it if it is not held; return whether it is. On a full disk it tries once in `RETRY_NS`."""
        if not self.held and (self._tried_ns is None or not 0 <= now_ns - self._tried_ns < RETRY_NS):
            self._tried_ns = now_ns
            self.held = self._allocate()
        return self.held

    def take(self) -> Path:
        """Use it up; return its path: the caller renames it to a segment."""
        self.held = False
        return self.path

    def _allocate(self) -> bool:
        try:
            if not self._is_there():
                new = self.path.with_name(RESERVE_NAME + NEW_SUFFIX)
                self._disk.create(new, self._size).close()
                self._disk.rename(new, self.path)
                self._disk.sync_directory(self._directory)
        except NotOursError:  # more space would not help
            raise
        except OSError:  # not held: appends are refused then, because of the full disk
            return False
        return True

    def _is_there(self) -> bool:
        """Tell whether the file is there; one of a smaller size is removed, one with other content is moved aside."""
        try:
            file = self._disk.open(self.path)
        except FileNotFoundError:
            return False
        try:
            size = file.size()
            is_empty = is_zero(file, 0, size)
        finally:
            file.close()
        if is_empty and size >= self._size:
            return True
        if is_empty:
            self._disk.remove(self.path)
        else:  # perhaps records: a segment renamed by hand, or by a crash while the reserve was being used
            self._disk.rename(self.path, self._aside())
        return False

    def _aside(self) -> Path:
        paths = (self.path.with_name(f"{RESERVE_NAME}.aside-{number}") for number in itertools.count(1))
        return next(path for path in paths if not self._disk.exists(path))
