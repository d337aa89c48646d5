"""The database room: DuckDB files with one owner, the read model of the journal and the store of market data.

The actor   `actor.py`, and one part for each thing it does: `files.py` (open, or down and tried again), `recorder.py`
            with `gathering.py` (market data in batches), `projector.py` with `journal_cursor.py` (the journal),
            `answerer.py` with `pending.py` (who waits), `handler.py` (what may be asked).
The files   `adapter.py` opens them (`opening.py`, `lock.py`, `strangers.py`, `migrations.py`, `witness.py`,
            `recovery.py`), sees if anybody else writes to them (`foreign_writes.py`) and lends connections (`pool.py`,
            `connection.py`, `own_thread.py`, `transaction.py`); `statements.py`, `reading.py` with `functions.py` and
            `bounds.py`, `memory.py` and `cache.py` say what runs, how far it may grow, and what is kept of it.
In them     `market.py` and `ticks.py` write ticks and candles, `read_model.py` by `projecting.py` and
            `projection.py` what the journal adds up to, both through `columns.py`; `tick_rows.py` reads ticks back.
            `days.py` with `archive_folder.py`, `copies.py` and `rebuilding.py` keep them in order.
For users   `repository.py` with `market_data.py` and `books.py`, on `stores.py` and `sharing.py`; `results.py` and
            `frames.py` are what they answer, `moments.py` and `resampling.py` what may be asked.
Outside     `own_files.py` (files that no system has), `handover.py`, `rows_file.py` with `forms.py` and
            `parquet_table.py` (files that change hands).

Where a crash goes: a job's `DatabaseError` comes back as its outcome, and `files.py` decides whether the files are
down; what was not durable is kept and written again. Anything else is a bug: met by a query, its asker is told;
elsewhere the actor fails, and starts afresh.
"""

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
from .results.forms import is_json
from .results.frames import Frames, PackageMissing, columns_of
from .results.handover import take
from .results.parquet_table import ParquetTable, is_parquet
from .results.rows_file import QueryResult
from .upkeep.rebuilding import compact, rebuild
from .writing.market import outside

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
    "is_json",
    "is_parquet",
    "open_database",
    "outside",
    "prove_encryption",
    "rebuild",
    "release",
    "take",
]
