"""The files of the lists: each new one beside those before it, the newest that opens in use, old ones removed.

A list is written under another name and moved to its own when it is whole, so a process that is killed in the middle
leaves nothing that would be taken for one. Nothing is replaced: who reads an older file goes on reading it.
"""

from __future__ import annotations

import contextlib
import re
import uuid
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from ...config.files import (
    empty_private_folder,
    is_private_folder,
    make_own_folder,
    make_private_folder,
    move_new,
    sync_folder,
)
from .errors import InstrumentsError, ListDamagedError
from .stored import Stored, write_list

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date
    from pathlib import Path

    from ...domain.instruments import Instrument
    from ...messages.instruments import InstrumentList

OWNER: Final = "natya instruments"
KEPT: Final = 2
"""Lists that are kept: the one in use, and the one before."""

_LIST: Final = re.compile(r"list-[0-9]{8}-[0-9]{12}\.duckdb", re.ASCII)
_HALF_MADE: Final = re.compile(r"new-[0-9a-f]{32}\.(?:csv|duckdb)(?:\.wal)?", re.ASCII)


class ListFolder:
    """A folder of lists.

    Args:
        path: of the folder; it is made when a list is put there.
    """

    def __init__(self, path: Path) -> None:
        self.path: Final = path

    def newest(self) -> tuple[Stored | None, tuple[str, ...]]:
        """Open the newest list that opens; and say what is wrong with newer ones."""
        faults: list[str] = []
        for path in reversed(self._lists()):
            try:
                return Stored(path), tuple(faults)
            except ListDamagedError as fault:
                faults.append(str(fault))
        return None, tuple(faults)

    def symbols(self, day: date) -> dict[tuple[str, str], str]:
        """Return what the newest list that opens means by its numbers, as `Stored.symbols`; nothing without one.

        For any thread: nothing of the list in use is asked.
        """
        newest, _ = self.newest()
        if newest is None:
            return {}
        try:
            return newest.symbols(day)
        finally:
            newest.close()

    def put(self, instruments: Sequence[Instrument], of: InstrumentList, now: datetime) -> Path:
        """Write a list, and remove those that are too old.

        Args:
            instruments: all of it.
            of: where it is from.
            now: the time, of which it is named.

        Raises:
            InstrumentsError: it cannot be written.
        """
        half_made = self.half_made("duckdb")
        try:
            write_list(half_made, instruments, of)
            target = self._next(now)
            move_new(half_made, target)
            sync_folder(self.path)
        except OSError as fault:
            raise InstrumentsError(f"a list of instruments cannot be written to {self.path}: {fault}") from fault
        finally:
            half_made.unlink(missing_ok=True)
        for old in (*self._lists()[:-KEPT], *self._left_over(now)):
            empty_private_folder(self.path, OWNER, names=re.compile(re.escape(old.name)))
        return target

    def half_made(self, ending: str) -> Path:
        """Return a name for a file that is yet to be made whole, in the folder, which is made if it is not there.

        Raises:
            InstrumentsError: the folder cannot be made, or is not ours.
        """
        try:
            if not self.path.exists():
                make_own_folder(self.path.parent)
                with contextlib.suppress(FileExistsError):  # another process was first
                    make_private_folder(self.path, OWNER)
        except OSError as fault:
            raise InstrumentsError(
                f"the folder {self.path} for lists of instruments cannot be made: {fault}"
            ) from fault
        if not is_private_folder(self.path, OWNER):
            raise InstrumentsError(f"{self.path}: a folder of natya's for lists of instruments wanted, found another")
        return self.path / f"new-{uuid.uuid4().hex}.{ending}"

    def _next(self, now: datetime) -> Path:
        """Name a list of this time, behind all that are there: also when the clock was set back."""
        while (target := self.path / f"list-{now:%Y%m%d-%H%M%S%f}.duckdb") <= max(self._lists(), default=self.path):
            newest = datetime.strptime(self._lists()[-1].stem, "list-%Y%m%d-%H%M%S%f").replace(tzinfo=now.tzinfo)
            now = newest + timedelta(microseconds=1)
        return target

    def _left_over(self, now: datetime) -> list[Path]:
        """Find what processes left half made that were killed; what is younger than a day may be another's work."""
        before_s = (now - timedelta(days=1)).timestamp()
        found = []
        for each in self.path.iterdir():
            with contextlib.suppress(FileNotFoundError):  # finished, or removed, just now
                if _HALF_MADE.fullmatch(each.name) and each.lstat().st_mtime < before_s:
                    found.append(each)
        return found

    def _lists(self) -> list[Path]:
        if not is_private_folder(self.path, OWNER):
            return []
        return sorted(each for each in self.path.iterdir() if _LIST.fullmatch(each.name) and not each.is_symlink())
