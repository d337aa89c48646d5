"""What the strategies in `examples/` trade on a recording of minutes, by plain Python alone: no code of natya's.

The path of a candle, what becomes of an order and each average are written out again from what the documents say
(docs/backtests.md, decisions 0016, 0021, 0043 and 0117). Times are seconds since midnight in India.
"""

import csv
import itertools
import math
from dataclasses import dataclass, field
from statistics import fmean, pstdev


@dataclass
class Order:
    side: int
    quantity: int
    symbol: str
    limit: float | None = None
    stop: float | None = None
    found: float | None = None
    due_s: float = 0.0
    rests: bool = False
    is_open: bool = True


WAY_S = 0.02


@dataclass
class Market:
    """A book of orders, and who is told of their fills."""

    strategy: object
    orders: list = field(default_factory=list)
    fills: list = field(default_factory=list)
    held: dict = field(default_factory=dict)
    last: dict = field(default_factory=dict)
    now_s: float = 0.0

    def send(self, side, symbol, quantity, **prices):
        order = Order(side, quantity, symbol, found=self.last.get(symbol), due_s=self.now_s + WAY_S, **prices)
        self.orders.append(order)
        return order

    def open_of(self, symbol):
        return [order for order in self.orders if order.is_open and order.symbol == symbol]

    def flatten(self, symbol):
        for order in self.open_of(symbol):
            order.is_open = False
        if shares := self.held.get(symbol, 0):
            self.send(-1 if shares > 0 else 1, symbol, abs(shares))

    def tick(self, symbol, time_s, price):
        """Trade what is there: an order meets the first price behind its sending."""
        self.now_s, self.last[symbol] = time_s, price
        for order in self.open_of(symbol):
            paid = self._price(order, price, time_s)
            order.rests = True
            if paid is not None:
                order.is_open = False
                self.held[symbol] = self.held.get(symbol, 0) + order.side * order.quantity
                self.fills.append((symbol, order.side, order.quantity, paid, int(time_s // 60)))
                self.strategy.on_fill(self, order, paid, time_s)

    @staticmethod
    def _price(order, price, time_s):
        if order.stop is not None:
            return price if order.side * (price - order.stop) >= 0 else None
        if order.limit is None:
            return price
        beyond = order.side * (order.limit - price)  # above 0: better than the limit
        came_before = order.found is not None and order.due_s < time_s
        if not order.rests and not came_before:
            return price if beyond >= 0 else None
        if not order.rests and order.side * (order.limit - order.found) >= 0:
            return order.side * max(order.side * price, order.side * order.found) if beyond >= 0 else None
        return order.limit if beyond > 0 else None


def minutes_of(path):
    """Return the candles of a day: second of the day, open, high, low, close."""
    found = []
    with path.open() as file:
        for row in csv.DictReader(file):
            hours, minutes = row["date"][11:16].split(":")
            prices = [float(row[name]) for name in ("open", "high", "low", "close")]
            found.append((int(hours) * 3600 + int(minutes) * 60, *prices))
    return found


def path_of(candle):
    """Return the four prices of a candle with their times."""
    begin, opened, high, low, closed = candle
    up, down = round(high - opened, 6), round(opened - low, 6)
    low_first = down < up if up != down else round(high - closed, 6) <= round(closed - low, 6)
    first, second = (low, high) if low_first else (high, low)
    return [(begin, opened), (begin + 20, first), (begin + 40, second), (begin + 60 - 1e-6, closed)]


def play(strategy, recordings):
    """Play a strategy on the minutes of each symbol; return its fills: symbol, side, shares, price, minute."""
    market = Market(strategy)
    events = []
    for symbol, candles in recordings.items():
        for candle in candles:
            events += [(time_s, 1, symbol, price) for time_s, price in path_of(candle)]
            events.append((candle[0] + 60, 0, symbol, candle))
    for time_s, is_tick, symbol, what in sorted(events, key=lambda event: event[:3]):
        market.now_s = time_s
        strategy.clock(market, time_s)
        if is_tick:
            market.tick(symbol, time_s, what)
            strategy.on_tick(market, symbol, time_s, what)
        else:
            strategy.on_minute(market, symbol, what)
    return market.fills


class Strategy:
    """Does nothing, and makes fives of minutes: one is known with the first price of its symbol behind it."""

    def __init__(self):
        self.fives = {}
        self.over = {}

    def clock(self, market, time_s):
        """Hear the time, before the price of that time."""

    def on_fill(self, market, order, price, time_s):
        """Hear of a trade."""

    def on_five(self, market, symbol):
        """Hear of five minutes that are over."""

    def on_minute(self, market, symbol, candle):
        if (candle[0] // 60 - 555 + 1) % 5 == 0:
            self.over[symbol] = (candle[0] - 240, candle[4])

    def on_tick(self, market, symbol, time_s, price):
        if symbol in self.over:
            self.fives.setdefault(symbol, []).append(self.over.pop(symbol))
            self.on_five(market, symbol)


class RsiReversion(Strategy):
    def on_five(self, market, symbol):
        closes = [close for _, close in self.fives[symbol]]
        if len(closes) <= 14:
            return
        changes = [close - before for before, close in itertools.pairwise(closes)]
        gains = fmean(max(change, 0.0) for change in changes[:14])
        losses = fmean(max(-change, 0.0) for change in changes[:14])
        for change in changes[14:]:
            gains += (max(change, 0.0) - gains) / 14
            losses += (max(-change, 0.0) - losses) / 14
        strength = 50.0 if gains + losses == 0 else 100 * gains / (gains + losses)
        entries = [order for order in market.open_of(symbol) if order.side > 0]
        for order in entries:
            order.is_open = False
        if market.held.get(symbol, 0) > 0:
            if strength > 60.0:
                market.flatten(symbol)
        elif not entries and strength < 30.0:
            market.send(1, symbol, 10, limit=closes[-1])

    def on_fill(self, market, order, price, time_s):
        if order.side > 0:
            market.send(-1, order.symbol, order.quantity, stop=round(price * 0.99, 1))


class OpeningRange(Strategy):
    def __init__(self):
        super().__init__()
        self.low, self.high, self.traded, self.is_flat = math.inf, -math.inf, False, False

    def clock(self, market, time_s):
        if time_s >= (15 * 60 + 20) * 60 and not self.is_flat:
            self.is_flat = True
            for symbol in list(market.held):
                market.flatten(symbol)

    def on_minute(self, market, symbol, candle):
        end = candle[0] // 60 + 1
        if end <= 9 * 60 + 45:
            self.low, self.high = min(self.low, candle[3]), max(self.high, candle[2])
        is_late = end >= 15 * 60 + 15
        if end >= 9 * 60 + 45 and not is_late and not self.traded and candle[4] > self.high:
            self.traded = True
            market.send(1, symbol, 10)

    def on_fill(self, market, order, price, time_s):
        if order.side > 0:
            market.send(-1, order.symbol, order.quantity, stop=self.low)


class Grid(Strategy):
    laid = False

    def on_tick(self, market, symbol, time_s, price):
        if not self.laid:
            self.laid = True
            for level in (1, 2, 3):
                market.send(1, symbol, 5, limit=round(price * (1 - level * 0.3 / 100), 1))

    def on_fill(self, market, order, price, time_s):
        market.send(-order.side, order.symbol, 5, limit=round(price * (1 + order.side * 0.3 / 100), 1))


class Pair(Strategy):
    FIRST, SECOND = "TCS", "INFY"

    def on_five(self, market, symbol):
        first, second = (self.fives.get(name, [])[-20:] for name in (self.FIRST, self.SECOND))
        if len(first) < 20 or [at for at, _ in first] != [at for at, _ in second]:
            return
        if market.open_of(self.FIRST) or market.open_of(self.SECOND):
            return
        ratios = [one / other for (_, one), (_, other) in zip(first, second, strict=True)]
        spread = pstdev(ratios)
        distance = (ratios[-1] - fmean(ratios)) / spread if spread else 0.0
        held = {name: market.held.get(name, 0) for name in (self.FIRST, self.SECOND)}
        if any(held.values()):
            if abs(distance) < 0.5:
                for name in held:
                    market.flatten(name)
        elif abs(distance) > 2.0:
            side = -1 if distance > 0 else 1
            for name, closes, each in ((self.FIRST, first, side), (self.SECOND, second, -side)):
                market.send(each, name, max(int(10_000 / closes[-1][1]), 1))
