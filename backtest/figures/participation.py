"""Fills that were a large part of what the market traded: more than it gives at one price (pure)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec
import numpy as np

from ...domain.booked import is_booked
from ...domain.time import second_text
from ...domain.wording import counted

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ...messages.orders import OrderFilled
    from .curve import Bars, Marks

_PART_MAX: Final = 0.1
"""Of the shares that a bar traded: who takes more of them moves the price that he is counted at."""


class _Taken(msgspec.Struct, frozen=True):
    """What all fills in one bar took of it."""

    symbol: str
    begin_ns: int
    fills: int
    shares: int
    volume: int

    @property
    def part(self) -> float:
        return self.shares / self.volume if self.volume else float("inf")


def participation_of(fills: Sequence[OrderFilled], marks: Marks) -> Iterator[str]:
    """Yield what to know of fills that took more than a tenth of what their bar traded, where the data has volumes.

    Args:
        fills: all of them; one that was booked without an order (an expiry) took nothing of the market.
        marks: the prices, and the volumes.
    """
    of_orders: dict[str, list[OrderFilled]] = {}
    for fill in fills:
        if not is_booked(fill.trade_id):
            of_orders.setdefault(fill.symbol, []).append(fill)
    taken = (each for symbol in sorted(of_orders) for each in _taken(symbol, of_orders[symbol], marks.bars[symbol]))
    large = [each for each in taken if each.part > _PART_MAX]
    if large:
        most = max(large, key=lambda each: each.part)
        number = sum(each.fills for each in large)
        fills_there_are = counted(sum(map(len, of_orders.values())), "fill")
        example = f"{most.symbol} at {second_text(most.begin_ns)}: {most.shares:,} of {most.volume:,} shares"
        yield (
            f"{number:,} of {fills_there_are} took more than a tenth of what the market traded in that bar, and are "
            f"counted at its price ({example})"
        )


def _taken(symbol: str, fills: Sequence[OrderFilled], bars: Bars) -> Iterator[_Taken]:
    """Yield what was taken of each bar in which something was; nothing, if the data tells no volumes."""
    begins, volumes = np.array(bars.begins, np.int64), np.array(bars.volumes, np.int64)
    if not volumes.any():
        return
    at = np.searchsorted(begins, [each.occurred_ns for each in fills], side="right") - 1
    shares = np.array([each.quantity for each in fills], np.int64)
    for bar in np.unique(at).tolist():
        is_in_it = at == bar
        yield _Taken(symbol, int(begins[bar]), int(is_in_it.sum()), int(shares[is_in_it].sum()), int(volumes[bar]))
