"""What the rules consider besides the order itself (plain)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, TypeAlias

import msgspec

from ....config.sections.orders import OrdersSettings
from ....domain.orders import Order
from ....messages.orders import Product, RiskState, Side, SubmitOrder
from ..book import Book
from ..book.day import UNITS, Day, own_price

MarketPrice: TypeAlias = tuple[float, int]
"""The market's last price of a symbol in rupees, and when that was: nanoseconds since 1970-01-01 UTC."""

NO_PRICE: Final[MarketPrice] = (0.0, 0)
NO_PRICES: Final[dict[str, MarketPrice]] = {}
INFINITE: Final = float("inf")

SURELY_WITHIN: Final = 1 - 1e-9
"""Below this part of a limit no rounding of a float matters: only the rest is calculated exactly."""


class Funds(msgspec.Struct, frozen=True, kw_only=True):
    """What the broker has told that there is, and what orders and positions it has told it with."""

    available_rupees: float
    as_of_ns: int
    """When it was asked: nanoseconds since 1970-01-01 UTC."""

    covered: Mapping[str, tuple[int, int]]
    """By symbol the most shares, long and short, that those came to then: their margin is taken off already."""


class Refusal(msgspec.Struct, frozen=True, kw_only=True):
    """Why the gate refused an order."""

    rule: str
    reason: str
    """What was wanted and what was found."""


class Situation(msgspec.Struct, kw_only=True):
    """What the gate considers besides the order itself; not changed by whoever is given it."""

    risk_state: RiskState
    limits: OrdersSettings
    book: Book
    """Built from durable facts."""

    intents: Mapping[str, SubmitOrder]
    """Orders that passed the gate and are not durable yet, by client order id: their exposure counts already."""

    now_ns: int
    """Market time: nanoseconds since 1970-01-01 UTC."""

    strategy_position_max: int | None = None
    """Shares of one symbol that this strategy may hold; None: only the account's limit applies."""

    strategy_orders_in_flight_max: int | None = None
    """Unanswered orders that this strategy may have; None: only the account's limit applies."""

    at_this_moment: int = 1
    """Orders that this strategy has submitted at exactly this market time, this one included."""

    market: dict[str, MarketPrice] | None = None
    """By symbol, as orders itself has heard it. None: it hears none, and what the strategy saw last counts instead."""

    funds: Funds | None = None
    """What the broker has told; None: nothing yet."""

    product: Product = "INTRADAY"
    """Of orders that name none, and of what is held."""

    replaced: Order | None = None
    """An open order that the one under judgement takes the place of: its exposure does not count."""

    closes: bool = False
    """It is of the flattener: it may only close, and may in HALTED."""

    reached_by: SubmitOrder | None = None
    """The order that `reached` is of: kept between the rules."""

    reached: int = 0

    day: Day | None = None
    """Kept for `today`."""

    def price_of(self, order: SubmitOrder) -> MarketPrice:
        """Return the last price of the order's symbol; zeros where there is none."""
        if self.market is None:
            return order.reference_price, order.reference_ns
        return self.market.get(order.symbol, NO_PRICE)

    @property
    def today(self) -> Day:
        """The counts of the day in India that this is: many rules ask."""
        if self.day is None:
            self.day = self.book.today(self.now_ns)
        return self.day

    def intents_of(self, strategy: str) -> int:
        """Return how many orders of a strategy passed the gate and are not durable yet."""
        return sum(each.strategy == strategy for each in self.intents.values()) if self.intents else 0

    def opens(self, order: SubmitOrder) -> bool:
        """Say whether any share of the order may open a position, rather than close what is held."""
        return order.quantity > self.closable(order)

    def closable(self, order: SubmitOrder) -> int:
        """Return how many shares it may close: those that other open orders of its side may close do not count."""
        held = self.reach(order)
        return max(-held if order.side == "BUY" else held, 0)

    def reach(self, order: SubmitOrder) -> int:
        """Return the signed shares of its symbol if every other open order of its side fills: many rules ask."""
        if self.reached_by is not order:
            self.reached_by, self.reached = order, self.worst_case(order.symbol, order.side)
        return self.reached

    def open_value_with(self, order: SubmitOrder) -> float | None:
        """Return the value of all open orders and this one in rupees; None where a price is missing."""
        units, shares = self.open_shares(order)
        return self._valued(shares, order, units, self.limits.open_value_max_rupees)

    def open_shares(self, *orders: SubmitOrder) -> tuple[int, dict[str, int]]:
        """Return what all open orders and these come to at their own prices (rupees / UNITS), and the shares of others.

        The latter by symbol: they are worth what the market says.
        """
        units, at_market = self.book.open_values()
        shares = dict(at_market)
        if self.replaced is not None:
            price, leaves = own_price(self.replaced), self.replaced.leaves
            if price is None:
                shares[self.replaced.symbol] -= leaves
            else:
                units -= round(price * UNITS) * leaves
        for each in (*self.intents.values(), *orders):
            price = own_price(each)
            if price is None:
                shares[each.symbol] = shares.get(each.symbol, 0) + each.quantity
            else:
                units += round(price * UNITS) * each.quantity
        return units, shares

    def gross_value_with(self, order: SubmitOrder) -> float | None:
        """Return the value of all positions in rupees, if all orders and this one fill in the worst way."""
        shares = self.worst_shares()
        reached = self.reach(order)
        with_it = (reached if order.side == "BUY" else -reached) + order.quantity
        shares[order.symbol] = max(shares.get(order.symbol, 0), with_it)
        return self._valued(shares, order, 0, self.limits.gross_value_max_rupees)

    def worst_shares(self) -> dict[str, int]:
        """Return by symbol the most shares, long or short, if its orders fill in the worst way."""
        shares = dict(self.book.worst_shares())
        for each in self.intents.values():
            reached = self.worst_case(each.symbol, each.side)
            shares[each.symbol] = max(shares.get(each.symbol, 0), reached if each.side == "BUY" else -reached)
        return shares

    def most_shares(self, order: SubmitOrder | None = None) -> dict[str, tuple[int, int]]:
        """Return by symbol the most shares, long and short, if its orders, and this one, fill in the worst way."""
        most = dict(self.book.most_shares())
        for symbol in {each.symbol for each in self.intents.values()}:
            most[symbol] = max(0, self.worst_case(symbol, "BUY")), max(0, -self.worst_case(symbol, "SELL"))
        if order is not None:
            long, short = most.get(order.symbol, (0, 0))
            with_it = self.reach(order)
            if order.side == "BUY":
                long = max(0, with_it + order.quantity)
            else:
                short = max(0, order.quantity - with_it)
            most[order.symbol] = long, short
        return most

    def _valued(self, shares: Mapping[str, int], order: SubmitOrder, units: int, limit: float) -> float | None:
        """Add what shares are worth; exactly where that decides whether the limit is kept."""
        prices = self.market if self.market is not None else {order.symbol: self.price_of(order)}
        nearly = units / UNITS
        for symbol, quantity in shares.items():
            price = prices.get(symbol, NO_PRICE)[0]
            if not 0 < price < INFINITE:
                return None
            nearly += price * quantity
        if nearly < limit * SURELY_WITHIN:
            return nearly
        return (units + sum(round(prices[symbol][0] * UNITS) * quantity for symbol, quantity in shares.items())) / UNITS

    def worst_case(self, symbol: str, side: Side) -> int:
        """Return the signed shares held if every open order of this side fills, and none of the other."""
        open_shares = self.book.leaves(symbol, side)
        if self.intents:
            open_shares += sum(
                each.quantity for each in self.intents.values() if each.symbol == symbol and each.side == side
            )
        if self.replaced is not None and (self.replaced.symbol, self.replaced.side) == (symbol, side):
            open_shares -= self.book.counted_leaves(self.replaced)
        return self.book.position(symbol) + (open_shares if side == "BUY" else -open_shares)

    def worst_case_of(self, strategy: str, symbol: str, side: Side) -> int:
        """Return the same for the holding and the orders of one strategy."""
        open_shares = self.book.strategy_leaves(strategy, symbol, side) + sum(
            each.quantity
            for each in self.intents.values()
            if (each.strategy, each.symbol, each.side) == (strategy, symbol, side)
        )
        if self.replaced is not None and (self.replaced.symbol, self.replaced.side) == (symbol, side):
            open_shares -= self.book.counted_leaves(self.replaced)
        return self.book.strategy_shares(strategy, symbol) + (open_shares if side == "BUY" else -open_shares)


Rule: TypeAlias = Callable[[SubmitOrder, Situation], str]
"""Returns the reason of a refusal, empty to let the order pass."""
