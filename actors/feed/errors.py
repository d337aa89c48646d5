"""What can go wrong with a source of market data."""

from __future__ import annotations

import csv
import zlib
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path


UNREADABLE: Final = (OSError, EOFError, zlib.error, csv.Error)
"""What reading a file raises when it cannot be read any further."""


class FeedError(Exception):
    """The source cannot go on; the messages it gave before are valid. Ends the market; do not retry."""


class RecordingError(FeedError):
    """A recording cannot be used: missing, its columns not recognised, or broken at a line."""

    def __init__(self, path: Path, line: int, reason: str) -> None:
        """Take the file, the line from 1 (0: the file as a whole), and the reason: what was expected and found."""
        self.path = path
        self.line = line
        self.reason = reason
        super().__init__(f"{path}, line {line}: {reason}" if line else f"{path}: {reason}")
