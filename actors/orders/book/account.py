"""What belongs to one account (plain): its open orders, its positions, and the sums that the rules go by."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Mapping
from typing import Final, Self, TypeAlias

import msgspec

from ....domain.instruments import is_option
from ....domain.orders import Order
from ....domain.positions import KeptHolding, Positions, StrategyPositions
from ....domain.time import day_of
from ....messages.orders import CancellationIntended, ModificationIntended, OrderFilled, OrderRejected, Product, Side
from ....messages.risk_state import KeptRiskState
from .day import UNITS, Day, KeptDay, Profit, own_price

Covered: TypeAlias = Mapping[str, tuple[int, int]]
"""By symbol the most shares, long and short, for which the broker has blocked margin already; below 0 where orders
since then need margin for that many shares more."""

Weight: TypeAlias = tuple[float, float, float, float]
"""Of one symbol: the shares held (signed); the open shares of orders without a price of their own; the most shares,
long or short, if its open orders fill in the worst way; how many of these are not covered (0 for an option). Whole
numbers, as floats because a float times a float takes half as long."""

EXITS_REMEMBERED_MAX: Final = 1_000
"""Exits per strategy, the newest: a strategy that starts is told of them, and drops their facts that the router still
delivers, which are never as many."""


class KeptAccount(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """One account as it is kept in a file: its open orders are kept with the book."""

    open: tuple[str, ...]
    leaves: tuple[tuple[str, Side, int], ...]
    strategy_leaves: tuple[tuple[str, str, Side, int], ...]
    strategy_unanswered: dict[str, int]
    positions: dict[str, KeptHolding]
    by_strategy: dict[str, dict[str, KeptHolding]]
    refused: dict[str, int]
    orders: int
    fills: int
    rejected: int
    unanswered: int
    risk_state: KeptRiskState
    risk_cause: str
    day: KeptDay
    brackets: tuple[str, ...]
    exits: dict[str, tuple[str, ...]]
    priced_units: int
    unpriced_leaves: dict[str, int]
    worst: dict[str, int]
    unknown: dict[str, str]
    keeps_day: bool
    cancels_open: bool
    named: tuple[tuple[str, str, dict[Product, int]], ...]
    late: dict[str, int]
    sold: dict[str, int]
    surplus: dict[str, int]
    bare: tuple[str, ...]
    expired: tuple[tuple[str, str, str], ...]


class Account:
    """The open orders, positions and counts of one account."""

    __slots__ = (
        "bare",
        "brackets",
        "by_strategy",
        "cancels_open",
        "covered",
        "day",
        "exits",
        "expired",
        "fills",
        "keeps_day",
        "late",
        "leaves",
        "most",
        "named",
        "open",
        "orders",
        "positions",
        "priced_units",
        "profit",
        "refused",
        "rejected",
        "risk_cause",
        "risk_state",
        "sold",
        "strategy_leaves",
        "strategy_unanswered",
        "surplus",
        "unanswered",
        "uncovered_options",
        "unknown",
        "unpriced_leaves",
        "unweighed",
        "weights",
        "worst",
    )  # fmt: skip

    def __init__(self) -> None:
        self.open: dict[str, Order] = {}
        self.leaves: dict[tuple[str, Side], int] = {}
        self.strategy_leaves: dict[tuple[str, str, Side], int] = {}
        self.strategy_unanswered: dict[str, int] = {}
        self.positions, self.by_strategy = Positions(), StrategyPositions()
        self.refused: Counter[str] = Counter()
        """Orders that our gate refused, by rule."""

        self.orders = self.fills = self.rejected = self.unanswered = 0
        self.risk_state: KeptRiskState = "NORMAL"
        self.risk_cause = ""
        self.day = Day()
        self.keeps_day = False
        """Whether no other day begins, until a person resumes: the clock was set ahead."""

        self.cancels_open = False
        """Whether every open order is to be cancelled, until a person resumes."""

        self.profit = Profit()
        self.brackets: dict[str, None] = {}
        """Entries of brackets that are not done, by client order id."""

        self.bare: dict[str, None] = {}
        """Entries of brackets that are done, and whose shares are held without an exit that they were to have."""

        self.late: dict[str, int] = {}
        """By entry: shares that were filled after its exits had ended, less those that its orders at the market have
        closed; it counts as far as these are held (`Bracket.exposed`)."""

        self.sold: dict[str, int] = {}
        """By entry: shares that orders other than its exits have closed."""

        self.surplus: dict[str, int] = {}
        """By entry: shares that are held because its exits have traded more than it had."""

        self.exits: dict[str, deque[str]] = {}
        """The newest exits of brackets, by strategy."""

        self.expired: dict[tuple[str, str], str] = {}
        """By strategy and symbol: its order at the market, none of a bracket, that was to close what is held, and whose
        day was over before it did."""

        self.priced_units = 0
        """Value of the open orders that have a price of their own (`own_price`): rupees / UNITS."""

        self.unpriced_leaves: dict[str, int] = {}
        """Open shares of the others, by symbol; none that has 0."""

        self.most: dict[str, tuple[int, int]] = {}
        """By symbol the most shares, long and short, if its orders fill in the worst way; see `weigh`."""

        self.worst: dict[str, int] = {}
        """See `weigh`."""

        self.unweighed: set[str] = set()
        """Symbols with an order that changed since `weigh`."""

        self.covered: Covered | None = None
        """What the weights are computed with; None: the broker has told nothing, and margin does not count."""

        self.weights: dict[str, Weight] = {}
        """By symbol, none that has only zeros; see `weigh`."""

        self.uncovered_options: dict[str, tuple[int, int]] = {}
        """By symbol of an option the most shares beyond what is covered, long and short."""

        self.unknown: dict[str, str] = {}
        """Symbols of the orders that are UNKNOWN, by client order id."""

        self.named: dict[tuple[str, str], dict[Product, int]] = {}
        """By strategy and symbol, then by product: the signed shares of orders that named a product; none of 0."""

    def kept(self) -> KeptAccount:
        """Return the account as it is kept in a file."""
        return KeptAccount(
            open=tuple(self.open),
            leaves=tuple((*key, shares) for key, shares in self.leaves.items()),
            strategy_leaves=tuple((*key, shares) for key, shares in self.strategy_leaves.items()),
            strategy_unanswered=self.strategy_unanswered,
            positions=self.positions.kept(),
            by_strategy=self.by_strategy.kept(),
            refused=dict(self.refused),
            orders=self.orders,
            fills=self.fills,
            rejected=self.rejected,
            unanswered=self.unanswered,
            risk_state=self.risk_state,
            risk_cause=self.risk_cause,
            day=self.day.kept(),
            brackets=tuple(self.brackets),
            exits={strategy: tuple(each) for strategy, each in self.exits.items()},
            priced_units=self.priced_units,
            unpriced_leaves=self.unpriced_leaves,
            worst=self.weigh(),
            unknown=self.unknown,
            keeps_day=self.keeps_day,
            cancels_open=self.cancels_open,
            named=tuple((*key, each) for key, each in self.named.items()),
            late=self.late,
            sold=self.sold,
            surplus=self.surplus,
            bare=tuple(self.bare),
            expired=tuple((*key, each) for key, each in self.expired.items()),
        )

    @classmethod
    def from_kept(cls, kept: KeptAccount, orders: Mapping[str, Order]) -> Self:
        """Return the account that was kept.

        Raises:
            KeyError: an open order is not among `orders`.
        """
        account = cls()
        account.open = {each: orders[each] for each in kept.open}
        account.leaves = {(symbol, side): shares for symbol, side, shares in kept.leaves}
        account.strategy_leaves = {(name, symbol, side): shares for name, symbol, side, shares in kept.strategy_leaves}
        account.strategy_unanswered = kept.strategy_unanswered
        account.positions = Positions.from_kept(kept.positions)
        account.by_strategy = StrategyPositions.from_kept(kept.by_strategy)
        account.refused = Counter(kept.refused)
        account.orders, account.fills = kept.orders, kept.fills
        account.rejected, account.unanswered = kept.rejected, kept.unanswered
        account.risk_state, account.risk_cause = kept.risk_state, kept.risk_cause
        account.day = Day.from_kept(kept.day)
        account.brackets, account.bare = dict.fromkeys(kept.brackets), dict.fromkeys(kept.bare)
        account.exits = {name: deque(each, maxlen=EXITS_REMEMBERED_MAX) for name, each in kept.exits.items()}
        account.priced_units, account.unpriced_leaves = kept.priced_units, kept.unpriced_leaves
        account.worst, account.unknown = kept.worst, kept.unknown
        account.keeps_day, account.cancels_open = kept.keeps_day, kept.cancels_open
        account.late, account.sold, account.surplus = kept.late, kept.sold, kept.surplus
        account.named = {(strategy, symbol): each for strategy, symbol, each in kept.named}
        account.expired = {(strategy, symbol): each for strategy, symbol, each in kept.expired}
        account.most = {symbol: account.most_of(symbol) for symbol in account.worst}
        for symbol in account.worst:
            account._weigh(symbol)
        return account

    def weigh(self) -> dict[str, int]:
        """Return by symbol the most shares, long or short, if its open orders fill in the worst way; none that has 0.

        Only symbols with an order that changed are counted anew, and so are their weights.
        """
        while self.unweighed:
            symbol = self.unweighed.pop()
            most = self.most_of(symbol)
            if worst := max(most):
                self.worst[symbol], self.most[symbol] = worst, most
            else:
                self.worst.pop(symbol, None)
                self.most.pop(symbol, None)
            self._weigh(symbol)
        return self.worst

    def cover(self, covered: Covered | None) -> None:
        """Bring the weights up to date.

        Args:
            covered: never changed in place, so that the same object has the same content; None: the broker has told
                nothing.
        """
        self.weigh()
        if self.covered is not covered:
            self.covered = covered
            for symbol in {*self.weights, *self.uncovered_options, *(covered or ())}:
                self._weigh(symbol)

    def _weigh(self, symbol: str) -> None:
        uncovered = 0
        self.uncovered_options.pop(symbol, None)
        if self.covered is not None:
            (long, short), (had_long, had_short) = self.most.get(symbol, (0, 0)), self.covered.get(symbol, (0, 0))
            long, short = max(long - had_long, 0), max(short - had_short, 0)
            if not is_option(symbol):
                uncovered = max(long, short)
            elif long or short:
                self.uncovered_options[symbol] = long, short
        unpriced, worst = self.unpriced_leaves.get(symbol, 0), self.worst.get(symbol, 0)
        if worst or uncovered:  # shares without a price are among the worst
            held = self.positions.quantity(symbol)
            self.weights[symbol] = float(held), float(unpriced), float(worst), float(uncovered)
        else:
            self.weights.pop(symbol, None)

    def most_of(self, symbol: str) -> tuple[int, int]:
        """Return the most shares of a symbol, long and short, if its open orders fill in the worst way."""
        held, leaves = self.positions.quantity(symbol), self.leaves
        return max(held + leaves.get((symbol, "BUY"), 0), 0), max(leaves.get((symbol, "SELL"), 0) - held, 0)

    def put(self, before: Order | None, after: Order, *, leaves_change: int) -> None:
        """Bring the sums over the orders of the account up to date.

        Args:
            before: the order as it was; None: it is new.
            after: as it is.
            leaves_change: by how many shares the open quantity of its symbol, side and strategy changes.
        """
        client_order_id, symbol = after.client_order_id, after.symbol
        if after.is_open:
            self.open[client_order_id] = after
        else:
            self.open.pop(client_order_id, None)
        if leaves_change:
            key, its_key = (symbol, after.side), (after.strategy, symbol, after.side)
            self.leaves[key] = self.leaves.get(key, 0) + leaves_change
            self.strategy_leaves[its_key] = self.strategy_leaves.get(its_key, 0) + leaves_change
        if before is None or after.leaves != before.leaves or after.modifications:
            self._count_value(before, after)
        self.unweighed.add(symbol)
        state, was = after.state, before.state if before is not None else None
        if state == "UNKNOWN":
            self.unknown[client_order_id] = symbol
        elif self.unknown:
            self.unknown.pop(client_order_id, None)
        self.rejected += (state == "REJECTED") - (was == "REJECTED")
        if change := _is_unanswered(after) - (before is not None and _is_unanswered(before)):
            self.unanswered += change
            self.strategy_unanswered[after.strategy] = self.strategy_unanswered.get(after.strategy, 0) + change

    def _count_value(self, before: Order | None, after: Order) -> None:
        """Count what an order that may still fill is worth at its own price, or its shares where it has none."""
        price, left = own_price(after), before.leaves if before is not None else 0
        change = after.leaves - left
        # Only a change has another price: asked for each fact, it would be the dearest part of this.
        if after.modifications and before is not None and (priced := own_price(before)) != price:
            # Its terms have changed: take off what it counted for until now, at its former price.
            self.priced_units -= round((priced or 0.0) * UNITS) * left
            change = after.leaves
        if price is None:
            if leaves := self.unpriced_leaves.pop(after.symbol, 0) + change:
                self.unpriced_leaves[after.symbol] = leaves
        elif change:
            self.priced_units += round(price * UNITS) * change

    def begin_day(self, time_ns: int) -> None:
        """Begin the day in India of a time, unless it has begun already, or the day before goes on (`keeps_day`)."""
        if time_ns >= self.day.ends_ns and not self.keeps_day:
            self.day.begin(day_of(time_ns), self.positions.holdings)

    def note_product(self, fill: OrderFilled, product: Product) -> None:
        """Count a trade of an order that named its product."""
        key = fill.strategy, fill.symbol
        named = self.named.setdefault(key, {})
        named[product] = named.get(product, 0) + (fill.quantity if fill.side == "BUY" else -fill.quantity)
        if not named[product]:
            del named[product]
        if not named:
            del self.named[key]

    def count(self, fact: OrderRejected | ModificationIntended | CancellationIntended) -> None:
        """Count for the day an order that the broker rejected, or a request to change or cancel one."""
        if isinstance(fact, OrderRejected):
            self.day.rejected(fact.occurred_ns)
        else:
            self.begin_day(fact.occurred_ns)
            self.day.changed()


def _is_unanswered(order: Order) -> bool:
    return order.is_open and not order.broker_order_id and not order.filled
