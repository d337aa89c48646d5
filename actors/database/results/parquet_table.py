"""A Parquet file as rows of text, as the readers of recordings take them: so one reader serves CSV and Parquet."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

import duckdb

from ..tables.sql_text import pattern, quoted

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


_CONFIG: Final[dict[str, str | bool | int | float | list[str]]] = {"threads": 1, "enable_external_file_cache": False}
_engines: dict[int, duckdb.DuckDBPyConnection] = {}
"""By process."""


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
        self._connection = stack.enter_context(contextlib.closing(_connected()))
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


def _connected() -> duckdb.DuckDBPyConnection:
    """Connect to the engine of this process that reads such files: to begin one takes 25 ms, a connection none.

    It keeps nothing of a file: one that was written anew in the same moment would be read as it was.
    """
    process = os.getpid()  # an engine has threads, which a fork of its process does not
    engine = _engines.get(process)
    if engine is None:  # a lock that another thread holds would be held in a fork for ever
        engine = _engines.setdefault(process, duckdb.connect(config=_CONFIG))
    return engine.cursor()


@contextlib.contextmanager
def _said_as_ours() -> Iterator[None]:
    try:
        yield
    except duckdb.Error as fault:
        _engines.pop(os.getpid(), None)  # one that a broken file has invalidated would read none any more
        raise ParquetUnreadableError(str(fault)) from fault
