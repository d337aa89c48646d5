"""The journal room: the truth about facts, in append-only files that survive whatever happens to the process."""

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
from .journal import Journal, Place, Ticket
from .outcomes import OUTCOMES, are_outcomes
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
