"""Process exit codes (sysexits.h)."""

from __future__ import annotations

import errno
from typing import Final

from ..domain.causes import causes_of

OK: Final = 0

FAILED: Final = 1
"""The command could not be carried out; standard error says why."""

UNKNOWN: Final = 1
"""The thing asked about is not known to the system."""

BAD_DATA: Final = 65
"""A recording, the journal or a database file is damaged, or not valid."""

UNAVAILABLE: Final = 69
"""No system runs in that data directory, or it did not answer."""

INTERNAL: Final = 70
"""A child failed more often than the restart policy allows; if it was a strategy, the others may have gone on. Or it
failed when it was to stop."""

CANNOT_CREATE: Final = 73
"""The data directory, the log, an output file or standard output cannot be created or written."""

NOT_RECORDED: Final = 74
"""Ended in order, but the database files do not hold all of the run; standard error says what is missing."""

BUSY: Final = 75
"""Another process has the data directory, or one of its files: try later."""

REFUSED: Final = 77
"""The broker refuses this client: it accepted nothing any more when the run ended."""

SETTINGS: Final = 78
"""The settings are refused."""

NO_ROOM: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS})
"""Errors of a disk that is full or read-only."""

SIGNALLED: Final = 128
"""Plus the number of a signal: the process ended at once, without an orderly stop."""


def exit_code(fault: BaseException) -> int:
    """Return the exit code of an error, by its own type or that of its causes."""
    # Imported here, so that `--help` loads none of these packages.
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
    from ..actors.web.errors import AddressTakenError  # noqa: PLC0415
    from ..backtest.errors import BacktestBrokenError, BacktestRefusedError  # noqa: PLC0415
    from ..config.data_directory import DataDirectoryBusyError, DataDirectoryError  # noqa: PLC0415
    from ..config.errors import SettingsError  # noqa: PLC0415
    from ..domain.accounts import AccountUnfinishedError  # noqa: PLC0415

    meanings: tuple[tuple[tuple[type[BaseException], ...], int], ...] = (
        ((SettingsError, StrategyError, AccountUnfinishedError, BacktestRefusedError, DatabaseEncrypted), SETTINGS),
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
                BacktestBrokenError,
                RecordingError,
            ),
            BAD_DATA,
        ),
        (
            (AddressTakenError, DataDirectoryError, DatabaseUnreachable, JournalFailedError, JournalFullError),
            CANNOT_CREATE,
        ),
    )
    for each in causes_of(fault):
        for kinds, code in meanings:
            if isinstance(each, kinds):
                return code
        if isinstance(each, OSError) and each.errno in NO_ROOM:
            return CANNOT_CREATE
    return INTERNAL
