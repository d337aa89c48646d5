"""Heartbeat files: a process says by one that it works, and another reads it. They survive whoever wrote them.

heart = Heartbeat(data_dir / "heartbeat")
heart.begin(pid=os.getpid())   # a new epoch: whoever took the one before for dead leaves this one alone
heart.beat()
heart.end()                    # ended in order: nothing is to be done about it
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import Final

import msgspec

from ..domain.pulse import Beat
from .files import new_file, sync_folder

HEARTBEAT_NAME: Final = "heartbeat"
"""In a data directory: of the running system."""

DEADMAN_NAME: Final = "deadman"
"""Of who watches that."""

BYTES_MAX: Final = 4_096


class Heartbeat:
    """The file at one path, written by one process and read by any."""

    def __init__(self, path: str | Path) -> None:
        """Look at nothing yet."""
        self.path: Final = Path(path)
        self._beat = Beat()

    def read(self) -> Beat | None:
        """Return the newest beat; None: there is none, or it cannot be read as one."""
        try:
            with self.path.open("rb") as file:
                return msgspec.json.decode(file.read(BYTES_MAX), type=Beat)
        except (OSError, msgspec.DecodeError, UnicodeDecodeError):
            return None

    def begin(self, *, pid: int) -> None:
        """Begin the next epoch, durably.

        Raises:
            OSError: the file cannot be written.
        """
        before = self.read()
        self._beat = Beat(epoch=1 if before is None else before.epoch + 1, pid=pid)
        self._write(synced=True)

    def beat(self) -> None:
        """Say that all is well.

        Raises:
            OSError: the file cannot be written.
        """
        self._beat = msgspec.structs.replace(self._beat, number=self._beat.number + 1)
        self._write()

    def end(self) -> None:
        """Say that this is the end, in order.

        Raises:
            OSError: the file cannot be written.
        """
        self._beat = msgspec.structs.replace(self._beat, number=self._beat.number + 1, ended=True)
        self._write(synced=True)

    def _write(self, *, synced: bool = False) -> None:
        made = self.path.with_name(f".{self.path.name}-{os.getpid()}")
        with contextlib.suppress(FileNotFoundError):
            made.unlink()  # of a process of this number that was killed
        with new_file(made) as descriptor:
            os.write(descriptor, msgspec.json.encode(self._beat))
            if synced:
                os.fsync(descriptor)
        made.replace(self.path)
        if synced:
            sync_folder(self.path.parent)
