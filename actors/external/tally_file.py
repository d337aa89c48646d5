"""The files of a tally: one a day, written to at the end alone, by any number of processes."""

from __future__ import annotations

import errno
import os
import re
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from ...config.files import make_own_folder
from ...domain.time import day_of, day_of_number
from .tally import Line

if TYPE_CHECKING:
    from collections.abc import Iterable

BYTES_MAX: Final = 16 << 20
"""Of one file: of what is longer, the beginning is read."""

DAYS_KEPT: Final = 2
"""Before today."""

_NAME: Final = re.compile(r"\d{4}-\d{2}-\d{2}\.jsonl", re.ASCII)


class TallyFiles:
    """The lines of some days."""

    def __init__(self, folder: Path) -> None:
        """Look at nothing yet; the folder is made with the first line."""
        self.folder: Final = folder

    def read(self, now_ns: int) -> tuple[Line, ...]:
        """Read the lines of these days; one that is none, such as a torn one, is left out.

        Raises:
            OSError: a file cannot be read.
        """
        oldest = self._name(now_ns, DAYS_KEPT)
        lines = []
        for name in self._names():
            if name >= oldest:
                descriptor = os.open(self.folder / name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
                with os.fdopen(descriptor, "rb") as file:
                    lines += [line for text in file.read(BYTES_MAX).splitlines() if (line := _line_of(text))]
        return tuple(lines)

    def remove_old(self, now_ns: int) -> None:
        """Remove the files of earlier days.

        Raises:
            OSError: one cannot be removed.
        """
        oldest = self._name(now_ns, DAYS_KEPT)
        for name in self._names():
            if name < oldest:
                (self.folder / name).unlink(missing_ok=True)

    def append(self, lines: Iterable[Line]) -> None:
        """Write lines, durably; it blocks.

        Raises:
            OSError: they cannot be written.
        """
        make_own_folder(self.folder)
        for line in lines:
            flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
            descriptor = os.open(self.folder / self._name(line.at_ns), flags, 0o600)
            try:
                # The end of the line before it: if that one is torn, this one is not.
                text = b"\n" + msgspec.json.encode(line)
                if os.write(descriptor, text) < len(text):
                    raise OSError(errno.ENOSPC, "a line was not written as a whole", str(self.folder))
                os.fdatasync(descriptor)
            finally:
                os.close(descriptor)

    def _names(self) -> list[str]:
        try:
            return sorted(each.name for each in self.folder.iterdir() if _NAME.fullmatch(each.name))
        except FileNotFoundError:
            return []

    def _name(self, at_ns: int, days_before: int = 0) -> str:
        day: date = day_of_number(day_of(at_ns) - days_before)
        return f"{day.isoformat()}.jsonl"


def _line_of(text: bytes) -> Line | None:
    try:
        return msgspec.json.decode(text, type=Line)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
