"""Strategies that trade without any sense."""

import msgspec

from natya import OrderAccepted, OrderFilled, OrderRefused, StrategyActor

TICKS_TO_CLOSE = 40
"""From one time that a position is squared off to the next, counted in the market's ticks."""


class RandomTrader(StrategyActor):
    """Buys, sells, changes and cancels at random: at market, at the price, and far from it; sometimes too much.

    And squares off now and then.
    """

    SQUARES_OFF = True

    def on_begin(self) -> None:
        self._mine: list[str] = []
        self._resting: dict[str, None] = {}

    def on_tick(self, tick) -> None:
        chance = self.random
        if chance.random() < self.parameters["trades"]:
            place = self.buy if chance.random() < 0.5 else self.sell
            limit, stop = self._prices(tick)
            if limit and stop and (limit < stop) == (place == self.buy):
                limit, stop = stop, limit
            valid = chance.choice(("DAY", "DAY", "DAY", "IOC"))
            quantity = chance.choice((1, 10, 90, 101))
            exits = (
                {} if chance.random() < 0.7 else self._exits(1 if place == self.buy else -1, limit, stop, tick.price)
            )
            self._mine.append(self._known(place(tick.symbol, quantity, limit, stop=stop, valid=valid, **exits)))
        while self._resting and chance.random() < self.parameters["changes"]:
            limit, stop = self._prices(tick)
            quantity = chance.choice((None, None, 5, 20, 95, 101))
            if quantity or limit or stop:
                self.modify(chance.choice(list(self._resting)), quantity=quantity, limit=limit, stop=stop)
        if self._mine and chance.random() < self.parameters["cancels"]:
            self.cancel(chance.choice(self._mine))
        if self.SQUARES_OFF and tick.sequence % TICKS_TO_CLOSE == 0:
            self.close(tick.symbol)

    def on_order(self, fact) -> None:
        if isinstance(fact, OrderAccepted):
            self._resting[fact.client_order_id] = None
        elif type(fact).__name__ in {"OrderCancelled", "OrderExpired", "OrderRejected"}:
            self._resting.pop(fact.client_order_id, None)

    def on_fill(self, fill: OrderFilled) -> None:
        if self.random.random() < 0.9:
            self._resting.pop(fill.client_order_id, None)

    def _exits(self, sign, limit, stop, price):
        """A target and a stop beyond every other price of the order; sometimes one alone."""
        chance, prices = self.random, [each for each in (limit, stop, price) if each]
        best, worst = (max, min) if sign > 0 else (min, max)
        exits = {"target": best(prices) * (1 + sign * 0.01), "stop_loss": worst(prices) * (1 - sign * 0.01)}
        exits = {name: round(each, 1) for name, each in exits.items()}
        if chance.random() < 0.2:
            del exits[chance.choice(list(exits))]
        return exits

    def _known(self, order):
        return order

    def _prices(self, tick):
        """A limit and a stop, each perhaps none."""
        chance = self.random
        near = [round(tick.price * chance.choice((0.97, 0.99, 1.0, 1.01, 1.03)), 1) for _ in range(2)]
        return near[0] if chance.random() < 0.6 else None, near[1] if chance.random() < 0.3 else None


class RememberingTrader(RandomTrader):
    """The same, with a state in which it counts: it answers each of its fills with an order, too."""

    SQUARES_OFF = False  # it would not be told the id of that order when it leaves

    class State(msgspec.Struct):
        trades: dict[str, int] = {}
        """By order id and trade id, how often it was told of it."""

        ordered: dict[str, str] = {}
        """By order id, the trade that it answers; empty for none."""

        unsent: set[str] = set()
        """Orders of which it was told that nothing was sent."""

    def _known(self, order, answers=""):
        self.state.ordered[order] = answers
        return order

    def on_fill(self, fill: OrderFilled) -> None:
        super().on_fill(fill)
        trade = f"{fill.client_order_id} {fill.trade_id}"
        self.state.trades[trade] = self.state.trades.get(trade, 0) + 1
        if fill.side == "BUY":
            self._known(self.sell(fill.symbol, 1, round(fill.price * 1.05, 1)), trade)
        else:
            self._known(self.buy(fill.symbol, 1, round(fill.price * 0.95, 1)), trade)

    def on_order(self, fact) -> None:
        super().on_order(fact)
        if isinstance(fact, OrderRefused) and fact.rule == "restart":
            self.state.unsent.add(fact.client_order_id)
