"""The database of a data directory without a running system: opened in this process; same requests, same answers."""

from __future__ import annotations

import contextlib
import functools
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from ....config.data_directory import DataDirectory
from ....messages.database import MarketDataSaved, SaveMarketData
from ..engine.adapter import DuckDBAdapter
from ..engine.opening import MEMORY
from ..errors import DatabaseMissing
from ..results.handover import Handover
from ..tables.archive_folder import is_elsewhere
from ..upkeep.folders import Folders
from ..writing.market import MarketStore
from .handler import RequestHandler

if TYPE_CHECKING:
    from types import TracebackType

    from ....config.settings import Settings

CONNECTIONS = 3


class OwnFiles:
    """Answers the database actor's messages, one at a time; a context manager that closes the files.

    Args:
        settings: they name the files.
        read_only: changes nothing, and lets others read at the same time; else no one else may work in the directory,
            and files that are not there are made.

    Raises:
        DatabaseMissing: there is nothing to read.
        DatabaseLocked, DataDirectoryBusyError: another process works there; both name it.
        DatabaseDamaged, DatabaseTooNew, DataDirectoryError: see there.
    """

    def __init__(self, settings: Settings, *, read_only: bool) -> None:
        path = settings.database.path
        if read_only and path != MEMORY and not Path(path).exists():
            raise DatabaseMissing(f"there is no database {path}")
        with contextlib.ExitStack() as opened:
            if not read_only:
                directory = DataDirectory(settings.system.data_dir)
                directory.take()
                opened.callback(directory.release)
            elsewhere = Path(opened.enter_context(tempfile.TemporaryDirectory(prefix="natya-")))
            beside = Folders.beside(path, life="")
            handover = Handover(elsewhere / "handover", Path(path))
            folders = None if beside is None else Folders(handover=handover, archive=beside.archive)
            open_files = functools.partial(
                DuckDBAdapter,
                path,
                max_connections=CONNECTIONS,
                memory_limit_mb=settings.database.memory_limit_mb,
                threads=settings.database.threads,
                directories=() if folders is None else folders.allowed(),
                cache_mb=0,
                encryption_key=settings.database.encryption_key.reveal(),
            )
            self.database = opened.enter_context(open_files(read_only=read_only))
            if read_only and beside is not None and self._is_moved(beside.archive):
                self.database.close()
                open_files().close()  # follows its archive, once
                self.database = opened.enter_context(open_files(read_only=True))
            self._handler = RequestHandler(self.database, folders)
            self._market = MarketStore(self.database)
            self._opened = opened.pop_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._opened.close()

    def _is_moved(self, archive: Path) -> bool:
        """Return whether the files were moved here, and their views still read the archive at its old place."""
        return self.database.read(functools.partial(is_elsewhere, folder=archive), label="find the archive")

    def work(self, message: Any, *, timeout_s: float) -> Any:
        """Perform the request, and return its answer; long work has its own `timeout_s` in the message.

        Raises:
            DatabaseError: it was refused, took too long, or failed.
        """
        del timeout_s  # no other process is asked
        match message:
            case SaveMarketData():
                written = self._market.write(
                    message.ticks,
                    message.candles,
                    all_or_none=True,
                    from_outside=True,
                    fetches=message.fetches,
                )
                return MarketDataSaved(rows=written.ticks + written.candles)
            case _:
                return self._handler.perform(message)
