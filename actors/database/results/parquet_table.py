"""A Parquet file as rows of text, as the readers of recordings take them: so one reader serves CSV and Parquet."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, Final

import duckdb

from ..tables.sql_text import pattern, quoted
from .reading_engine import ReadingEngine

if TYPE_CHECKING:
    from collections.abc import Iterator

PARQUET_MAGIC: Final = b"PAR1"
ROWS_A_FETCH: Final = 5_000

# A time without a zone is written without one, and read in the exchange's zone as in a CSV file; others are in UTC.
_TEXTS = {
    "TIMESTAMP WITH TIME ZONE": "replace({0}::varchar, ' ', 'T')",
    "DOUBLE": "nullif({0}::varchar, 'nan')",
    "FLOAT": "nullif({0}::varchar, 'nan')",
}


_ENGINE: Final = ReadingEngine(threads=1)


class ParquetUnreadableError(OSError):
    """The file is no Parquet, or broken. Look where it comes from."""


def is_parquet(path: Path) -> bool:
    """Return whether the file begins as Parquet does, whatever its name; False for an unreadable file."""
    with contextlib.suppress(OSError), path.open("rb") as file:
        return file.read(len(PARQUET_MAGIC)) == PARQUET_MAGIC
    return False


class ParquetTable:
    """A header and rows of text, a few thousand in memory. NULL is the empty text.

    Raises:
        ParquetUnreadableError: see there; here, and while the rows are read.
    """

    def __init__(self, path: Path, stack: contextlib.ExitStack) -> None:
        """Open it, until the stack is closed."""
        self.line_num = 0
        """The row that was read last, from 1."""

        self._file = f"read_parquet({quoted(pattern(str(path.absolute())))}, hive_partitioning = false)"
        self._connection = stack.enter_context(_ENGINE.connected())
        with _said_as_ours():
            self._connection.execute("set timezone = 'UTC'")
            described = self._connection.execute(f"describe select * from {self._file}").fetchall()  # noqa: S608  a quoted path
            ((size,),) = self._connection.execute(f"select count(*) from {self._file}").fetchall()  # noqa: S608  a quoted path
        self._size = max(1, int(size))
        self._columns = [(str(name), str(kind)) for name, kind, *_ in described]
        self.header: list[str] | None = [name for name, _ in self._columns]

    def rows(self) -> Iterator[list[str]]:
        """Give the rows in the order of the file."""
        texts = ", ".join(_text(name, kind) for name, kind in self._columns)
        with _said_as_ours():
            result = self._connection.execute(f"select {texts} from {self._file}")  # noqa: S608  quoted names
            while rows := result.fetchmany(ROWS_A_FETCH):
                for row in rows:
                    self.line_num += 1
                    yield list(row)

    def share(self) -> float:
        """Tell how much of the file is read: 0 to 1."""
        return self.line_num / self._size


def _text(name: str, kind: str) -> str:
    column = '"' + name.replace('"', '""') + '"'
    pattern = _TEXTS.get(kind, "{0}::varchar")
    return f"coalesce({pattern.format(column)}, '')"


@contextlib.contextmanager
def _said_as_ours() -> Iterator[None]:
    try:
        yield
    except duckdb.Error as fault:
        _ENGINE.forget()
        raise ParquetUnreadableError(str(fault)) from fault
