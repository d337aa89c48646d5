"""The brackets of an account in the book (pure): their exits, and whether something may still have to be done for them.

That is asked after each fact of their orders, also when the journal is read back: a start looks at those alone that are
not done, however many there have been.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Protocol

from ....domain.brackets import SUFFIXES, Bracket, Leg, entry_id, held_as, is_done, leg_id
from ....domain.orders import Order
from ....messages.orders import OrderFilled, OrderRefused
from .account import EXITS_REMEMBERED_MAX

if TYPE_CHECKING:
    from ....messages.orders import OrderFact
    from .account import Account


class Orders(Protocol):
    """What is wanted of the book."""

    def order(self, client_order_id: str) -> Order | None:
        """Return an order; None: there is none of this id."""

    def newest_fact(self, client_order_id: str) -> OrderFact | None:
        """Return what was told last of it."""


def note_exit(book: Orders, account: Account, order: Order) -> None:
    """Remember a new order as an exit of its strategy, if it is one."""
    entry_of = entry_id(order.client_order_id)
    entry = book.order(entry_of) if entry_of else None
    if entry is not None and entry.has_bracket:
        remembered = account.exits.setdefault(order.strategy, deque(maxlen=EXITS_REMEMBERED_MAX))
        remembered.append(order.client_order_id)


def note_bracket(book: Orders, account: Account, client_order_id: str, order: Order | None) -> None:
    """Note whether the bracket is done that an order belongs to, if to any.

    Args:
        book: with its newest fact.
        account: of the order.
        client_order_id: of the order.
        order: None: our gate refused it.
    """
    entry = order
    if entry is None or not entry.has_bracket:
        entry_of = entry_id(client_order_id)
        if not entry_of or (order is not None and order.is_open and entry_of in account.brackets):
            return
        entry = book.order(entry_of)
        if entry is None or not entry.has_bracket:
            return
    if not entry.is_open:
        target, stop, closing = (_exit(book, entry, leg) for leg in SUFFIXES)
        held = held_as(entry, account.by_strategy.quantity(entry.strategy, entry.symbol))
        if is_done(Bracket(entry=entry, target=target, stop=stop, exit=closing, held=held)):
            account.brackets.pop(entry.client_order_id, None)
            return
    account.brackets[entry.client_order_id] = None


def closed_by(book: Orders, account: Account, fill: OrderFilled) -> tuple[str, ...]:
    """Return the entries of the brackets whose shares are not held any more since a trade, of whatever order.

    Args:
        book: with the trade.
        account: of its order.
        fill: the trade.
    """
    if not account.brackets:
        return ()
    after = account.by_strategy.quantity(fill.strategy, fill.symbol)
    before = after - fill.quantity if fill.side == "BUY" else after + fill.quantity
    if not before or before * after > 0:
        return ()
    found = (book.order(each) for each in account.brackets)
    return tuple(
        order.client_order_id
        for order in found
        if order is not None
        and (order.strategy, order.symbol) == (fill.strategy, fill.symbol)
        and not held_as(order, after)
    )


def _exit(book: Orders, entry: Order, leg: Leg) -> Order | OrderRefused | None:
    client_order_id = leg_id(entry.client_order_id, leg)
    order = book.order(client_order_id)
    if order is None and isinstance(refusal := book.newest_fact(client_order_id), OrderRefused):
        return refusal
    return order
