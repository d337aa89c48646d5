"""How many candles of the time before a backtest its strategies want (pure)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ...actors.strategy import load_strategy
from ...domain.candles import interval_of
from ...domain.time import DAY_NS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

OPEN_SHARE: Final = 6
"""Candles of so many times their length hold as many as wanted,"""

PAUSE_NS: Final = 5 * DAY_NS
"""and so much more, for nights and holidays."""


def bars_wanted(strategies: Iterable[str]) -> dict[int, int]:
    """Return how many candles of each length (ns) the strategies (`module:Class`) want, the most that any wants.

    Raises:
        StrategyNotFoundError, StrategyBrokenError: one cannot be loaded.
    """
    found: dict[int, int] = {}
    for each in strategies:
        for interval, bars in load_strategy(each).warm_up.items():
            interval_ns = interval_of(interval)
            found[interval_ns] = max(bars, found.get(interval_ns, 0))
    return found


def past_ns(bars: Mapping[int, int]) -> int:
    """Return how far behind the beginning so many candles lie, as a rule: markets are open a fifth of a week."""
    return max((count * interval_ns * OPEN_SHARE + PAUSE_NS for interval_ns, count in bars.items()), default=0)
