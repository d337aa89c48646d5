"""The book of record (pure): all orders and positions, built by applying facts in the journal's sequence.

The same function runs when a fact has just become durable and when the journal is read back, so both result in the same
book. It holds every order of the data directory, since a client order id must never be used twice; open orders,
positions and counts are those of the current account, the one entered last.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, ValuesView
from typing import Self

import msgspec

from ....domain.accounts import SESSION
from ....domain.brackets.legs import other_exit_id
from ....domain.closing import AGREED, TheirBook, closable
from ....domain.orders import Order, advance
from ....domain.products import held_by_product
from ....domain.time import SECOND_NS
from ....messages.holdings import Position
from ....messages.order_listing import OrdersStatistics
from ....messages.orders import (
    CancellationIntended,
    ModificationIntended,
    OrderExpired,
    OrderFact,
    OrderFilled,
    OrderIntended,
    OrderRefused,
    OrderRejected,
    Product,
    Side,
)
from ....messages.risk_state import KeptRiskState, RiskState, RiskStateChanged
from ..errors import FactWithoutIntentError
from .account import Account, Covered, KeptAccount, Weight
from .all_orders import AllOrders, KeptOrder
from .brackets import closed_by, note_bracket, note_exit, note_late, note_sold, note_surplus
from .day import INFINITE, Day
from .ended import Ended
from .expired import forget_closed, note_expired


class KeptBook(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """The book as it is kept in a file, beside the orders that have ended."""

    accounts: tuple[tuple[int, KeptAccount], ...]
    left_open: tuple[tuple[str, int], ...]
    """Orders, and the account that their later facts belong to."""

    entered: tuple[tuple[int, int], ...]
    """Places from which on orders belong to another account, and to which; the last is the current one."""

    orders: tuple[KeptOrder, ...]
    """Those that have not ended."""


class Book:
    """All orders by client order id; open orders and positions of the current account."""

    def __init__(self) -> None:
        self._all = AllOrders()
        self._account = Account()
        self._accounts = {SESSION: self._account}
        self._left_open: dict[str, Account] = {}
        """Orders that were open when their account was left: their later facts belong to that account."""

    def __contains__(self, client_order_id: str) -> bool:
        """Whether this id was ever used, be it by a refused order."""
        return client_order_id in self._all

    def order(self, client_order_id: str) -> Order | None:
        """Return the order; None if there is none, or the gate refused it."""
        return self._all.order(client_order_id)

    def newest_fact(self, client_order_id: str) -> OrderFact | None:
        """Return the fact that changed this order last; None if the id was never used."""
        return self._all.newest_fact(client_order_id)

    def newest_facts(self, since_ns: int, *, account: int | None = None) -> Iterator[tuple[str, OrderFact]]:
        """Yield the newest fact of each order, as `AllOrders.newest_facts` does."""
        return self._all.newest_facts(since_ns, account=account)

    @property
    def account(self) -> int:
        """The number of the current account."""
        return self._all.account

    def accounts(self) -> tuple[int, ...]:
        """Return the current account, and all that have orders, in order."""
        return self._all.accounts()

    def open_orders(self, account: int | None = None) -> tuple[Order, ...]:
        """Return the open orders of an account (None: the current one), oldest first."""
        of = self._account if account is None else self._accounts.get(account)
        return () if of is None else tuple(of.open.values())

    @property
    def has_open_orders(self) -> bool:
        """Whether any order is open."""
        return bool(self._account.open)

    @property
    def unanswered(self) -> int:
        """Orders without an answer of the broker: INTENDED and UNKNOWN."""
        return self._account.unanswered

    def strategy_unanswered(self, strategy: str) -> int:
        """Return how many unanswered orders one strategy has."""
        return self._account.strategy_unanswered.get(strategy, 0)

    def unanswered_by_strategy(self) -> Mapping[str, int]:
        """Return the number of unanswered orders by strategy; 0 for one that had some before."""
        return self._account.strategy_unanswered

    def other_exit(self, client_order_id: str) -> Order | None:
        """Return the other exit of the same bracket, which cancels this one; None if the order is no exit of two."""
        other_id = other_exit_id(client_order_id)
        entry = self.order(other_id[:-1]) if other_id else None
        return self.order(other_id) if entry is not None and entry.has_bracket else None

    def counted_leaves(self, order: Order) -> int:
        """Return the open quantity (shares) that counts for an order: of a bracket's two exits the greater one."""
        other = self.other_exit(order.client_order_id)
        return order.leaves if other is None else max(order.leaves, other.leaves)

    @property
    def brackets(self) -> tuple[Order, ...]:
        """The entries of the brackets for which something may still have to be done, oldest first."""
        found = map(self.order, self._account.brackets)
        return tuple(order for order in found if order is not None)

    @property
    def open_brackets(self) -> Mapping[str, None]:
        """The client order ids of `brackets`."""
        return self._account.brackets

    @property
    def bare_brackets(self) -> Mapping[str, None]:
        """The client order ids of entries of brackets that are done, and whose shares lack an exit."""
        return self._account.bare

    def late(self, entry: str) -> int:
        """Return the shares of an entry that were filled after its exits had ended, as `Bracket.late`."""
        return self._account.late.get(entry, 0)

    def sold(self, entry: str) -> int:
        """Return the shares of an entry that orders other than its exits have closed."""
        return self._account.sold.get(entry, 0)

    def surplus(self, entry: str) -> int:
        """Return the shares that are held because the exits of an entry have traded more than it had."""
        return self._account.surplus.get(entry, 0)

    @property
    def expired(self) -> tuple[Order, ...]:
        """Orders at the market of strategies, none of a bracket, that were to close what these hold, and expired."""
        found = map(self.order, self._account.expired.values())
        return tuple(order for order in found if order is not None)

    def exits(self, strategy: str) -> tuple[str, ...]:
        """Return the ids of the newest exits of a strategy's brackets, at most `EXITS_REMEMBERED_MAX`."""
        return tuple(self._account.exits.get(strategy, ()))

    def only_closes(self, symbol: str, side: Side, theirs: TheirBook) -> bool:
        """Say whether all open orders of this side together close shares that are held by both books, and open none."""
        held, leaves = self.held_and_leaves(symbol, side)
        return closable(side, *theirs.held(symbol, held)) >= leaves

    def position(self, symbol: str) -> int:
        """Return the signed shares held."""
        return self._account.positions.quantity(symbol)

    def shares(self, strategy: str) -> dict[str, int]:
        """Return the signed shares that one strategy holds, by symbol; the flat ones are left out."""
        return self._account.by_strategy.of(strategy)

    def strategy_positions(self, strategy: str) -> tuple[Position, ...]:
        """Return what one strategy holds of every symbol it ever traded, with cost and profit, by its own fills."""
        return self._account.by_strategy.all(strategy)

    def positions(self) -> tuple[Position, ...]:
        """Return one position for every symbol ever traded, by symbol."""
        return self._account.positions.all()

    def shares_by_strategy(self) -> dict[tuple[str, str], int]:
        """Return the signed shares of all strategies, by strategy and symbol; the flat ones are left out."""
        return self._account.by_strategy.shares()

    def strategy_shares(self, strategy: str, symbol: str) -> int:
        """Return the signed shares that one strategy holds of one symbol."""
        return self._account.by_strategy.quantity(strategy, symbol)

    def holders(self, symbol: str, default: Product) -> dict[str, dict[Product, int]]:
        """Return the signed shares of a symbol by product, of each strategy that is not flat in it.

        Args:
            symbol: of what.
            default: the product of orders that named none.
        """
        held = self.shares_by_strategy()
        return {name: self.strategy_products(name, symbol, default) for name, of in held if of == symbol}

    @property
    def has_named_products(self) -> bool:
        """Whether shares are held whose orders named a product."""
        return bool(self._account.named)

    def strategy_products(
        self, strategy: str, symbol: str, default: Product, theirs: TheirBook = AGREED
    ) -> dict[Product, int]:
        """Return the signed shares of a strategy by product, as many as both books have.

        Args:
            strategy: whose.
            symbol: of what.
            default: the product of orders that named none.
            theirs: in what the broker's positions differ.
        """
        named = self._account.named.get((strategy, symbol), {})
        held = held_by_product(self.strategy_shares(strategy, symbol), named, default)
        if theirs is AGREED:
            return held
        of_all = self.products(symbol, default)
        return {name: theirs.bounded(symbol, name, shares, of_all[name]) for name, shares in held.items()}

    def products(self, symbol: str, default: Product) -> dict[Product, int]:
        """Return the signed shares of all strategies together, by product."""
        named: Counter[Product] = Counter()
        for (_, its_symbol), shares in self._account.named.items():
            if its_symbol == symbol:
                named.update(shares)
        return held_by_product(self.position(symbol), named, default)

    def product_leaves(self, symbol: str, side: Side, product: Product, default: Product) -> int:
        """Return the open quantity (shares) of the orders on one side that are of a product."""
        return sum(
            order.leaves
            for order in self._account.open.values()
            if (order.symbol, order.side, order.product or default) == (symbol, side, product)
            and not self._is_lesser_exit(order)
        )

    def _is_lesser_exit(self, order: Order) -> bool:
        """Say whether an order is the exit that does not count, since the other one of its bracket is greater."""
        other = self.other_exit(order.client_order_id)
        return other is not None and (other.leaves, other.client_order_id) > (order.leaves, order.client_order_id)

    def strategy_leaves(self, strategy: str, symbol: str, side: Side) -> int:
        """Return the open quantity (shares) of a strategy's orders on one side, UNKNOWN ones included."""
        return self._account.strategy_leaves.get((strategy, symbol, side), 0)

    def leaves(self, symbol: str, side: Side) -> int:
        """Return the open quantity (shares) of all orders on one side, UNKNOWN ones included."""
        return self._account.leaves.get((symbol, side), 0)

    def held_and_leaves(self, symbol: str, side: Side) -> tuple[int, int]:
        """Return `position` and `leaves` in one call: every order needs both."""
        account = self._account
        return account.positions.quantity(symbol), account.leaves.get((symbol, side), 0)

    def most_shares(self) -> Mapping[str, tuple[int, int]]:
        """Return by symbol the most shares, long and short, if its open orders fill in the worst way."""
        self._account.weigh()
        return self._account.most

    def weights(self, covered: Covered | None) -> Mapping[str, Weight]:
        """Return by symbol what it adds to the sums of the rules; none that has only zeros.

        Args:
            covered: never changed in place, so that the same object has the same content; None: the broker has told
                nothing.
        """
        account = self._account
        if account.unweighed or account.covered is not covered:
            account.cover(covered)
        return account.weights

    @property
    def uncovered_options(self) -> Mapping[str, tuple[int, int]]:
        """By symbol of an option the most shares, long and short, beyond what was covered when `weights` was asked."""
        return self._account.uncovered_options

    def worst_shares(self) -> Mapping[str, int]:
        """Return by symbol the most shares, long or short, if its open orders fill in the worst way; none of 0."""
        return self._account.weigh()

    def open_values(self) -> tuple[int, Mapping[str, int]]:
        """Return the value of open orders that have a price (rupees / UNITS), and open shares of others by symbol."""
        return self._account.priced_units, self._account.unpriced_leaves

    def unknown_symbols(self) -> ValuesView[str]:
        """Return the symbol of each order that is UNKNOWN."""
        return self._account.unknown.values()

    def today(self, now_ns: int) -> Day:
        """Return the counts of the present day in India.

        A day begins with what is held now: never ask while the journal is still being read back.
        """
        day = self._account.day
        if now_ns >= day.ends_ns:
            self._account.begin_day(now_ns)
        day.notice_clock(now_ns)
        return day

    def profit_today(self, now_ns: int, prices: dict[str, tuple[float, int]]) -> tuple[int, int, tuple[str, ...]]:
        """Return the day's profit in rupees / UNITS, realised and open, and the held symbols without a price."""
        return self.profit_of(self.today(now_ns), prices)

    def profit_of(
        self, day: Day, prices: dict[str, tuple[float, int]], worth: float = INFINITE
    ) -> tuple[int, int, tuple[str, ...]]:
        """Return the same; `day` is that of `today`, and `worth` what all that is held is worth (rupees), if known."""
        account = self._account
        return account.profit.units(day, account.fills, account.positions.holdings, prices, worth)

    def apply(self, fact: OrderFact | RiskStateChanged) -> bool:
        """Apply one durable fact; False if it changes nothing.

        Raises:
            FactWithoutIntentError: the order's intent was never applied.
        """
        kind = type(fact)  # compared by identity: a restart applies every fact that there ever was
        if isinstance(fact, RiskStateChanged):
            account, lasts = self._account, fact.state != "NORMAL"
            account.risk_state, account.risk_cause = fact.state, fact.cause
            account.keeps_day = fact.keeps_day or (account.keeps_day and lasts)
            account.cancels_open = fact.cancels_open or (account.cancels_open and lasts)
            return True
        client_order_id = fact.client_order_id
        account = self._left_open.get(client_order_id, self._account) if self._left_open else self._account
        if kind is OrderIntended or kind is OrderRefused:
            if client_order_id in self._all:
                return False
            after: Order | None = None
            if isinstance(fact, OrderIntended):
                account.begin_day(fact.occurred_ns)
                account.day.intended(fact)
                after = Order.from_intent(fact)
                self._put(account, fact, None, after)
                note_exit(self._all, account, after)
            elif isinstance(fact, OrderRefused):
                self._all.note(fact, None)
                account.refused[fact.rule] += 1
            account.orders += 1
        else:
            before = self._all.order(client_order_id)
            if before is None:
                raise FactWithoutIntentError(f"the intent of {client_order_id!r} wanted, found only {kind.__name__}")
            after = advance(before, fact)
            if after is before:
                return False
            self._put(account, fact, before, after)
            if isinstance(fact, OrderFilled):
                note_late(self._all, account, before, fact)
                self._trade(account, fact, after.product)
            elif isinstance(fact, OrderRejected | ModificationIntended | CancellationIntended):
                account.count(fact)
        note_bracket(self._all, account, client_order_id, after)
        return True

    def keep_day(self) -> None:
        """Let the present day go on until a person resumes."""
        self._account.keeps_day = True

    def enter(self, account: int) -> None:
        """Make this account the current one; one that was never entered has no orders, no positions and is NORMAL."""
        self._left_open.update(dict.fromkeys(self._account.open, self._account))
        self._all.enter(account)
        self._account = self._accounts.setdefault(account, Account())
        for client_order_id in self._account.open:
            self._left_open.pop(client_order_id, None)

    @property
    def ended(self) -> int:
        """How many orders are kept as bytes."""
        return self._all.ended

    def pack(self) -> bytes:
        """Keep the orders that have ended as bytes from now on; returns those that were not kept so before."""
        return self._all.pack()

    @property
    def objects(self) -> int:
        """How many are not."""
        return self._all.objects

    def pack_oldest(self) -> None:
        """Keep some of those as bytes that ended first, as `AllOrders.pack_oldest` does."""
        self._all.pack_oldest()

    def kept(self) -> KeptBook:
        """Return the book as it is kept in a file, without the orders that are kept as bytes."""
        numbers = {id(account): number for number, account in self._accounts.items()}
        return KeptBook(
            accounts=tuple((number, account.kept()) for number, account in self._accounts.items()),
            left_open=tuple((each, numbers[id(account)]) for each, account in self._left_open.items()),
            entered=self._all.entered,
            orders=self._all.kept(),
        )

    @classmethod
    def from_kept(cls, kept: KeptBook, ended: Ended) -> Self:
        """Return the book that was kept.

        Raises:
            KeyError: its parts do not fit together.
        """
        book = cls()
        book._all = AllOrders.from_kept(kept.entered, kept.orders, ended)
        orders = {order.client_order_id: order for _, order, _ in kept.orders}
        book._accounts = {number: Account.from_kept(account, orders) for number, account in kept.accounts}
        book._account = book._accounts[book.account]
        book._left_open = {each: book._accounts[number] for each, number in kept.left_open}
        return book

    @property
    def risk_state(self) -> KeptRiskState:
        """The risk state by the newest durable fact of the account."""
        return self._account.risk_state

    @property
    def risk_cause(self) -> str:
        """The cause of the newest change; empty if there was none."""
        return self._account.risk_cause

    @property
    def cancels_open(self) -> bool:
        """Whether every open order is to be cancelled, until a person resumes."""
        return self._account.cancels_open

    def statistics(
        self,
        risk_state: RiskState,
        risk_cause: str = "",
        *,
        illegal_transitions: int = 0,
        unprotected: tuple[str, ...] = (),
        now_ns: int = 0,
    ) -> OrdersStatistics:
        """Return the counts of the current account; `now_ns` is by the clock of the facts."""
        account = self._account
        uncertain = [order.intended_ns for order in account.open.values() if order.state == "UNKNOWN"]
        return OrdersStatistics(
            risk_state=risk_state,
            orders=account.orders,
            fills=account.fills,
            rejected=account.refused.total() + account.rejected,
            open_orders=len(account.open),
            uncertain_orders=len(uncertain),
            uncertain_age_s=max(0, now_ns - min(uncertain, default=now_ns)) / SECOND_NS,
            positions=account.positions.all(),
            refused_by_rule=dict(account.refused),
            risk_cause=risk_cause,
            account=self.account,
            illegal_transitions=illegal_transitions,
            unprotected=unprotected,
        )

    def _trade(self, account: Account, fact: OrderFilled, product: Product | None) -> None:
        """Count a trade of an order that named this product, and see whether it has closed what brackets were to."""
        account.begin_day(fact.occurred_ns)
        account.fills += 1
        held = account.positions.quantity(fact.symbol)
        account.positions.apply(fact)
        account.day.traded(fact.strategy, fact.symbol, held, account.positions.quantity(fact.symbol))
        account.by_strategy.apply(fact)
        if product is not None:
            account.note_product(fact, product)
        if account.expired:
            forget_closed(account, fact)
        note_sold(self._all, account, fact)
        for entry in note_surplus(self._all, account, fact):
            note_bracket(self._all, account, entry, self._all.order(entry))
        for entry in closed_by(self._all, account, fact):
            note_bracket(self._all, account, entry, self._all.order(entry))

    def _put(self, account: Account, fact: OrderFact, before: Order | None, after: Order) -> None:
        """Store the order, and count it for its account: of two exits of a bracket the greater counts."""
        self._all.note(fact, after)
        leaves, left = after.leaves, before.leaves if before is not None else 0
        change = leaves - left
        if change and (other := self.other_exit(after.client_order_id)) is not None:
            change = max(leaves, other.leaves) - max(left, other.leaves)
        account.put(before, after, leaves_change=change)
        if account.expired or type(fact) is OrderExpired:
            note_expired(self._all, account, fact, after)
