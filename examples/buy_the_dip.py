"""A strategy of your own: buy after a fall, sell after a rise.

natya run --profile paper --strategy buy_the_dip.py
"""

import natya


class BuyTheDip(natya.StrategyActor):
    """Holds `quantity` shares of a symbol from a fall by `dip` of its highest price on, until it has risen by as much.

    Both are fractions of a price: 0.0005 is half a rupee in a thousand.
    """

    def on_begin(self) -> None:
        """Remember nothing yet."""
        self.dip = float(self.parameters.get("dip", 0.0005))
        self.quantity = int(self.parameters.get("quantity", 10))
        self.turning: dict[str, float] = {}
        """The price that the next move is measured from: the highest while out, the lowest while in."""

        self.asked: set[str] = set()
        """Symbols with an order on its way."""

    def on_tick(self, tick: natya.Tick) -> None:
        """Trade when the price has moved far enough from where it turned."""
        symbol, price = tick.symbol, tick.price
        if symbol in self.asked:
            return
        held = self.position(symbol) > 0
        turning = self.turning.get(symbol, price)
        self.turning[symbol] = min(turning, price) if held else max(turning, price)
        if held and price >= turning * (1 + self.dip):
            self.sell(symbol, self.quantity)
        elif not held and price <= turning * (1 - self.dip):
            self.buy(symbol, self.quantity)
        else:
            return
        self.asked.add(symbol)

    def on_fill(self, fill: natya.OrderFilled) -> None:
        """Measure from here."""
        self.turning[fill.symbol] = fill.price
        self.asked.discard(fill.symbol)
