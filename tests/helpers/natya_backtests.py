"""Strategies for backtests, and candles to test them on."""

from datetime import datetime
from typing import Literal

import msgspec
import numpy as np

from natya import StrategyActor
from natya.backtest.figures.curve import Curve
from natya.backtest.sweeping.outcomes import Outcome

HEADER = "date,open,high,low,close,volume"


def write_rows(path, rows, *, symbol=None, start="2025-11-03T09:15:00+05:30", minutes=1):
    """Write candles of the given (open, high, low, close), a minute each; return the path."""
    begin_s = int(datetime.fromisoformat(start).timestamp())
    lines = [HEADER if symbol is None else f"symbol,{HEADER}"]
    for place, prices in enumerate(rows):
        cells = [str(begin_s + 60 * minutes * place), *map(str, prices), "100"]
        lines.append(",".join(cells if symbol is None else [symbol, *cells]))
    path.write_text("\n".join(lines) + "\n")
    return path


def a_test(key, *, parameters=(), **figures):
    """Return the outcome of a test of a sweep whose figures are 0 where they are not given."""
    return Outcome(key=key, parameters=dict(parameters), since_ns=0, until_ns=0, **figures)


def a_curve(times_ns, equity, held):
    """Return a curve whose times are all marks."""
    return Curve(times_ns, equity, held, np.ones(len(times_ns), np.bool_))


class Counted(msgspec.Struct):
    """What a countdown counts."""

    candles: int = 0
    fills: int = 0


class Crossover(StrategyActor):
    """Long above, flat below; by plain means of closes."""

    def on_begin(self):
        self.closes = {}
        self.wanted = {}

    def on_candle(self, candle):
        closes = self.closes.setdefault(candle.symbol, [])
        closes.append(round(candle.close * 100))
        fast, slow = self.parameters.get("fast", 3), self.parameters.get("slow", 8)
        if len(closes) > slow + 1:
            del closes[0]
        if len(closes) < slow:
            return
        spread = sum(closes[-fast:]) * slow - sum(closes[-slow:]) * fast
        is_long = self.wanted.get(candle.symbol, False)
        if spread > 0 and not is_long:
            self.wanted[candle.symbol] = True
            self.buy(candle.symbol, self.parameters.get("quantity", 1))
        elif spread < 0 and is_long:
            self.wanted[candle.symbol] = False
            self.sell(candle.symbol, self.parameters.get("quantity", 1))


class Countdown(StrategyActor):
    """Buys and sells by the count of its candles and fills, which it keeps in attributes."""

    def on_begin(self):
        self.kept = Counted()

    def on_candle(self, candle):
        kept = self.kept
        kept.candles += 1
        if kept.candles % 4 == 0:
            (self.buy if kept.fills % 3 else self.sell)(candle.symbol, 1 + kept.fills % 5)

    def on_fill(self, fill):
        self.kept.fills += 1
        if self.kept.fills % 7 == 0:
            self.close(fill.symbol)


class Quarterly(StrategyActor):
    """Orders by its timers alone, how many shares tells which price was the newest then."""

    def on_begin(self):
        self.newest = 0
        for when in ("09:30", "20m", "09:47:20"):
            self.every(when, self.trade)

    def on_tick(self, tick):
        self.newest = tick.sequence

    def trade(self):
        (self.sell if self.position("TCS") > 0 else self.buy)("TCS", 1 + self.newest % 7)


class Witness(StrategyActor):
    """Bids once, and notes what it is told from the price on that fills it, with what it holds and has open then."""

    SEEN = []  # noqa: RUF012  read by the test when all is over

    def on_begin(self):
        self.SEEN.clear()
        self.bid = 0.0

    def note(self, kind, symbol):
        self.SEEN.append((kind, int(self.position(symbol)), len(self.open_orders)))

    def on_tick(self, tick):
        if not self.bid:
            self.bid = tick.price - 1
            self.buy(tick.symbol, 5, limit=self.bid)
        elif tick.price < self.bid or self.SEEN:
            self.note("tick", tick.symbol)

    def on_fill(self, fill):
        self.note("fill", fill.symbol)

    def on_candle(self, candle):
        if self.SEEN:
            self.note("candle", candle.symbol)


class Historian(StrategyActor):
    """Notes at each minute all columns of its history, as tuples by length."""

    candles = ("1m",)
    warm_up = {"1m": 25, "5m": 7, "15m": 4}  # noqa: RUF012  as users write it
    SEEN = []  # noqa: RUF012  read by the test when all is over

    def on_begin(self):
        self.SEEN.clear()

    def on_candle(self, candle):
        kept = {}
        for interval, bars in self.warm_up.items():
            known = self.history(candle.symbol, interval, bars - 1)
            columns = (known.start_ns, known.open, known.high, known.low, known.close, known.volume)
            kept[interval] = list(zip(*(column.tolist() for column in columns), strict=True))
        self.SEEN.append((self.clock.now_ns(), kept))


class KeptCountdown(Countdown):
    """The same, in a state."""

    State = Counted

    def on_begin(self):
        self.kept = self.state


class Peeker(StrategyActor):
    """Notes the newest time it can learn of at each moment, beside the time of that moment."""

    SEEN = []  # noqa: RUF012  read by the test when all is over

    def on_begin(self):
        self.SEEN.clear()

    def on_tick(self, tick):
        self.SEEN.append((self.clock.now_ns(), tick.exchange_ns, self.last_price(tick.symbol), tick.price))

    def on_candle(self, candle):
        self.SEEN.append((self.clock.now_ns(), candle.start_ns + candle.interval_ns, candle.close, candle.close))


class Broken(StrategyActor):
    def on_tick(self, tick):
        raise ZeroDivisionError("of the strategy")


class Faltering(StrategyActor):
    """Buys at its second candle; raises never, at the fifth after each beginning, at every one, or at its end."""

    class Parameters(msgspec.Struct, frozen=True):
        fails: Literal["never", "again", "always", "at_its_end"] = "never"

    def on_begin(self):
        self.heard = 0

    def on_stop(self):
        if self.parameters.fails == "at_its_end":
            raise ValueError("nothing to write to")

    def on_candle(self, candle):
        self.heard += 1
        if self.parameters.fails == "always" or (self.parameters.fails == "again" and self.heard == 5):
            raise ValueError(f"at candle {self.heard}")
        if self.heard == 2:
            self.buy(candle.symbol, 1)


class Greedy(StrategyActor):
    """Orders more than the risk gate lets pass."""

    def on_begin(self):
        self.asked = False

    def on_candle(self, candle):
        if not self.asked:
            self.asked = True
            self.buy(candle.symbol, 100_000)


class BuysAtOnce(StrategyActor):
    """One share, with the first price."""

    def on_begin(self):
        self.asked = False

    def on_tick(self, tick):
        if not self.asked:
            self.asked = True
            self.buy(tick.symbol, 1)


class Dipper(StrategyActor):
    """Rests below and above, by a seed of its own; hears candles only, of which some are made of ticks."""

    candles = ("1m", "3m")

    def on_begin(self):
        self.open = set()

    def on_candle(self, candle):
        for order in sorted(self.open):
            self.cancel(order)
        away = self.random.choice((0.4, 0.8, 3.0))
        if self.position(candle.symbol) > 0:
            self.open.add(self.sell(candle.symbol, 1, round(candle.close + away, 1)))
        elif self.random.random() < 0.8:
            self.open.add(self.buy(candle.symbol, 1, round(candle.close - away, 1)))

    def on_fill(self, fill):
        self.open.discard(fill.client_order_id)

    def on_order(self, fact):
        if type(fact).__name__ in {"OrderCancelled", "OrderRejected", "OrderRefused"}:
            self.open.discard(fact.client_order_id)


class Waiter(StrategyActor):
    """Trades in the middle of candles, by timers alone, at the price it remembers."""

    def on_begin(self):
        self.after(95, self.turn)

    def turn(self):
        self.after(137, self.turn)
        for symbol in ("INFY", "SBIN", "TCS"):
            price = self.last_price(symbol)
            if price is not None:
                if self.position(symbol):
                    self.sell(symbol, 1)
                else:
                    self.buy(symbol, 1, price)


class Follower(StrategyActor):
    """Bids far below the market, and moves the bid with each candle."""

    def on_begin(self):
        self.bid = None

    def on_candle(self, candle):
        limit = round(candle.close * 0.9, 1)
        if self.bid is None:
            self.bid = self.buy(candle.symbol, 10, limit=limit)
        else:
            self.bid.modify(limit=limit)


class Watcher(StrategyActor):
    """Hears every tick."""

    def on_begin(self):
        self.before = {}

    def on_tick(self, tick):
        before, self.before[tick.symbol] = self.before.get(tick.symbol, tick.price), tick.price
        if tick.price < before - 1.5 and not self.position(tick.symbol):
            self.buy(tick.symbol, 2)
        elif tick.price > before + 1.5 and self.position(tick.symbol) > 0:
            self.sell(tick.symbol, 1)


class Bidder(StrategyActor):
    """Bids a little below the price, and offers what it got a little above it: all its orders rest."""

    def on_tick(self, tick):
        if self.open_orders:
            return
        if self.position(tick.symbol):
            self.sell(tick.symbol, 1, limit=round(tick.price + 0.05, 2))
        else:
            self.buy(tick.symbol, 1, limit=round(tick.price - 0.05, 2))


class Knower(StrategyActor):
    """Buys at the first candle as many shares as it knows candles, and sells them at the fifth."""

    candles = ("1m",)
    warm_up = {"1m": 40, "5m": 6}  # noqa: RUF012  as users write it

    def on_begin(self):
        self.heard = 0

    def on_candle(self, candle):
        self.heard += 1
        if self.heard == 1:
            self.buy(candle.symbol, sum(len(self.history(candle.symbol, each).close) for each in self.warm_up))
        elif self.heard == 5:
            self.close(candle.symbol)


class Confirmer(StrategyActor):
    """Hears every tick, and candles that are made of them: which of the two it hears first decides what it does."""

    candles = ("3m",)

    def on_begin(self):
        self.closes = {}

    def on_candle(self, candle):
        self.closes[candle.symbol] = candle.close

    def on_tick(self, tick):
        close = self.closes.pop(tick.symbol, None)
        if close is None:
            return
        if tick.price > close and not self.position(tick.symbol):
            self.buy(tick.symbol, 2)
        elif tick.price < close and self.position(tick.symbol) > 0:
            self.sell(tick.symbol, 1)


class Rememberer(StrategyActor):
    """Notes at each moment the time, and when the candles of its history end and what they closed at."""

    candles = ("1m",)
    warm_up = {"1m": 30, "5m": 8}  # noqa: RUF012  as users write it
    SEEN = []  # noqa: RUF012  read by the test when all is over

    def on_begin(self):
        self.SEEN.clear()
        self.note("TCS")

    def on_tick(self, tick):
        self.note(tick.symbol)

    def on_candle(self, candle):
        self.note(candle.symbol)

    def note(self, symbol):
        known = [
            (columns.start_ns.tolist(), columns.close.tolist(), columns.volume.tolist())
            for columns in (self.history(symbol, interval) for interval in self.warm_up)
        ]
        self.SEEN.append((self.clock.now_ns(), *known))


class Doubler(StrategyActor):
    """Buys a bracket of ten shares at each of the first two candles, and squares off at the fifth."""

    def on_begin(self):
        self.heard = 0

    def on_candle(self, candle):
        self.heard += 1
        if self.heard <= 2:
            self.buy(candle.symbol, 10, target=candle.close * 2, stop_loss=candle.close / 2)
        elif self.heard == 5:
            self.close(candle.symbol)


class Holder(StrategyActor):
    """Buys 75 of each contract at its first price, and holds them."""

    def on_begin(self):
        self.bought = set()

    def on_tick(self, tick):
        if "-" in tick.symbol and tick.symbol not in self.bought:
            self.bought.add(tick.symbol)
            exits = {"target": tick.price * 99, "stop_loss": 0.05} if self.parameters.get("bracket") else {}
            self.buy(tick.symbol, 75, **exits)
