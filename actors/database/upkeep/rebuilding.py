"""Rewrites a database file and replaces the old one; no other process may use them meanwhile.

Nothing is deleted: what was there stays beside it as `<file>.old-1` (2, 3, …). Whatever happens in between, the next
start finds either the old file or the new one.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

from ....config.files import (
    make_own_folder,
    make_private_folder,
    move_new,
    private_folders,
    remove_private_folder,
    sync_folder,
)
from ..engine.adapter import DuckDBAdapter
from ..engine.lock import FileLock
from ..engine.opening import expect_unheld
from ..engine.paths import market_path_of
from ..engine.strangers import stranger
from ..errors import DatabaseDamaged, DatabaseForeign
from ..writing.read_model import ReadModel
from .copies import back_up

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from ....config.sections.database import DatabaseSettings
    from ....messages.journal import JournalRecord

CONNECTIONS = 3


def rebuild(
    settings: DatabaseSettings, pages: Iterable[Sequence[JournalRecord]], *, first: int = 1
) -> tuple[int, Path | None]:
    """Write the core file anew from the records of a journal that begins with the sequence `first`.

    Where there is no market file, an empty one is made.

    Returns:
        The last sequence, and where the old file is now, if there was one.

    Raises:
        DatabaseLocked: another process has the files.
        DatabaseForeign: the file with the core file's name never was one; it is unchanged.
        DatabaseError: the new file cannot be written; the old one is as it was.
    """
    core = Path(settings.path)
    with _alone(core) as lock, _workplace(core) as workplace:
        if core.exists():
            expect_unheld(str(core))
            _expect_ours(core, lock)
        with _opened(workplace / core.name, settings) as database:
            model, last = ReadModel(database), 0
            for page in pages:
                last = model.apply(page, first=first)
        old = _replace(core, workplace / core.name)
    if not Path(settings.market_path).exists():
        _opened(core, settings).close()  # creates an empty one: opening read-only needs both
    return last, old


def compact(settings: DatabaseSettings) -> tuple[tuple[Path, Path], ...]:
    """Copy both files without unused blocks, verify the copies, and replace the files by them.

    Returns:
        For each of them: the file, and where the old one is now.

    Raises:
        DatabaseLocked: another process has the files.
        DatabaseError: a copy cannot be written, or does not read back; the old files are as they were.
    """
    core, market = Path(settings.path), Path(settings.market_path)
    with _workplace(core) as workplace:
        with _opened(core, settings, directory=workplace) as database:
            copies = back_up(database, workplace)
        with _alone(core):
            moved = [(file, _replace(file, copy)) for file, copy in zip((core, market), copies, strict=True)]
    return tuple((file, old) for file, old in moved if old is not None)


def _opened(path: Path, settings: DatabaseSettings, *, directory: Path | None = None) -> DuckDBAdapter:
    return DuckDBAdapter(
        path,
        max_connections=CONNECTIONS,
        memory_limit_mb=settings.memory_limit_mb,
        threads=settings.threads,
        cache_mb=0,
        encryption_key=settings.encryption_key.reveal(),
        directories=() if directory is None else (str(directory),),
    )


@contextlib.contextmanager
def _alone(core: Path) -> Iterator[FileLock]:
    make_own_folder(core.parent)
    with contextlib.ExitStack() as held:
        lock = FileLock(core)
        held.callback(lock.release)
        yield lock


def _expect_ours(core: Path, lock: FileLock) -> None:
    if what := stranger(str(core), witness=f"{market_path_of(core)}.witness", was_begun=lock.was_there):
        lock.withdraw()
        raise DatabaseForeign(what)


@contextlib.contextmanager
def _workplace(core: Path) -> Iterator[Path]:
    """Create a folder beside the file, from which a file moves by one rename; remove those of interrupted runs.

    Only for the holder of the data directory's lock, so that no other process uses such a folder.
    """
    make_own_folder(core.parent)
    ours = re.compile(rf"{re.escape(core.stem)}(-market)?{re.escape(core.suffix)}(\.\w+)*")
    names = re.compile(rf"{re.escape(core.name)}\.new-\d+")
    for left in private_folders(core.parent, names):
        remove_private_folder(left, core.name, names=ours)
    workplace = core.with_name(f"{core.name}.new-{os.getpid()}")
    make_private_folder(workplace, core.name)
    try:
        yield workplace
    finally:
        remove_private_folder(workplace, core.name, names=ours)


def _replace(file: Path, new: Path) -> Path | None:
    """Move a closed file to the place of another, which is renamed together with its log; return the new name."""
    log = file.with_name(f"{file.name}.wal")
    if new.with_name(f"{new.name}.wal").exists():
        raise DatabaseDamaged(f"{new} was not closed in order: it has a log; {file} is as it was")
    for number in itertools.count(1):
        old = file.with_name(f"{file.name}.old-{number}")
        if os.path.lexists(old) or os.path.lexists(f"{old}.wal"):
            continue
        # The log first: a new file must never meet an old file's log. Without it the old core file is a little behind
        # the journal, which mends itself; a market file that was compacted has none.
        if os.path.lexists(log):
            move_new(log, Path(f"{old}.wal"))
        had_one = os.path.lexists(file)
        if had_one:
            os.link(file, old)
            new.replace(file)  # what was there has the other name
        else:
            move_new(new, file)
        sync_folder(file.parent)
        return old if had_one else None
    raise AssertionError("numbers do not end")
