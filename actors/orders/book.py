"""The book of record (pure): every order and position, built by applying facts in the journal's sequence.

The same function runs when a fact has just become durable and when the journal is read back, so both end in the same
book. It holds every order of the data directory: a client order id must never be used twice.
"""

from __future__ import annotations

from collections import Counter

from ...domain.orders import Order, advance
from ...domain.positions import Positions, StrategyShares
from ...messages.orders import (
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


class Book:
    """All orders by client order id, the open ones among them, and the positions."""

    def __init__(self) -> None:
        self._orders: dict[str, Order] = {}
        self._open: dict[str, Order] = {}
        self._newest: dict[str, OrderFact] = {}
        self._leaves: dict[tuple[str, Side], int] = {}
        self._positions = Positions()
        self._shares = StrategyShares()
        self._unanswered = 0
        self._refused: Counter[str] = Counter()
        """Orders that our gate refused, by rule."""

        self._rejected = 0
        self._fills = 0
        self.risk_state: RiskState = "NORMAL"
        """By the newest durable fact."""

        self.risk_cause = ""

    def __contains__(self, client_order_id: str) -> bool:
        """Whether this id was ever used, by an order that was refused too."""
        return client_order_id in self._newest

    def order(self, client_order_id: str) -> Order | None:
        """Return the order; None if there is none, or our gate refused it."""
        return self._orders.get(client_order_id)

    def newest_fact(self, client_order_id: str) -> OrderFact | None:
        """Return the fact that changed this order last; None if the id was never used."""
        return self._newest.get(client_order_id)

    def open_orders(self) -> tuple[Order, ...]:
        """Return the orders of which more may come, oldest first."""
        return tuple(self._open.values())

    @property
    def unanswered(self) -> int:
        """Orders of which the broker's answer is not known: INTENDED and UNKNOWN."""
        return self._unanswered

    def position(self, symbol: str) -> int:
        """Return the signed shares held."""
        return self._positions.quantity(symbol)

    def shares(self, strategy: str) -> dict[str, int]:
        """Return the signed shares that one strategy holds, by symbol; the flat ones are left out."""
        return self._shares.of(strategy)

    def leaves(self, symbol: str, side: Side) -> int:
        """Return the shares that all open orders of this side may still fill, UNKNOWN ones included."""
        return self._leaves.get((symbol, side), 0)

    def apply(self, fact: OrderFact | RiskStateChanged) -> bool:
        """Take in one durable fact; False if it says nothing new.

        Raises:
            FactWithoutIntentError: the order's intent was never applied.
        """
        if isinstance(fact, RiskStateChanged):
            self.risk_state, self.risk_cause = fact.state, fact.cause
            return True
        client_order_id = fact.client_order_id
        before = self._orders.get(client_order_id)
        if isinstance(fact, OrderIntended | OrderRefused):
            if client_order_id in self._newest:
                return False
            if isinstance(fact, OrderIntended):
                self._put(None, Order.from_intent(fact))
            else:
                self._refused[fact.rule] += 1
        else:
            if before is None:
                raise FactWithoutIntentError(
                    f"the intent of {client_order_id!r} wanted, found only {type(fact).__name__}"
                )
            after = advance(before, fact)
            if after is before:
                return False
            self._put(before, after)
            if isinstance(fact, OrderFilled):
                self._fills += 1
                self._positions.apply(fact)
                self._shares.apply(fact)
        self._newest[client_order_id] = fact
        return True

    def statistics(self, risk_state: RiskState, risk_cause: str = "") -> OrdersStatistics:
        """Count the whole book."""
        return OrdersStatistics(
            risk_state=risk_state,
            orders=len(self._newest),
            fills=self._fills,
            rejected=self._refused.total() + self._rejected,
            open_orders=len(self._open),
            uncertain_orders=sum(order.state == "UNKNOWN" for order in self._open.values()),
            positions=self._positions.all(),
            risk_cause=risk_cause or self.risk_cause,
            refused_by_rule=dict(self._refused),
        )

    def _put(self, before: Order | None, after: Order) -> None:
        """Store the order and keep the sums over all orders current."""
        self._orders[after.client_order_id] = after
        if after.is_open:
            self._open[after.client_order_id] = after
        else:
            self._open.pop(after.client_order_id, None)
        key = (after.symbol, after.side)
        self._leaves[key] = self._leaves.get(key, 0) + after.leaves - (before.leaves if before else 0)
        self._rejected += (after.state == "REJECTED") - (before is not None and before.state == "REJECTED")
        self._unanswered += _is_unanswered(after) - (before is not None and _is_unanswered(before))


def _is_unanswered(order: Order) -> bool:
    return order.is_open and not order.broker_order_id and not order.filled
