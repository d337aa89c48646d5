"""The reserve: one segment file kept allocated beside the active one, for the day when the disk is full."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Final

from ...config.files import NotOursError
from ...domain.time import SECOND_NS
from .disk import Disk
from .walk import is_zero

RESERVE_NAME: Final = "journal.reserve"
NEW_SUFFIX: Final = ".new"
"""Ends the name of a file that is being made; it holds no record yet."""

RETRY_NS: Final = SECOND_NS
"""How often the space for it is asked for again."""


class Reserve:
    """Allocated space for one segment.

    While it is held, every fact is taken. Once used, ordinary facts are refused until it could be allocated again:
    so there is always room for what may still happen to the orders that are out.
    """

    def __init__(self, disk: Disk, directory: Path, *, size: int) -> None:
        self.path: Final = directory / RESERVE_NAME
        self.held = False
        self._disk: Final = disk
        self._directory: Final = directory
        self._size: Final = size
        self._tried_ns: int | None = None

    def restore(self, now_ns: int) -> bool:
        """Allocate it if it is not held, and say whether it is. On a full disk it tries once in `RETRY_NS`."""
        if not self.held and (self._tried_ns is None or not 0 <= now_ns - self._tried_ns < RETRY_NS):
            self._tried_ns = now_ns
            self.held = self._allocate()
        return self.held

    def take(self) -> Path:
        """Give it away while it is held: the caller makes it a segment."""
        self.held = False
        return self.path

    def _allocate(self) -> bool:
        try:
            if not self._is_there():
                new = self.path.with_name(RESERVE_NAME + NEW_SUFFIX)
                self._disk.create(new, self._size).close()
                self._disk.rename(new, self.path)
                self._disk.sync_directory(self._directory)
        except NotOursError:  # nothing that space would mend
            raise
        except OSError:  # its answer is False: appends are refused then, and their refusal names the full disk
            return False
        return True

    def _is_there(self) -> bool:
        """Look for it; what has its name and cannot be it makes way: one of another size goes, all else moves aside."""
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
        else:  # records, perhaps: a segment that was named so by hand, or by a crash while the reserve was taken
            self._disk.rename(self.path, self._aside())
        return False

    def _aside(self) -> Path:
        paths = (self.path.with_name(f"{RESERVE_NAME}.aside-{number}") for number in itertools.count(1))
        return next(path for path in paths if not self._disk.exists(path))
