"""The database room: DuckDB files with one owner, the read model of the journal and the store of market data."""

from .actor import DatabaseActor
from .adapter import DuckDBAdapter
from .books import EventRepository, FillRepository, OrderRepository, PositionRepository
from .errors import DatabaseDamaged, DatabaseError, DatabaseLocked, DatabaseMissing, DatabaseTooNew
from .frames import Frames, PackageMissing, columns_of
from .handover import take
from .market_data import MarketDataRepositoryImpl
from .opening import prove_encryption
from .own_files import OwnFiles
from .parquet_table import ParquetTable, is_parquet
from .rebuilding import compact, rebuild
from .repository import BaseRepository
from .results import RepositoryResult
from .rows_file import QueryResult
from .sharing import open_database, release

__all__ = [
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
    "is_parquet",
    "open_database",
    "prove_encryption",
    "rebuild",
    "release",
    "take",
]
