"""A Parquet file as a table: the database's reader of such files, which alone knows DuckDB."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...database import ParquetTable
from .text import Written

if TYPE_CHECKING:
    import contextlib
    from pathlib import Path


class DatabaseTable(ParquetTable):
    """A Parquet file, and how it was written."""

    def __init__(self, path: Path, stack: contextlib.ExitStack) -> None:
        """Open it, until the stack is closed."""
        super().__init__(path, stack)
        self.written = Written(kind="Parquet")
