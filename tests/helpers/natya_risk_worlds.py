"""Worlds in which an order meets the risk rules: days of random facts, and random limits near to what is found."""

from random import Random

from natya.actors.orders import OrdersActorSettings
from natya.actors.orders.book import Book
from natya.messages.orders import (
    OrderAccepted,
    OrderCancelled,
    OrderFilled,
    OrderIntended,
    OrderRejected,
    OrderUncertain,
    SubmitOrder,
)

S_NS = 10**9
BEGIN_NS = 1_791_171_900 * S_NS
"""09:15 in India on Monday, 5 October 2026."""

SYMBOLS = ["INFY", "TCS", "NIFTY-29Dec2026-26000-CE"]
STRATEGIES = ["one", "two"]
ORDERS_IN_A_WORLD = 40


class World:
    """An account that trades at random; what it has come to is a list of facts, and the book made of them."""

    def __init__(self, seed):
        self.random = Random(seed)
        self.book, self.facts, self.waiting, self.open = Book(), [], [], {}
        self.now_ns = BEGIN_NS + self.random.randrange(-20, 5 * 86_400) * S_NS
        self.count = 0
        self.market = {}

    def step(self):
        """Let time pass, prices change, and something happen."""
        random = self.random
        passed_s = random.choice([0, 0.25, 1, 10, 60, 3_600]) if random.random() < 0.97 else 16 * 3_600
        self.now_ns += int(passed_s * S_NS) + random.choice([-1, 0, 0, 1]) * (passed_s > 0)
        if random.random() < 0.7:
            symbol = random.choice(SYMBOLS)
            self.market[symbol] = self.price(symbol), self.now_ns - random.choice([0, 1, 3 * S_NS])
        if self.waiting and random.random() < 0.8:
            self.intend(self.waiting.pop(0))
        elif self.open and random.random() < 0.7:
            self.happen(random.choice([*self.open]))

    def price(self, symbol):
        return round((2 if symbol.endswith("CE") else 100) * (1 + self.random.choice([-0.1, 0, 0.01, 0.02, 0.2])), 2)

    def put(self, kind, **fields):
        fact = kind(occurred_ns=self.now_ns, **fields)
        self.facts.append(fact)
        self.book.apply(fact)

    def intend(self, order):
        names = ["client_order_id", "strategy", "symbol", "side", "quantity", "order_type", "limit_price"]
        names += ["trigger_price", "product"]
        self.put(OrderIntended, **{name: getattr(order, name) for name in names})
        self.open[order.client_order_id] = [order, 0, False]

    def happen(self, name):
        """Let something happen to an open order."""
        order, filled, is_answered = self.open[name]
        kinds = ["fill", "fill", "cancel"] if is_answered else ["accept", "accept", "doubt", "reject"]
        match self.random.choice(kinds):
            case "accept":
                self.put(OrderAccepted, client_order_id=name, broker_order_id=f"B-{name}")
                self.open[name][2] = True
            case "doubt":
                self.put(OrderUncertain, client_order_id=name, reason="")
            case "reject":
                self.put(OrderRejected, client_order_id=name, reason="")
                del self.open[name]
            case "cancel":
                self.put(OrderCancelled, client_order_id=name, reason="")
                del self.open[name]
            case "fill":
                traded = self.random.randint(1, order.quantity - filled)
                self.open[name][1] = filled = filled + traded
                what = {"client_order_id": name, "strategy": order.strategy, "symbol": order.symbol}
                what |= {"side": order.side, "trade_id": f"{name}-{filled}", "quantity": traded}
                self.put(OrderFilled, **what, price=self.price(order.symbol), cumulative_quantity=filled)
                if filled == order.quantity:
                    del self.open[name]

    def order(self):
        """Draw an order."""
        random, symbol = self.random, self.random.choice(SYMBOLS)
        self.count += 1
        side = random.choice(["BUY", "SELL"])
        limit_price = self.price(symbol) if random.random() < 0.6 else None
        trigger_price = self.price(symbol) if random.random() < 0.2 else None
        if limit_price and trigger_price:
            prices = sorted([limit_price, trigger_price], reverse=side == "SELL")
            trigger_price, limit_price = prices
        order_type = {0: "MARKET", 1: "LIMIT", 2: "STOP", 3: "STOP_LIMIT"}[bool(limit_price) + 2 * bool(trigger_price)]
        if order_type == "LIMIT" and self.count % 37 == 0:
            order_type = "MARKET"
        used = [*self.open] or ["A-1"]
        below, above = self.exits(symbol, limit_price, trigger_price)
        target, stop = (above, below) if side == "BUY" else (below, above)
        return SubmitOrder(
            client_order_id=f"A-{self.count}" if random.random() < 0.97 else random.choice([*used, "a b", "x" * 26]),
            strategy=random.choice(STRATEGIES),
            symbol=symbol,
            side=side,
            quantity=random.choice([1, 1, 2, 3, 5, 10]),
            order_type=order_type,
            limit_price=limit_price,
            trigger_price=trigger_price,
            product=random.choice([None, None, None, "INTRADAY", "CNC"]),
            target_price=target,
            stop_loss_price=stop,
            submitted_ns=self.now_ns - random.choice([*[0] * 4, 2 * S_NS, 2 * S_NS + 1, -3 * S_NS, -3 * S_NS - 1]),
            reference_price=random.choice([0.0, self.price(symbol), self.price(symbol)]),
            reference_ns=self.now_ns - random.choice([self.now_ns, 0, 0, 3 * S_NS + 1, -3 * S_NS, -3 * S_NS - 1]),
        )

    def exits(self, symbol, *prices):
        """Draw prices for the exits of some entries, below and above what those wait for."""
        random, own = self.random, [price for price in prices if price]
        if random.random() < 0.8:
            return None, None
        below, above = sorted((self.price(symbol), self.price(symbol)))
        is_below = below < min([*own, above]) and random.random() < 0.7
        is_above = above > max([*own, below]) and random.random() < 0.7
        return below if is_below else None, above if is_above else None

    def money(self):
        """Draw what the broker has told: rupees, when, and what was covered then."""
        random = self.random
        if random.random() < 0.1:
            return None
        covered = {symbol: (random.choice([0, 0, 3, -2]), random.choice([0, 0, 5])) for symbol in SYMBOLS}
        when_ns = self.now_ns - random.choice([0, 0, 20, 60, 60, 61]) * S_NS - random.choice([0, 0, 1])
        return random.choice([0.0, 100.0, 400.0, 5_000.0, 50_000.0, -5.0]), when_ns, covered

    def bands(self):
        """Draw the price bands that the broker has told: lowest, highest, and when."""
        random, found = self.random, {}
        for symbol in SYMBOLS:
            price, age_s = self.price(symbol), random.choice([0, 30, 30, 60, 61])
            if random.random() < 0.8:
                found[symbol] = round(price * 0.9, 2), round(price * 1.1, 2), self.now_ns - age_s * S_NS
        return found

    def limits(self):
        """Draw limits, each of them off more often than not."""
        random = self.random

        def some(*values, off=0):
            return random.choice(values) if random.random() < 0.3 else off

        return OrdersActorSettings.default(
            quantity_max=some(1, 2, 5, off=10),
            value_max_rupees=some(100.0, 200.0, 1_000.0, off=1e6),
            position_max=some(1, 5, 10, off=1_000),
            price_age_max_s=some(1.0, 3.0, off=0.0),
            orders_a_moment_max=some(1, 2, off=10),
            orders_in_flight_max=some(1, 2, 4, off=1_000),
            order_age_max_s=some(2.0, off=0.0),
            session=some("NSE", off="none"),
            clock_skew_max_s=some(2.0, off=0.0),
            no_opens_last_s=some(600.0, off=0.0),
            price_collar_percent=some(1.0, 2.0, off=0.0),
            price_band_age_max_s=some(30.0, 60.0, off=0.0),
            option_collar_percent=some(1.0, 20.0, off=0.0),
            open_value_max_rupees=some(100.0, 500.0, 1_000.0, 2_000.0, off=0.0),
            gross_value_max_rupees=some(100.0, 1_000.0, 2_000.0, off=0.0),
            unknown_orders_max=some(1, 2, 3),
            day_loss_max_rupees=some(1.0, 20.0, 100.0, off=0.0),
            repeats_max=some(1, 2),
            margin_use_max_percent=some(1.0, 50.0, 90.0, off=0.0),
            margin_percent=random.choice([20.0, 20.0, 12.5, 100.0]),
            orders_a_second_max=some(1, 2),
            orders_a_minute_max=some(1, 3),
            orders_an_hour_max=some(2, 5),
            orders_a_day_max=some(3, 6),
            strategy_orders_a_day_max=some(2, 4),
            strategy_trades_a_day_max=some(1, 2, 4),
            symbols=some(("INFY",), ("T*",), (), off=("*",)),
        )
