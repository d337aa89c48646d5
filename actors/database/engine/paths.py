"""Where the two files of a database are: may they be there, and is what is there ours?"""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING

from ....config.engine_paths import path_problem
from ....config.files import NotOursError, expect_own_folder, make_own_folder
from ..errors import DatabaseDamaged, DatabaseForeign, DatabasePathRefused, DatabaseUnreachable
from .strangers import is_only_begun, owner_of_market, stranger

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator

    from .lock import FileLock


def market_path_of(core_path: str | os.PathLike[str]) -> Path:
    """Name the market file that goes with a core file: `natya-market.duckdb` beside `natya.duckdb`."""
    core = Path(core_path).absolute()
    return core.with_name(f"{core.stem}-market{core.suffix}")


def expect_usable(core: Path) -> None:
    """Create the folder of the files, and check that they can be created there and that no other user can write."""
    if problem := path_problem(str(core)):
        raise DatabasePathRefused(f"{core} cannot be a database: {problem}")
    if core.exists() and not core.is_file():
        found = f"a folder; did you mean {core / 'natya.duckdb'}?" if core.is_dir() else "what is no file"
        raise DatabasePathRefused(f"{core} cannot be opened: the core file of a database wanted, found {found}")
    if owner := owner_of_market(core):
        raise DatabasePathRefused(
            f"{core} cannot be opened: the core file of a database wanted, found its market file; name {owner}"
        )
    try:
        make_own_folder(core.parent)
        expect_own_folder(core.parent, shared=True)
    except NotOursError as fault:
        raise DatabaseUnreachable(str(fault)) from fault
    except OSError as fault:
        raise DatabaseUnreachable(f"{core.parent} cannot be made: {fault}") from fault


@contextlib.contextmanager
def refusing(lock: FileLock, core: Path, *, may_create: bool) -> Iterator[None]:
    """Distinguish a file that never was ours from a damaged one, and remove the lock file if nothing was opened.

    Who may create the files does so, too, where an owner before died in the middle of that.
    """
    try:
        if may_create:
            _remove_begun(core, lock)
        yield
    except DatabaseDamaged as damage:
        lock.withdraw()
        if what := stranger(damage.path, witness=f"{market_path_of(core)}.witness", was_begun=lock.was_there):
            raise DatabaseForeign(what) from damage.__cause__
        raise
    except BaseException:
        lock.withdraw()
        raise


def _remove_begun(core: Path, lock: FileLock) -> None:
    """Remove a file that an owner before was creating when it died."""
    market = market_path_of(core)
    for file in (core, market):
        try:
            if is_only_begun(str(file), witness=f"{market}.witness", was_begun=lock.was_there):
                file.unlink()
        except OSError as fault:
            raise DatabaseUnreachable(f"{file} cannot be opened: {fault}") from fault
