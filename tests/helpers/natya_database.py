"""A database whose files the migrations have made once."""

import contextlib
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from natya.actors.database import DuckDBAdapter
from natya.testing.database import migrated

__all__ = ["a_database", "migrated", "with_files"]


def with_files(folder: Path) -> Path:
    """Put the files of a database without a row into a folder, if there is none: half of what a new one costs."""
    if not (folder / "natya.duckdb").exists():
        shutil.copytree(migrated().name, folder, dirs_exist_ok=True)
    return folder


@contextlib.contextmanager
def a_database() -> Iterator[DuckDBAdapter]:
    """A database in such files, which go with it: half of what one in memory costs, which is migrated each time."""
    with (
        tempfile.TemporaryDirectory() as directory,
        DuckDBAdapter(with_files(Path(directory)) / "natya.duckdb", max_connections=4) as database,
    ):
        yield database
