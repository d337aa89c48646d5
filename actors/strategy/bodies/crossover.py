"""The default strategy: two moving averages of the ticks of each symbol."""

from __future__ import annotations

import msgspec

from ....messages.market import Tick
from ....messages.orders import OrderCancelled, OrderExpired, OrderFilled, OrderRefused, OrderRejected
from ..actor import OtherFact, StrategyActor
from .averages import CrossingAverages


class MovingAverageCrossover(StrategyActor):
    """Long while the fast average is above the slow one; flat, or short if `short` is set, while it is below.

    For each symbol separately: a crossing (see `CrossingAverages`) sets a target of `quantity` shares above, and of 0
    (or minus `quantity`) below; one market order for the difference to the position is submitted at once. At most one
    order of a symbol is open: when it has ended, the difference to the newest target is ordered. An order that was
    refused, rejected, cancelled or expired is not repeated before the next crossing. An UNKNOWN order counts as open.
    """

    class Parameters(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
        """The `parameters` of this strategy in the settings."""

        fast: int = 5
        """Ticks of the fast average, at least 1."""

        slow: int = 20
        """Ticks of the slow average, more than the fast one."""

        quantity: int = 10
        """Shares held when long (or short), at least 1."""

        short: bool = False
        """Whether to sell short below; else to be flat there."""

        def __post_init__(self) -> None:
            if not 1 <= self.fast < self.slow:
                raise ValueError(f"1 <= fast < slow wanted, found fast={self.fast}, slow={self.slow}")
            if self.quantity < 1:
                raise ValueError(f"quantity of at least 1 share wanted, found {self.quantity}")

    def on_begin(self) -> None:
        """Remember nothing yet."""
        self._wanted: MovingAverageCrossover.Parameters = self.parameters
        self._averages: dict[str, CrossingAverages] = {}
        self._targets: dict[str, int] = {}
        self._under_way: dict[str, str] = {}  # symbol by client order id
        self._open: dict[str, int] = {}  # shares by symbol

    def on_tick(self, tick: Tick) -> None:
        """Update the averages, and act on a crossing."""
        averages = self._averages.get(tick.symbol)
        if averages is None:
            averages = CrossingAverages(fast=self._wanted.fast, slow=self._wanted.slow)
            self._averages[tick.symbol] = averages
        crossing = averages.add(tick.price)
        if crossing:
            below = -self._wanted.quantity if self._wanted.short else 0
            self._targets[tick.symbol] = self._wanted.quantity if crossing == "ABOVE" else below
            self._approach(tick.symbol)

    def on_fill(self, fill: OrderFilled) -> None:
        """When the order is filled in full, order the difference to the target, which may have changed."""
        if fill.client_order_id in self._under_way:
            self._open[fill.symbol] -= fill.quantity
            if not self._open[fill.symbol]:
                del self._under_way[fill.client_order_id]
                self._approach(fill.symbol)

    def on_order(self, fact: OtherFact) -> None:
        """Give up an order that has ended; its symbol waits for the next crossing."""
        if not isinstance(fact, OrderRefused | OrderRejected | OrderCancelled | OrderExpired):
            return
        symbol = self._under_way.pop(fact.client_order_id, None)
        if symbol is not None:
            self._open[symbol] = 0
            self.log("order.given_up", level="warning", client_order_id=fact.client_order_id, fact=type(fact).__name__)

    def _approach(self, symbol: str) -> None:
        """Order the shares missing from the target position, unless an order of the symbol is under way."""
        missing = self._targets[symbol] - self.position(symbol)
        if not missing or self._open.get(symbol):
            return
        order = self.buy if missing > 0 else self.sell
        self._open[symbol] = abs(missing)
        self._under_way[order(symbol, abs(missing))] = symbol
