"""The bars that fills met: a large part of what one traded, or a price in it that leapt and came back (pure)."""

from __future__ import annotations

import math
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

    __slots__ = ("fills", "leap", "part", "place", "shares", "volume")

    def __init__(self, symbol: str, bars: Bars, bar: int, fills: Sequence[OrderFilled], *, has_volumes: bool) -> None:
        self.place: Final = f"{symbol} at {second_text(bars.begins[bar])}"
        self.fills: Final = len(fills)
        self.shares: Final = sum(each.quantity for each in fills)
        self.volume: Final = bars.volumes[bar]
        self.part: Final = self.shares / self.volume if self.volume else math.inf if has_volumes else 0.0
        """Of the bar's volume; 0 where the data tells no volume of the symbol."""

        self.leap: Final = "" if is_option(symbol) else _leap(bars, bar)


def _leap(bars: Bars, bar: int) -> str:
    """Return a price in a bar that is far from the close before and the open behind, and those two; empty: none is.

    Of the first bar its own open stands for what was before, of the last one its own close for what is behind.
    """
    before = bars.closes[bar - 1] if bar else bars.opens[bar]
    behind = bars.opens[bar + 1] if bar + 1 < len(bars.opens) else bars.closes[bar]
    high, low = bars.highs[bar], bars.lows[bar]
    is_above, is_below = high > max(before, behind) * (1 + _LEAP), low < min(before, behind) * (1 - _LEAP)
    if not (is_above or is_below):
        return ""
    return f"{high if is_above else low:,.2f} between {before:,.2f} and {behind:,.2f}"


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
        has_volumes = any(bars.volumes)
        in_bar: dict[int, list[OrderFilled]] = {}
        for bar, fill in zip(_holding(bars, [each.occurred_ns for each in of_it]), of_it, strict=True):
            in_bar.setdefault(bar, []).append(fill)
        found += [Met(symbol, bars, bar, in_bar[bar], has_volumes=has_volumes) for bar in sorted(in_bar)]
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
        example = f"{most.place}: {most.shares:,} of {most.volume:,} shares"
        yield (
            f"{sum(each.fills for each in large):,} of {number} took more than a tenth of what the market traded in "
            f"that bar, and are counted at its price ({example})"
        )
    if leapt := [each for each in met if each.leap]:
        yield (
            f"{sum(each.fills for each in leapt):,} of {number} met a bar whose price leapt and came back, as by a "
            f"wrong price in the data ({leapt[0].place}: {leapt[0].leap})"
        )
