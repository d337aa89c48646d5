"""Which orders have to be looked up at the broker (plain, without actors)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ....domain.time import day_of, day_start_ns

if TYPE_CHECKING:
    from ....domain.orders import Order
    from ..book.book import Book


def others_that_traded(book: Book, order: Order, now_ns: int) -> tuple[str, ...]:
    """Return the broker's ids of the orders whose trades could be mistaken for those of one in doubt.

    It has to be of an earlier day: a broker's history of trades has no client order ids, and its order book has only
    today's orders.
    """
    day = day_of(order.intended_ns)
    if order.broker_order_id or day >= day_of(now_ns):
        return ()
    since = (book.order(each) for each, _ in book.newest_facts(day_start_ns(day)))
    return tuple(
        other.broker_order_id
        for other in since
        if other is not None and other.filled and (other.symbol, other.side) == (order.symbol, order.side)
    )


class Lookups:
    """Orders being placed, orders in doubt, and orders that must be resolved before the start is reconciled."""

    def __init__(self) -> None:
        self._placing: dict[str, bool] = {}  # True: it waited in the previous round already
        self._doubtful: dict[str, None] = {}
        self._unproved: set[str] = set()

    @property
    def placing(self) -> tuple[str, ...]:
        """Orders sent to the broker session without an answer so far; oldest first."""
        return tuple(self._placing)

    @property
    def is_needed(self) -> bool:
        """Whether another round is needed."""
        return bool(self._placing or self._doubtful)

    @property
    def is_proved(self) -> bool:
        """Whether every order that was open at the start has been found, or reported absent, by the broker."""
        return not self._unproved

    def is_placing(self, client_order_id: str) -> bool:
        """Whether the order was sent and has no answer so far."""
        return client_order_id in self._placing

    def place(self, client_order_id: str) -> None:
        """Note that the order is sent now."""
        self._placing[client_order_id] = False

    def answered(self, client_order_id: str) -> None:
        """Note that the broker session has answered, or reported the order."""
        self._placing.pop(client_order_id, None)

    def doubt(self, client_order_id: str) -> None:
        """Look it up in every round from now on."""
        self._doubtful[client_order_id] = None

    def settle(self, client_order_id: str) -> None:
        """Look it up no more, unless the start requires it: a report may be older than the start."""
        if client_order_id not in self._unproved:
            self._doubtful.pop(client_order_id, None)

    def require(self, client_order_id: str) -> None:
        """Look it up, and hold back the end of RECONCILING until the broker has answered."""
        self._doubtful[client_order_id] = None
        self._unproved.add(client_order_id)

    def prove(self, client_order_id: str) -> None:
        """Note that the broker has found it, or reported it absent."""
        self._unproved.discard(client_order_id)

    def next_round(self) -> tuple[str, ...]:
        """Return the orders to look up: those in doubt, and those sent before the last round without an answer."""
        for client_order_id, is_overdue in self._placing.items():
            if is_overdue:
                self._doubtful[client_order_id] = None
            self._placing[client_order_id] = True
        return tuple(self._doubtful)
