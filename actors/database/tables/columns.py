"""Equally long arrays by column name: how rows get into DuckDB at speed (executemany does 1,300 a second)."""

from __future__ import annotations

import contextlib
import functools
import itertools
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import duckdb
import numpy as np

from ....domain.time import DAY_NS

if TYPE_CHECKING:
    from collections.abc import Sequence

Array: TypeAlias = np.ndarray[Any, Any]
Columns: TypeAlias = dict[str, Array]
"""Equally long, one-dimensional, contiguous arrays by column name."""

_parsed: dict[str, duckdb.Statement] = {}
_numbers = itertools.count(1)

NAN = float("nan")
"""NaN: in a column of floats, DuckDB reads it as NULL."""

NOTHING = -(2**63)
"""In a column of integers on its way to `masked`: no value."""


FEW_ROWS: Final = 8
FEW_UPDATES: Final = 3

TIME_MAX_NS = 2**63 - 1 - 2 * DAY_NS
"""Beyond it the sums that compute the day of a time overflow 64 bits, which would fail for the whole table."""


def texts(values: Sequence[str | bytes | None]) -> Array:
    """Build a column of texts, or of bytes; None becomes NULL."""
    return np.array(values, dtype=object)


def integers(values: Sequence[int]) -> Array:
    """Build a column of 64-bit integers.

    Raises:
        OverflowError, TypeError: a value does not fit, or is no integer.
    """
    return np.array(values, dtype=np.int64)


def times(values: Sequence[int]) -> Array:
    """Build a column of times in nanoseconds; each has a day on the exchange's calendar, to its end.

    Raises:
        ValueError: one is too late for that.
        OverflowError, TypeError: a value does not fit, or is no integer.
    """
    column = integers(values)
    if len(column) and column.max() > TIME_MAX_NS:
        raise ValueError(f"times must be at most {TIME_MAX_NS} ns, found {column.max()}")
    return column


def nullable_integers(values: Sequence[int | None]) -> Array:
    """Build a column of 64-bit integers where None becomes NULL."""
    return masked(integers([NOTHING if value is None else value for value in values]))


def floats(values: Sequence[float | None]) -> Array:
    """Build a column of floats; None and NaN become NULL."""
    return np.array(values, dtype=np.float64)


def finite(values: Sequence[float]) -> Array:
    """Build a column of floats that are all numbers.

    Raises:
        ValueError: one is not a number, or infinite.
    """
    column = floats(values)
    if not np.isfinite(column).all():
        raise ValueError(f"prices must be finite, found {column[~np.isfinite(column)][0]}")
    return column


def masked(values: Array) -> Array:
    """Turn `NOTHING` into NULL."""
    missing = values == NOTHING
    return np.ma.masked_array(values, mask=missing) if missing.any() else values


def insert(cursor: duckdb.DuckDBPyConnection, sql: str, columns: Columns, *parameters: str | int) -> int:
    """Run an INSERT that selects from the columns, which it sees as the table `batch`; return how many it wrote."""
    cursor.register("batch", columns)
    try:
        ((rows,),) = cursor.execute(parsed(cursor, sql), list(parameters)).fetchall()
    except BaseException:
        with contextlib.suppress(duckdb.Error):  # in an aborted transaction it fails too, and would hide why
            cursor.unregister("batch")
        raise
    cursor.unregister("batch")
    return int(rows)


def append(cursor: duckdb.DuckDBPyConnection, table: str, columns: Columns) -> None:
    """Insert rows that the table does not have; `FEW_ROWS` or less as values, in half of the time."""
    rows = rows_of(columns) if len(next(iter(columns.values()))) <= FEW_ROWS else ()
    if not rows:
        insert(cursor, f"insert into {table} by name select * from batch", columns)  # noqa: S608  our own names
        return
    marks = ", ".join(f"({', '.join('?' * len(columns))})" for _ in rows)
    sql = f"insert into {table} ({', '.join(columns)}) values {marks}"  # noqa: S608  our own names
    cursor.execute(parsed(cursor, sql), list(itertools.chain.from_iterable(rows)))


def replace(cursor: duckdb.DuckDBPyConnection, table: str, key: str, columns: Columns) -> None:
    """Write rows over those of the table with the same key.

    A few are updated one by one: 3 ms of planning each, where `insert or replace` of 28 columns takes 10 for all.
    """
    rows = rows_of(columns) if len(next(iter(columns.values()))) <= FEW_UPDATES else ()
    if not rows:
        insert(cursor, f"insert or replace into {table} by name select * from batch", columns)  # noqa: S608  our own names
        return
    place = list(columns).index(key)
    sets = ", ".join(f"{name} = ?" for name in columns if name != key)
    statement = parsed(cursor, f"update {table} set {sets} where {key} = ?")  # noqa: S608  our own names
    for row in rows:
        cursor.execute(statement, [*row[:place], *row[place + 1 :], row[place]])


def rows_of(columns: Columns) -> list[tuple[Any, ...]]:
    """Return the rows as Python's own values; NaN, as everywhere in columns, is NULL."""
    lists = (values.tolist() for values in columns.values())
    return list(zip(*([None if value != value else value for value in each] for each in lists), strict=True))  # noqa: PLR0124  NaN


class Insertion:
    """An INSERT for one connection, again and again from columns of the same names and types.

    DuckDB reads the registered dict itself at each execution, so it is registered once: registering and unregistering
    take 0.56 of the 2.4 ms that a batch of 1,000 ticks takes. Columns of objects must hold no None: their type is
    inferred from the values.

    Args:
        sql: selects from `{batch}`.
    """

    def __init__(self, sql: str) -> None:
        self._name = f"batch_{next(_numbers)}"
        self._sql = sql.format(batch=self._name)
        self._statement: duckdb.Statement | None = None
        self._columns: Columns = {}
        self._shape: list[tuple[str, np.dtype[Any]]] = []

    def run(self, cursor: duckdb.DuckDBPyConnection, columns: Columns, *parameters: str) -> None:
        """Insert the columns."""
        shape = [(name, values.dtype) for name, values in columns.items()]
        if shape == self._shape and _reads_anew():
            self._columns.update(columns)
        else:
            self._columns, self._shape = dict(columns), shape
            cursor.register(self._name, self._columns)
        if self._statement is None:
            (self._statement,) = cursor.extract_statements(self._sql)
        try:
            cursor.execute(self._statement, list(parameters))
        finally:
            self._columns.clear()

    def forget(self) -> None:
        """Register again next time: the transaction was rolled back, and its registrations with it."""
        self._shape = []


@functools.cache
def _reads_anew() -> bool:
    """Test whether DuckDB sees changes of a registered dict; 2.0.0 does, its documentation does not promise it."""
    columns = {"number": np.zeros(1, dtype=np.int64)}
    with duckdb.connect(":memory:") as connection:
        connection.register("batch", columns)
        before = connection.execute("select sum(number), count(*) from batch").fetchall()
        columns["number"] = np.full(3, 2, dtype=np.int64)
        after = connection.execute("select sum(number), count(*) from batch").fetchall()
    return (before, after) == ([(0, 1)], [(6, 3)])


def parsed(cursor: duckdb.DuckDBPyConnection, sql: str) -> duckdb.Statement:
    """Parse one of our own texts, once in this process: 0.06 ms less each time it is executed, by any cursor."""
    statement = _parsed.get(sql)
    if statement is None:
        (statement,) = cursor.extract_statements(sql)
        _parsed[sql] = statement
    return statement
