"""The file `HALT` in a data directory: while it is there, the kill switch is on.

    halt = HaltFile(data_dir / "HALT")
    halt.engage(HaltNote(reason="prices look wrong", person="asha"))
    halt.is_engaged()      # by anybody, at any time: one system call
    halt.release()

Whether it exists is all that counts, so `touch HALT` is enough, and so is a file that no byte can be written to: a full
disk does not keep the switch from being put on. What is in it says why, by whom, and whether
positions are to be closed.

A system whose settings have the file elsewhere (`kill_switch.path`) looks for both: who knows nothing but the data
directory halts it, too. And it writes down there where the other is (`HALT.elsewhere`): who knows nothing but the
directory sees and removes that one, too, when the system has stopped.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from ..domain.wording import printable
from .files import make_own_folder, move_new, new_file, sync_folder

if TYPE_CHECKING:
    from .settings import Settings

HALT_NAME: Final = "HALT"

ELSEWHERE_NAME: Final = f"{HALT_NAME}.elsewhere"
"""Says where the other file of the switch is."""

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


def halt_paths(settings: Settings) -> tuple[str, ...]:
    """Return where the files of a system's switch are: where its settings say, and `HALT` in its data directory."""
    in_directory = str(Path(settings.system.data_dir) / HALT_NAME)
    return tuple(dict.fromkeys((settings.kill_switch.path, in_directory)))


def write_down_elsewhere(paths: tuple[str, ...]) -> None:
    """Write down in the data directory where the switch has a file elsewhere, or that it has none.

    Args:
        paths: what `halt_paths` returned: the one in the directory is the last.

    Raises:
        OSError: it cannot be written.
    """
    noted, others = Path(paths[-1]).with_name(ELSEWHERE_NAME), paths[:-1]
    if others == elsewhere_of(noted.parent):
        return
    if not others:
        noted.unlink(missing_ok=True)
        return
    made = noted.with_name(f".{noted.name}-{os.getpid()}")
    made.unlink(missing_ok=True)  # of a process of this number that was killed
    with new_file(made) as descriptor:
        os.write(descriptor, os.fsencode(others[0]))
        os.fsync(descriptor)
    made.replace(noted)


def elsewhere_of(data_dir: Path) -> tuple[str, ...]:
    """Return the path that the newest system of a data directory wrote down; empty: none, or it cannot be read."""
    try:
        descriptor = os.open(data_dir / ELSEWHERE_NAME, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return ()
    try:
        path = os.fsdecode(os.read(descriptor, NOTE_BYTES_MAX))
    except OSError:
        return ()
    finally:
        os.close(descriptor)
    return (path,) if Path(path).is_absolute() and "\0" not in path else ()


class HaltFile:
    """The file at one path, or at any of several. Any process of the user may put the switch on and off."""

    def __init__(self, path: str | Path, *others: str | Path) -> None:
        """Look at nothing yet."""
        self.path: Final = Path(path)
        self._paths: Final = (self.path, *map(Path, others))

    def is_engaged(self) -> bool:
        """Tell whether the switch is on; where that cannot be seen it is."""
        return any(map(_is_there, self._paths))

    def where(self) -> str:
        """Name each file that is there; where none is, the first path."""
        return ", ".join(str(path) for path in self._paths if _is_there(path)) or str(self.path)

    def signature(self) -> tuple[int, ...] | None:
        """Return what changes when a file is written or replaced; None: there is none, and the switch is off."""
        found = [signature for signature in map(_signature, self._paths) if signature]
        return sum(found, ()) or None

    def note(self) -> HaltNote:
        """Read what the first file that is there says; one that is no note of ours is itself the reason.

        Positions are to be closed where any of them says so.
        """
        notes = [_note(path) for path in self._paths if _is_there(path)] or [_note(self.path)]
        return msgspec.structs.replace(notes[0], flatten=any(note.flatten for note in notes))

    def engage(self, note: HaltNote) -> str:
        """Put the switch on, durably; one that is on already stays so, and keeps its reason unless more is wanted.

        Returns:
            What no file could be given, which is on all the same; empty: nothing.

        Raises:
            OSError: no file can be created, not even an empty one.
        """
        faults = []
        said = False
        for path in self._paths:
            try:
                said |= _engage(path, note)
            except OSError as fault:
                faults.append(fault)
        if len(faults) == len(self._paths):
            raise faults[0]
        besides = ", nor that positions are to be closed" if note.flatten else ""
        return "" if said else f"the file {self.where()} is there, and could not be given why{besides}"

    def release(self) -> bool:
        """Put the switch off; False: it was off.

        Raises:
            OSError: a file cannot be removed.
        """
        released = [_release(path) for path in self._paths]
        return any(released)


def _is_there(path: Path) -> bool:
    try:
        os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        return True
    return True


def _signature(path: Path) -> tuple[int, ...]:
    try:
        found = os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return ()
    except OSError as fault:
        return (-1, fault.errno or 0)
    return (found.st_ino, found.st_size, found.st_mtime_ns)


def _note(path: Path) -> HaltNote:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as fault:
        return HaltNote(reason=f"the file {path.name} cannot be read: {fault.strerror}")
    try:
        written = os.read(descriptor, NOTE_BYTES_MAX)
    except OSError as fault:
        return HaltNote(reason=f"the file {path.name} cannot be read: {fault.strerror}")
    finally:
        os.close(descriptor)
    try:
        note = msgspec.json.decode(written, type=HaltNote)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        note = HaltNote(reason=written.decode("utf-8", "replace").strip() or f"found the file {path.name}")
    return HaltNote(
        reason=printable(note.reason, REASON_CHARACTERS_MAX), person=printable(note.person), flatten=note.flatten
    )


def _engage(path: Path, note: HaltNote) -> bool:
    """Make the file, or write it anew where more is wanted; False: it is there, and could not be given the note."""
    make_own_folder(path.parent)
    if _is_there(path) and not _wants_more(path, note):
        return True
    said = True
    made = path.with_name(f".{path.name}-{os.getpid()}")
    try:
        with contextlib.suppress(FileNotFoundError):
            made.unlink()  # of a process of this number that was killed
        with new_file(made) as descriptor:
            os.write(descriptor, msgspec.json.encode(note) + b"\n")
            os.fsync(descriptor)
        if _is_there(path):
            made.replace(path)  # it never is not there meanwhile
        else:
            move_new(made, path)
    except FileExistsError:  # somebody else was faster
        if _wants_more(path, note):
            made.replace(path)
        else:
            made.unlink()
    except OSError:  # an empty one needs no space
        said = False
        if not _is_there(path):
            os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600))
    with contextlib.suppress(OSError):  # it is there; after a power cut it may not be
        sync_folder(path.parent)
    return said


def _wants_more(path: Path, note: HaltNote) -> bool:
    """Tell whether a note wants more than the one that is there."""
    return note.flatten and not _note(path).flatten


def _release(path: Path) -> bool:
    try:
        path.unlink()
    except (FileNotFoundError, NotADirectoryError):
        return False
    sync_folder(path.parent)
    return True
