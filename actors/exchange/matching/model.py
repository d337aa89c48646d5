"""How fills are modelled, where the recording does not say: the choices, and what each does to a backtest.

The reasons, and the direction in which each errs: docs/decisions/0016.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Self, TypeAlias

import msgspec

from ....domain.time import SECOND_NS

if TYPE_CHECKING:
    from ....config.sections.exchange import ExchangeSettings
    from ....domain.instruments import PriceGrid
    from ....messages.orders import Side

QueuePosition: TypeAlias = Literal["last", "shown", "first"]
"""Of an order that rests: behind all others at its price, whoever they are (`last`); behind the quantity that the book
showed when it arrived (`shown`); before all others (`first`)."""


class FillModel(msgspec.Struct, frozen=True, kw_only=True):
    """The defaults are those that flatter least, save latency, which only the user knows."""

    queue_position: QueuePosition = "last"
    """Decides what a trade at the very limit of a resting order gives it: nothing, what is left of it behind the queue,
    or all of it."""

    latency_ns: int = 0
    """From the order until it is in the book: it meets no tick before."""

    shown_share: float = 1.0
    """Of the quantity shown at a level, or traded: the part that an order of ours may have; above 0, at most 1."""

    protection_percent: float = 0.0
    """Market price protection: a MARKET order is a limit order this far from the last price; 0: it has no limit."""

    slippage_percent: float = 0.0
    """Of the price, by which an order trades worse than what it meets when it comes; a limit holds all the same."""

    slippage_ticks: int = 0
    """The same, in multiples of the tick size; of both the sum, rounded to the worse price."""

    @classmethod
    def of(cls, settings: ExchangeSettings) -> Self:
        """Return the model that the settings choose."""
        return cls(
            queue_position=settings.queue_position,
            latency_ns=round(settings.order_latency_s * SECOND_NS),
            shown_share=settings.shown_share,
            protection_percent=settings.market_protection_percent,
            slippage_percent=settings.slippage_percent,
            slippage_ticks=settings.slippage_ticks,
        )

    def slipped(self, price: float, side: Side, *, limit_price: float | None, grid: PriceGrid) -> float:
        """Return what an order that has just come pays (or gets) where so much is offered: rupees; its limit holds."""
        if not (self.slippage_percent or self.slippage_ticks):
            return price
        away = price * self.slippage_percent / 100 + self.slippage_ticks * grid.tick_size_rupees
        if side == "BUY":
            worse = grid.round(price + away, "up")
            return worse if limit_price is None else max(price, min(worse, limit_price))
        worse = grid.round(max(price - away, grid.tick_size_rupees), "down")
        return worse if limit_price is None else min(price, max(worse, limit_price))
