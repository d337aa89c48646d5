"""Strategies for plays of recordings: they trade by the clock of the market, and some of them fail."""

import time
from pathlib import Path
from typing import ClassVar

import msgspec

import natya
from natya.messages.database import Query

MINUTE_NS = 60_000_000_000
DAY_MINUTES = 1_440
IST_MINUTES = 330


class PlayedError(Exception):
    """Raised by a strategy that is to fail."""


def minute_of(tick):
    """Return the day and the minute of the day in India."""
    return divmod(tick.exchange_ns // MINUTE_NS + IST_MINUTES, DAY_MINUTES)


class ByTheClock(natya.StrategyActor):
    """Buys in the minute after ten, sells in the next; raises at ten on every `raises_every`-th day, if at all."""

    def on_begin(self):
        self.minute = None

    def on_tick(self, tick):
        day, minute = minute_of(tick)
        if minute == self.minute:
            return
        self.minute = minute
        every = self.parameters.get("raises_every", 0)
        if minute == 600 and every and day % every == 0 and not tick.exchange_ns % MINUTE_NS:
            raise PlayedError(f"day {day}")
        if minute == 601:
            self.buy(tick.symbol, 10)
        elif minute == 602:
            self.sell(tick.symbol, 10)


class Flipping(natya.StrategyActor):
    """Buys at its first tick; for each fill, and where it is stubborn each refusal, it orders the other way at once."""

    def on_begin(self):
        self.flips = 0

    def on_tick(self, tick):
        if not self.flips:
            self.flip(tick.symbol)

    def on_fill(self, fill):
        self.flip(fill.symbol)

    def on_order(self, fact):
        if self.parameters.get("stubborn") and isinstance(fact, natya.OrderRefused):
            self.flip(fact.symbol)

    def flip(self, symbol):
        self.flips += 1
        (self.buy if self.flips % 2 else self.sell)(symbol, 1)


class Holder(natya.StrategyActor):
    """Buys ten shares each day in the minute after ten, and keeps them."""

    def on_begin(self):
        self.days = set()

    def on_tick(self, tick):
        day, minute = minute_of(tick)
        if minute == 601 and day not in self.days:
            self.days.add(day)
            self.buy(tick.symbol, 10)


class BuysEachCandle(natya.StrategyActor):
    """Buys a share when it hears of a candle."""

    def on_candle(self, candle):
        self.buy(candle.symbol, 1)


class Rester(natya.StrategyActor):
    """Offers to sell ten shares once in its life, above the first day's prices."""

    def on_begin(self):
        self.is_offered = self.parameters.get("offered", False)

    def on_tick(self, tick):
        if not self.is_offered and tick.price < 1_000.05:
            self.is_offered = True
            self.sell(tick.symbol, 10, limit=1_001.5)


class Erratic(natya.StrategyActor):
    """Does anything at random: orders, cancels, timers that order, and raising, wherever it is called."""

    def on_begin(self):
        self.submitted = []
        self.may_fail()

    def on_tick(self, tick):
        self.may_fail()
        chance = self.random.random()
        if chance < 0.1:
            self.submitted.append(self.buy(tick.symbol, self.random.randint(1, 9)))
        elif chance < 0.2:
            price = round(tick.price - self.random.choice((0.0, 0.5, 2.0)), 1)
            self.submitted.append(self.sell(tick.symbol, self.random.randint(1, 9), limit=price))
        elif chance < 0.25 and self.submitted:
            self.cancel(self.random.choice(self.submitted))
        elif chance < 0.35:
            self.after(self.random.choice((0.0, 1.0, 37.0, 600.0)), tick)

    def on_order(self, fact):
        self.may_fail()

    def on_fill(self, fill):
        self.may_fail()
        if self.random.random() < 0.1:
            self.buy(fill.symbol, 1)

    def may_fail(self):
        if self.random.random() < self.parameters["fails"]:
            raise PlayedError(f"{self.clock.now_ns()}")


class Slow(Erratic):
    """Takes time of the machine before it does anything, orders at each price, and sets a timer for the next second."""

    def on_tick(self, tick):
        time.sleep(self.parameters["slow_s"])
        self.buy(tick.symbol, 1)
        self.after(1, lambda: self.sell(tick.symbol, 1))
        super().on_tick(tick)


class Thinking(Erratic):
    """Has two threads think over each price, one of them for a time of the machine, and orders by what they say."""

    def on_tick(self, tick):
        for thinks_s, quantity in ((self.parameters["slow_s"], 2), (0.0, 3)):
            self.offload(think, thinks_s, quantity, then=lambda outcome: self.buy(tick.symbol, outcome.unwrap()))
        super().on_tick(tick)


class Impulsive(natya.StrategyActor):
    """Buys at one price, asks the database at the next, and raises before the answer comes."""

    def on_tick(self, tick):
        if self.clock.now.minute % 2:
            self.buy(tick.symbol, 1)
        else:
            self.ask("database", Query(sql="SELECT 7"), timeout_s=30, then=lambda _outcome: self.sell(tick.symbol, 1))
            raise PlayedError(f"{self.clock.now}")


def think(thinks_s, quantity):
    time.sleep(thinks_s)
    return quantity


class Tallying(Erratic):
    """Also counts its fills in its state, and fails behind that."""

    class State(msgspec.Struct):
        bought: int = 0
        sold: int = 0
        paise: int = 0
        by_order: dict[str, int] = {}

    def on_fill(self, fill):
        state, paise = self.state, round(fill.price * 100) * fill.quantity
        if fill.side == "BUY":
            state.bought += fill.quantity
        else:
            state.sold += fill.quantity
        state.paise += -paise if fill.side == "BUY" else paise
        state.by_order[fill.client_order_id] = state.by_order.get(fill.client_order_id, 0) + fill.quantity
        super().on_fill(fill)


class Timed(natya.StrategyActor):
    """Orders by timers, sessions, history and answers of the database; how many shares tells what each one saw."""

    candles = ("1m",)
    warm_up: ClassVar = {"5m": 6}

    def on_begin(self):
        self.pending = None
        self.every("09:58", lambda: self.trade(1))
        self.every("5m", lambda: self.trade(2 + self.clock.now.minute % 10))
        self.every("open+45m", self.ask_database)
        self.every(97, lambda: self.trade(13) if self.clock.is_open else None)

    def on_session(self, event):
        self.trade(17 if event == "open" else 19)

    def on_candle(self, candle):
        if self.pending is not None:
            self.pending.cancel()
        seconds = 75 if candle.start_ns // MINUTE_NS % 3 else 10
        self.pending = self.after(seconds, lambda: self.trade(20 + len(self.history("TCS", "5m"))))

    def ask_database(self):
        self.trade(23)
        self.ask("database", Query(sql="SELECT 7"), timeout_s=30, then=self.hear)

    def hear(self, outcome):
        self.trade(outcome.value.rows[0][0] + int(self.clock.minutes_to_close))

    def trade(self, shares):
        (self.sell if self.position("TCS") > 0 else self.buy)("TCS", shares)


class BuysDips(natya.StrategyActor):
    """Flat: bids 1.50 below the last price. Long: asks 1.50 above what it paid. One order at a time, each for a day."""

    def on_begin(self):
        self.order_id, self.paid = "", 0.0

    def on_tick(self, tick):
        if self.order_id:
            return
        if self.position(tick.symbol):
            self.order_id = self.sell(tick.symbol, 10, round(self.paid + 1.5, 2))
        else:
            self.order_id = self.buy(tick.symbol, 10, round(tick.price - 1.5, 2))

    def on_fill(self, fill):
        self.order_id, self.paid = "", fill.price

    def on_order(self, fact):
        if isinstance(fact, natya.OrderExpired):
            self.order_id = ""


class Waits(natya.StrategyActor):
    """Bids one rupee, once: an order that rests all day."""

    def on_begin(self):
        self.is_waiting = False

    def on_tick(self, tick):
        if not self.is_waiting:
            self.is_waiting = True
            self.buy(tick.symbol, 1, 1.0)


class Charting(natya.StrategyActor):
    """Notes every candle, and how many ticks it had heard before, in the file `notes`."""

    candles = ("1m", "5m")

    def on_begin(self):
        self.ticks = 0

    def on_tick(self, tick):
        self.ticks += 1

    def on_candle(self, candle):
        prices = (candle.open, candle.high, candle.low, candle.close)
        with Path(self.parameters["notes"]).open("a", encoding="utf-8") as notes:
            print(candle.interval_ns // MINUTE_NS, candle.start_ns, *prices, candle.volume, self.ticks, file=notes)


class OfEveryType(natya.StrategyActor):
    """Places, at its first tick, orders of every type; the recording rises, and so do their triggers."""

    def on_begin(self):
        self.has_ordered = False

    def on_tick(self, tick):
        if self.has_ordered:
            return
        self.has_ordered = True
        price = tick.price
        self.buy(tick.symbol, 1)
        self.buy(tick.symbol, 2, limit=price - 5, valid="IOC")
        self.buy(tick.symbol, 3, stop=price + 0.5, product="INTRADAY")
        self.buy(tick.symbol, 4, limit=price + 0.8, stop=price + 0.7)
        self.sell(tick.symbol, 5, stop=price - 5)


class Bracketed(natya.StrategyActor):
    """Opens, at its first tick, a position with a target and a stop; knows its exits and that it is flat at the end."""

    def on_begin(self):
        self.entry = None

    def on_tick(self, tick):
        if self.entry is None:
            sign = 1 if self.parameters["side"] == "BUY" else -1
            exits = {"target": tick.price + sign * 0.5, "stop_loss": tick.price - sign * 0.3}
            submit, product = self.buy if sign > 0 else self.sell, self.parameters.get("product")
            self.entry = submit(tick.symbol, 10, product=product, **exits)

    def on_fill(self, fill):
        exits = [self.entry.target, self.entry.stop_loss]
        if fill.client_order_id == self.entry:
            assert exits == [None, None], "orders is told of the fill as this strategy is"
        else:
            assert sum(order.filled for order in exits) == 10
            assert self.position(fill.symbol) == 0


class AtTheClose(natya.StrategyActor):
    """Writes what it is called with at the close, and each price."""

    candles = ("1m",)

    def on_begin(self):
        self.every("15:30", "a time")
        self.every("close", "the close")
        self.every("1m", "each minute")

    def write(self, what):
        with Path(self.parameters["path"]).open("a") as file:
            file.write(f"{self.clock.now:%H:%M:%S} {what}\n")

    def on_timer(self, name):
        self.write(name)

    def on_session(self, event):
        self.write(event)

    def on_tick(self, tick):
        self.write(tick.price)

    def on_candle(self, candle):
        self.write(f"candle {candle.close}")


class Punctual(natya.StrategyActor):
    """Writes what it is called with by the clock, and buys and sells by it."""

    def on_begin(self):
        self.path = Path(self.parameters["path"])
        self.is_raising = self.parameters.get("raises", False)
        self.symbol = ""
        self.every("09:57", self.begin_trading)
        self.every("10:02", "square off")

    def write(self, what):
        with self.path.open("a") as file:
            file.write(f"{self.clock.now:%d %H:%M:%S} {what}\n")

    def on_session(self, event):
        self.write(event)

    def on_tick(self, tick):
        if not self.symbol:
            self.write("first tick")
        self.symbol = tick.symbol

    def begin_trading(self):
        self.write("buy")
        self.buy(self.symbol, 10)

    def on_timer(self, name):
        self.write(name)
        self.sell(self.symbol, 10)
        if self.is_raising:
            raise PlayedError(name)

    def on_stop(self):
        self.write("stop")


class Changing(natya.StrategyActor):
    """Bids far below, moves the bid and its stop towards the market, and notes what it is told."""

    def on_begin(self):
        self.bid = self.stop = ""

    def on_tick(self, tick):
        if not self.bid:
            self.bid = self.buy(tick.symbol, 1, tick.price - 20)
            self.stop = self.sell(tick.symbol, 5, stop=tick.price - 20)

    def on_order(self, fact):
        if isinstance(fact, natya.OrderAccepted):
            price = self.last_price("TCS")
            if fact.client_order_id == self.bid:
                self.modify(self.bid, quantity=2, limit=price + 1)
            else:
                self.modify(self.stop, stop=price - 10)
