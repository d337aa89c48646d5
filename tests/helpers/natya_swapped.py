"""Strategies that are swapped for each other while orders are on their way."""

import msgspec

import natya


class Known(msgspec.Struct):
    trades: dict[str, int] = {}
    ordered: dict[str, str] = {}
    ticks: int = 0


class Answering(natya.StrategyActor):
    """Buys now and then, and answers each trade of its own with an order the other way; it counts all of it."""

    State = Known

    def on_tick(self, tick):
        self.state.ticks += 1
        if self.state.ticks % 5 == 0 and len(self.open_orders) < 5:
            self.state.ordered[self.buy(tick.symbol, 1, round(tick.price * 1.01, 1))] = ""

    def on_fill(self, fill):
        trade = f"{fill.client_order_id} {fill.trade_id}"
        self.state.trades[trade] = self.state.trades.get(trade, 0) + 1
        if fill.side == "BUY":
            order = self.sell(fill.symbol, fill.quantity, round(fill.price * 0.99, 1))
            self.state.ordered[order] = trade


class Successor(Answering):
    """Knows one thing more."""

    class State(msgspec.Struct):
        trades: dict[str, int] = {}
        ordered: dict[str, str] = {}
        ticks: int = 0
        swaps: int = 0

    def on_begin(self):
        self.state.swaps += 1


class Forgetful(Answering):
    """Has no place for what it ordered."""

    class State(msgspec.Struct):
        ticks: int = 0


class Stateless(natya.StrategyActor):
    def on_tick(self, tick):
        pass


class Stillborn(Answering):
    def on_begin(self):
        raise RuntimeError("stillborn")


class Resting(natya.StrategyActor):
    """Leaves an order at the exchange that never trades."""

    cancel_on_stop = True

    def on_begin(self):
        self.has_ordered = False

    def on_tick(self, tick):
        if not self.has_ordered:
            self.has_ordered = True
            self.buy(tick.symbol, 1, limit=round(tick.price * 0.9, 1))


class Listening(natya.StrategyActor):
    """Writes down the number of each tick, in order."""

    class State(msgspec.Struct):
        heard: list[int] = []

    def on_tick(self, tick):
        self.state.heard.append(tick.sequence)


class ListeningToo(Listening):
    """The same, in another class."""


class ListeningNever(Listening):
    def on_begin(self):
        raise RuntimeError("stillborn")


class ListeningMore(Listening):
    """Knows one thing more: who lacks it cannot read what this one leaves."""

    class State(msgspec.Struct):
        heard: list[int] = []
        lives: int = 0

    def on_begin(self):
        self.state.lives += 1
