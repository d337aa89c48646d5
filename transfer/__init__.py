"""Market data into the database and out of it, through its owner.

importing, exporting   files
stored                 what a database has, as files that are played
fetching               candles from a broker's charts; symbol_fetch: of one symbol; charts: the two ways to them
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..domain.lazily import lazily

if TYPE_CHECKING:
    from .charts import BrokerCharts, SystemCharts
    from .exporting import Exported, export
    from .fetching import fetch
    from .importing import Imported, import_file
    from .stored import AS_STORED, is_database, owner_at, played_interval, stored_files, was_live, was_made_up
    from .symbol_fetch import Charts, Fetch, FetchStoppedError, Want

__all__ = [
    "AS_STORED",
    "BrokerCharts",
    "Charts",
    "Exported",
    "Fetch",
    "FetchStoppedError",
    "Imported",
    "SystemCharts",
    "Want",
    "export",
    "fetch",
    "import_file",
    "is_database",
    "owner_at",
    "played_interval",
    "stored_files",
    "was_live",
    "was_made_up",
]

_HOMES = {
    ".charts": ("BrokerCharts", "SystemCharts"),
    ".exporting": ("Exported", "export"),
    ".fetching": ("fetch",),
    ".importing": ("Imported", "import_file"),
    ".stored": ("AS_STORED", "is_database", "owner_at", "played_interval", "stored_files", "was_live", "was_made_up"),
    ".symbol_fetch": ("Charts", "Fetch", "FetchStoppedError", "Want"),
}

__getattr__ = lazily(__name__, _HOMES)
