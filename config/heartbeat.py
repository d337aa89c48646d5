"""Heartbeat files: by one a process tells others that it works. The file outlives the process.

A beat overwrites the one before in place, which needs no space: a full disk does not stop the heartbeat.

heart = Heartbeat(data_dir / "heartbeat")
heart.begin(pid=os.getpid())   # a new epoch: a watcher that took the last one for dead leaves this one alone
heart.beat()
heart.end()                    # ended in order: the watcher does nothing
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
"""Heartbeat file of the running system, in its data directory."""

DEADMAN_NAME: Final = "deadman"
"""Heartbeat file of the dead-man's switch, which watches the system's."""

BYTES: Final = 2_048
"""Size of the file, whatever is in it."""

TROUBLE_LENGTH_MAX: Final = 200


class Heartbeat:
    """A heartbeat file, written by one process and read by any."""

    def __init__(self, path: str | Path) -> None:
        """Open nothing yet."""
        self.path: Final = Path(path)
        self._beat = Beat()

    def read(self) -> Beat | None:
        """Return the newest beat; None: there is none, or it cannot be read as one."""
        try:
            with self.path.open("rb") as file:
                return msgspec.json.decode(file.read(BYTES), type=Beat)
        except (OSError, msgspec.DecodeError, UnicodeDecodeError):
            return None

    def begin(self, *, pid: int) -> None:
        """Begin the next epoch, durably.

        Raises:
            OSError: the file cannot be written.
        """
        before = self.read()
        self._beat = Beat(epoch=1 if before is None else before.epoch + 1, pid=pid)
        self._write_durably()

    def beat(self, *, trouble: str = "") -> None:
        """Write a beat, with the trouble if there is one.

        Raises:
            OSError: the file cannot be written.
        """
        told = trouble.encode("ascii", "replace").decode()[:TROUBLE_LENGTH_MAX]
        self._beat = msgspec.structs.replace(self._beat, number=self._beat.number + 1, trouble=told)
        try:
            self._write_over()
        except FileNotFoundError:
            self._write_new()

    def end(self) -> None:
        """Write that the process ended in order; does nothing where there was no beat.

        Raises:
            OSError: the file cannot be written.
        """
        newest = self.read()
        if newest is not None:
            self._beat = msgspec.structs.replace(newest, number=newest.number + 1, ended=True)
            self._write_durably()

    def _write_durably(self) -> None:
        """Write a new file; where there is no space for one, overwrite the old."""
        try:
            self._write_new()
        except OSError:
            self._write_over()

    def _write_over(self) -> None:
        descriptor = os.open(self.path, os.O_WRONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
        try:
            os.pwrite(descriptor, self._encoded(), 0)
            if self._is_first_or_last():
                os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def _write_new(self) -> None:
        made = self.path.with_name(f".{self.path.name}-{os.getpid()}")
        with contextlib.suppress(FileNotFoundError):
            made.unlink()  # of a process of this number that was killed
        with new_file(made) as descriptor:
            os.write(descriptor, self._encoded())
            os.fsync(descriptor)  # so that it has its space
        made.replace(self.path)
        sync_folder(self.path.parent)

    def _encoded(self) -> bytes:
        """Return the beat, padded to the size of the file, so that nothing of a longer one before is left."""
        return msgspec.json.encode(self._beat).ljust(BYTES)

    def _is_first_or_last(self) -> bool:
        return self._beat.number == 0 or self._beat.ended
