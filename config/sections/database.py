"""[database]: the DuckDB files."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, ClassVar

from msgspec import Meta

from ..secrets import Secret
from .base import Positive, PositiveSeconds, Section


class DatabaseSettings(Section, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The DuckDB files."""

    TABLE: ClassVar[str] = "database"

    path: str
    """The core file; the market file is beside it. Empty: `natya.duckdb` in the data directory."""

    max_connections: Annotated[int, Meta(ge=3, le=256)]
    """Connections of the pool: one writer for each file, the rest readers."""

    memory_limit_mb: Annotated[int, Meta(ge=64, le=1 << 24)]
    """Megabytes that DuckDB may use (its `memory_limit`)."""

    threads: Positive
    """Threads that DuckDB may use for one query."""

    batch_rows_max: Positive
    """Rows of market data at which a batch is committed."""

    batch_wait_s: PositiveSeconds
    """How long the first row of a batch waits at most until the batch is committed."""

    tidy_interval_s: PositiveSeconds
    """How often the database checks whether it is idle, to sort the rows of a past day."""

    cache_mb: Annotated[int, Meta(ge=0, le=1 << 20)]
    """Megabytes of the query cache; 0: no cache."""

    encryption_key: Secret
    """Encrypts both files, where this DuckDB can do it safely; refused at the start where it cannot."""

    @property
    def market_path(self) -> str:
        """The market file: `natya-market.duckdb` beside `natya.duckdb`."""
        core = Path(self.path)
        return str(core.with_name(f"{core.stem}-market{core.suffix}"))
