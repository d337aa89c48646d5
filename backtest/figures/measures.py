"""The measures of a backtest: formulas over returns, values and results of trades (pure, each a few lines).

Where a measure has no meaning (no losses, no spread, one day) it is None: no number, and none that flatters. Returns
are fractions a day: 0.01 is one percent. A year has 252 trading days, as everywhere in this trade; where returns are of
weeks, or days are missing, it has fewer of them (`returns_a_year`). Risk-free interest counts as 0. The formulas are
those of empyrical, with which the tests compare them.
"""

from __future__ import annotations

import functools
import math
from statistics import NormalDist
from typing import TYPE_CHECKING, Final, TypeAlias

import numpy as np

from ...domain.calendar import TRADING_DAYS_A_YEAR

if TYPE_CHECKING:
    from collections.abc import Sequence
    from decimal import Decimal

    from numpy.typing import NDArray

    Floats: TypeAlias = NDArray[np.float64]
    Integers: TypeAlias = NDArray[np.int64]
    Booleans: TypeAlias = NDArray[np.bool_]

_DEVIATIONS: Final = np.linspace(-8.0, 8.0, 1_601)
"""Over which the density of normal values is summed."""

_FLAT: Final = 1e-12
"""A spread of returns below this is rounding."""


def returns_of(values: Floats, start: float) -> Floats:
    """Return the change of each value against the one before, the first against `start`, as fractions.

    A value of 0 or less has no return after it: that return, and all later ones, are left out.
    """
    before = np.concatenate(([start], values[:-1]))
    ruined = np.flatnonzero(before <= 0)
    end = int(ruined[0]) if len(ruined) else len(values)
    return values[:end] / before[:end] - 1.0


def returns_a_year(count: int, trading_days: int) -> float:
    """Return how many returns a year has, given `count` returns in so many trading days of the exchange."""
    return TRADING_DAYS_A_YEAR * min(1.0, count / max(1, trading_days))


def cagr(returns: Floats, a_year: float = TRADING_DAYS_A_YEAR) -> float | None:
    """Return the growth a year; None without a day, -1.0 where all was lost."""
    if not len(returns):
        return None
    grown = max(0.0, float(np.prod(1.0 + returns)))
    return float(grown ** (a_year / len(returns)) - 1.0)


def sharpe(returns: Floats, a_year: float = TRADING_DAYS_A_YEAR) -> float | None:
    """Return the mean by the standard deviation (of a sample), a year."""
    if len(returns) < 2:  # noqa: PLR2004  a spread needs two
        return None
    spread = float(np.std(returns, ddof=1))
    return None if spread < _FLAT else float(np.mean(returns)) / spread * math.sqrt(a_year)


def sharpe_error(returns: Floats, a_year: float = TRADING_DAYS_A_YEAR) -> float | None:
    """Return the standard error of `sharpe`: how far chance alone moves it (Lo, 2002, for independent returns)."""
    found = sharpe(returns, a_year)
    return None if found is None else math.sqrt((a_year + found**2 / 2) / len(returns))


def sharpe_of_chance(sharpes: Sequence[float]) -> float | None:
    """Return the Sharpe ratio that the best of as many choices without skill would show, if they scatter as these do.

    It is the expected greatest of so many independent normal values (after Bailey and Lopez de Prado, 2014, but exact
    for few of them, too). None: fewer than two.
    """
    count = len(sharpes)
    if count < 2:  # noqa: PLR2004  a spread needs two
        return None
    # The deviation of a few values is too small on average by this (c4).
    bias = math.sqrt(2 / (count - 1)) * math.exp(math.lgamma(count / 2) - math.lgamma((count - 1) / 2))
    return float(np.std(sharpes, ddof=1)) / bias * _greatest_of(count)


@functools.cache
def _greatest_of(count: int) -> float:
    """Return the expected greatest of so many independent normal values, in standard deviations."""
    below = np.array([NormalDist().cdf(each) for each in _DEVIATIONS]) ** count
    return float(np.sum(np.diff(below) * (_DEVIATIONS[1:] + _DEVIATIONS[:-1]) / 2))


def sortino(returns: Floats, a_year: float = TRADING_DAYS_A_YEAR) -> float | None:
    """Return the mean by the root of the mean square of losses (gains count as 0), a year."""
    if len(returns) < 2:  # noqa: PLR2004  as above
        return None
    downside = math.sqrt(float(np.mean(np.minimum(returns, 0.0) ** 2)))
    return None if downside < _FLAT else float(np.mean(returns)) / downside * math.sqrt(a_year)


def volatility(returns: Floats, a_year: float = TRADING_DAYS_A_YEAR) -> float | None:
    """Return the standard deviation of returns, a year."""
    if len(returns) < 2:  # noqa: PLR2004  as above
        return None
    return float(np.std(returns, ddof=1)) * math.sqrt(a_year)


def drawdowns(values: Floats, start: float) -> Floats:
    """Return by how much each value is below the highest before it, `start` included: fractions, 0 or below."""
    peaks = np.maximum.accumulate(np.concatenate(([start], values)))[1:]
    return values / peaks - 1.0


def max_drawdown(values: Floats, start: float) -> float:
    """Return the deepest drawdown (a fraction, 0 or below); 0.0 without any."""
    return float(np.min(drawdowns(values, start), initial=0.0))


def longest_drawdown_ns(times_ns: Integers, values: Floats, start: float) -> int:
    """Return the longest time from a peak until a value is as high again, or until the end."""
    if not len(values):
        return 0
    peaks = np.maximum.accumulate(np.concatenate(([start], values)))[1:]
    at_peak = values >= peaks
    newest = np.maximum.accumulate(np.where(at_peak, times_ns, times_ns[0]))
    before = np.concatenate((newest[:1], newest[:-1]))
    was_under = np.concatenate(([False], ~at_peak[:-1]))
    return int(np.max(np.where(at_peak & ~was_under, 0, times_ns - before)))


def calmar(growth: float | None, deepest: float) -> float | None:
    """Return the growth a year by the deepest drawdown."""
    return None if growth is None or deepest >= 0 else growth / -deepest


def win_rate(results: Sequence[Decimal]) -> float | None:
    """Return the fraction of results above 0."""
    return sum(result > 0 for result in results) / len(results) if results else None


def profit_factor(results: Sequence[Decimal]) -> float | None:
    """Return the sum of gains divided by the sum of losses; None without a loss."""
    lost = -sum(result for result in results if result < 0)
    return float(sum(result for result in results if result > 0) / lost) if lost else None


def expectancy(results: Sequence[Decimal]) -> float | None:
    """Return the mean of the results: rupees a trade."""
    return float(sum(results) / len(results)) if results else None
