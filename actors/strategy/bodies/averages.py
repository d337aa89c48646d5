"""Two moving averages and their crossings (pure)."""

from __future__ import annotations

from collections import deque
from typing import Final, Literal, TypeAlias

Crossing: TypeAlias = Literal["ABOVE", "BELOW", ""]

_GRAINS: Final = 10_000
"""Prices are held as integers of 0.0001 rupees, so that the running sums are exact."""


class CrossingAverages:
    """Reports when the average of the last `fast` prices crosses the average of the last `slow` prices.

    Each price costs two additions and two subtractions, however long the averages are. There is no crossing before
    `slow` prices are known, nor at the first comparison, which only shows the initial side. Equal averages leave the
    side as it was.

    Raises:
        ValueError: not 1 <= fast < slow.
    """

    def __init__(self, *, fast: int, slow: int) -> None:
        if not 1 <= fast < slow:
            raise ValueError(f"1 <= fast < slow wanted, found fast={fast}, slow={slow}")
        self._fast: Final = fast
        self._slow: Final = slow
        self._fast_prices: deque[int] = deque()
        self._slow_prices: deque[int] = deque()
        self._fast_sum = 0
        self._slow_sum = 0
        self._side: Crossing = ""

    def add(self, price: float) -> Crossing:
        """Add the next price (rupees); return ABOVE or BELOW if the fast average has just crossed to that side."""
        grains = round(price * _GRAINS)
        fast, slow = self._fast_prices, self._slow_prices
        fast.append(grains)
        slow.append(grains)
        self._fast_sum += grains
        self._slow_sum += grains
        if len(fast) > self._fast:
            self._fast_sum -= fast.popleft()
        if len(slow) > self._slow:
            self._slow_sum -= slow.popleft()
        elif len(slow) < self._slow:
            return ""
        difference = self._fast_sum * self._slow - self._slow_sum * self._fast
        side: Crossing = "ABOVE" if difference > 0 else "BELOW" if difference < 0 else self._side
        if side == self._side:
            return ""
        was, self._side = self._side, side
        return side if was else ""
