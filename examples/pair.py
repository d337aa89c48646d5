"""A pair: sells the dearer and buys the cheaper of two symbols when their ratio is far from its mean, until it is back.

natya run --strategy pair:Pair --param first=TCS --param second=INFY
"""

from typing import Annotated

import msgspec
import numpy as np

import natya


class Pair(natya.StrategyActor):
    """Both legs or none: each entry is one order of each."""

    class Parameters(msgspec.Struct, frozen=True):
        """What may be set with `--param`."""

        first: str = "TCS"
        second: str = "INFY"
        length: Annotated[int, msgspec.Meta(ge=5, le=200)] = 20
        enter: float = 2.0
        leave: float = 0.5
        rupees: Annotated[float, msgspec.Meta(gt=0)] = 10_000.0

    candles = ("5m",)
    warm_up = {"5m": 200}  # noqa: RUF012  read only

    def on_order(self, fact: object) -> None:
        """Hold no leg alone: where one is refused, the other is closed."""
        if isinstance(fact, natya.OrderRefused | natya.OrderRejected):
            self.flatten()

    def on_candle(self, candle: natya.Candle) -> None:
        """Decide when the candles of the same time of both are there."""
        del candle
        wanted = self.parameters
        first, second = (self.history(symbol, "5m", wanted.length) for symbol in (wanted.first, wanted.second))
        if len(first) < wanted.length or not np.array_equal(first.start_ns, second.start_ns) or self.open_orders:
            return
        ratio = first.close / second.close
        spread = float(ratio.std())
        distance = float(ratio[-1] - ratio.mean()) / spread if spread else 0.0
        if self.position(wanted.first) or self.position(wanted.second):
            if abs(distance) < wanted.leave:
                self.flatten()
        elif abs(distance) > wanted.enter:
            enter = (self.sell, self.buy) if distance > 0 else (self.buy, self.sell)
            legs = ((wanted.first, first), (wanted.second, second))
            for trade, (symbol, columns) in zip(enter, legs, strict=True):
                trade(symbol, max(int(wanted.rupees / columns.close[-1]), 1))
