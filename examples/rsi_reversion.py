"""Mean reversion: buys with a limit what has fallen too fast, protects it with a stop, and sells it when it has risen.

natya run --strategy rsi_reversion:RsiReversion --param low=25
natya backtest examples/rsi_reversion.py --data candles.csv
"""

from typing import Annotated

import msgspec

import natya


class RsiReversion(natya.StrategyActor):
    """One position a symbol, by the relative strength of its closes."""

    class Parameters(msgspec.Struct, frozen=True):
        """What may be set with `--param`."""

        length: Annotated[int, msgspec.Meta(ge=2, le=100)] = 14
        low: float = 30.0
        high: float = 60.0
        quantity: Annotated[int, msgspec.Meta(ge=1)] = 10
        stop_percent: Annotated[float, msgspec.Meta(gt=0, lt=100)] = 1.0

    candles = ("5m",)
    warm_up = {"5m": 101}  # noqa: RUF012  read only

    def on_candle(self, candle: natya.Candle) -> None:
        """Decide at each close; an entry that was not filled by the next one is given up."""
        closes = self.history(candle.symbol, "5m").close
        if len(closes) <= self.parameters.length:
            return
        strength = self.indicators.rsi(closes, self.parameters.length)[-1]
        entries = [order for order in self.open_orders if order.symbol == candle.symbol and order.side == "BUY"]
        for order in entries:
            order.cancel()
        if self.position(candle.symbol) > 0:
            if strength > self.parameters.high:
                self.close(candle.symbol)
        elif not entries and strength < self.parameters.low:
            self.buy(candle.symbol, self.parameters.quantity, limit=candle.close)

    def on_fill(self, fill: natya.OrderFilled) -> None:
        """Protect what was bought."""
        if fill.side == "BUY":
            stop = round(fill.price * (1 - self.parameters.stop_percent / 100), 1)
            self.sell(fill.symbol, fill.quantity, stop=stop)
