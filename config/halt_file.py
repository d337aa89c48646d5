"""The file `HALT` in a data directory: while it is there, the kill switch is on.

    halt = HaltFile(data_dir / "HALT")
    halt.engage(HaltNote(reason="prices look wrong", person="asha"))
    halt.is_engaged()      # by anybody, at any time: one system call
    halt.release()

Whether it exists is all that counts, so `touch HALT` is enough, and so is a file that no byte can be written to: a full
disk does not keep the switch from being put on. What is in it says why, by whom, and whether
positions are to be closed.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import Final

import msgspec

from ..domain.wording import printable
from .files import move_new, new_file, sync_folder

HALT_NAME: Final = "HALT"

NOTE_BYTES_MAX: Final = 4_096
"""More of the file is not read."""

REASON_CHARACTERS_MAX: Final = 200
NO_REASON: Final = "no reason given"


class HaltNote(msgspec.Struct, frozen=True, kw_only=True):
    """What the file says."""

    reason: str = ""
    person: str = ""
    """Who put the switch on, as the operating system names the user."""

    flatten: bool = False
    """Positions are to be closed, too."""

    def cause(self) -> str:
        """Say for the journal why everything is halted."""
        return f"kill switch: {self.reason.strip() or NO_REASON}"


class HaltFile:
    """The file at one path. Any process of the user may put the switch on and off; nothing is locked."""

    def __init__(self, path: str | Path) -> None:
        """Look at nothing yet."""
        self.path: Final = Path(path)

    def is_engaged(self) -> bool:
        """Tell whether the switch is on; where that cannot be seen it is."""
        try:
            os.lstat(self.path)
        except (FileNotFoundError, NotADirectoryError):
            return False
        except OSError:
            return True
        return True

    def signature(self) -> tuple[int, ...] | None:
        """Return what changes when the file is written or replaced; None: there is none, and the switch is off."""
        try:
            found = os.lstat(self.path)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as fault:
            return (-1, fault.errno or 0)
        return (found.st_ino, found.st_size, found.st_mtime_ns)

    def note(self) -> HaltNote:
        """Read what the file says; one that is no note of ours is itself the reason."""
        try:
            descriptor = os.open(self.path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError as fault:
            return HaltNote(reason=f"the file {self.path.name} cannot be read: {fault.strerror}")
        try:
            written = os.read(descriptor, NOTE_BYTES_MAX)
        except OSError as fault:
            return HaltNote(reason=f"the file {self.path.name} cannot be read: {fault.strerror}")
        finally:
            os.close(descriptor)
        try:
            note = msgspec.json.decode(written, type=HaltNote)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            note = HaltNote(reason=written.decode("utf-8", "replace").strip() or f"found the file {self.path.name}")
        return HaltNote(
            reason=printable(note.reason, REASON_CHARACTERS_MAX), person=printable(note.person), flatten=note.flatten
        )

    def engage(self, note: HaltNote) -> None:
        """Put the switch on, durably; one that is on already stays so, and keeps its reason unless more is wanted.

        Raises:
            OSError: the file cannot be created, not even an empty one.
        """
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if self.is_engaged() and not (note.flatten and not self.note().flatten):
            return
        made = self.path.with_name(f".{self.path.name}-{os.getpid()}")
        try:
            with contextlib.suppress(FileNotFoundError):
                made.unlink()  # of a process of this number that was killed
            with new_file(made) as descriptor:
                os.write(descriptor, msgspec.json.encode(note) + b"\n")
                os.fsync(descriptor)
            if self.is_engaged():
                made.replace(self.path)  # it never is not there meanwhile
            else:
                move_new(made, self.path)
        except FileExistsError:
            made.unlink()  # somebody else was faster
        except OSError:
            self._engage_empty()
        with contextlib.suppress(OSError):  # it is there; after a power cut it may not be
            sync_folder(self.path.parent)

    def _engage_empty(self) -> None:
        """Create the file without a word in it: that needs no space."""
        os.close(os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600))

    def release(self) -> bool:
        """Put the switch off; False: it was off.

        Raises:
            OSError: the file cannot be removed.
        """
        try:
            self.path.unlink()
        except FileNotFoundError:
            return False
        sync_folder(self.path.parent)
        return True
