"""The database room: DuckDB files with one owner, the read model of the journal and the store of market data."""

from .actor import DatabaseActor
from .adapter import DuckDBAdapter

__all__ = ["DatabaseActor", "DuckDBAdapter"]
