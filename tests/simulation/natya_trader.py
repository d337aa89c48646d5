"""A strategy that trades without any sense."""

from natya import StrategyActor


class RandomTrader(StrategyActor):
    """Buys, sells and cancels at random: at market, at the price, and far from it; sometimes more than is allowed."""

    def on_begin(self) -> None:
        self._mine: list[str] = []

    def on_tick(self, tick) -> None:
        chance = self.random
        if chance.random() < self.parameters["trades"]:
            place = self.buy if chance.random() < 0.5 else self.sell
            quantity = chance.choice((1, 10, 90, 101))
            limit_price = None if chance.random() < 0.5 else round(tick.price * chance.choice((0.99, 1.0, 1.01)), 1)
            self._mine.append(place(tick.symbol, quantity, limit_price))
        if self._mine and chance.random() < self.parameters["cancels"]:
            self.cancel(chance.choice(self._mine))
