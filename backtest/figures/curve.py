"""The equity curve: what the account was worth at each mark of the market, and behind each fill (numpy, pure).

A mark is a price of a symbol at a time: the close of each candle, or the last tick of each minute. What is bought and
sold between two marks is seen by its fills alone, so each of them is a price of its symbol, too. Between its prices a
symbol is worth its newest one; what is traded counts at once. Sums are of 64-bit floats; the final amounts of the
report are exact, and computed from the trades.
"""

from __future__ import annotations

import bisect
from array import array
from typing import TYPE_CHECKING, Final

import numpy as np

from ...domain.time import DAY_NS, IST_OFFSET_NS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from decimal import Decimal

    from ...messages.orders import OrderFilled
    from .measures import Booleans, Floats, Integers


class Bars:
    """The prices of one symbol, bar by bar, as columns.

    The beginning of each and its end (`times`): nanoseconds since 1970-01-01 UTC; rupees; and the shares that were
    traded in it, 0 where the data does not say.
    """

    __slots__ = ("are_candles", "begins", "closes", "highs", "lows", "opens", "times", "volumes")

    def __init__(self, *, are_candles: bool = False) -> None:
        self.are_candles: Final = are_candles
        """Whether the data has these bars, and no prices between their four."""

        self.begins: Final = array("q")
        self.times: Final = array("q")
        self.opens: Final = array("d")
        self.highs: Final = array("d")
        self.lows: Final = array("d")
        self.closes: Final = array("d")
        self.volumes: Final = array("q")

    def add(  # noqa: PLR0913  the columns of a bar
        self, end_ns: int, open_: float, high: float, low: float, close: float, *, begin_ns: int = 0, volume: int = 0
    ) -> None:
        """Add the newest bar."""
        self.begins.append(begin_ns)
        self.times.append(end_ns)
        self.opens.append(open_)
        self.highs.append(high)
        self.lows.append(low)
        self.closes.append(close)
        self.volumes.append(volume)

    def is_inside(self, first_ns: int, last_ns: int) -> bool:
        """Whether two times are in one bar, behind its open and no later than its end."""
        bar = bisect.bisect_left(self.begins, first_ns) - 1
        return bar >= 0 and first_ns <= last_ns <= self.times[bar]


class Marks:
    """The prices of the market by symbol, as the feed saw them: times (ns since 1970-01-01 UTC) and rupees.

    A mark is the close of a bar, at its end.
    """

    def __init__(self, bars: Mapping[str, Bars]) -> None:
        self.bars: Final = bars
        self.times: Final = {name: np.frombuffer(each.times, np.int64) for name, each in bars.items()}
        self.prices: Final = {name: np.frombuffer(each.closes, np.float64) for name, each in bars.items()}

    @property
    def last_prices(self) -> dict[str, float]:
        """Rupees, by symbol."""
        return {name: float(prices[-1]) for name, prices in self.prices.items() if len(prices)}


class Curve:
    """Times and values, equally long; see the module."""

    def __init__(self, times_ns: Integers, equity: Floats, held: Floats, at_mark: Booleans) -> None:
        self.times_ns: Final = times_ns
        """Nanoseconds since 1970-01-01 UTC, each once, in order."""

        self.equity: Final = equity
        """Rupees."""

        self.held: Final = held
        """Rupees: the value of all positions, short ones counted as long."""

        self.at_mark: Final = at_mark
        """Whether the market has a mark at this time; else it is the time of a fill alone."""

    def daily(self) -> tuple[Integers, Floats]:
        """Return the days in India (since 1970-01-01), and the last value of each."""
        days = (self.times_ns + IST_OFFSET_NS) // DAY_NS
        last = np.flatnonzero(np.append(days[1:] != days[:-1], True)) if len(days) else np.zeros(0, np.int64)
        return days[last], self.equity[last]

    @property
    def ruined_ns(self) -> int | None:
        """The first time at which the account was worth nothing or less; None: never."""
        at = np.flatnonzero(self.equity <= 0)
        return int(self.times_ns[at[0]]) if len(at) else None

    @property
    def leverage_max(self) -> float | None:
        """The largest value held, in multiples of the account's; None: nothing held, or the account lost."""
        at = np.flatnonzero(self.held > 0)
        if not len(at) or self.ruined_ns is not None:
            return None
        return float(np.max(self.held[at] / self.equity[at]))

    @property
    def exposure(self) -> float | None:
        """The fraction of marks at which a position was held, or at any time since the mark before; None: no marks."""
        marked = np.flatnonzero(self.at_mark)
        if not len(marked):
            return None
        was_held = self.held[: marked[-1] + 1] > 0
        since = np.logical_or.reduceat(was_held, np.concatenate(([0], marked[:-1] + 1)))
        carried = np.concatenate(([False], was_held[marked[:-1]]))
        return float(np.mean(since | carried))


def curve_of(marks: Marks, fills: Sequence[OrderFilled], costs: Sequence[Decimal], *, capital_rupees: float) -> Curve:
    """Return the curve at every time at which any symbol has a mark or a fill.

    Args:
        marks: of every symbol that is traded.
        fills: in the order of time.
        costs: the charges of each, in rupees.
        capital_rupees: what the account had at the start.
    """
    marked = np.unique(np.concatenate([np.zeros(0, np.int64), *marks.times.values()]))
    times = np.union1d(marked, np.array([fill.occurred_ns for fill in fills], np.int64))
    equity, held = np.full(len(times), capital_rupees), np.zeros(len(times))
    by_symbol: dict[str, list[tuple[int, int, float, float]]] = {}
    for fill, cost in zip(fills, costs, strict=True):
        shares = fill.quantity if fill.side == "BUY" else -fill.quantity
        traded = (fill.occurred_ns, shares, -shares * fill.price - float(cost), fill.price)
        by_symbol.setdefault(fill.symbol, []).append(traded)
    for symbol, trades in by_symbol.items():
        at_ns = np.array([each[0] for each in trades], np.int64)
        position = np.concatenate(([0.0], np.cumsum([each[1] for each in trades])))
        cash = np.concatenate(([0.0], np.cumsum([each[2] for each in trades])))
        so_far = np.searchsorted(at_ns, times, side="right")
        # Of a fill and a mark at one time the mark is the newer: the sort is stable.
        priced_ns = np.concatenate((at_ns, marks.times[symbol]))
        prices = np.concatenate(([each[3] for each in trades], marks.prices[symbol]))
        in_order = np.argsort(priced_ns, kind="stable")
        known = np.maximum(np.searchsorted(priced_ns[in_order], times, side="right") - 1, 0)
        value = position[so_far] * prices[in_order][known]
        equity += cash[so_far] + value
        held += np.abs(value)
    return Curve(times, equity, held, at_mark=np.isin(times, marked, assume_unique=True))
