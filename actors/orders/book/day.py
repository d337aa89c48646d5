"""What has happened in a day in India (plain): the counts that the rules limit, built from the same facts as the book.

So a restart goes on with the same counts: it gives nobody a second day's limit.
"""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from fractions import Fraction
from typing import Final, Self, TypeAlias

import msgspec
from msgspec.structs import replace

from ....domain.freshness import is_ahead
from ....domain.orders import Order
from ....domain.positions import Holding
from ....domain.time import day_start_ns
from ....messages.orders import OrderIntended, Product, Side, SubmitOrder

KEPT_MAX: Final = 10_000
"""Newest orders whose times are kept: no limit of orders in a time may be above it."""

INFINITE: Final = float("inf")

UNITS: Final = 10_000
"""Parts of a rupee: each price on the grid of an exchange is a whole number of them."""

Alike: TypeAlias = tuple[str, Side, int, float | None, float | None]
"""Symbol, side, quantity, limit price and trigger price of an order."""


def alike(order: OrderIntended | SubmitOrder) -> Alike:
    """Return what two alike orders have in common."""
    return order.symbol, order.side, order.quantity, order.limit_price, order.trigger_price


def own_price(order: Order | SubmitOrder) -> float | None:
    """Return at what price (rupees) an order counts, whatever the market's is; None: at the market's.

    At its limit, and a BUY that waits for its trigger at that: there the market is above what it is now. While a change
    of it is pending, at the higher price of before and after.
    """
    name = "limit_price" if order.limit_price is not None or order.side == "SELL" else "trigger_price"
    price: float | None = getattr(order, name)
    pending = order.pending if isinstance(order, Order) else None
    if price is None or pending is None:
        return price
    return max(price, getattr(pending, name) or price)


class Recent:
    """The orders of the last seconds, counted by what they are alike in; brought up to date only when asked."""

    __slots__ = ("counts", "seen", "window")

    def __init__(self) -> None:
        self.counts: dict[Alike, int] = {}
        self.seen = 0
        """Orders that were ever taken."""

        self.window: deque[tuple[int, Alike]] = deque()

    def take(self, sent: deque[OrderIntended], sent_ever: int) -> None:
        """Take those that are new among the newest orders, `sent_ever` of which there were."""
        new = min(sent_ever - self.seen, len(sent))
        self.seen = sent_ever
        for number in range(new, 0, -1):
            fact = sent[-number]
            key = alike(fact)
            self.counts[key] = self.counts.get(key, 0) + 1
            self.window.append((fact.occurred_ns, key))

    def forget(self, since_ns: int) -> None:
        """Forget those that passed the gate at a time or before."""
        counts, window = self.counts, self.window
        while window and window[0][0] <= since_ns:
            key = window.popleft()[1]
            counts[key] -= 1
            if not counts[key]:
                del counts[key]

    def shift(self, by_ns: int) -> None:
        """Move all times back by so many nanoseconds."""
        self.window = deque((time_ns - by_ns, key) for time_ns, key in self.window)


class KeptDay(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """The counts of one account as they are kept in a file."""

    number: int
    ends_ns: int
    orders: int
    orders_before: int
    changes: int
    orders_by_strategy: dict[str, int]
    trades_by_strategy: dict[str, int]
    realized_before: tuple[str, str]
    """Numerator and denominator, in hexadecimal digits."""

    carried: tuple[str, ...]
    sent: tuple[OrderIntended, ...]
    rejected_ns: tuple[int, ...]
    products: tuple[tuple[str, Product | None], ...]


class Day:
    """The counts of one account."""

    __slots__ = (
        "_orders_before", "_recent", "_rejected_ns", "_sent", "carried", "changes", "ends_ns", "has_deliveries",
        "number", "orders", "orders_by_strategy", "products", "realized_before", "trades_by_strategy",
    )  # fmt: skip

    def __init__(self) -> None:
        self.number = -1
        """Days since 1970-01-01 in India; -1 before the first."""

        self.ends_ns = 0
        """When the next begins: nanoseconds since 1970-01-01 UTC."""

        self.orders = 0
        """Orders that passed the gate."""

        self._orders_before = 0
        """Orders of all days before."""

        self.changes = 0
        """Modifications and cancellations that were asked of the broker."""

        self.orders_by_strategy: defaultdict[str, int] = defaultdict(int)
        self.trades_by_strategy: defaultdict[str, int] = defaultdict(int)
        self.realized_before = Fraction(0)
        """Rupees realised before the day."""

        self.products: set[tuple[str, Product | None]] = set()
        """Symbols of its orders, with the products that these named."""

        self.has_deliveries = False
        """Whether any of them named CNC."""

        self.carried: set[str] = set()
        """Symbols whose position was held already when the day began."""

        self._sent: deque[OrderIntended] = deque(maxlen=KEPT_MAX)
        self._rejected_ns: deque[int] = deque(maxlen=KEPT_MAX)
        self._recent = Recent()

    def kept(self) -> KeptDay:
        """Return them, to be kept."""
        realized = self.realized_before
        return KeptDay(
            number=self.number,
            ends_ns=self.ends_ns,
            orders=self.orders,
            orders_before=self._orders_before,
            changes=self.changes,
            orders_by_strategy=self.orders_by_strategy,
            trades_by_strategy=self.trades_by_strategy,
            realized_before=(f"{realized.numerator:x}", f"{realized.denominator:x}"),
            carried=tuple(sorted(self.carried)),
            sent=tuple(self._sent),
            rejected_ns=tuple(self._rejected_ns),
            products=tuple(sorted(self.products, key=str)),
        )

    @classmethod
    def from_kept(cls, kept: KeptDay) -> Self:
        """Return what was kept."""
        day = cls()
        day.number, day.ends_ns = kept.number, kept.ends_ns
        day.orders, day._orders_before, day.changes = kept.orders, kept.orders_before, kept.changes
        day.orders_by_strategy.update(kept.orders_by_strategy)
        day.trades_by_strategy.update(kept.trades_by_strategy)
        day.realized_before = Fraction(*(int(each, 16) for each in kept.realized_before))
        day.carried = set(kept.carried)
        day._sent.extend(kept.sent)
        day._rejected_ns.extend(kept.rejected_ns)
        day.products = set(kept.products)
        day.has_deliveries = any(product == "CNC" for _, product in kept.products)
        return day

    def begin(self, number: int, holdings: dict[str, Holding]) -> None:
        """Begin a new day with what is held; times in the last hour still count."""
        self.number, self.ends_ns = number, day_start_ns(number + 1)
        self._orders_before += self.orders
        self.orders = self.changes = 0
        self.products, self.has_deliveries = set(), False
        self.orders_by_strategy, self.trades_by_strategy = defaultdict(int), defaultdict(int)
        self.realized_before = sum((each.realized for each in holdings.values()), Fraction(0))
        self.carried = {symbol for symbol, each in holdings.items() if each.quantity}

    def notice_clock(self, now_ns: int) -> None:
        """Where the clock was set back, move all times back, too: the newest of them to now.

        Else they would count as of the last second until the clock is past them: five rejections of the morning would
        look like a storm, and no order would pass.
        """
        newest_ns = self._sent[-1].occurred_ns if self._sent else 0
        if self._rejected_ns and self._rejected_ns[-1] > newest_ns:
            newest_ns = self._rejected_ns[-1]
        if newest_ns <= now_ns or not is_ahead(newest_ns, now_ns):
            return
        by_ns = newest_ns - now_ns
        self._recent.shift(by_ns)
        sent = (replace(each, occurred_ns=max(each.occurred_ns - by_ns, 0)) for each in self._sent)
        self._sent = deque(sent, maxlen=KEPT_MAX)
        self._rejected_ns = deque((each - by_ns for each in self._rejected_ns), maxlen=KEPT_MAX)

    def intended(self, fact: OrderIntended) -> None:
        """Count an order that passed the gate."""
        self.orders += 1
        self.orders_by_strategy[fact.strategy] += 1
        self.products.add((fact.symbol, fact.product))
        self.has_deliveries = self.has_deliveries or fact.product == "CNC"
        self._sent.append(fact)

    @property
    def trades(self) -> int:
        """Trades of all strategies."""
        return sum(self.trades_by_strategy.values())

    def changed(self) -> None:
        """Count a modification or a cancellation of an order."""
        self.changes += 1

    def traded(self, strategy: str, symbol: str, before: int, after: int) -> None:
        """Count a trade, which changed the signed shares held of its symbol."""
        self.trades_by_strategy[strategy] += 1
        if before * after <= 0:
            self.carried.discard(symbol)

    def rejected(self, time_ns: int) -> None:
        """Count an order that the broker rejected."""
        self._rejected_ns.append(time_ns)

    def has_sent_since(self, since_ns: int, orders: int) -> bool:
        """Say whether at least so many orders passed the gate after a time."""
        if orders <= 0:
            return True
        return len(self._sent) >= orders and self._sent[-orders].occurred_ns > since_ns

    def sent_since(self, since_ns: int) -> int:
        """Count the orders that passed the gate after a time; a limit needs only `has_sent_since`, which is cheaper."""
        return sum(fact.occurred_ns > since_ns for fact in self._sent)

    def shares_since(self, since_ns: int) -> Counter[tuple[str, Side]]:
        """Count the shares, by symbol and side, of the orders that passed the gate at a time or later."""
        shares: Counter[tuple[str, Side]] = Counter()
        for fact in reversed(self._sent):
            if fact.occurred_ns < since_ns:
                break
            shares[fact.symbol, fact.side] += fact.quantity
        return shares

    def alike_since(self, since_ns: int, what: Alike) -> int:
        """Count the orders alike that passed the gate after a time, which never goes back."""
        recent, sent_ever = self._recent, self._orders_before + self.orders
        if sent_ever > recent.seen:
            recent.take(self._sent, sent_ever)
        if recent.window and recent.window[0][0] <= since_ns:
            recent.forget(since_ns)
        return recent.counts.get(what, 0)

    def rejected_since(self, since_ns: int) -> int:
        """Count the orders that the broker rejected after a time."""
        return sum(time_ns > since_ns for time_ns in self._rejected_ns)


class Profit:
    """The profit of a day: realised since it began, and of what is open at the market's last prices.

    Of a position that was held when the day began, an open loss counts in full and an open gain not at all: how much of
    it is this day's is not known, and a limit must not rely on it.
    """

    __slots__ = ("_cost", "_costs", "_counted", "_held", "_is_of_today", "_realized")

    def __init__(self) -> None:
        self._counted = (-1, -1)
        self._realized = self._cost = 0
        self._held: dict[str, int] = {}
        """What is held, in units of a share / 10,000, by symbol."""

        self._costs: dict[str, int] = {}
        self._is_of_today = True
        """Whether nothing of it was held when the day began."""

    def units(
        self,
        day: Day,
        fills: int,
        holdings: dict[str, Holding],
        prices: dict[str, tuple[float, int]],
        worth: float = INFINITE,
    ) -> tuple[int, int, tuple[str, ...]]:
        """Return what is realised and what is open, in units of a rupee / 10,000, and the symbols without a price.

        Args:
            day: of today.
            fills: number of fills so far.
            holdings: by symbol.
            prices: by symbol, the newest, in rupees, with their times.
            worth: of all that is held, in rupees at these prices; infinite where that is not known.
        """
        if self._counted != (day.number, fills):
            self._counted = day.number, fills
            self._count(day, holdings)
        if worth < INFINITE and self._is_of_today:
            # Below 10**10 rupees rounding gives the exact value, which is a whole number.
            return self._realized, round(worth * UNITS - self._cost), ()
        open_units, missing = 0.0, []
        for symbol, quantity_units in self._held.items():
            known = prices.get(symbol)
            if known is None:
                missing.append(symbol)
                continue
            profit = known[0] * quantity_units - self._costs[symbol]
            if profit < 0 or symbol not in day.carried:
                open_units += profit
        return self._realized, round(open_units), tuple(sorted(missing))

    def _count(self, day: Day, holdings: dict[str, Holding]) -> None:
        realized = sum((each.realized for each in holdings.values()), Fraction(0)) - day.realized_before
        self._realized = int(realized * UNITS // 1)  # down: a loss is never told smaller than it is
        self._held = {symbol: each.quantity * UNITS for symbol, each in holdings.items() if each.quantity}
        self._costs = {symbol: int(-(-holdings[symbol].cost * UNITS // 1)) for symbol in self._held}
        self._cost = sum(self._costs.values())
        self._is_of_today = not day.carried
