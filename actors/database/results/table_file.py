"""One table in a DuckDB file of the user's own, one row a key: written by one process, read by any with DuckDB."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any, Final

import duckdb

from ..errors import DatabaseForeign, DatabaseUnreachable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

_CONFIG: Final[dict[str, str | bool | int | float | list[str]]] = {
    "threads": 1,
    "enable_external_access": False,
    "autoload_known_extensions": False,
    "autoinstall_known_extensions": False,
}


class TableFile:
    """A file with one table and nothing else; it is open in `opened` only, and another process may have it between.

    Args:
        path: the file, which need not exist.
        table: name of the table; it, and those of the columns, are names and no SQL.
        columns: the type of each column, the key first. A file of fewer columns gets the others, without values.
    """

    def __init__(self, path: Path, table: str, columns: Mapping[str, str]) -> None:
        self.path: Final = path
        self._table: Final = table
        self._columns: Final = dict(columns)
        self._connection: duckdb.DuckDBPyConnection | None = None

    @contextlib.contextmanager
    def opened(self) -> Iterator[None]:
        """Have it open for the length of the block; made, if it is not there.

        Raises:
            DatabaseForeign: the file is no DuckDB, or has other tables.
            DatabaseUnreachable: it cannot be opened or written: another process has it open, or there is no room.
        """
        with self._said_as_ours(), contextlib.closing(self._connect()) as connection:
            self._expect_own(connection)
            key, *_ = self._columns
            columns = ", ".join(f"{name} {kind}" for name, kind in self._columns.items())
            connection.execute(f"create table if not exists {self._table} ({columns}, primary key ({key}))")
            for name, kind in self._columns.items():
                connection.execute(f"alter table {self._table} add column if not exists {name} {kind}")
            self._connection = connection
            try:
                yield
            finally:
                self._connection = None

    def rows(self) -> list[dict[str, Any]]:
        """Return all rows, in the order in which they were added; without the columns that have no value there."""
        assert self._connection is not None, "in `opened` only"
        found = self._connection.execute(f"select {', '.join(self._columns)} from {self._table} order by rowid")  # noqa: S608  names
        return [
            {name: value for name, value in zip(self._columns, row, strict=True) if value is not None}
            for row in found.fetchall()
        ]

    def add(self, row: Mapping[str, Any]) -> None:
        """Add a row, or replace the one of its key; it is durable when this returns."""
        assert self._connection is not None, "in `opened` only"
        places = ", ".join("?" for _ in self._columns)
        with self._said_as_ours():
            self._connection.execute(
                f"insert or replace into {self._table} ({', '.join(self._columns)}) values ({places})",  # noqa: S608  names
                [row.get(name) for name in self._columns],
            )

    def _connect(self) -> duckdb.DuckDBPyConnection:
        return duckdb.connect(str(self.path), config=_CONFIG)

    def _expect_own(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Expect no other table, and in ours no column that is not one of ours."""
        found = connection.execute("select table_name, column_name, data_type from information_schema.columns")
        for table, column, kind in found.fetchall():
            if table != self._table or self._columns.get(column) != kind:
                raise DatabaseForeign(
                    f"the table {self._table} of natya alone wanted, "
                    f"found the column {table}.{column} ({kind}) in {self.path}"
                )

    @contextlib.contextmanager
    def _said_as_ours(self) -> Iterator[None]:
        try:
            yield
        except duckdb.Error as fault:
            reason = str(fault).partition("\n")[0]
            if "not a valid DuckDB database" in reason:
                raise DatabaseForeign(f"a DuckDB file wanted, found another in {self.path}") from fault
            raise DatabaseUnreachable(f"{self.path} cannot be opened or written: {reason}") from fault
