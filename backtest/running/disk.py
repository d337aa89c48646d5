"""The disk of a backtest's journal: the real one, but nothing waits until it is on the platter.

A backtest that a power cut interrupts is run again; nothing in it was promised to anybody.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ...actors.journal.actor import JournalActor
from ...actors.journal.disk import RealDisk, RealFile

if TYPE_CHECKING:
    from pathlib import Path


class UnsyncedFile(RealFile):
    """A file of the operating system that is written when that likes to."""

    def sync(self) -> None:
        """Do nothing."""


class UnsyncedDisk(RealDisk):
    """The file system of this machine, unsynced."""

    def create(self, path: Path, size: int) -> RealFile:
        """Make a file of zeros; its space is taken as it is written."""
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        os.truncate(descriptor, size)
        return UnsyncedFile(descriptor)

    def sync_directory(self, path: Path) -> None:
        """Do nothing."""


class BacktestJournalActor(JournalActor):
    """The journal on that disk."""

    disk = UnsyncedDisk()
