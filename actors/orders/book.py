"""The book of record (pure): all orders and positions, built by applying facts in the journal's sequence.

The same function runs when a fact has just become durable and when the journal is read back, so both result in the same
book. It holds every order of the data directory, since a client order id must never be used twice; open orders,
positions and counts are those of the current account, the one entered last.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from ...domain.accounts import SESSION
from ...domain.orders import Order, advance
from ...domain.positions import Positions, StrategyShares
from ...messages.orders import (
    KeptRiskState,
    OrderFact,
    OrderFilled,
    OrderIntended,
    OrderRefused,
    OrdersStatistics,
    RiskState,
    RiskStateChanged,
    Side,
)
from .errors import FactWithoutIntentError


class _Account:
    """The open orders, positions and counts of one account."""

    __slots__ = (
        "fills", "leaves", "open", "orders", "positions", "refused", "rejected", "risk_cause", "risk_state", "shares",
        "strategy_leaves", "strategy_unanswered", "unanswered",
    )  # fmt: skip

    def __init__(self) -> None:
        self.open: dict[str, Order] = {}
        self.leaves: dict[tuple[str, Side], int] = {}
        self.strategy_leaves: dict[tuple[str, str, Side], int] = {}
        self.strategy_unanswered: dict[str, int] = {}
        self.positions = Positions()
        self.shares = StrategyShares()
        self.refused: Counter[str] = Counter()
        """Orders that our gate refused, by rule."""

        self.orders = self.fills = self.rejected = self.unanswered = 0
        self.risk_state: KeptRiskState = "NORMAL"
        self.risk_cause = ""


class Book:
    """All orders by client order id; open orders and positions of the current account."""

    def __init__(self) -> None:
        self._orders: dict[str, Order] = {}
        self._newest: dict[str, OrderFact] = {}
        self._number = SESSION
        self._account = _Account()
        self._accounts = {SESSION: self._account}
        self._left_open: dict[str, _Account] = {}
        """Orders that were open when their account was left: their later facts belong to that account."""

    def __contains__(self, client_order_id: str) -> bool:
        """Whether this id was ever used, be it by a refused order."""
        return client_order_id in self._newest

    def order(self, client_order_id: str) -> Order | None:
        """Return the order; None if there is none, or the gate refused it."""
        return self._orders.get(client_order_id)

    def newest_fact(self, client_order_id: str) -> OrderFact | None:
        """Return the fact that changed this order last; None if the id was never used."""
        return self._newest.get(client_order_id)

    def open_orders(self) -> tuple[Order, ...]:
        """Return the open orders, oldest first."""
        return tuple(self._account.open.values())

    @property
    def has_open_orders(self) -> bool:
        """Whether any order is open."""
        return bool(self._account.open)

    @property
    def unanswered(self) -> int:
        """Orders without an answer of the broker: INTENDED and UNKNOWN."""
        return self._account.unanswered

    def strategy_unanswered(self, strategy: str) -> int:
        """Return how many of them are of one strategy."""
        return self._account.strategy_unanswered.get(strategy, 0)

    def unanswered_by_strategy(self) -> Mapping[str, int]:
        """Return them counted by strategy; 0 of one that had some before."""
        return self._account.strategy_unanswered

    def only_closes(self, symbol: str, side: Side) -> bool:
        """Say whether all open orders of this side together close shares that are held, and open none."""
        held, leaves = self.position(symbol), self.leaves(symbol, side)
        return held <= -leaves if side == "BUY" else held >= leaves

    def position(self, symbol: str) -> int:
        """Return the signed shares held."""
        return self._account.positions.quantity(symbol)

    def shares(self, strategy: str) -> dict[str, int]:
        """Return the signed shares that one strategy holds, by symbol; the flat ones are left out."""
        return self._account.shares.of(strategy)

    def strategy_leaves(self, strategy: str, symbol: str, side: Side) -> int:
        """Return the open quantity (shares) of a strategy's orders on one side, UNKNOWN ones included."""
        return self._account.strategy_leaves.get((strategy, symbol, side), 0)

    def leaves(self, symbol: str, side: Side) -> int:
        """Return the open quantity (shares) of all orders on one side, UNKNOWN ones included."""
        return self._account.leaves.get((symbol, side), 0)

    def apply(self, fact: OrderFact | RiskStateChanged) -> bool:
        """Apply one durable fact; False if it changes nothing.

        Raises:
            FactWithoutIntentError: the order's intent was never applied.
        """
        if isinstance(fact, RiskStateChanged):
            self._account.risk_state, self._account.risk_cause = fact.state, fact.cause
            return True
        client_order_id = fact.client_order_id
        before = self._orders.get(client_order_id)
        account = self._left_open.get(client_order_id, self._account) if self._left_open else self._account
        if isinstance(fact, OrderIntended | OrderRefused):
            if client_order_id in self._newest:
                return False
            if isinstance(fact, OrderIntended):
                self._put(account, None, Order.from_intent(fact))
            else:
                account.refused[fact.rule] += 1
            account.orders += 1
        else:
            if before is None:
                raise FactWithoutIntentError(
                    f"the intent of {client_order_id!r} wanted, found only {type(fact).__name__}"
                )
            after = advance(before, fact)
            if after is before:
                return False
            self._put(account, before, after)
            if isinstance(fact, OrderFilled):
                account.fills += 1
                account.positions.apply(fact)
                account.shares.apply(fact)
        self._newest[client_order_id] = fact
        return True

    def enter(self, account: int) -> None:
        """Make this account the current one; one that was never entered has no orders, no positions and is NORMAL."""
        self._left_open.update(dict.fromkeys(self._account.open, self._account))
        self._number = account
        self._account = self._accounts.setdefault(account, _Account())
        for client_order_id in self._account.open:
            self._left_open.pop(client_order_id, None)

    @property
    def risk_state(self) -> KeptRiskState:
        """The risk state by the newest durable fact of the account."""
        return self._account.risk_state

    @property
    def risk_cause(self) -> str:
        """The cause of the newest change; empty if there was none."""
        return self._account.risk_cause

    def statistics(self, risk_state: RiskState, risk_cause: str = "") -> OrdersStatistics:
        """Return the counts of the current account."""
        account = self._account
        return OrdersStatistics(
            risk_state=risk_state,
            orders=account.orders,
            fills=account.fills,
            rejected=account.refused.total() + account.rejected,
            open_orders=len(account.open),
            uncertain_orders=sum(order.state == "UNKNOWN" for order in account.open.values()),
            positions=account.positions.all(),
            refused_by_rule=dict(account.refused),
            risk_cause=risk_cause or account.risk_cause,
            account=self._number,
        )

    def _put(self, account: _Account, before: Order | None, after: Order) -> None:
        """Store the order, and update the sums over the orders of its account."""
        self._orders[after.client_order_id] = after
        if after.is_open:
            account.open[after.client_order_id] = after
        else:
            account.open.pop(after.client_order_id, None)
        key = (after.symbol, after.side)
        change = after.leaves - (before.leaves if before else 0)
        account.leaves[key] = account.leaves.get(key, 0) + change
        its_key = (after.strategy, after.symbol, after.side)
        account.strategy_leaves[its_key] = account.strategy_leaves.get(its_key, 0) + change
        account.rejected += (after.state == "REJECTED") - (before is not None and before.state == "REJECTED")
        if change := _is_unanswered(after) - (before is not None and _is_unanswered(before)):
            account.unanswered += change
            account.strategy_unanswered[after.strategy] = account.strategy_unanswered.get(after.strategy, 0) + change


def _is_unanswered(order: Order) -> bool:
    return order.is_open and not order.broker_order_id and not order.filled
