"""What a strategy holds, by its own fills (plain)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from ...messages.orders import OrderFilled

ORDERS_REMEMBERED_MAX: Final = 10_000
"""Orders whose fills are counted; the oldest is forgotten first."""


class Holdings:
    """Signed shares by symbol. Facts are delivered at least once: each fill counts once.

    It begins with what the book of record says (see `HoldingsRead`). From then on only the orders that were open there,
    and those announced by `expect`, may change it: a fill of any other order is a late delivery of what the book has.
    The `cumulative_quantity` of an order grows with each fill: one that does not go beyond what was seen is a repeat.
    """

    def __init__(self, shares: Mapping[str, int], filled: Mapping[str, int]) -> None:
        """Begin with signed shares by symbol, and shares filled by client order id of the open orders."""
        self._shares = dict(shares)
        self._filled = dict(filled)

    def expect(self, client_order_id: str) -> None:
        """Announce a new order."""
        self._filled[client_order_id] = 0
        if len(self._filled) > ORDERS_REMEMBERED_MAX:
            del self._filled[next(iter(self._filled))]

    def add(self, fill: OrderFilled) -> bool:
        """Count what is new of the order; False if all of it was counted before."""
        seen = self._filled.get(fill.client_order_id)
        if seen is None or fill.cumulative_quantity <= seen:
            return False
        self._filled[fill.client_order_id] = fill.cumulative_quantity
        news = fill.cumulative_quantity - seen
        self._shares[fill.symbol] = self.shares(fill.symbol) + (news if fill.side == "BUY" else -news)
        return True

    def shares(self, symbol: str) -> int:
        """Return the signed shares held; 0 for a symbol never traded."""
        return self._shares.get(symbol, 0)
