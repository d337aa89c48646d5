"""Reads a result (`RowsFile`) at the client: a file by the DuckDB of this process, a few inline rows without one."""

from __future__ import annotations

import contextlib
import itertools
import os
import weakref
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

import duckdb

from ....config.files import new_file, open_from_private_folder
from ..queries.statements import PLAIN_TYPES, values
from ..tables.sql_text import quoted
from .forms import is_nested, is_told_plainly, json_of, rebuilt, restored, told
from .frames import Frames, package
from .reading_engine import ReadingEngine

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import TracebackType

    from ....messages.database import RowsFile, SqlValue
    from ..tables.columns import Columns

ROWS_A_FETCH: Final = 10_000

_ENGINE: Final = ReadingEngine()
"""Of all files."""


class QueryResult(Frames):
    """The rows of one query, on disk until they are looked at; may be looked at in several forms, by one thread.

    The file is deleted at once and disappears with this object, or with the process, however it ends. Rows that came
    inline are in memory, and go to a DuckDB only for a form that wants their types: columns, frames and files. The
    first such form starts one (20 ms), which serves the others until this object is closed.
    """

    def __init__(self, file: RowsFile) -> None:
        """Open the file and take its name away.

        Raises:
            FileNotFoundError: it was not fetched in time.
            NotOursError: it is no file that was handed over to us; it was left alone.
        """
        self.names: Final = file.names
        """Of the columns; a name that comes twice has a number."""

        self.types: Final = file.types
        """DuckDB's types of the columns."""

        self._rows: Final = file.rows
        self._inline: Final = file.inline
        self._engines: Final[dict[int, duckdb.DuckDBPyConnection]] = {}
        if file.inline is not None:
            self._source = "inline_rows"
            return
        descriptor = open_from_private_folder(Path(file.path))
        self._closing = weakref.finalize(self, os.close, descriptor)
        Path(file.path).unlink(missing_ok=True)
        self._source = f"read_parquet({quoted(f'/proc/self/fd/{descriptor}')})"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the rows; so does the end of this object."""
        if engine := self._engines.pop(os.getpid(), None):
            engine.close()
        if self._inline is None:
            self._closing()

    def __len__(self) -> int:
        """Count the rows."""
        return self._rows

    def __iter__(self) -> Iterator[tuple[SqlValue, ...]]:
        """Give row after row, some thousand in memory: numbers, truths and texts; all else as text.

        Times are in ISO 8601 (`infinity` is one), lists, structs and maps are JSON, in which infinity is a text.
        """
        return itertools.chain.from_iterable(self.batches())

    def batches(self) -> Iterator[tuple[tuple[SqlValue, ...], ...]]:
        """Give the rows as an iteration does, `ROWS_A_FETCH` at a time."""
        if self._inline is not None:
            yield self._inline
            return
        plain = [is_told_plainly(kind) for kind in self.types]
        nested = [place for place, kind in enumerate(self.types) if is_nested(kind)]
        with self._engine() as connection:
            result = connection.execute(self._select(told))
            while rows := result.fetchmany(ROWS_A_FETCH):
                yield values(_proper(rows, nested), plain)

    @property
    def rows(self) -> tuple[tuple[SqlValue, ...], ...]:
        """All rows, as an iteration gives them."""
        return tuple(self)

    def columns(self) -> Columns:
        """Return a numpy array for each column: times as `datetime64`, decimals as floats; NULL is masked."""
        with self._engine() as connection:
            columns: Any = connection.execute(self._select()).fetchnumpy()  # an enum would be no array; there is none
        return dict(columns)

    # Frames with the database's own types, made without a detour by numpy.

    def arrow(self) -> Any:
        """Return a `pyarrow.Table`; see `Frames`."""
        return self._frame(lambda relation: relation.to_arrow_table(), "arrow", "pyarrow")

    def df(self) -> Any:
        """Return a `pandas.DataFrame`; see `Frames`."""
        return self._frame(lambda relation: relation.df(), "df", "pandas")

    def polars(self) -> Any:
        """Return a `polars.DataFrame`; see `Frames`. Needs pyarrow, too."""
        return self._frame(lambda relation: relation.pl(), "polars", "polars", "pyarrow")

    def write_csv(self, path: Path) -> None:
        """Write the rows with a header; everything as the query's own cast to text has it.

        Raises:
            FileExistsError: it is there already.
        """
        self._copy(path, "format csv, header")

    def write_parquet(self, path: Path) -> None:
        """Write the rows, packed with zstd.

        Raises:
            FileExistsError: it is there already.
        """
        self._copy(path, "format parquet, compression zstd")

    def _copy(self, path: Path, options: str) -> None:
        """Write a new file, by its descriptor: DuckDB itself would replace an existing one."""
        with new_file(path) as descriptor, self._engine() as connection:
            target = quoted(f"/proc/self/fd/{descriptor}")
            connection.execute(f"copy ({self._select()}) to {target} ({options}, use_tmp_file false)")

    def _frame(self, of: Callable[[duckdb.DuckDBPyRelation], Any], form: str, *packages: str) -> Any:
        for name in packages:
            package(name, form)
        with self._engine() as connection:
            return of(connection.sql(self._select()))

    def _engine(self) -> contextlib.AbstractContextManager[duckdb.DuckDBPyConnection]:
        """Connect to the engine that has the rows as a file has them: a connection each, one may be in the middle."""
        if self._inline is None:
            return _ENGINE.connected()
        process = os.getpid()  # an engine has threads, which a fork of its process does not
        if process not in self._engines:
            self._engines[process] = self._with_rows(self._inline)
        return contextlib.closing(self._engines[process].cursor())

    def _with_rows(self, inline: tuple[tuple[SqlValue, ...], ...]) -> duckdb.DuckDBPyConnection:
        """Start an engine that has these rows in a table."""
        engine = duckdb.connect()
        lists = list(zip(*inline, strict=True)) or [()] * len(self.names)
        values_of = [
            list(each) if kind in PLAIN_TYPES else [None if value is None else str(value) for value in each]
            for each, kind in zip(lists, self.types, strict=True)
        ]
        selected = itertools.starmap(rebuilt, zip(self.names, self.types, strict=True))
        engine.execute(f"create table {self._source} as select {', '.join(selected)}", values_of)
        return engine

    def _select(self, form: Callable[[str, str], str] = restored) -> str:
        selected = [form(name, kind) for name, kind in zip(self.names, self.types, strict=True)]
        return f"select {', '.join(selected)} from {self._source}"  # noqa: S608  names are quoted


def _proper(rows: list[tuple[Any, ...]], nested: list[int]) -> list[tuple[Any, ...]]:
    """Make JSON proper in these places."""
    if not nested:
        return rows
    return [
        tuple(json_of(value) if place in nested and value is not None else value for place, value in enumerate(row))
        for row in rows
    ]
