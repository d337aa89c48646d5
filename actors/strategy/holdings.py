"""What a strategy holds, by its own fills (plain)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from ...messages.orders import OrderFilled

ENDED_REMEMBERED_MAX: Final = 10_000
"""Orders that have ended and whose late fills still count; the one that ended first is forgotten first."""


class Holdings:
    """Signed shares by symbol. Facts are delivered at least once: each fill counts once.

    It begins with what the book of record says (see `HoldingsRead`). From then on only the orders that were open there,
    and those announced by `expect`, may change it: a fill of any other order is a late delivery of what the book has.
    The `cumulative_quantity` of an order grows with each fill: one that does not go beyond what was seen is a repeat.
    """

    def __init__(self, shares: Mapping[str, int], filled: Mapping[str, int]) -> None:
        """Begin with signed shares by symbol, and shares filled by client order id of the open orders."""
        self._shares = dict(shares)
        self._open = dict(filled)
        self._quantities: dict[str, int] = {}
        self._ended: dict[str, int] = {}

    def expect(self, client_order_id: str, quantity: int) -> None:
        """Announce a new order of so many shares. It is not forgotten before it has ended."""
        self._open[client_order_id] = 0
        self._quantities[client_order_id] = quantity

    def end(self, client_order_id: str) -> None:
        """Note that no more is expected of an order. A fill that comes nevertheless counts: trades stand first."""
        filled = self._open.pop(client_order_id, None)
        self._quantities.pop(client_order_id, None)
        if filled is None:
            return
        self._ended[client_order_id] = filled
        if len(self._ended) > ENDED_REMEMBERED_MAX:
            del self._ended[next(iter(self._ended))]

    def add(self, fill: OrderFilled) -> bool:
        """Count what is new of the order; False if all of it was counted before."""
        client_order_id, cumulative = fill.client_order_id, fill.cumulative_quantity
        known = self._open if client_order_id in self._open else self._ended
        seen = known.get(client_order_id)
        if seen is None or cumulative <= seen:
            return False
        known[client_order_id] = cumulative
        if cumulative >= self._quantities.get(client_order_id, cumulative + 1):
            self.end(client_order_id)
        news = cumulative - seen
        self._shares[fill.symbol] = self.shares(fill.symbol) + (news if fill.side == "BUY" else -news)
        return True

    def shares(self, symbol: str) -> int:
        """Return the signed shares held; 0 for a symbol never traded."""
        return self._shares.get(symbol, 0)
