"""Errors of the journal, one for each decision of the caller."""

from __future__ import annotations

from pathlib import Path


class JournalError(Exception):
    """Base of the journal's errors."""


class JournalDamagedError(JournalError):
    """Acknowledged records are missing or changed. Do not trade; restore the file from a copy. Nothing was changed."""

    restart_helps = False

    def __init__(self, path: Path, *, offset: int, sequence: int, reason: str) -> None:
        self.path = path
        self.offset = offset
        self.sequence = sequence
        self.reason = reason
        super().__init__(f"{path} is damaged at offset {offset}, sequence {sequence}: {reason}")


class JournalCutError(JournalError):
    """The beginning of the journal is lost, and with it a part of the book of record. Do not trade on the rest."""

    restart_helps = False

    def __init__(self, path: Path, *, oldest_sequence: int) -> None:
        self.path = path
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
    """A link, a directory or a foreign file has the name of a file of the journal. It was not changed: move it."""

    restart_helps = False


class JournalTooNewError(JournalError):
    """A later version of natya wrote these files. Use that version; this one cannot read them."""

    restart_helps = False


class JournalFullError(JournalError):
    """The disk is full: nothing of this append was written. Appends work again when there is space."""


class JournalFailedError(JournalError):
    """A write or fsync failed: pending appends are refused, and so are all later ones. Open the journal again."""


class JournalMisplacedError(JournalFailedError):
    """The path of the journal's directory is no directory. Move what is there, or name another one."""

    restart_helps = False


class JournalMovedError(JournalFailedError):
    """The open files are not at their paths any more, or were replaced. Stop, and put them back.

    All acknowledged records are in the files that were moved; nothing was written to the files there now.
    """

    restart_helps = False


class UpkeepFailedError(JournalError):
    """A file of upkeep could not be written, or a segment opened for it. No record is affected; it is tried again."""


class AppendInvalidError(JournalError):
    """This append can never be written (no facts, or larger than a segment). Do not repeat it."""


class AppendOrphanedError(JournalError):
    """The append that one relies on was lost, so it is not written. Find out what is durable, and append from there."""
