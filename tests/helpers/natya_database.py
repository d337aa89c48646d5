"""A database whose files the migrations have made once."""

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from natya.actors.database import DuckDBAdapter
from natya.actors.database.queries.reading import Readings
from natya.testing.database import migrated, put_migrated

__all__ = ["a_database", "migrated", "opened", "put_migrated", "with_files"]


def with_files(folder: Path) -> Path:
    """Put the files of a database without a row into a folder, if there is none: half of what a new one costs."""
    if not (folder / "natya.duckdb").exists():
        put_migrated(folder)
    return folder


def opened(path: Path, **options: Any) -> DuckDBAdapter:
    """Open such files, in which nobody has defined a macro: to look for one takes 20 ms at the first query."""
    database = DuckDBAdapter(path, max_connections=4, **options)
    database._readings = Readings(of_new_files=True)
    return database


@contextlib.contextmanager
def a_database() -> Iterator[DuckDBAdapter]:
    """A database in such files, which go with it: half of what one in memory costs, which is migrated each time."""
    with (
        tempfile.TemporaryDirectory() as directory,
        opened(with_files(Path(directory)) / "natya.duckdb") as database,
    ):
        yield database
