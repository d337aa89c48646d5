"""Strategies by name, for systems that load them: one that trades, and one for each mistake."""

import msgspec

from natya.actors.runtime import handles, lifecycle
from natya.actors.strategy import StrategyActor


class Send(msgspec.Struct, frozen=True):
    """To `Bad`: say this to each of these."""

    targets: tuple[str, ...]
    message: object


class Kill(msgspec.Struct, frozen=True):
    """To `Bad`: kill that one."""

    victim: str


class Good(StrategyActor):
    """Buys and sells one share by turns, at every tick."""

    def on_begin(self):
        self.heard = 0

    def on_tick(self, tick):
        self.heard += 1
        (self.buy if self.heard % 2 else self.sell)(tick.symbol, 1)


class Bad(StrategyActor):
    """Says what it is told to say, to whom it is told."""

    @handles(Send)
    def say(self, order, sender):
        for target in order.targets:
            self.send(target, order.message)
        self.send(sender, "said")

    @handles(Kill)
    def kill(self, order, sender):
        try:
            self.control(self.directory[order.victim], lifecycle.Kill())
        except TypeError as refusal:
            self.send(sender, str(refusal))


class Dying(StrategyActor):
    """Divides by nothing at every tick from the fifth on, its orders still resting."""

    def on_begin(self):
        self.heard = 0

    def on_tick(self, tick):
        self.heard += 1
        if self.heard == 1 and not self.parameters.get("began_before"):
            self.buy(tick.symbol, 1, round(tick.price * 0.5, 1))
        if self.heard > 4:
            self.heard = 1 / 0


class DyingAlone(Dying):
    """Leaves nothing in the market."""

    cancel_on_failure = True


class NoCandle(StrategyActor):
    """Fails at every candle, and at no tick."""

    def on_candle(self, candle):
        raise ValueError(candle.symbol)


class EverySecondCandle(StrategyActor):
    """Fails at candles of even minutes."""

    def on_candle(self, candle):
        if candle.start_ns // 60_000_000_000 % 2 == 0:
            raise ValueError(candle.symbol)


class Stillborn(StrategyActor):
    """Cannot begin."""

    def on_begin(self):
        raise LookupError("no model is there")
