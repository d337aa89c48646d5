"""`OrderHandle`: what `buy` and `sell` return, an order's id that knows what became of the order; and all of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Protocol

from ...domain.brackets.legs import newest_exit
from ...domain.orders import Order, advance, intent_of
from ...messages.holdings import OpenOrder
from ...messages.orders import (
    CancellationRefused,
    CancellationState,
    CancellationUncertain,
    OrderAccepted,
    OrderFilled,
    OrderIntended,
    OrderRefused,
    OrderState,
    OrderUncertain,
    Side,
)

if TYPE_CHECKING:
    from ...messages.orders import OrderFact, SubmitOrder

ENDED_REMEMBERED_MAX: Final = 1_000
"""Orders that have ended and still hear of late fills; the oldest is forgotten first."""


class Desk(Protocol):
    """What a handle asks of its strategy."""

    def cancel(self, client_order_id: str) -> None:
        """Request a cancellation."""

    def modify(
        self,
        client_order_id: str,
        *,
        quantity: int | None = None,
        limit: float | None = None,
        stop: float | None = None,
    ) -> None:
        """Request a change."""

    def order_of(self, client_order_id: str) -> OrderHandle | None:
        """Return the handle of an order."""


class OrderHandle(str):  # noqa: SLOT000  no second object an order, and a user may note something on it
    """An order of a strategy: its client order id as a text, with its state, fills, and `cancel()`.

    It goes on being told by the order's facts until the strategy restarts; `self.open_orders` has those that are open.
    """

    _order: Order
    _desk: Desk
    _value: float
    _priced: int
    reason: str
    """Why it was refused, rejected, cancelled or expired; empty for others."""

    is_refused: bool
    shares_max: int | None
    """Of one that was refused since it was too large: as many shares as an order may have."""

    @classmethod
    def of(cls, order: Order, desk: Desk) -> OrderHandle:
        """Make one of an order as it is now."""
        handle = cls(order.client_order_id)
        handle._order, handle._desk, handle._value, handle._priced = order, desk, 0.0, 0
        handle.reason, handle.is_refused, handle.shares_max = "", False, None
        return handle

    @property
    def symbol(self) -> str:
        """What is bought or sold."""
        return self._order.symbol

    @property
    def side(self) -> Side:
        """`BUY` or `SELL`."""
        return self._order.side

    @property
    def quantity(self) -> int:
        """Shares, all of it."""
        return self._order.quantity

    @property
    def limit(self) -> float | None:
        """Rupees; None without a limit."""
        return self._order.limit_price

    @property
    def stop(self) -> float | None:
        """Rupees of its trigger; None of an order that is no stop."""
        return self._order.trigger_price

    @property
    def state(self) -> OrderState:
        """`INTENDED` until the broker has it, then `ACCEPTED` and so on (see `OrderState`); `REFUSED` by our gate."""
        return "REFUSED" if self.is_refused else self._order.state

    @property
    def is_open(self) -> bool:
        """Whether it may still be filled. An order in doubt (`UNKNOWN`) may."""
        return not self.is_refused and self._order.is_open

    @property
    def cancellation(self) -> CancellationState:
        """What became of the newest cancellation: `REQUESTED`, `IN_DOUBT`, `REFUSED`, `DONE`, `TOO_LATE`; empty: none.

        It is in flight while it is `REQUESTED` or `IN_DOUBT`, and another `cancel()` does nothing then.
        """
        return self._order.cancellation

    @property
    def filled(self) -> int:
        """Shares."""
        return self._order.filled

    @property
    def average(self) -> float | None:
        """Rupees a share of its fills; None before the first, and where some came before the strategy's restart."""
        return self._value / self._priced if self._priced and self._priced == self._order.filled else None

    @property
    def target(self) -> OrderHandle | None:
        """The limit order that closes what this one has filled; None before that, or without one."""
        return newest_exit(self._desk.order_of, self, "target")

    @property
    def stop_loss(self) -> OrderHandle | None:
        """The stop order that closes what this one has filled; None before that, or without one."""
        return newest_exit(self._desk.order_of, self, "stop")

    def cancel(self) -> None:
        """Request the cancellation of what is open; fills may come before it."""
        self._desk.cancel(self)

    def modify(self, *, quantity: int | None = None, limit: float | None = None, stop: float | None = None) -> None:
        """Request a change, as `StrategyActor.modify` does; its terms are the new ones when the broker has it so."""
        self._desk.modify(self, quantity=quantity, limit=limit, stop=stop)

    def hear(self, fact: OrderFact) -> None:
        """Take one of its facts."""
        if isinstance(fact, OrderRefused):
            self.is_refused, self.reason = True, f"{fact.rule}: {fact.reason}"
            self.shares_max = fact.shares_max
            return
        before = self._order.filled
        self._order = advance(self._order, fact)
        if isinstance(fact, OrderFilled):
            fresh = self._order.filled - before
            self._value += fresh * fact.price
            self._priced += fresh
        elif not isinstance(fact, CancellationUncertain | CancellationRefused):
            self.reason = getattr(fact, "reason", self.reason)

    def __repr__(self) -> str:
        terms = f"{self.side} {self.quantity} {self.symbol}"
        return f"<{str.__str__(self)}: {terms}, {self.state}, filled {self.filled}>"


class OwnOrders:
    """The handles of a strategy's orders: of those that are open, and of the newest that have ended."""

    def __init__(self, desk: Desk) -> None:
        """Begin with none."""
        self._desk: Final = desk
        self._open: dict[str, OrderHandle] = {}
        self._ended: dict[str, OrderHandle] = {}

    def submitted(self, order: SubmitOrder) -> OrderHandle:
        """Add an order that is sent now."""
        handle = OrderHandle.of(Order.from_intent(intent_of(order, order.submitted_ns)), self._desk)
        self._open[order.client_order_id] = handle
        return handle

    def found(self, known: OpenOrder) -> None:
        """Add an order that the book of record has, as it is there."""
        intent = known.intent
        order = Order.from_intent(intent)
        facts: list[Any] = []
        if known.broker_order_id:
            facts.append(
                OrderAccepted(
                    client_order_id=intent.client_order_id,
                    broker_order_id=known.broker_order_id,
                    occurred_ns=intent.occurred_ns,
                )
            )
        if known.is_uncertain:
            facts.append(
                OrderUncertain(
                    client_order_id=intent.client_order_id, reason="in doubt", occurred_ns=intent.occurred_ns
                )
            )
        if known.filled:
            facts.append(
                OrderFilled(
                    client_order_id=intent.client_order_id,
                    trade_id="before",
                    strategy=intent.strategy,
                    symbol=intent.symbol,
                    side=intent.side,
                    quantity=known.filled,
                    price=1.0,
                    cumulative_quantity=known.filled,
                    occurred_ns=intent.occurred_ns,
                )
            )
        if known.cancelling is not None:
            facts.append(known.cancelling)
        for fact in facts:
            order = advance(order, fact)
        self._open[order.client_order_id] = OrderHandle.of(order, self._desk)

    def hear(self, fact: OrderFact) -> None:
        """Take a fact of an order; of a fill, only once."""
        client_order_id = fact.client_order_id
        handle = self.handle(client_order_id)
        if handle is None:
            if isinstance(fact, OrderIntended):  # of the life before, which ended as it was on its way
                self.found(OpenOrder(intent=fact))
            return
        handle.hear(fact)
        if not handle.is_open and self._open.pop(client_order_id, None) is not None:
            self._ended[client_order_id] = handle
            if len(self._ended) > ENDED_REMEMBERED_MAX:
                del self._ended[next(iter(self._ended))]

    def handle(self, client_order_id: str) -> OrderHandle | None:
        """Return the handle of an order; None if it is not known any more."""
        return self._open.get(client_order_id) or self._ended.get(client_order_id)

    def symbol(self, client_order_id: str) -> str:
        """Return the symbol of an order; empty if it is not known any more."""
        handle = self.handle(client_order_id)
        return "" if handle is None else handle.symbol

    def open(self, symbol: str | None = None) -> tuple[OrderHandle, ...]:
        """Return those that are open, the oldest first; of one symbol, or all."""
        return tuple(handle for handle in self._open.values() if symbol is None or handle.symbol == symbol)
