"""The bars that fills met: a large part of what one traded, or a price in it that leapt and came back (pure)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from ...domain.booked import is_booked
from ...domain.instruments import is_option
from ...domain.time import second_text
from ...domain.wording import counted

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ...messages.orders import OrderFilled
    from .curve import Bars, Marks

_PART_MAX: Final = 0.1
"""Of the shares that a bar traded: who takes more of them moves the price that he is counted at."""

_LEAP: Final = 0.2
"""Of the price: the widest band that the exchanges let a share move in on one day."""


class Met:
    """The fills in one bar."""

    __slots__ = ("bar", "bars", "fills", "shares", "symbol")

    def __init__(self, symbol: str, bars: Bars, bar: int, fills: Sequence[OrderFilled]) -> None:
        self.symbol: Final = symbol
        self.bars: Final = bars
        self.bar: Final = bar
        self.fills: Final = len(fills)
        self.shares: Final = sum(each.quantity for each in fills)

    @property
    def part(self) -> float:
        """Of the bar's volume; 0 where the data tells no volume of the symbol."""
        if volume := self.bars.volumes[self.bar]:
            return self.shares / volume
        return float("inf") if any(self.bars.volumes) else 0.0

    @property
    def leap(self) -> str:
        """A price in it that is far from the close before and the open behind, and those two; empty: there is none.

        Of the first bar its own open stands for what was before, of the last one its own close for what is behind.
        """
        bars, bar = self.bars, self.bar
        before = bars.closes[bar - 1] if bar else bars.opens[bar]
        behind = bars.opens[bar + 1] if bar + 1 < len(bars.opens) else bars.closes[bar]
        if is_option(self.symbol):
            return ""
        for price, is_far in (
            (bars.highs[bar], bars.highs[bar] > max(before, behind) * (1 + _LEAP)),
            (bars.lows[bar], bars.lows[bar] < min(before, behind) * (1 - _LEAP)),
        ):
            if is_far:
                return f"{price:,.2f} between {before:,.2f} and {behind:,.2f}"
        return ""

    @property
    def place(self) -> str:
        """Symbol and beginning."""
        return f"{self.symbol} at {second_text(self.bars.begins[self.bar])}"


def bars_met(fills: Sequence[OrderFilled], marks: Marks) -> tuple[Met, ...]:
    """Return the bars in which something was traded, by symbol and time.

    Args:
        fills: all of them; one that was booked without an order (an expiry) met no bar.
        marks: the prices, and the volumes.
    """
    by_symbol: dict[str, list[OrderFilled]] = {}
    for fill in fills:
        if not is_booked(fill.trade_id):
            by_symbol.setdefault(fill.symbol, []).append(fill)
    found: list[Met] = []
    for symbol in sorted(by_symbol):
        bars, of_it = marks.bars[symbol], by_symbol[symbol]
        in_bar: dict[int, list[OrderFilled]] = {}
        for bar, fill in zip(_holding(bars, [each.occurred_ns for each in of_it]), of_it, strict=True):
            in_bar.setdefault(bar, []).append(fill)
        found += [Met(symbol, bars, bar, in_bar[bar]) for bar in sorted(in_bar)]
    return tuple(found)


def _holding(bars: Bars, times_ns: Sequence[int]) -> list[int]:
    """Return the number of the bar that each time falls in: the last one that had begun."""
    found = np.searchsorted(np.frombuffer(bars.begins, np.int64), np.array(times_ns, np.int64), side="right") - 1
    return [max(int(each), 0) for each in found]


def doubts_of_bars(met: Sequence[Met]) -> Iterator[str]:
    """Yield what to know of fills that no market would have given like that."""
    number = counted(sum(each.fills for each in met), "fill")
    if large := [each for each in met if each.part > _PART_MAX]:
        most = max(large, key=lambda each: each.part)
        example = f"{most.place}: {most.shares:,} of {most.bars.volumes[most.bar]:,} shares"
        yield (
            f"{sum(each.fills for each in large):,} of {number} took more than a tenth of what the market traded in "
            f"that bar, and are counted at its price ({example})"
        )
    if leapt := [each for each in met if each.leap]:
        yield (
            f"{sum(each.fills for each in leapt):,} of {number} met a bar whose price leapt and came back, as by a "
            f"wrong price in the data ({leapt[0].place}: {leapt[0].leap})"
        )
