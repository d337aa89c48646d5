"""What belongs to one account (plain): its open orders, positions and counts, which `book.py` keeps up to date."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Mapping
from typing import Final, Self

import msgspec

from ....domain.orders import Order
from ....domain.positions import KeptHolding, Positions, StrategyPositions
from ....domain.time import day_of
from ....messages.orders import CancellationIntended, KeptRiskState, ModificationIntended, OrderRejected, Side
from .day import Day, KeptDay, Profit

EXITS_REMEMBERED_MAX: Final = 1_000
"""Of each strategy: what the router has not delivered yet when it begins is less."""


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


class Account:
    """The open orders, positions and counts of one account."""

    __slots__ = (
        "brackets",
        "by_strategy",
        "day",
        "exits",
        "fills",
        "leaves",
        "most",
        "open",
        "orders",
        "positions",
        "priced_units",
        "profit",
        "refused",
        "rejected",
        "risk_cause",
        "risk_state",
        "strategy_leaves",
        "strategy_unanswered",
        "unanswered",
        "unknown",
        "unpriced_leaves",
        "unweighed",
        "worst",
    )  # fmt: skip

    def __init__(self) -> None:
        self.open: dict[str, Order] = {}
        self.leaves: dict[tuple[str, Side], int] = {}
        self.strategy_leaves: dict[tuple[str, str, Side], int] = {}
        self.strategy_unanswered: dict[str, int] = {}
        self.positions = Positions()
        self.by_strategy = StrategyPositions()
        self.refused: Counter[str] = Counter()
        """Orders that our gate refused, by rule."""

        self.orders = self.fills = self.rejected = self.unanswered = 0
        self.risk_state: KeptRiskState = "NORMAL"
        self.risk_cause = ""
        self.day = Day()
        self.profit = Profit()
        self.brackets: dict[str, None] = {}
        """Entries of brackets that are not done, by client order id."""

        self.exits: dict[str, deque[str]] = {}
        """Ids of exits, by strategy."""

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

        self.unknown: dict[str, str] = {}
        """Symbols of the orders that are UNKNOWN, by client order id."""

    def kept(self) -> KeptAccount:
        """Return it, to be kept."""
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
        )

    @classmethod
    def from_kept(cls, kept: KeptAccount, orders: Mapping[str, Order]) -> Self:
        """Return what was kept.

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
        account.brackets = dict.fromkeys(kept.brackets)
        account.exits = {name: deque(each, maxlen=EXITS_REMEMBERED_MAX) for name, each in kept.exits.items()}
        account.priced_units, account.unpriced_leaves = kept.priced_units, kept.unpriced_leaves
        account.worst, account.unknown = kept.worst, kept.unknown
        account.most = {symbol: account.most_of(symbol) for symbol in account.worst}
        return account

    def weigh(self) -> dict[str, int]:
        """Return by symbol the most shares, long or short, if its open orders fill in the worst way; none that has 0.

        Only symbols with an order that changed are counted anew.
        """
        while self.unweighed:
            symbol = self.unweighed.pop()
            most = self.most_of(symbol)
            if worst := max(most):
                self.worst[symbol], self.most[symbol] = worst, most
            else:
                self.worst.pop(symbol, None)
                self.most.pop(symbol, None)
        return self.worst

    def most_of(self, symbol: str) -> tuple[int, int]:
        """Return the most shares of a symbol, long and short, if its open orders fill in the worst way."""
        held, leaves = self.positions.quantity(symbol), self.leaves
        return max(held + leaves.get((symbol, "BUY"), 0), 0), max(leaves.get((symbol, "SELL"), 0) - held, 0)

    def begin_day(self, time_ns: int) -> None:
        """Begin the day in India of a time, unless it has begun already."""
        if time_ns >= self.day.ends_ns:
            self.day.begin(day_of(time_ns), self.positions.holdings)

    def count(self, fact: OrderRejected | ModificationIntended | CancellationIntended) -> None:
        """Count for the day what the broker rejected, and what else than orders was wanted of it."""
        if isinstance(fact, OrderRejected):
            self.day.rejected(fact.occurred_ns)
        else:
            self.begin_day(fact.occurred_ns)
            self.day.changed()
