"""A database whose files the migrations have made once."""

import contextlib
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from natya.actors.database import DuckDBAdapter
from natya.testing.database import migrated

__all__ = ["a_database", "migrated"]


@contextlib.contextmanager
def a_database() -> Iterator[DuckDBAdapter]:
    """A database in such files, which go with it: half of what one in memory costs, which is migrated each time."""
    with tempfile.TemporaryDirectory() as directory:
        shutil.copytree(migrated().name, directory, dirs_exist_ok=True)
        with DuckDBAdapter(Path(directory, "natya.duckdb"), max_connections=4) as database:
            yield database
