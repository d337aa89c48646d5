"""Indicators over columns of prices (pure): arrays in, arrays of the same length out, nothing later than each place.

A value is NaN until its window is full. An exponential average begins with the first value, Wilder's with the mean of
the first window, as those of charts do.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import ArrayLike, NDArray

Column: TypeAlias = "NDArray[np.float64]"


class Window:
    """The newest `length` values, and what is known of them; for what comes one at a time."""

    def __init__(self, length: int) -> None:
        """Begin without a value.

        Raises:
            ValueError: the length is below 1.
        """
        self._kept: Final[deque[float]] = deque(maxlen=_length(length))

    def add(self, value: float) -> None:
        """Add the newest value; the oldest leaves a full window."""
        self._kept.append(float(value))

    def __len__(self) -> int:
        return len(self._kept)

    @property
    def is_full(self) -> bool:
        """Whether there are as many values as the window is long."""
        return len(self._kept) == self._kept.maxlen

    @property
    def values(self) -> Column:
        """The values, the oldest first; a copy."""
        return np.array(self._kept, dtype=np.float64)

    @property
    def mean(self) -> float:
        """Their average; NaN without a value."""
        return float(np.mean(self.values)) if self._kept else float("nan")

    @property
    def std(self) -> float:
        """Their standard deviation, of a sample (n - 1); NaN below two values."""
        return float(np.std(self.values, ddof=1)) if len(self._kept) > 1 else float("nan")


def sma(values: ArrayLike, length: int) -> Column:
    """Return the average of each window."""
    return _rolling(values, length, lambda windows: windows.mean(axis=1))


def std(values: ArrayLike, length: int) -> Column:
    """Return the standard deviation of each window, of a sample (n - 1); of at least 2 values."""
    if length < 2:  # noqa: PLR2004  one value deviates from nothing
        raise ValueError(f"a length of at least 2 wanted, found {length!r}")
    return _rolling(values, length, lambda windows: windows.std(axis=1, ddof=1))


def highest(values: ArrayLike, length: int) -> Column:
    """Return the greatest value of each window."""
    return _rolling(values, length, lambda windows: windows.max(axis=1))


def lowest(values: ArrayLike, length: int) -> Column:
    """Return the least value of each window."""
    return _rolling(values, length, lambda windows: windows.min(axis=1))


def ema(values: ArrayLike, length: int) -> Column:
    """Return the exponential average, whose newest value weighs 2 / (length + 1)."""
    return _exponential(_column(values), 2 / (_length(length) + 1))


def rsi(values: ArrayLike, length: int = 14) -> Column:
    """Return the relative strength index, 0 to 100, of Wilder's averages; 50 where the price has not moved.

    Source: J. Welles Wilder, New Concepts in Technical Trading Systems (1978).
    """
    column, length = _column(values), _length(length)
    moves = np.diff(column)
    gains = _wilder(np.maximum(moves, 0.0), length)
    total = gains + _wilder(np.maximum(-moves, 0.0), length)
    strength = np.divide(gains, total, out=np.where(np.isnan(total), np.nan, 0.5), where=total > 0)
    return np.concatenate((np.full(min(1, len(column)), np.nan), 100 * strength))


def atr(high: ArrayLike, low: ArrayLike, close: ArrayLike, length: int = 14) -> Column:
    """Return the average true range of candles, by Wilder's average.

    Raises:
        ValueError: the columns have different lengths.
    """
    highs, lows, closes = _column(high), _column(low), _column(close)
    if not len(highs) == len(lows) == len(closes):
        raise ValueError(f"three columns of one length wanted, found {len(highs)}, {len(lows)} and {len(closes)}")
    ranges, before = highs - lows, closes[:-1]
    ranges[1:] = np.maximum.reduce([ranges[1:], np.abs(highs[1:] - before), np.abs(lows[1:] - before)])
    return _wilder(ranges, _length(length))


def _wilder(column: Column, length: int) -> Column:
    """Return Wilder's average, whose newest value weighs 1 / length; it begins with the mean of the first `length`."""
    found = np.full(len(column), np.nan)
    if len(column) >= length:
        begun = np.concatenate(([column[:length].mean()], column[length:]))
        found[length - 1 :] = _exponential(begun, 1 / length)
    return found


def _exponential(column: Column, weight: float) -> Column:
    found = np.empty(len(column))
    newest = float("nan")
    for place, value in enumerate(column.tolist()):
        newest = value if place == 0 else newest + weight * (value - newest)
        found[place] = newest
    return found


def _rolling(values: ArrayLike, length: int, of: Callable[[Any], Any]) -> Column:
    column, length = _column(values), _length(length)
    found = np.full(len(column), np.nan)
    if len(column) >= length:
        found[length - 1 :] = of(np.lib.stride_tricks.sliding_window_view(column, length))
    return found


def _column(values: ArrayLike) -> Column:
    column = np.asarray(values, dtype=np.float64)
    if column.ndim != 1:
        raise ValueError(f"one column of numbers wanted, found {column.ndim} dimensions")
    return column


def _length(length: int) -> int:
    if isinstance(length, bool) or not isinstance(length, int | np.integer) or length < 1:
        raise ValueError(f"a length of at least 1 wanted, found {length!r}")
    return int(length)
