"""How a stop order is sent: what the exchange calls it, and the limit it gets where none may be without one.

The problem: since market price protection, Dhan drops the trigger of a STOP_LOSS_MARKET, and the order fills at once.
So a STOP leaves as a STOP_LOSS, whose limit lies a little beyond its trigger. The trap: a market that jumps over the
limit leaves the order in the book, unfilled, while the loss goes on; a wide limit costs nothing where the market is
there, since the order trades at the best price, not at its limit.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from .instruments import price_away

if TYPE_CHECKING:
    from ..messages.broker import ExchangeOrderType
    from ..messages.orders import OrderType, Side
    from .instruments import PriceGrid

_EXCHANGE_TYPES: Final[dict[OrderType, ExchangeOrderType]] = {
    "MARKET": "MARKET",
    "LIMIT": "LIMIT",
    "STOP": "STOP_LOSS_MARKET",
    "STOP_LIMIT": "STOP_LOSS",
}


def exchange_type(order_type: OrderType) -> ExchangeOrderType:
    """Return the exchange's name of an order type."""
    return _EXCHANGE_TYPES[order_type]


def limit_of_stop(grid: PriceGrid, *, side: Side, trigger_price: float, offset_percent: float) -> float:
    """Return the limit (rupees, on the grid) of a STOP that must have one: so far beyond its trigger, at least a tick.

    Where there is no price below a trigger, at one tick, it is the trigger itself.
    """
    tick_size = grid.tick_size_rupees
    if side == "BUY":
        return max(price_away(grid, trigger_price, offset_percent), grid.nearest(trigger_price + tick_size))
    return max(
        min(price_away(grid, trigger_price, -offset_percent), grid.nearest(trigger_price - tick_size)), tick_size
    )
