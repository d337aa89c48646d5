"""The database room: DuckDB files with one owner, the read model of the journal and the store of market data.

The problem: DuckDB lets one process write to a file, and a market writes to it thousands of times a second, while users
query it and the machine may be killed at any moment. The idea: one actor owns two files. The core file is a projection
of the journal and can be rebuilt from it at any time; the market file holds ticks and candles, written in batches that
commit together with the highest sequence of their source, so that sending again is always safe. Each connection has a
thread of its own; the actor never waits for one. The trap: DuckDB's own lock is gone as soon as this process opens and
closes a database file once more for any reason. So no code here opens one except DuckDB, a query may name tables but
no files, and before each batch the owner checks that no other process has written (`engine/foreign_writes.py`).

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

Errors: a job's `DatabaseError` comes back as its outcome, and `requests/files.py` decides whether the files are down;
what was not durable is kept and written again. Any other exception is a bug: of a query, it is answered to its sender;
elsewhere the actor fails and is restarted.
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
    from .results.table_file import TableFile
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
    "TableFile",
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
    ".results.table_file": ("TableFile",),
    ".upkeep.rebuilding": ("compact", "rebuild"),
    ".writing.market": ("outside",),
}

__getattr__ = lazily(__name__, _HOMES)
