"""Prices of packets, 32-bit floats on the way, on the tick grid again; and what a packet says that cannot be."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from .....domain.dhan.streams.packets import PacketError
from .....messages.units import RUPEES_MAX

if TYPE_CHECKING:
    from .....domain.instruments import PriceGrid

PRICES_MAX: Final = 200_000
"""Prices that a table keeps before it is emptied: a few megabytes, and far more than a day has."""


class ContentError(PacketError):
    """What a packet says cannot be."""


class PriceError(ContentError):
    """A price of a packet is none: not finite, below zero, or above all prices."""


class OnGrid(dict[float, float]):
    """From a price as it came to that on the grid; `table[price]`. One for all instruments of a tick size."""

    def __init__(self, grid: PriceGrid) -> None:
        """Begin empty."""
        super().__init__()
        self._nearest: Final = grid.nearest

    def __missing__(self, price: float) -> float:
        """Round a price that was not seen yet, and keep it.

        Raises:
            PriceError: it is none.
        """
        if not 0 <= price <= RUPEES_MAX:  # true for NaN as well
            raise PriceError(f"a price from 0 to {RUPEES_MAX:g} rupees wanted, found {price}")
        if len(self) >= PRICES_MAX:
            self.clear()
        found = self[price] = self._nearest(price)
        return found
