"""The technical indicators of Dhan's conditional orders, by its names: columns of closed candles in, a column out.

Dhan names them and no formula, so each is the one that charts show most. A value is NaN until its window is full:

    SMA_n, EMA_n           of closes
    BB_UPPER, BB_LOWER     average of 20 closes, and two standard deviations of these (n, not n - 1), above and below
    RSI_14, ATR_14         Wilder's: averages that begin with the mean of 14
    STOCHASTIC             %K of 14 candles, not smoothed: where the close is between their lowest and highest price
    STOCHRSI_14            where RSI_14 is between its lowest and highest of 14 candles
    MACD_12, MACD_26       the short and the long average of MACD: EMA of 12 and of 26 closes
    MACD_HIST              their difference, less its EMA of 9

Where something is between two others goes from 0 to 100; where these are equal, the middle (50) is told.
"""

from __future__ import annotations

import functools
import math
from typing import TYPE_CHECKING, Final, TypeAlias

import numpy as np

from ..indicators import atr, ema, highest, lowest, rsi, sma

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import ArrayLike

    from ..indicators import Column

Formula: TypeAlias = "Callable[[Column, Column, Column], Column]"
"""Of columns of highs, lows and closes: rupees."""

_AVERAGES: Final = (5, 10, 20, 50, 100, 200)
_BAND, _WIDTH = 20, 2.0
_WINDOW: Final = 14
_NOISE: Final = 1e-9
"""What the arithmetic of floats may make of two equal values."""
_SHORT, _LONG, _SIGNAL = 12, 26, 9
_FORGOTTEN: Final = 1e-4


def values_of(name: str, high: ArrayLike, low: ArrayLike, close: ArrayLike) -> Column:
    """Return an indicator at each candle, the oldest first; NaN where there are too few before it.

    Raises:
        KeyError: there is no indicator of that name.
    """
    formula = FORMULAS[name]
    return formula(*(np.asarray(each, dtype=np.float64) for each in (high, low, close)))


def settles_in(name: str) -> int:
    """Return after how many candles what was before the first of them weighs less than a ten-thousandth.

    An average that never forgets (EMA, Wilder's) is another for whoever has seen other candles; windows are exact.
    """
    return _SETTLES.get(name, 0)


def _ema(length: int, _high: Column, _low: Column, close: Column) -> Column:
    return _known(ema(close, length), length)


def _sma(length: int, _high: Column, _low: Column, close: Column) -> Column:
    return sma(close, length)


def _band(widths: float, _high: Column, _low: Column, close: Column) -> Column:
    found = sma(close, _BAND)
    if len(close) >= _BAND:
        windows = np.lib.stride_tricks.sliding_window_view(close, _BAND)
        found[_BAND - 1 :] += widths * windows.std(axis=1)
    return found


def _stochastic(high: Column, low: Column, close: Column) -> Column:
    return _place(close, lowest(low, _WINDOW), highest(high, _WINDOW))


def _stochastic_rsi(_high: Column, _low: Column, close: Column) -> Column:
    found, strength = np.full(len(close), np.nan), rsi(close, _WINDOW)[_WINDOW:]
    found[_WINDOW:] = _place(strength, lowest(strength, _WINDOW), highest(strength, _WINDOW))
    return found


def _histogram(_high: Column, _low: Column, close: Column) -> Column:
    line = ema(close, _SHORT) - ema(close, _LONG)
    return _known(line - ema(line, _SIGNAL), _LONG + _SIGNAL - 1)


def _place(value: Column, least: Column, most: Column) -> Column:
    """Return where a value is between two others: 0 to 100."""
    width = most - least
    return 100 * np.divide(value - least, width, out=np.where(np.isnan(width), np.nan, 0.5), where=width > _NOISE)


def _known(column: Column, length: int) -> Column:
    column[: length - 1] = np.nan
    return column


FORMULAS: Final[dict[str, Formula]] = {
    **{f"SMA_{length}": functools.partial(_sma, length) for length in _AVERAGES},
    **{f"EMA_{length}": functools.partial(_ema, length) for length in _AVERAGES},
    "BB_UPPER": functools.partial(_band, _WIDTH),
    "BB_LOWER": functools.partial(_band, -_WIDTH),
    "RSI_14": lambda _high, _low, close: rsi(close, _WINDOW),
    "ATR_14": lambda high, low, close: atr(high, low, close, _WINDOW),
    "STOCHASTIC": _stochastic,
    "STOCHRSI_14": _stochastic_rsi,
    "MACD_12": functools.partial(_ema, _SHORT),
    "MACD_26": functools.partial(_ema, _LONG),
    "MACD_HIST": _histogram,
}


def _forgets(share: float) -> int:
    """Return how many candles it takes where each new one has a share of the average."""
    return math.ceil(math.log(_FORGOTTEN) / math.log(1 - share))


def _forgets_ema(length: int) -> int:
    return _forgets(2 / (length + 1))


_SETTLES: Final[dict[str, int]] = {
    **{f"EMA_{length}": _forgets_ema(length) for length in _AVERAGES},
    "RSI_14": _WINDOW + _forgets(1 / _WINDOW),
    "ATR_14": _WINDOW + _forgets(1 / _WINDOW),
    "STOCHRSI_14": 2 * _WINDOW + _forgets(1 / _WINDOW),
    "MACD_12": _forgets_ema(_SHORT),
    "MACD_26": _forgets_ema(_LONG),
    "MACD_HIST": _forgets_ema(_LONG) + _forgets_ema(_SIGNAL),
}
