"""The folder of archived days: beside the files, and with them wherever they are moved."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

from .opening import quoted

if TYPE_CHECKING:
    import duckdb

NAME = "archive"

_READS = re.compile(r"read_parquet\('((?:[^']|'')*)/([a-z_]+-\*\.parquet)'")


def archive_folder(core_path: str) -> Path:
    """Name it for a core file."""
    return Path(core_path).parent / NAME


def follow(cursor: duckdb.DuckDBPyConnection, folder: Path) -> None:
    """Let the views of the market file read their days here, if they were moved here together with it.

    A view names its files by whole paths, and DuckDB allows no others than those of our folders. Run on the market
    file's writer, before anything is asked.
    """
    for sql in _left_behind(cursor, folder):
        cursor.execute(sql)


def is_elsewhere(cursor: duckdb.DuckDBPyConnection, folder: Path) -> bool:
    """Tell whether there is something to `follow`."""
    return bool(_left_behind(cursor, folder))


def _left_behind(cursor: duckdb.DuckDBPyConnection, folder: Path) -> list[str]:
    """Write the views anew that read days from where these files were before."""
    views = cursor.execute(
        "select sql from duckdb_views() where database_name = 'market' and sql like '%read_parquet(%'"
    ).fetchall()
    wanted = []
    for (sql,) in views:
        read = _READS.search(sql)
        if read is None:
            continue
        before = Path(read[1].replace("''", "'"))
        if before != folder and before.name == NAME and any(folder.glob(read[2])):
            moved = sql.replace(read[0], f"read_parquet({quoted(f'{folder}/{read[2]}')}", 1)
            wanted.append(re.sub("^create view", "create or replace view", moved, count=1, flags=re.IGNORECASE))
    return wanted


def make_durable(file: Path) -> None:
    """Force a file that DuckDB wrote, and its name, to the disk: what it holds is about to be deleted elsewhere."""
    for path in (file, file.parent):
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
