"""A grid: buys at steps below the first price, sells each a step above, and buys again; in a process of its own.

[[strategies]]
name = "grid"
strategy = "grid:Grid"
host = "process"                    # what it computes, or how it fails, is nobody else's
symbols = ["TCS"]
parameters = { step_percent = 0.2, levels = 3 }
"""

from typing import Annotated

import msgspec

import natya


class Grid(natya.StrategyActor):
    """At most `levels` orders of each symbol are open or held."""

    class Parameters(msgspec.Struct, frozen=True):
        """What may be set."""

        step_percent: Annotated[float, msgspec.Meta(gt=0, lt=20)] = 0.3
        levels: Annotated[int, msgspec.Meta(ge=1, le=20)] = 3
        quantity: Annotated[int, msgspec.Meta(ge=1)] = 5

    cancel_on_failure = True  # nobody would answer a trade
    warm_up = {"5m": 1}  # noqa: RUF012  the last close is the middle of the grid

    def on_begin(self) -> None:
        """Go on with the orders of before a restart."""
        self.laid = {order.symbol for order in self.open_orders}

    def on_tick(self, tick: natya.Tick) -> None:
        """Lay the grid at the first price."""
        if tick.symbol in self.laid or self.position(tick.symbol):
            return
        self.laid.add(tick.symbol)
        past = self.history(tick.symbol, "5m", 1)
        middle = float(past.close[-1]) if len(past) else tick.price
        for level in range(1, self.parameters.levels + 1):
            self.buy(tick.symbol, self.parameters.quantity, limit=self.priced(middle, -level))

    def on_fill(self, fill: natya.OrderFilled) -> None:
        """Answer each trade a step away, on the other side."""
        if fill.side == "BUY":
            self.sell(fill.symbol, fill.quantity, limit=self.priced(fill.price, 1))
        else:
            self.buy(fill.symbol, fill.quantity, limit=self.priced(fill.price, -1))

    def priced(self, price: float, steps: int) -> float:
        """Return a price so many steps away, on a grid of 10 paise."""
        return round(price * (1 + steps * self.parameters.step_percent / 100), 1)
