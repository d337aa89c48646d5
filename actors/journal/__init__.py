"""The journal: facts in append-only files, durable before they are acknowledged. From it everything else is rebuilt.

actor       group commit, pages for readers, upkeep; journal: the same as a plain object
batch       an append, encoded and read back; records, header: the bytes of a record and of a segment file (pure)
place       which journal it is, and how far it was durable (pure)
files       the open files: active segment, closed segments, mark, reserve; disk: the file layer below
recovery    opening: verify, tell a torn tail from damage, find the end; walk: the rules over bytes (pure)
waypoint    how far the active segment was walked already
mark        how far the journal was durable; reserve: space for a full disk; outcomes: what that space is for (pure)
checkpoints what a reader has built of the records, kept beside them, so that it need not read them again
chains      which appends rely on which, so that none is written whose predecessor is lost (pure)
day_seals   with which record each day ended, so that an end that was cut off is seen
beginning   why a journal may begin later than with sequence 1
view        reading by sequence, time, type and key, in any process; live: while the owner writes; keys: the index
upkeep      key files, archives, retention; tools: `natya journal …`
segments    segment files by name and header; simulated: a disk that loses what was not synced
errors      one type for each decision of a caller
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...domain.lazily import lazily

if TYPE_CHECKING:
    from .actor import JournalActor
    from .errors import (
        AppendInvalidError,
        JournalBusyError,
        JournalCutError,
        JournalDamagedError,
        JournalError,
        JournalFailedError,
        JournalForeignFileError,
        JournalFullError,
        JournalMisplacedError,
        JournalMovedError,
        JournalTooNewError,
    )
    from .journal import Journal
    from .outcomes import OUTCOMES, are_outcomes
    from .place import Place, Ticket
    from .simulated import PowerCutError, SimulatedDisk, Trouble
    from .view import JournalView

__all__ = [
    "OUTCOMES",
    "AppendInvalidError",
    "Journal",
    "JournalActor",
    "JournalBusyError",
    "JournalCutError",
    "JournalDamagedError",
    "JournalError",
    "JournalFailedError",
    "JournalForeignFileError",
    "JournalFullError",
    "JournalMisplacedError",
    "JournalMovedError",
    "JournalTooNewError",
    "JournalView",
    "Place",
    "PowerCutError",
    "SimulatedDisk",
    "Ticket",
    "Trouble",
    "are_outcomes",
]

_HOMES = {
    ".actor": ("JournalActor",),
    ".errors": (
        "AppendInvalidError",
        "JournalBusyError",
        "JournalCutError",
        "JournalDamagedError",
        "JournalError",
        "JournalFailedError",
        "JournalForeignFileError",
        "JournalFullError",
        "JournalMisplacedError",
        "JournalMovedError",
        "JournalTooNewError",
    ),
    ".journal": ("Journal",),
    ".place": ("Place", "Ticket"),
    ".outcomes": ("OUTCOMES", "are_outcomes"),
    ".simulated": ("PowerCutError", "SimulatedDisk", "Trouble"),
    ".view": ("JournalView",),
}

__getattr__ = lazily(__name__, _HOMES)
