"""Columns as the frames of other packages: Arrow tables, pandas and polars data frames. None of them is required."""

from __future__ import annotations

from abc import ABC, abstractmethod
from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ....messages.database import SqlValue
    from ..tables.columns import Array, Columns


_NOTHING = {"f": np.nan, "M": np.datetime64("NaT", "ns")}
"""The missing value of pandas by kind of column; None for objects."""


class PackageMissing(ImportError):  # noqa: N818  an error is named after what its caller has to decide about
    """The package of the requested frame is not installed; the message names it. `columns()` needs none."""


class Frames(ABC):
    """Base of results with columns: converts them to frames.

    A column is a one-dimensional array of one type; where values are missing it is a masked array. Texts are objects.
    Times are what they are in the columns: nanoseconds since 1970-01-01 UTC, as whole numbers.
    """

    @abstractmethod
    def columns(self) -> Columns:
        """Return equally long arrays by column name."""

    def arrow(self) -> Any:
        """Return a `pyarrow.Table`.

        Raises:
            PackageMissing: pyarrow is not installed.
        """
        arrow = package("pyarrow", "arrow")
        columns = self.columns().items()
        return arrow.table({name: arrow.array(np.ma.getdata(of), mask=_missing(of)) for name, of in columns})

    def df(self) -> Any:
        """Return a `pandas.DataFrame`; whole numbers and truths of which some are missing get pandas' own null.

        Raises:
            PackageMissing: pandas is not installed.
        """
        pandas = package("pandas", "df")
        nullable = {"i": pandas.arrays.IntegerArray, "u": pandas.arrays.IntegerArray, "b": pandas.arrays.BooleanArray}

        def series(column: Array) -> Any:
            missing = _missing(column)
            if missing is None:
                return column
            if column.dtype.kind in nullable:
                return nullable[column.dtype.kind](np.ma.getdata(column), missing)
            return _with(_NOTHING.get(column.dtype.kind), column, missing)

        return pandas.DataFrame({name: series(column) for name, column in self.columns().items()}, copy=False)

    def polars(self) -> Any:
        """Return a `polars.DataFrame`.

        Raises:
            PackageMissing: polars is not installed.
        """
        polars = package("polars", "polars")

        def series(column: Array) -> Any:
            missing = _missing(column)
            if column.dtype == object:  # of which polars would keep the objects
                return polars.Series((column if missing is None else _with(None, column, missing)).tolist())
            values = polars.Series(np.ma.getdata(column))
            return values if missing is None else values.scatter(np.flatnonzero(missing), None)

        return polars.DataFrame({name: series(column) for name, column in self.columns().items()})


def columns_of(names: Sequence[str], rows: Sequence[Sequence[SqlValue]]) -> Columns:
    """Convert rows of an answer to columns; a column of NULLs alone is a masked array of objects."""
    by_column = list(zip(*rows, strict=True)) if rows else [()] * len(names)
    return {name: column_of(values) for name, values in zip(names, by_column, strict=True)}


def rows_of(columns: Columns) -> Iterator[tuple[Any, ...]]:
    """Turn columns into rows; a masked value becomes None."""
    return zip(*(column.tolist() for column in columns.values()), strict=True)


def column_of(values: Sequence[Any]) -> Array:
    """Build the array that holds these values best; None becomes a masked value.

    Raises:
        OverflowError: a whole number does not fit into 64 bits.
    """
    kinds = {type(value) for value in values} - {type(None)}
    missing = [value is None for value in values]
    dtype: Any
    filler: Any
    if kinds == {bool}:
        dtype, filler = np.bool_, False
    elif kinds == {int}:
        dtype, filler = np.int64, 0
    elif kinds and kinds <= {int, float}:
        dtype, filler = np.float64, 0.0
    else:
        column = np.fromiter(values, dtype=object, count=len(values))
        return np.ma.masked_array(column, mask=missing) if any(missing) else column
    if not any(missing):
        return np.array(values, dtype=dtype)
    filled = np.array([filler if value is None else value for value in values], dtype=dtype)
    return np.ma.masked_array(filled, mask=missing)


def _missing(column: Array) -> Array | None:
    """Return the mask of missing values; None if none is missing."""
    mask = np.ma.getmaskarray(column) if np.ma.isMaskedArray(column) else None
    return mask if mask is not None and mask.any() else None


def _with(nothing: Any, column: Array, missing: Array) -> Array:
    """Return the column with `nothing` in the place of missing values."""
    return np.where(missing, nothing, np.ma.getdata(column))


def package(name: str, form: str) -> Any:
    """Import a package that makes frames of that form.

    Raises:
        PackageMissing: it is not installed.
    """
    try:
        return import_module(name)
    except ImportError as missing:
        raise PackageMissing(
            f".{form}() needs the package {name}, which is not installed: pip install {name}"
        ) from missing
