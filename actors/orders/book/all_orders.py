"""Every order of the data directory (plain): by client order id, which must never be used twice, and by account.

Orders have places, 0, 1, 2, by the sequence of their first facts; those of one account stand side by side, from the
place at which the account was entered to that of the next. An order that has ended becomes bytes at a checkpoint, or
when `ENDED_MAX` others have ended since, and is an object again as soon as it has a newer fact.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from typing import Final, Self, TypeAlias

from ....domain.accounts import SESSION
from ....domain.orders import Order
from ....messages.orders import OrderFact
from .ended import Ended, EndedOrder

ENDED_MAX: Final = 10_000
"""Orders that have ended and stay objects, the newest: more than a broker takes in a day."""

PACKED_AT_ONCE: Final = 100
"""Orders that become bytes in one go."""

KeptOrder: TypeAlias = tuple[int, Order, OrderFact]
"""An order's place, the order, and its newest fact."""


class AllOrders:
    """The orders of all accounts, and the newest fact of each."""

    def __init__(self) -> None:
        self._orders: dict[str, Order] = {}
        self._newest: dict[str, OrderFact | None] = {}
        """The newest fact of every order, by place; None: the order is among the ended ones, without newer facts."""

        self._places: dict[str, int] = {}
        """The place of every order that is not kept as bytes."""

        self._over: dict[str, None] = {}
        """Those of them that have ended, or were refused; who ended first comes first."""

        self._ended = Ended()
        """Those that are kept as bytes; what of them has newer facts is above."""

        self._entered = [(0, SESSION)]
        """Places from which on orders belong to an account, and to which."""

    def __contains__(self, client_order_id: str) -> bool:
        """Whether this id was ever used, be it by a refused order."""
        return client_order_id in self._newest

    def order(self, client_order_id: str) -> Order | None:
        """Return the order; None if there is none, or the gate refused it."""
        order = self._orders.get(client_order_id)
        return self._ended.order(client_order_id) if order is None and self._ended else order

    def newest_fact(self, client_order_id: str) -> OrderFact | None:
        """Return the fact that changed this order last; None if the id was never used."""
        return self._newest.get(client_order_id) or self._ended.newest_fact(client_order_id)

    def newest_facts(self, since_ns: int, *, account: int | None = None) -> Iterator[tuple[str, OrderFact]]:
        """Yield the newest fact of each order, those whose first fact is the newest first.

        Args:
            since_ns: an order that ended before this time may be left out: nanoseconds since 1970-01-01 UTC.
            account: to which they belong; None: to any.
        """
        entered = list(self._entered)
        for place, (client_order_id, fact) in zip(
            range(len(self._newest) - 1, -1, -1), reversed(self._newest.items()), strict=True
        ):
            while place < entered[-1][0]:
                entered.pop()
            if account not in {None, entered[-1][1]}:
                continue
            if fact is not None:
                yield client_order_id, fact
            elif self._ended.changed_ns(client_order_id) >= since_ns:
                yield client_order_id, self._ended.newest_fact(client_order_id)  # type: ignore[misc]  # it is there

    @property
    def account(self) -> int:
        """The number of the current account: the one entered last."""
        return self._entered[-1][1]

    def accounts(self) -> tuple[int, ...]:
        """Return the current account, and all that have orders, in order."""
        ends = (*(place for place, _ in self._entered[1:]), len(self._newest))
        used = (number for (place, number), end in zip(self._entered, ends, strict=True) if end > place)
        return tuple(sorted({self.account, *used}))

    @property
    def entered(self) -> tuple[tuple[int, int], ...]:
        """Places from which on orders belong to an account, and to which."""
        return tuple(self._entered)

    def enter(self, account: int) -> None:
        """Let new orders belong to this account."""
        if account != self.account:
            self._entered.append((len(self._newest), account))

    def note(self, fact: OrderFact, order: Order | None) -> None:
        """Store the newest fact of an order, and the order as it is with it; None: the gate refused it."""
        client_order_id = fact.client_order_id
        if client_order_id not in self._places:  # new, or kept as bytes so far
            is_new = client_order_id not in self._newest
            self._places[client_order_id] = len(self._newest) if is_new else self._ended.place(client_order_id)
        self._newest[client_order_id] = fact
        if order is not None:
            self._orders[client_order_id] = order
        if order is not None and order.is_open:
            self._over.pop(client_order_id, None)
        else:
            self._over[client_order_id] = None

    @property
    def objects(self) -> int:
        """How many orders are not kept as bytes."""
        return len(self._places)

    @property
    def ended(self) -> int:
        """How many orders are kept as bytes."""
        return len(self._ended)

    def pack(self) -> bytes:
        """Keep the orders that have ended as bytes from now on; return those that were not kept so before."""
        return self._pack(sorted(self._over, key=self._places.__getitem__))

    def pack_oldest(self) -> None:
        """Keep some of those as bytes that ended first, where more than `ENDED_MAX` that have ended are objects.

        So a book that is traded on for months takes little more than their bytes and ids.
        """
        if len(self._over) >= ENDED_MAX + PACKED_AT_ONCE:
            self._pack([*itertools.islice(self._over, PACKED_AT_ONCE)])

    def _pack(self, client_order_ids: Iterable[str]) -> bytes:
        ended = []
        for client_order_id in client_order_ids:
            newest = self._newest[client_order_id]
            assert newest is not None, "an order is an object, or bytes"
            place, order = self._places.pop(client_order_id), self._orders.pop(client_order_id, None)
            ended.append(EndedOrder(client_order_id, place, order, newest))
            self._newest[client_order_id] = None
            del self._over[client_order_id]
        return self._ended.add(ended)

    def kept(self) -> tuple[KeptOrder, ...]:
        """Return the orders that are not kept as bytes."""
        places = sorted(self._places.items(), key=lambda each: each[1])
        return tuple(
            (place, self._orders[client_order_id], fact)
            for client_order_id, place in places
            if (fact := self._newest[client_order_id]) is not None
        )

    @classmethod
    def from_kept(cls, entered: tuple[tuple[int, int], ...], orders: tuple[KeptOrder, ...], ended: Ended) -> Self:
        """Return what was kept."""
        found = cls()
        found._entered = list(entered)
        found._ended = ended
        found._orders = {order.client_order_id: order for _, order, _ in orders}
        found._places = {order.client_order_id: place for place, order, _ in orders}
        places = dict(ended.places()) | found._places
        found._newest = dict.fromkeys(sorted(places, key=places.__getitem__))
        found._newest.update((order.client_order_id, fact) for _, order, fact in orders)
        return found
