"""The database room: DuckDB files with one owner, the read model of the journal and the store of market data."""

from .actor import DatabaseActor
from .adapter import DuckDBAdapter
from .books import EventRepository, FillRepository, OrderRepository, PositionRepository
from .frames import Frames, PackageMissing, columns_of
from .market_data import MarketDataRepositoryImpl
from .opening import prove_encryption
from .repository import BaseRepository
from .results import RepositoryResult
from .sharing import open_database, release

__all__ = [
    "BaseRepository",
    "DatabaseActor",
    "DuckDBAdapter",
    "EventRepository",
    "FillRepository",
    "Frames",
    "MarketDataRepositoryImpl",
    "OrderRepository",
    "PackageMissing",
    "PositionRepository",
    "RepositoryResult",
    "columns_of",
    "open_database",
    "prove_encryption",
    "release",
]
