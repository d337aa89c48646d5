"""What can go wrong with the journal: one type for each decision the caller can take."""

from __future__ import annotations

from pathlib import Path


class JournalError(Exception):
    """Any fault of the journal."""


class JournalDamagedError(JournalError):
    """Acknowledged bytes are gone or changed. Do not trade; restore the file from a copy. Nothing was repaired."""

    restart_helps = False

    def __init__(self, path: Path, *, offset: int, sequence: int, reason: str) -> None:
        self.path = path
        self.offset = offset
        self.sequence = sequence
        self.reason = reason
        super().__init__(f"{path} is damaged at offset {offset}, sequence {sequence}: {reason}")


class JournalCutError(JournalError):
    """The beginning of the journal is lost, and with it a part of the book of record. Do not trade on what is left."""

    restart_helps = False

    def __init__(self, path: Path, *, oldest_sequence: int) -> None:
        self.path = path
        self.oldest_sequence = oldest_sequence
        super().__init__(
            f"journal {path} begins with sequence {oldest_sequence}, and nothing proves that no order was before: "
            "put the missing segments back into that directory, from a backup; where there is none, begin in a new "
            "data directory, with what the broker says that you hold"
        )


class JournalBusyError(JournalError):
    """Another process owns this journal. Stop it, or name another directory."""

    def __init__(self, path: Path, holder_pid: int | None) -> None:
        self.path = path
        self.holder_pid = holder_pid
        holder = "another process" if holder_pid is None else f"process {holder_pid}"
        super().__init__(f"journal {path} is in use by {holder}")


class JournalForeignFileError(JournalError):
    """A link, a directory or somebody else's file has the name of one of the journal's. It was not touched: move it."""

    restart_helps = False


class JournalTooNewError(JournalError):
    """A later version of natya wrote these files. Use that version; this one would not understand them."""

    restart_helps = False


class JournalFullError(JournalError):
    """The disk is full: nothing of this append was written. It works again, by itself, when space returns."""


class JournalFailedError(JournalError):
    """A write or fsync failed: what was in flight is refused, the file takes nothing more. Open the journal again."""


class JournalMisplacedError(JournalFailedError):
    """Something else than a directory is where the journal's directory should be. Move it, or name another one."""

    restart_helps = False


class JournalMovedError(JournalFailedError):
    """The files that were acknowledged into are not at their place any more, or others are. Stop, and put them back.

    Everything that was acknowledged is in the files that were moved; nothing was written to what is there instead.
    """

    restart_helps = False


class UpkeepFailedError(JournalError):
    """An archive or a key file could not be written. No record is concerned; it is tried again later."""


class AppendInvalidError(JournalError):
    """This append can never be written (no facts, or larger than a segment). Do not repeat it."""
