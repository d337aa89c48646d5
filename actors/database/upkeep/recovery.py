"""Opens the files in whatever state they are: a damaged one is renamed, never deleted, and a new one created."""

from __future__ import annotations

import contextlib
import datetime as dt
import errno
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from ....config.files import copy_new, move_new
from ....domain.time import SECOND_NS
from ..engine.adapter import DuckDBAdapter, thread_of_its_own
from ..engine.paths import market_path_of
from ..errors import DatabaseDamaged, DatabaseUnreachable
from ..writing.read_model import LastFact, ReadModel
from .copies import read_every_block
from .folders import Folders

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from concurrent.futures import Executor

    from ....config.sections.database import DatabaseSettings

ATTEMPTS = 4
"""Each file may be damaged, and the market file's log besides."""

_CUT = re.compile(r"Corrupt WAL file: entry at byte position (\d+)")


class Opened(msgspec.Struct, frozen=True, kw_only=True):
    """The open database, and what was repaired to open it."""

    database: DuckDBAdapter
    last: LastFact | None
    """The newest fact of the core file; None if it has none."""

    put_aside: tuple[str, ...]
    """Files that were damaged, by their new names."""

    folders: Folders | None
    """The owner's folders for results and archive; None for a database in memory."""

    archive_lacks: tuple[str, ...]
    """Archived days that are not read, and why."""

    market_loss: str
    """What is missing from the market file that it once held, in words; empty if nothing is known to be missing."""


def open_database(
    settings: DatabaseSettings,
    now_ns: int,
    *,
    suspect: bool = False,
    core_is_foreign: bool = False,
    executor_factory: Callable[[str], Executor] = thread_of_its_own,
) -> Opened:
    """Open both files. A damaged core file is put aside (the journal rebuilds it), and a damaged market file too.

    If only the market file's write-ahead log is damaged, it is cut before the damage; what is before that is kept.

    Args:
        settings: where the files are.
        now_ns: for the names of what is put aside: nanoseconds since 1970-01-01 UTC.
        suspect: read every block, since something was found damaged.
        core_is_foreign: the core file does not follow this journal; put it aside, too.
        executor_factory: see the adapter.

    Raises:
        DatabaseError: see the adapter.
    """
    put_aside: list[str] = []
    if core_is_foreign:
        put_aside.append(_put_aside(Path(settings.path), now_ns))  # a rename needs no room
    for _ in range(ATTEMPTS):
        try:
            return _open(settings, now_ns, put_aside, executor_factory, suspect=suspect)
        except DatabaseDamaged as damage:
            if not damage.path:
                raise
            try:
                put_aside.append(_mend(Path(damage.path), str(damage), settings, now_ns))
            except OSError as fault:
                raise DatabaseUnreachable(f"{damage.path} is damaged and cannot be put aside: {fault}") from fault
    return _open(settings, now_ns, put_aside, executor_factory, suspect=suspect)


def _open(
    settings: DatabaseSettings,
    now_ns: int,
    put_aside: list[str],
    executor_factory: Callable[[str], Executor],
    *,
    suspect: bool,
) -> Opened:
    folders = Folders.beside(settings.path, life=str(now_ns))
    database = DuckDBAdapter(
        settings.path,
        max_connections=settings.max_connections,
        memory_limit_mb=settings.memory_limit_mb,
        threads=settings.threads,
        cache_mb=settings.cache_mb,
        encryption_key=settings.encryption_key.reveal(),
        directories=() if folders is None else folders.allowed(),
        executor_factory=executor_factory,
    )
    try:
        if suspect:
            read_every_block(database)
        last = ReadModel(database).last()
    except BaseException:
        database.close()
        raise
    return Opened(
        database=database,
        last=last,
        put_aside=tuple(put_aside),
        folders=folders,
        archive_lacks=database.archive_lacks,
        market_loss=database.witness.loss,
    )


def _mend(file: Path, damage: str, settings: DatabaseSettings, now_ns: int) -> str:
    cut = _CUT.search(damage)
    log = file.with_name(f"{file.name}.wal")
    if cut and file == market_path_of(settings.path) and log.exists():
        for copy in _names_aside(log, now_ns):
            with contextlib.suppress(FileExistsError):
                copy_new(log, copy)  # durable before anything is cut
                os.truncate(log, int(cut[1]))
                return str(copy)
    return _put_aside(file, now_ns)


def _put_aside(file: Path, now_ns: int) -> str:
    """Rename a file and what belongs to it, so that DuckDB can still open it by its new name."""
    parts = [end for end in ("", ".wal", ".witness") if os.path.lexists(f"{file}{end}")]
    for name in _names_aside(file, now_ns):
        if not any(os.path.lexists(f"{name}{end}") for end in ("", ".wal", ".witness")):
            for end in parts:
                move_new(Path(f"{file}{end}"), Path(f"{name}{end}"))
            return str(name)
    raise FileExistsError(errno.EEXIST, "no name is free for a file that is put aside", str(file))


def _names_aside(file: Path, now_ns: int) -> Iterator[Path]:
    moment = dt.datetime.fromtimestamp(now_ns // SECOND_NS, dt.UTC).strftime("%Y%m%dT%H%M%SZ")
    for number in range(1_000_000):
        yield file.with_name(f"{file.name}.corrupt-{moment}{f'-{number}' if number else ''}")
