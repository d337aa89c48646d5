"""Repositories of one file in one process share one adapter, and so one writer of the market file.

Two writers of one market file would each remember on their own how far a source is recorded, and write ticks twice.
"""

from __future__ import annotations

import os
import threading
from pathlib import Path

from ....config.loader import load_settings
from ..engine.adapter import DuckDBAdapter
from ..engine.opening import MEMORY
from ..engine.paths import market_path_of
from ..errors import DatabaseMissing
from .stores import AdapterStore


class _Share:
    """A store, whether it was opened here, and the number of its users."""

    def __init__(self, database: DuckDBAdapter, *, is_ours: bool) -> None:
        self.store = AdapterStore(database)
        self.is_ours = is_ours
        self.holders = 0


_guard = threading.Lock()
_shares: dict[int, _Share] = {}
"""By the identity of the adapter."""


def take(database: DuckDBAdapter | str | Path | None, *, create: bool) -> AdapterStore:
    """Share the store of an open adapter, or of a file, opened now if it is not; None: the one the settings name.

    The settings say, too, how a file is opened (`DATABASE_MAX_CONNECTIONS`). Every `:memory:` is another one. A file
    that a caller names has to be there, or be asked for by `create`; the one that the settings name is made.

    Raises:
        DatabaseMissing: it is not there; nothing was made.
        DatabaseError: the file cannot be opened; see `DuckDBAdapter`.
        SettingsError: the settings are wrong.
    """
    with _guard:
        share = _share_of(database, create=create)
        share.holders += 1
        return share.store


def release(database: DuckDBAdapter) -> None:
    """Release a share; the last user closes the file, if it was opened here."""
    with _guard:
        share = _shares[id(database)]
        share.holders -= 1
        if share.holders == 0:
            del _shares[id(database)]
            if share.is_ours:
                database.close()


def open_database(path: str | Path | None = None, *, create: bool = False) -> DuckDBAdapter:
    """Open a file as repositories do and share it with them; for `release` to give back."""
    return take(path, create=create).database


def _share_of(database: DuckDBAdapter | str | Path | None, *, create: bool) -> _Share:
    if isinstance(database, DuckDBAdapter):
        return _shares.get(id(database)) or _new_share(database, is_ours=False)
    settings = load_settings().database
    path = str(database or settings.path)
    if path != MEMORY:
        path = os.path.realpath(path)
        for share in _shares.values():
            if share.is_ours and share.store.database.core_path == path:
                return share
        if database and not create:
            _expect(path)
    opened = DuckDBAdapter(
        path,
        max_connections=settings.max_connections,
        memory_limit_mb=settings.memory_limit_mb,
        threads=settings.threads,
        cache_mb=settings.cache_mb,
        encryption_key=settings.encryption_key.reveal(),
    )
    return _new_share(opened, is_ours=True)


def _new_share(database: DuckDBAdapter, *, is_ours: bool) -> _Share:
    share = _shares[id(database)] = _Share(database, is_ours=is_ours)
    return share


def _expect(path: str) -> None:
    """Check that one of the two files exists: a mistyped name must not create an empty database."""
    if path == MEMORY or Path(path).exists() or market_path_of(path).exists():
        return
    folder = Path(path).parent
    found = f"{folder} holds no {Path(path).name}" if folder.is_dir() else f"there is no folder {folder}"
    raise DatabaseMissing(f"there is no database {path}: {found}; create=True makes one")
