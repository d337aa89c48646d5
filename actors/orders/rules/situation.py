"""What the rules consider besides the order itself (plain)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final, TypeAlias

import msgspec

from ....config.sections.orders import OrdersSettings
from ....domain.closing import AGREED, TheirBook, closable
from ....domain.order_check import NO_FREEZE_QUANTITIES
from ....domain.orders import Order
from ....domain.time import SECOND_NS
from ....messages.broker import ClockCompared
from ....messages.orders import Product, Side, SubmitOrder
from ....messages.risk_state import RiskState
from ....messages.units import RUPEES_MAX
from ..book import Book
from ..book.day import INFINITE, UNITS, Day, own_price

MarketPrice: TypeAlias = tuple[float, int]
"""The market's last price of a symbol in rupees, and when that was: nanoseconds since 1970-01-01 UTC."""

NO_PRICE: Final[MarketPrice] = (0.0, 0)
NO_PRICES: Final[dict[str, MarketPrice]] = {}

Sums: TypeAlias = tuple[float, float, float, float]
"""Rupees that all that is held is worth, signed; and above which these are surely not worth, this order and those that
are not durable yet among each of them: open orders that have no price of their own; the most shares of every symbol if
all orders fill in the worst way; and those of them that are not covered, options aside."""

NOT_SO_EASY: Final[Sums] = (INFINITE, INFINITE, INFINITE, INFINITE)

NOTHING_ELSE: Final[Mapping[str, SubmitOrder]] = MappingProxyType({})
"""No change of an order is on its way to the journal."""

SURELY_WITHIN: Final = 1 - 1e-9
"""Below this fraction of a limit no rounding of a float matters; what is above is calculated exactly."""


class Funds(msgspec.Struct, frozen=True, kw_only=True):
    """The funds that the broker has told, and the orders and positions whose margin it had blocked by then."""

    available_rupees: float
    as_of_ns: int
    """When it was asked: nanoseconds since 1970-01-01 UTC."""

    covered: Mapping[str, tuple[int, int]]
    """By symbol the most shares, long and short, whose margin was blocked by then."""


SURELY_WITHIN_NS: Final = SECOND_NS * SURELY_WITHIN
"""The same fraction of a second."""


class Band(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The exchange's price band of a symbol, as the broker has told it: both prices are in it."""

    low: float
    """Rupees, as `high`."""

    high: float
    as_of_ns: int
    """When it was asked for: nanoseconds since 1970-01-01 UTC."""


class Bands(msgspec.Struct, frozen=True, kw_only=True):
    """All price bands that the broker has told."""

    of: Mapping[str, Band] = {}
    """By symbol."""

    problem: str = ""
    """Why it told no band of some symbols; empty: it told all that it has."""


class Refusal(msgspec.Struct, frozen=True, kw_only=True):
    """Why the gate refused an order."""

    rule: str
    reason: str
    """What was wanted and what was found."""

    shares_max: int | None = None
    """Of an order that is too large: as many shares as one may have."""


NO_BANDS: Final = Bands()


class Situation(msgspec.Struct, kw_only=True):
    """What the gate considers besides the order itself; not changed by whoever is given it."""

    risk_state: RiskState
    limits: OrdersSettings
    book: Book
    """Built from durable facts."""

    intents: Mapping[str, SubmitOrder]
    """Orders that passed the gate and are not durable yet, by client order id."""

    now_ns: int
    """Market time: nanoseconds since 1970-01-01 UTC."""

    reserved: Mapping[str, SubmitOrder] = NOTHING_ELSE
    """`intents`, and the growth of orders whose change passed the gate and is not durable yet: their exposure counts
    already."""

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

    clock: ClockCompared | None = None
    """How far our clock and the broker's are apart; None: not known yet."""

    product: Product = "INTRADAY"
    """Of orders that name none."""

    replaced: Order | None = None
    """An open order that the one under judgement takes the place of: its exposure does not count."""

    theirs: TheirBook = AGREED
    """In what the broker's positions differ."""

    bands: Bands = NO_BANDS
    """The exchange's price bands."""

    freeze_quantities: Mapping[str, int] = NO_FREEZE_QUANTITIES
    """By symbol the shares of the greatest order that the exchange takes, as far as they are known."""

    closes: bool = False
    """The order is the flattener's: it may only close positions, in HALTED, too."""

    reached_by: SubmitOrder | None = None
    """The order that `reached` and `opening` are of: kept between the rules."""

    reached: int = 0
    opening: bool = True

    priced_by: SubmitOrder | None = None
    """The order that `highest` is of."""

    highest: float = INFINITE

    summed_by: SubmitOrder | None = None
    """The order that `summed` is of."""

    summed: Sums = NOT_SO_EASY

    day: Day | None = None
    """Kept for `today`."""

    def __post_init__(self) -> None:
        if self.reserved is NOTHING_ELSE:
            self.reserved = self.intents

    def price_of(self, order: SubmitOrder) -> MarketPrice:
        """Return the last price of the order's symbol; zeros where there is none."""
        if self.market is None:
            return order.reference_price, order.reference_ns
        return self.market.get(order.symbol, NO_PRICE)

    def highest_price(self, order: SubmitOrder) -> float:
        """Return rupees a share above which nothing values this order: several rules ask. Infinite without a market."""
        if self.priced_by is not order:
            market = self.price_of(order)[0]
            self.priced_by = order
            self.highest = highest_price(order, market) if 0 < market <= RUPEES_MAX else INFINITE
        return self.highest

    @property
    def today(self) -> Day:
        """The counts of the present day in India; kept, since many rules need them."""
        if self.day is None:
            self.day = self.book.today(self.now_ns)
        return self.day

    def highest_beside(self, intent: SubmitOrder, order: SubmitOrder, market: Mapping[str, MarketPrice]) -> float:
        """Return rupees a share above which nothing values an order that is not durable yet, beside the judged one.

        All of a symbol may count at the price of that one.

        Raises:
            KeyError: the market has no price of it.
        """
        price = highest_price(intent, market[intent.symbol][0])
        return max(price, self.highest_price(order)) if intent.symbol == order.symbol else price

    def delivered(self, *orders: SubmitOrder) -> set[str]:
        """Return the symbols of which these, those that are not durable yet, or any order of the day is a delivery."""
        products = {*self.today.products, *((each.symbol, each.product) for each in (*self.reserved.values(), *orders))}
        return {symbol for symbol, product in products if (product or self.product) == "CNC"}

    def has_deliveries(self, order: SubmitOrder) -> bool:
        """Say whether there may be any."""
        if self.product == "CNC" or order.product == "CNC" or (self.day or self.today).has_deliveries:
            return True
        return any(each.product == "CNC" for each in self.reserved.values())

    def intents_of(self, strategy: str) -> int:
        """Return how many orders of a strategy passed the gate and are not durable yet."""
        return sum(each.strategy == strategy for each in self.intents.values()) if self.intents else 0

    def opens(self, order: SubmitOrder) -> bool:
        """Say whether any share of the order may open a position, rather than close what is held."""
        if self.reached_by is not order:
            self.reach(order)
        return self.opening

    def closable(self, order: SubmitOrder) -> int:
        """Return how many shares it may close: those that other open orders of its side may close do not count."""
        return closable(order.side, *self.theirs.held(order.symbol, self.reach(order)))

    def closable_of_product(self, order: SubmitOrder) -> int:
        """Return the same of those that are held in its product, by whatever strategy."""
        symbol, side, product = wanted = self._symbol_side_product(order)
        held = self.book.products(symbol, self.product).get(product, 0)
        leaves = self.book.product_leaves(symbol, side, product, self.product) + sum(
            each.quantity for each in self.reserved.values() if self._symbol_side_product(each) == wanted
        )
        if self.replaced is not None and self._symbol_side_product(self.replaced) == wanted:
            leaves -= self.book.counted_leaves(self.replaced)
        return closable(side, *self.theirs.held(symbol, held + leaves if side == "BUY" else held - leaves, product))

    def _symbol_side_product(self, order: SubmitOrder | Order) -> tuple[str, Side, Product]:
        """Return which shares an order is for."""
        return order.symbol, order.side, order.product or self.product

    def why_theirs(self, order: SubmitOrder) -> str:
        """Say in what the broker's position differs; empty: in nothing."""
        return self.theirs.told(order.symbol, order.product or self.product)

    def reach(self, order: SubmitOrder) -> int:
        """Return the signed shares of its symbol if every other open order of its side fills: many rules ask."""
        if self.reached_by is not order:
            reached = self.worst_case(order.symbol, order.side)
            self.reached_by, self.reached = order, reached
            opening = order.quantity > (-reached if order.side == "BUY" else reached)  # it is of 1 share at least
            if not opening and self.theirs is not AGREED and order.symbol in self.theirs.symbols:
                opening = order.quantity > min(self.closable(order), self.closable_of_product(order))
            self.opening = opening
            return reached
        return self.reached

    def open_value_with(self, order: SubmitOrder) -> float | None:
        """Return the value of all open orders and this one in rupees; None where a price is missing."""
        limit = self.limits.open_value_max_rupees
        at_most = self.book.open_values()[0] / UNITS + self.sums(order)[1]
        if at_most < limit * SURELY_WITHIN:
            return at_most
        units, shares = self.open_shares(order)
        return self._valued(shares, order, units)

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
        for each in (*self.reserved.values(), *orders):
            price = own_price(each)
            if price is None:
                shares[each.symbol] = shares.get(each.symbol, 0) + each.quantity
            else:
                units += round(price * UNITS) * each.quantity
        return units, shares

    def gross_value_with(self, order: SubmitOrder) -> float | None:
        """Return the value of all positions in rupees, if all orders and this one fill in the worst way."""
        at_most = self.sums(order)[2]
        if at_most < self.limits.gross_value_max_rupees * SURELY_WITHIN:
            return at_most
        return self._valued(self.worst_shares(order), order, 0)

    def worst_shares(self, order: SubmitOrder | None = None) -> dict[str, int]:
        """Return by symbol the most shares, long or short, if its orders, and this one, fill in the worst way."""
        return {symbol: max(most) for symbol, most in self.most_shares(order).items()}

    def most_shares(self, order: SubmitOrder | None = None) -> dict[str, tuple[int, int]]:
        """Return by symbol the most shares, long and short, if its orders, and this one, fill in the worst way."""
        most = dict(self.book.most_shares())
        for symbol in {each.symbol for each in self.reserved.values()}:
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

    def sums(self, order: SubmitOrder) -> Sums:
        """Return what several rules ask for, in one look at every symbol: kept between them.

        Each order counts in full, at the market's price or at its own where that is higher. Infinite where that is not
        so easy, as without a price: then it has to be calculated exactly.
        """
        if self.summed_by is order:
            return self.summed
        self.summed_by, self.summed = order, NOT_SO_EASY
        market, covered = self.market, None if self.funds is None else self.funds.covered
        if market is None:
            return NOT_SO_EASY
        held_worth = unpriced_worth = worst_worth = uncovered_worth = 0.0
        ordered = self.highest_price(order) * order.quantity
        try:
            for symbol, (held, unpriced, worst, uncovered) in self.book.weights(covered).items():
                price, _ = market[symbol]
                if price <= 0:
                    return NOT_SO_EASY
                held_worth += price * held
                unpriced_worth += price * unpriced
                worst_worth += price * worst
                uncovered_worth += price * uncovered
            for each in self.reserved.values() if self.reserved else ():
                ordered += self.highest_beside(each, order, market) * each.quantity
        except KeyError:
            return NOT_SO_EASY
        self.summed = held_worth, unpriced_worth + ordered, worst_worth + ordered, uncovered_worth + ordered
        return self.summed

    def _valued(self, shares: Mapping[str, int], order: SubmitOrder, units: int) -> float | None:
        """Return what shares are worth beside so many units (rupees / UNITS), exactly; None where a price lacks."""
        prices = self.market if self.market is not None else {order.symbol: self.price_of(order)}
        if not all(0 < prices.get(symbol, NO_PRICE)[0] < INFINITE for symbol in shares):
            return None
        return (units + sum(round(prices[symbol][0] * UNITS) * quantity for symbol, quantity in shares.items())) / UNITS

    def worst_case(self, symbol: str, side: Side) -> int:
        """Return the signed shares held if every open order of this side fills, and none of the other."""
        held, open_shares = self.book.held_and_leaves(symbol, side)
        if self.reserved:
            open_shares += sum(
                each.quantity for each in self.reserved.values() if each.symbol == symbol and each.side == side
            )
        if self.replaced is not None and (self.replaced.symbol, self.replaced.side) == (symbol, side):
            open_shares -= self.book.counted_leaves(self.replaced)
        return held + open_shares if side == "BUY" else held - open_shares

    def worst_case_of(self, strategy: str, symbol: str, side: Side) -> int:
        """Return the same for the holding and the orders of one strategy."""
        open_shares = self.book.strategy_leaves(strategy, symbol, side) + sum(
            each.quantity
            for each in self.reserved.values()
            if (each.strategy, each.symbol, each.side) == (strategy, symbol, side)
        )
        if self.replaced is not None and (self.replaced.symbol, self.replaced.side) == (symbol, side):
            open_shares -= self.book.counted_leaves(self.replaced)
        return self.book.strategy_shares(strategy, symbol) + (open_shares if side == "BUY" else -open_shares)


def highest_price(order: SubmitOrder, market_price: float) -> float:
    """Return the highest of the market's price and the order's own: rupees a share."""
    limit_price, trigger_price = order.limit_price, order.trigger_price
    if limit_price is not None and limit_price > market_price:
        market_price = limit_price
    if trigger_price is not None and trigger_price > market_price:
        return trigger_price
    return market_price


Rule: TypeAlias = Callable[[SubmitOrder, Situation], str]
"""Returns the reason of a refusal, empty to let the order pass."""
