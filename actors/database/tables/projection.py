"""How journaled facts become rows: pure, one order at a time, by the rules of `domain.orders`."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Final, cast, get_args

import msgspec
from msgspec.structs import replace

from ....domain.accounts import SESSION
from ....domain.money import exact_sum, exact_value
from ....domain.orders import Cancellation, Order, Pending, advance, restated
from ....messages.accounts import AccountEntered
from ....messages.orders import OrderFact, OrderFilled, OrderIntended, OrderRefused, OrderState, OrderTriggered
from ....messages.units import INTEGER_MAX

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ....messages.journal import JournalRecord
    from ....messages.orders import Product, Side, Validity


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
    account: int = 0
    trigger_price: float | None = None
    """Rupees."""

    validity: str | None = None
    product: str | None = None
    """None where the settings of the broker decided."""

    modifications: int = 0
    """Number of the newest change that was intended."""

    in_effect: int = 0
    """Number of the change that quantity and prices are of; 0: as it was placed."""

    settled: int = 0
    """Number of the newest change whose outcome is known."""

    pending_quantity: int | None = None
    """Shares of a change that is not settled."""

    evidence: OrderState = "INTENDED"
    """The strongest state for which there is evidence other than trades."""

    cancellations: int = 0
    """Number of the newest cancellation that was asked for."""

    cancellations_refused: int = 0
    """Number of the newest cancellation that is known to be refused."""

    cancellations_doubted: int = 0
    """Number of the newest cancellation without an answer in time."""

    cancellation_by: str | None = None
    """Who asked for the newest cancellation, unless it was refused."""

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
    account: int = 0


_NOTHING: Final = Decimal(0)
_ORDER_FACTS: Final = get_args(OrderFact)


class Projection:
    """Applies journal records to the orders that they name, given the rows of these before.

    Args:
        orders: the existing rows of every order that the records name.
        fills: `(client_order_id, trade_id, quantity, price)` of their fills so far.
        account: the one that was entered last before these records.
    """

    def __init__(
        self,
        orders: Iterable[OrderRow] = (),
        fills: Iterable[tuple[str, str, int, float]] = (),
        *,
        account: int = SESSION,
    ) -> None:
        self.account = account
        self.fills: list[FillRow] = []
        """The new ones, in order."""

        traded: dict[str, list[tuple[str, int, float]]] = {}
        for client_order_id, trade_id, quantity, price in fills:
            traded.setdefault(client_order_id, []).append((trade_id, quantity, price))
        self._orders = {row.client_order_id: _Standing.of(row, traded.get(row.client_order_id, ())) for row in orders}

    @property
    def orders(self) -> dict[str, OrderRow]:
        """The rows as they stand now, by client order id."""
        return {client_order_id: standing.row() for client_order_id, standing in self._orders.items()}

    def apply(self, record: JournalRecord) -> None:
        """Take one record into account; facts that are not about an order, or say nothing new, change nothing here."""
        fact = record.fact
        if not isinstance(fact, _ORDER_FACTS):
            if isinstance(fact, AccountEntered):
                self.account = fact.account
            return
        standing = self._orders.get(fact.client_order_id)
        is_first = standing is None
        if standing is None:
            standing = self._orders[fact.client_order_id] = _Standing.begin(fact, self.account)
        if isinstance(fact, (OrderIntended, OrderRefused)):  # a union of types takes three times as long to ask
            is_new = standing.describe(fact)
        else:
            is_new = standing.advance(fact)
            if is_new and isinstance(fact, OrderFilled):
                self.fills.append(_fill(fact, record.sequence, standing.account))
        if is_new or is_first:
            standing.changed_ns, standing.changed_sequence = fact.occurred_ns, record.sequence


class _Standing:
    """One order, as the records so far leave it."""

    __slots__ = (
        "_first_state",
        "_is_described",
        "_order",
        "_order_type",
        "_reason",
        "_value",
        "account",
        "changed_ns",
        "changed_sequence",
    )

    def __init__(self, order: Order, account: int, *, first_state: OrderState) -> None:
        self.account = account
        self._order = order
        self._first_state = first_state
        """State before any later fact: INTENDED or REFUSED; UNKNOWN without its first fact."""

        self._is_described = False
        self._order_type: str | None = None
        self._reason = ""
        self._value = _NOTHING
        self.changed_ns = 0
        self.changed_sequence = 0

    @classmethod
    def begin(cls, fact: OrderFact, account: int) -> _Standing:
        """Begin an order that has no row; its intent or refusal describes it."""
        if isinstance(fact, OrderIntended):
            return cls(Order.from_intent(fact), account, first_state="INTENDED")
        nameless = Order(
            client_order_id=fact.client_order_id,
            strategy="",
            symbol="",
            side="BUY",
            quantity=INTEGER_MAX,
            order_type="MARKET",
            limit_price=None,
            intended_ns=fact.occurred_ns,
        )
        return cls(nameless, account, first_state="UNKNOWN")

    @classmethod
    def of(cls, row: OrderRow, fills: Iterable[tuple[str, int, float]]) -> _Standing:
        """Go on with the row of an order, and its fills."""
        trade_ids, value = set(), _NOTHING
        for trade_id, quantity, price in fills:
            trade_ids.add(trade_id)
            value = exact_sum(value, exact_value(price, quantity))
        # An earlier release kept no type of an order that was refused; a quantity is known of a change, too.
        is_described = row.order_type is not None or (row.quantity is not None and not row.in_effect)
        order = Order(
            client_order_id=row.client_order_id,
            strategy=row.strategy or "",
            symbol=row.symbol or "",
            side=cast("Side", row.side or "BUY"),
            quantity=INTEGER_MAX if row.quantity is None else row.quantity,
            order_type="MARKET",
            limit_price=row.limit_price,
            trigger_price=row.trigger_price,
            validity=cast("Validity", row.validity or "DAY"),
            product=cast("Product | None", row.product),
            evidence=row.evidence,
            modifications=row.modifications,
            in_effect=row.in_effect,
            settled=row.settled,
            pending=_pending(row),
            cancellations=row.cancellations,
            cancellations_refused=row.cancellations_refused,
            cancellations_doubted=row.cancellations_doubted,
            asked_to_cancel=_asked_to_cancel(row),
            intended_ns=row.created_ns,
            broker_order_id=row.broker_order_id or "",
            trade_ids=frozenset(trade_ids),
            filled=row.filled_quantity,
        )
        standing = cls(restated(order), row.account, first_state=row.state)
        standing._is_described, standing._order_type = is_described, row.order_type
        standing._reason, standing._value = row.reason, value
        standing.changed_ns, standing.changed_sequence = row.changed_ns, row.changed_sequence
        return standing

    def describe(self, fact: OrderIntended | OrderRefused) -> bool:
        """Apply the fact that describes the order. Only the first counts: an id is never used twice."""
        if self._is_described:
            return False
        self._is_described = True
        self._order_type = fact.order_type
        if isinstance(fact, OrderRefused):
            self._first_state, self._reason = "REFUSED", fact.reason
        else:
            self._first_state = "INTENDED"
        before = self._order
        if before.quantity == INTEGER_MAX or before.in_effect:  # else it began with this very intent
            self._order = restated(_described(before, fact))
        return True

    def advance(self, fact: OrderFact) -> bool:
        """Apply a later fact; return False if it changes nothing."""
        before = self._order
        self._order = after = advance(before, fact)
        if after is before or isinstance(fact, OrderTriggered):  # of a trigger no column tells
            return False
        if isinstance(fact, OrderFilled):
            self._value = exact_sum(self._value, exact_value(fact.price, fact.quantity))
            if not after.symbol:
                self._order = replace(after, strategy=fact.strategy, symbol=fact.symbol, side=fact.side)
        elif after.state != before.state:
            self._reason = getattr(fact, "reason", self._reason)
        return True

    def row(self) -> OrderRow:
        """Return the order as a row."""
        order = self._order
        return OrderRow(
            client_order_id=order.client_order_id,
            broker_order_id=order.broker_order_id or None,
            strategy=order.strategy or None,
            symbol=order.symbol or None,
            side=order.side if order.symbol else None,
            quantity=order.quantity if self._is_described or order.in_effect else None,
            order_type=self._order_type,
            limit_price=order.limit_price,
            state=self._first_state if order.state == "INTENDED" else order.state,
            filled_quantity=min(order.filled, INTEGER_MAX),  # impossible trades may exceed it: no column holds more
            filled_value=self._value,
            reason=self._reason,
            account=self.account,
            trigger_price=order.trigger_price,
            validity=None if self._order_type is None else order.validity,
            product=order.product,
            modifications=order.modifications,
            in_effect=order.in_effect,
            settled=order.settled,
            pending_quantity=None if order.pending is None else order.pending.quantity,
            evidence=order.evidence,
            cancellations=order.cancellations,
            cancellations_refused=order.cancellations_refused,
            cancellations_doubted=order.cancellations_doubted,
            cancellation_by=None if order.asked_to_cancel is None else order.asked_to_cancel.asked_by,
            created_ns=order.intended_ns,
            changed_ns=self.changed_ns,
            changed_sequence=self.changed_sequence,
        )


def _described(order: Order, fact: OrderIntended | OrderRefused) -> Order:
    """Return an order of which something else was said before as the fact describes it, but for what was changed."""
    order = replace(order, strategy=fact.strategy, symbol=fact.symbol, side=fact.side, intended_ns=fact.occurred_ns)
    if isinstance(fact, OrderIntended):
        order = replace(order, validity=fact.validity, product=fact.product)
    if order.in_effect:
        return order
    return replace(order, quantity=fact.quantity, limit_price=fact.limit_price, trigger_price=fact.trigger_price)


def _pending(row: OrderRow) -> Pending | None:
    """Return the change that is not settled, as far as it decides how the order stands: its prices are not kept."""
    if row.pending_quantity is None:
        return None
    return Pending(
        number=row.modifications, quantity=row.pending_quantity, limit_price=None, trigger_price=None, intended_ns=0
    )


def _asked_to_cancel(row: OrderRow) -> Cancellation | None:
    """Return the newest cancellation that was not refused; when it was asked for is not kept."""
    if row.cancellation_by is None:
        return None
    return Cancellation(number=row.cancellations, asked_by=row.cancellation_by, intended_ns=0)


def _fill(fact: OrderFilled, sequence: int, account: int) -> FillRow:
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
        account=account,
    )
