"""The resting orders of an account, rebuilt from the facts in the journal (pure)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, get_args

from ...domain.accounts import SESSION, Accounts
from ...domain.orders import Order as KnownOrder
from ...domain.orders import advance
from ...domain.stops import exchange_type
from ...domain.venues import day_order_ends_ns_of
from ...messages.accounts import AccountEntered, AccountFact
from ...messages.broker import ExecutionReport, NewOrder
from ...messages.orders import OrderFact, OrderFilled, OrderIntended, OrderRefused
from .matching import Order

if TYPE_CHECKING:
    from ...messages.accounts import AccountChoice
    from ...messages.journal import Fact

TYPES: Final = tuple(
    fact.__name__ for fact in (*get_args(OrderFact), *get_args(AccountFact)) if fact is not OrderRefused
)
"""Names of the fact types that change the book."""


class Remembered:
    """The open orders of an account that the exchange had accepted, from the journal's facts in sequence.

    An order without an acceptance in the journal counts as never arrived.
    """

    def __init__(self, choice: AccountChoice) -> None:
        """Choose the account, as the settings do."""
        self._choice: Final = choice
        self._accounts = Accounts()
        self._books: dict[int, dict[str, tuple[KnownOrder, list[OrderFilled]]]] = {SESSION: {}}

    def apply(self, fact: Fact) -> None:
        """Apply one fact."""
        book = self._books[self._accounts.current]
        if isinstance(fact, AccountEntered):
            self._accounts.apply(fact)
            self._books.setdefault(fact.account, {})
        elif isinstance(fact, OrderIntended):
            book[fact.client_order_id] = KnownOrder.from_intent(fact), []
        elif isinstance(fact, get_args(OrderFact)) and (known := book.get(fact.client_order_id)) is not None:
            before, fills = known
            after = advance(before, fact)
            if isinstance(fact, OrderFilled) and after is not before:
                fills.append(fact)
            if after.is_open:
                if _loses_its_place(before, after):
                    del book[fact.client_order_id]
                book[fact.client_order_id] = after, fills
            else:
                del book[fact.client_order_id]

    def orders(self) -> tuple[Order, ...]:
        """Return the resting orders, in the order of their intents, or of the changes that cost them their place."""
        if self._choice == "new":
            return ()
        account = SESSION if self._choice == "session" else self._accounts.newest
        accepted = [(order, fills) for order, fills in self._books[account].values() if order.broker_order_id]
        return tuple(_resting(order, fills, arrival) for arrival, (order, fills) in enumerate(accepted, start=1))


def _loses_its_place(before: KnownOrder, after: KnownOrder) -> bool:
    """Say whether more has changed than the quantity, downwards: the rule of the matching."""
    same_prices = (before.limit_price, before.trigger_price) == (after.limit_price, after.trigger_price)
    return not same_prices or after.quantity > before.quantity


def _resting(known: KnownOrder, fills: list[OrderFilled], arrival: int) -> Order:
    request = NewOrder(
        client_order_id=known.client_order_id,
        symbol=known.symbol,
        side=known.side,
        quantity=known.quantity,
        order_type=exchange_type(known.order_type),
        limit_price=known.limit_price,
        trigger_price=known.trigger_price,
        validity=known.validity,
    )
    order = Order(request, broker_order_id=known.broker_order_id, arrival=arrival)
    order.ends_ns = day_order_ends_ns_of(known.symbol, known.intended_ns)
    order.is_triggered |= known.is_triggered or bool(fills)
    for fill in fills:
        order.filled += fill.quantity
        # All of it, and open in the book: a change that nobody has heard of would have raised its quantity.
        order.state = "FILLED" if order.filled >= known.quantity else "PART_FILLED"
        report = ExecutionReport(
            client_order_id=fill.client_order_id,
            broker_order_id=known.broker_order_id,
            execution_type="TRADE",
            execution_id=fill.trade_id,
            occurred_ns=fill.occurred_ns,
            quantity=fill.quantity,
            price=fill.price,
            cumulative_quantity=order.filled,
            leaves_quantity=known.quantity - order.filled,
            symbol=known.symbol,
            side=known.side,
        )
        order.trades.append(report)
    if order.is_open and known.validity == "IOC" and (known.is_triggered or fills):
        order.state = "CANCELLED"  # it has met its tick, and nobody has heard what became of the rest
    return order
