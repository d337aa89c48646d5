"""What order updates say of the orders that are watched, and what follows for the looks at them. Pure.

The rule: an update is never a fill. It has the sums of an order and no trade's id, it may come twice, late, out of
order or not at all; so it is a reason to look at the order now, and the trades that are read then are the truth. Where
updates can be relied upon, the regular looks are rarer. They cannot while an update has said more than the looks have
shown, nor after a look has shown what no update said.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

from .....domain.dhan.words import ENDED_STATUSES, OPEN_STATUSES
from .....messages.broker import OrderUpdated
from .progress import Watched

SPACING_S: Final = 0.2
"""Seconds between two looks because of updates: a burst of them leaves half of the limit of reads to others."""


class Told(msgspec.Struct):
    """The most that updates have said of an order."""

    filled: int = 0
    has_ended: bool = False


class Hints:
    """Of one session of the broker."""

    def __init__(self) -> None:
        self._told: dict[str, Told] = {}
        self._due: set[str] = set()
        self.is_connected = False
        self._is_trusted = False

    def connect(self, orders: Iterable[Watched]) -> None:
        """Take every watched order for changed: the service repeats no update that was missed."""
        self.is_connected = self._is_trusted = True
        self._due.update(order.client_order_id for order in orders)

    def lose(self) -> None:
        """Note that no updates come: only looks show changes."""
        self.is_connected = False

    def suspect(self, order: Watched) -> None:
        """Have an order looked at, although no update has told of it since it is watched."""
        self._due.add(order.client_order_id)

    def take(self, update: OrderUpdated, order: Watched) -> None:
        """Note what an update says of an order."""
        self._is_trusted = self.is_connected
        told = self._told.setdefault(order.client_order_id, Told())
        told.filled = max(told.filled, update.filled)
        told.has_ended |= update.status in ENDED_STATUSES
        is_known = update.status in OPEN_STATUSES and bool(order.broker_order_id)
        if self.is_behind(order) or not is_known:
            self._due.add(order.client_order_id)

    def take_due(self, orders: Mapping[str, Watched]) -> tuple[Watched, ...]:
        """Return the orders to look at now, and forget that they are due."""
        due, self._due = self._due, set()
        return tuple(order for client_order_id, order in orders.items() if client_order_id in due)

    @property
    def any_due(self) -> bool:
        """Whether an order is to be looked at now."""
        return bool(self._due)

    def is_behind(self, order: Watched) -> bool:
        """Say whether updates have said more of an order that is watched than was seen of it."""
        told = self._told.get(order.client_order_id)
        return told is not None and (told.has_ended or told.filled > order.filled)

    def note_seen(self, order: Watched, *, has_ended: bool) -> None:
        """Compare a look with the updates: a change that no update told shows that updates get lost."""
        told = self._told.get(order.client_order_id) or Told()
        if told.filled < order.filled or (has_ended and not told.has_ended):
            self._is_trusted = False

    def forget(self, client_order_id: str) -> None:
        """Drop an order that has ended."""
        self._told.pop(client_order_id, None)
        self._due.discard(client_order_id)

    def may_ease(self, orders: Iterable[Watched]) -> bool:
        """Say whether the regular looks may be rarer."""
        if not (self.is_connected and self._is_trusted):
            return False
        return all(order.broker_order_id and not self.is_behind(order) for order in orders)
