"""What the process says to who started it, in one number (sysexits.h), and on standard error."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

OK: Final = 0

FAILED: Final = 1
"""What was asked for could not be done; standard error says why."""

UNKNOWN: Final = 1
"""What was asked about is not known there."""

BAD_DATA: Final = 65
"""A recording, the journal or a database file holds what it must not."""

UNAVAILABLE: Final = 69
"""No system runs where it was asked for, or it did not answer."""

INTERNAL: Final = 70
"""Something failed more often than the restart policy allows; of strategies, the others may have gone on without it."""

CANNOT_CREATE: Final = 73
"""The data directory, the log, a file that was asked for, or standard output cannot be made or written."""

NOT_RECORDED: Final = 74
"""Ended in order, but the database files do not hold all of the run; standard error says what is missing."""

BUSY: Final = 75
"""Another process has the data directory, or one of its files: try later."""

SETTINGS: Final = 78
"""The settings are refused."""

NO_ROOM: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS})
"""What a disk says that takes nothing more."""

SIGNALLED: Final = 128
"""Plus the number of the signal: ended at once, without order."""


def exit_code(fault: BaseException) -> int:
    """Return what a fault, or whatever caused it, means to who started the process."""
    # Rooms are imported here: the command line has to answer --help before any of them is loaded.
    from ..actors.database.errors import (  # noqa: PLC0415
        DatabaseDamaged,
        DatabaseEncrypted,
        DatabaseForeign,
        DatabaseLocked,
        DatabaseTooNew,
        DatabaseUnreachable,
        JournalBehind,
    )
    from ..actors.feed import RecordingError  # noqa: PLC0415
    from ..actors.journal import (  # noqa: PLC0415
        JournalBusyError,
        JournalCutError,
        JournalDamagedError,
        JournalFailedError,
        JournalForeignFileError,
        JournalFullError,
        JournalMovedError,
        JournalTooNewError,
    )
    from ..actors.orders import FactWithoutIntentError  # noqa: PLC0415
    from ..actors.strategy import StrategyError  # noqa: PLC0415
    from ..config.data_directory import DataDirectoryBusyError, DataDirectoryError  # noqa: PLC0415
    from ..config.errors import SettingsError  # noqa: PLC0415
    from ..domain.accounts import AccountUnfinishedError  # noqa: PLC0415

    meanings: tuple[tuple[tuple[type[BaseException], ...], int], ...] = (
        ((SettingsError, StrategyError, AccountUnfinishedError, DatabaseEncrypted), SETTINGS),
        ((DataDirectoryBusyError, DatabaseLocked, JournalBusyError), BUSY),
        (
            (
                DatabaseDamaged,
                DatabaseForeign,
                DatabaseTooNew,
                FactWithoutIntentError,
                JournalBehind,
                JournalCutError,
                JournalDamagedError,
                JournalForeignFileError,
                JournalMovedError,
                JournalTooNewError,
                RecordingError,
            ),
            BAD_DATA,
        ),
        ((DataDirectoryError, DatabaseUnreachable, JournalFailedError, JournalFullError), CANNOT_CREATE),
    )
    for each in _causes(fault):
        for kinds, code in meanings:
            if isinstance(each, kinds):
                return code
        if isinstance(each, OSError) and each.errno in NO_ROOM:
            return CANNOT_CREATE
    return INTERNAL


def _causes(fault: BaseException | None) -> Iterator[BaseException]:
    while fault is not None:
        yield fault
        fault = fault.__cause__
