"""Transactions that cannot lose a write in silence."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import duckdb

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextlib.contextmanager
def writing(cursor: duckdb.DuckDBPyConnection) -> Iterator[duckdb.DuckDBPyConnection]:
    """Commit at the end of the block; roll back, and let the error through, when anything in it raises.

    The block must not swallow an error of the cursor: COMMIT of an aborted one writes nothing, and says nothing.
    """
    cursor.begin()
    try:
        yield cursor
    except BaseException:
        roll_back(cursor)
        raise
    try:
        cursor.commit()
    except BaseException:
        roll_back(cursor)
        raise


@contextlib.contextmanager
def reading(cursor: duckdb.DuckDBPyConnection) -> Iterator[duckdb.DuckDBPyConnection]:
    """Read one consistent state in the block; DuckDB refuses every write in it."""
    cursor.execute("begin transaction read only")
    try:
        yield cursor
    finally:
        roll_back(cursor)


def roll_back(cursor: duckdb.DuckDBPyConnection) -> None:
    """End the transaction, if one is open. An instance that is beyond use has none, and says so with an error."""
    with contextlib.suppress(duckdb.Error):
        cursor.rollback()
