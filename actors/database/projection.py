"""How journaled facts become rows: pure rules, one order at a time."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import msgspec

from ...messages.orders import (
    OrderAccepted,
    OrderCancelled,
    OrderExpired,
    OrderFact,
    OrderFilled,
    OrderIntended,
    OrderRefused,
    OrderRejected,
    OrderState,
    OrderUncertain,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ...messages.journal import JournalRecord

OPEN_STATES: frozenset[OrderState] = frozenset({"INTENDED", "UNKNOWN", "ACCEPTED", "PART_FILLED"})

_ENDS: dict[type, OrderState] = {OrderRejected: "REJECTED", OrderCancelled: "CANCELLED", OrderExpired: "EXPIRED"}


class OrderRow(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A row of the table `orders`; what the facts so far do not say is None."""

    client_order_id: str
    broker_order_id: str | None = None
    strategy: str | None = None
    symbol: str | None = None
    side: str | None = None
    quantity: int | None = None
    order_type: str | None = None
    limit_price: float | None = None
    """Rupees."""

    state: OrderState = "UNKNOWN"
    filled_quantity: int = 0
    filled_value: Decimal = Decimal(0)
    """Rupees: the sum of quantity times price over the fills."""

    reason: str = ""
    created_ns: int
    changed_ns: int
    changed_sequence: int


class FillRow(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A row of the table `fills`."""

    client_order_id: str
    trade_id: str
    strategy: str
    symbol: str
    side: str
    quantity: int
    price: float
    """Rupees a share."""

    traded_ns: int
    sequence: int


class Projection:
    """Applies records to the orders they speak of, given how those stood before.

    Args:
        orders: the rows, as far as there are any, of every order that the records speak of.
        trades: `(client_order_id, trade_id)` of their fills so far: a trade that is told twice counts once.
    """

    def __init__(self, orders: Iterable[OrderRow] = (), trades: Iterable[tuple[str, str]] = ()) -> None:
        self.orders = {order.client_order_id: order for order in orders}
        self.fills: list[FillRow] = []
        """The new ones, in order."""

        self._trades = set(trades)

    def apply(self, record: JournalRecord) -> None:
        """Take one record into account; facts that are not about an order change nothing here."""
        fact = record.fact
        if not isinstance(fact, OrderFact):
            return
        before = self.orders.get(fact.client_order_id)
        if before is None:
            before = OrderRow(
                client_order_id=fact.client_order_id,
                created_ns=fact.occurred_ns,
                changed_ns=fact.occurred_ns,
                changed_sequence=record.sequence,
            )
        elif isinstance(fact, OrderFilled) and (fact.client_order_id, fact.trade_id) in self._trades:
            return
        if isinstance(fact, OrderFilled):
            self._trades.add((fact.client_order_id, fact.trade_id))
            self.fills.append(_fill(fact, record.sequence))
        self.orders[fact.client_order_id] = msgspec.structs.replace(
            _changed(before, fact), changed_ns=fact.occurred_ns, changed_sequence=record.sequence
        )


def _changed(order: OrderRow, fact: OrderFact) -> OrderRow:
    """Apply one fact. An order that has ended stays so, whatever is told late; only a fill still counts."""
    replace = msgspec.structs.replace
    match fact:
        case OrderIntended() | OrderRefused():
            return _begun(order, fact)
        case OrderAccepted():
            state = "ACCEPTED" if order.state in {"INTENDED", "UNKNOWN"} else order.state
            return replace(order, broker_order_id=fact.broker_order_id, state=state)
        case OrderUncertain():
            state = "UNKNOWN" if order.state == "INTENDED" else order.state
            return replace(order, state=state, reason=fact.reason)
        case OrderRejected() | OrderCancelled() | OrderExpired():
            return replace(order, state=_ENDS[type(fact)], reason=fact.reason) if order.state in OPEN_STATES else order
        case OrderFilled():
            return _filled(order, fact)


def _begun(order: OrderRow, fact: OrderIntended | OrderRefused) -> OrderRow:
    order = msgspec.structs.replace(
        order, strategy=fact.strategy, symbol=fact.symbol, side=fact.side, quantity=fact.quantity
    )
    if isinstance(fact, OrderRefused):
        return msgspec.structs.replace(order, state="REFUSED", reason=fact.reason)
    return msgspec.structs.replace(order, order_type=fact.order_type, limit_price=fact.limit_price, state="INTENDED")


def _filled(order: OrderRow, fact: OrderFilled) -> OrderRow:
    filled = order.filled_quantity + fact.quantity
    state = order.state
    if order.quantity is not None and filled >= order.quantity:
        state = "FILLED"
    elif state in OPEN_STATES:
        state = "PART_FILLED"
    return msgspec.structs.replace(
        order,
        strategy=fact.strategy,
        symbol=fact.symbol,
        side=fact.side,
        state=state,
        filled_quantity=filled,
        # repr: the shortest text that reads back as this price, so 1490.05 stays 1490.05 and the sum is exact.
        filled_value=order.filled_value + Decimal(repr(fact.price)) * fact.quantity,
    )


def _fill(fact: OrderFilled, sequence: int) -> FillRow:
    return FillRow(
        client_order_id=fact.client_order_id,
        trade_id=fact.trade_id,
        strategy=fact.strategy,
        symbol=fact.symbol,
        side=fact.side,
        quantity=fact.quantity,
        price=fact.price,
        traded_ns=fact.occurred_ns,
        sequence=sequence,
    )
