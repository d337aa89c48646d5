"""The database room: DuckDB files with one owner, the read model of the journal and the store of market data.

Folders import only those below them, `errors.py` lies at the bottom:

actor.py        the actor: what it owns, hears, sends, and how it fails
requests/       what it does with each message; the same without a system (`own_files.py`)
repositories/   what users construct: typed reads and writes of one table
upkeep/         files opened in whatever state they are, copied, checked, written anew, archived by day
writing/        market data in batches, and the projection of the journal
engine/         DuckDB itself: `adapter.py` (`DuckDBAdapter`), locks, connections, transactions
results/        answers, frames, and files that are handed over; beside the engine, which it does not need
queries/        what SQL may run, how far it may grow, which answers are kept
tables/         what the files hold: migrations, rows, the projection of orders and fills, the archive folder

Where a crash goes: a job's `DatabaseError` comes back as its outcome, and `requests/files.py` decides whether the files
are down; what was not durable is kept and written again. Anything else is a bug: met by a query, its sender is told;
elsewhere the actor fails, and starts afresh.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...domain.lazily import lazily

if TYPE_CHECKING:
    from .actor import DatabaseActor
    from .engine.adapter import DuckDBAdapter
    from .engine.opening import prove_encryption
    from .errors import DatabaseDamaged, DatabaseError, DatabaseLocked, DatabaseMissing, DatabaseTooNew
    from .repositories.books import EventRepository, FillRepository, OrderRepository, PositionRepository
    from .repositories.market_data import MarketDataRepositoryImpl
    from .repositories.repository import BaseRepository
    from .repositories.sharing import open_database, release
    from .requests.own_files import OwnFiles
    from .results.answers import RepositoryResult
    from .results.forms import INLINE_ROWS_MAX, is_json
    from .results.frames import Frames, PackageMissing, columns_of
    from .results.handover import take
    from .results.parquet_table import ParquetTable, is_parquet
    from .results.rows_file import QueryResult
    from .upkeep.rebuilding import compact, rebuild
    from .writing.market import outside

__all__ = [
    "INLINE_ROWS_MAX",
    "BaseRepository",
    "DatabaseActor",
    "DatabaseDamaged",
    "DatabaseError",
    "DatabaseLocked",
    "DatabaseMissing",
    "DatabaseTooNew",
    "DuckDBAdapter",
    "EventRepository",
    "FillRepository",
    "Frames",
    "MarketDataRepositoryImpl",
    "OrderRepository",
    "OwnFiles",
    "PackageMissing",
    "ParquetTable",
    "PositionRepository",
    "QueryResult",
    "RepositoryResult",
    "columns_of",
    "compact",
    "is_json",
    "is_parquet",
    "open_database",
    "outside",
    "prove_encryption",
    "rebuild",
    "release",
    "take",
]

_HOMES = {
    ".actor": ("DatabaseActor",),
    ".engine.adapter": ("DuckDBAdapter",),
    ".engine.opening": ("prove_encryption",),
    ".errors": ("DatabaseDamaged", "DatabaseError", "DatabaseLocked", "DatabaseMissing", "DatabaseTooNew"),
    ".repositories.books": ("EventRepository", "FillRepository", "OrderRepository", "PositionRepository"),
    ".repositories.market_data": ("MarketDataRepositoryImpl",),
    ".repositories.repository": ("BaseRepository",),
    ".repositories.sharing": ("open_database", "release"),
    ".requests.own_files": ("OwnFiles",),
    ".results.answers": ("RepositoryResult",),
    ".results.forms": ("INLINE_ROWS_MAX", "is_json"),
    ".results.frames": ("Frames", "PackageMissing", "columns_of"),
    ".results.handover": ("take",),
    ".results.parquet_table": ("ParquetTable", "is_parquet"),
    ".results.rows_file": ("QueryResult",),
    ".upkeep.rebuilding": ("compact", "rebuild"),
    ".writing.market": ("outside",),
}

__getattr__ = lazily(__name__, _HOMES)
