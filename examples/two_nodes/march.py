"""March: one share forth, one share back, one order after the other; it remembers each of its trades."""

import time

import msgspec

from natya import StrategyActor


class Remembered(msgspec.Struct):
    """What outlives the machine that it runs on: the broker node keeps it."""

    trades: tuple[str, ...] = ()


class March(StrategyActor):
    """Tells each tick on standard output, so that anyone can see where it ran, and when."""

    State = Remembered

    def on_tick(self, tick):
        """Order, unless an order is open."""
        print(f"tick {time.monotonic_ns()}", flush=True)
        if not self.open_orders:
            (self.sell if self.position(tick.symbol) > 0 else self.buy)(tick.symbol, 1)

    def on_fill(self, fill):
        """Remember the trade."""
        self.state.trades += (fill.trade_id,)
