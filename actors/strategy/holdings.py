"""What a strategy holds, by its own fills (plain)."""

from __future__ import annotations

from typing import Final

from ...messages.orders import OrderFilled

ORDERS_REMEMBERED_MAX: Final = 10_000
"""Orders of which a repeated fill is recognised; the oldest is forgotten first."""


class Holdings:
    """Signed shares by symbol. Facts are delivered at least once: each fill counts once.

    The fills of one order come in sequence and its `cumulative_quantity` grows with each, so one that does not go
    beyond what was seen is a repeat.
    """

    def __init__(self) -> None:
        self._shares: dict[str, int] = {}
        self._filled: dict[str, int] = {}

    def add(self, fill: OrderFilled) -> bool:
        """Count the fill; False if it was counted before."""
        if fill.cumulative_quantity <= self._filled.get(fill.client_order_id, 0):
            return False
        self._filled[fill.client_order_id] = fill.cumulative_quantity
        if len(self._filled) > ORDERS_REMEMBERED_MAX:
            del self._filled[next(iter(self._filled))]
        signed = fill.quantity if fill.side == "BUY" else -fill.quantity
        self._shares[fill.symbol] = self._shares.get(fill.symbol, 0) + signed
        return True

    def shares(self, symbol: str) -> int:
        """Return the signed shares held; 0 for a symbol never traded."""
        return self._shares.get(symbol, 0)
