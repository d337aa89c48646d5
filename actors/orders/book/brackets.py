"""The brackets of an account in the book (pure): their exits, and whether something may still have to be done for them.

This is decided after each fact of their orders, also while the journal is read back: so a start looks only at the
brackets that are not done.
"""

from __future__ import annotations

import functools
from collections import deque
from typing import TYPE_CHECKING, Protocol

from ....domain.brackets.bracket import Bracket, as_it_stands, held_as, turned_as
from ....domain.brackets.by_others import sold_of
from ....domain.brackets.guarding import is_bare
from ....domain.brackets.legs import AT_MARKET, entry_id, is_return, leg_id, newest_exit
from ....domain.brackets.next_steps import is_done
from ....domain.orders import Order
from ....messages.orders import OrderFilled, OrderRefused
from .account import EXITS_REMEMBERED_MAX

if TYPE_CHECKING:
    from ....messages.orders import OrderFact
    from .account import Account


class Orders(Protocol):
    """What these functions ask of the book."""

    def order(self, client_order_id: str) -> Order | None:
        """Return an order; None: there is none of this id."""

    def newest_fact(self, client_order_id: str) -> OrderFact | None:
        """Return the newest fact of an order."""


def note_exit(book: Orders, account: Account, order: Order) -> None:
    """Remember a new order as an exit of its strategy, if it is one."""
    entry_of = entry_id(order.client_order_id)
    entry = book.order(entry_of) if entry_of else None
    if entry is not None and entry.has_bracket:
        remembered = account.exits.setdefault(order.strategy, deque(maxlen=EXITS_REMEMBERED_MAX))
        remembered.append(order.client_order_id)


def note_bracket(book: Orders, account: Account, client_order_id: str, order: Order | None) -> None:
    """Note whether the bracket of an order is done, if the order belongs to one.

    Args:
        book: has the newest fact of the order already.
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
    account.bare.pop(entry.client_order_id, None)
    if not entry.is_open:
        shares = account.by_strategy.quantity(entry.strategy, entry.symbol)
        bracket = _as_it_stands(book, account, entry, shares)
        if is_done(bracket):
            account.brackets.pop(entry.client_order_id, None)
            if is_bare(bracket):
                account.bare[entry.client_order_id] = None
            return
    account.brackets[entry.client_order_id] = None


def note_late(book: Orders, account: Account, before: Order, fill: OrderFilled) -> None:
    """Count a trade of an entry that comes after it and its exits have ended; take off what exits close of such shares.

    Args:
        book: with the exits.
        account: of the order.
        before: the order that has traded, without the trade.
        fill: the trade.
    """
    if before.has_bracket:
        find, entry = functools.partial(exit_of, book), before.client_order_id
        exits = () if before.is_open else (newest_exit(find, entry, "target"), newest_exit(find, entry, "stop"))
        known = [each for each in exits if isinstance(each, Order)]
        if known and not any(each.is_open for each in known):
            account.late[before.client_order_id] = account.late.get(before.client_order_id, 0) + fill.quantity
        return
    entry_of = entry_id(before.client_order_id)
    if entry_of in account.late and any(leg_id(entry_of, leg) == before.client_order_id for leg in AT_MARKET):
        left = account.late.pop(entry_of) - fill.quantity
        if left > 0:
            account.late[entry_of] = left


def note_sold(book: Orders, account: Account, fill: OrderFilled) -> None:
    """Count the shares of brackets that a trade has closed which is none of their exits': the oldest bracket's first.

    Args:
        book: with the trade.
        account: of its order.
        fill: the trade.
    """
    if not account.brackets:
        return
    shares = account.by_strategy.quantity(fill.strategy, fill.symbol)
    entries = [order for each in account.brackets if (order := book.order(each)) is not None]
    for side in ("BUY", "SELL"):
        whose = (fill.strategy, fill.symbol, side)
        ours = [each for each in entries if (each.strategy, each.symbol, each.side) == whose]
        unclosed = [_as_it_stands(book, account, each, shares).unclosed for each in ours]
        for entry, sold in zip(ours, sold_of(unclosed, max(0, shares if side == "BUY" else -shares)), strict=True):
            if sold:
                account.sold[entry.client_order_id] = account.sold.get(entry.client_order_id, 0) + sold


def note_surplus(book: Orders, account: Account, fill: OrderFilled) -> tuple[str, ...]:
    """Count what an exit has traded beyond what its bracket had; take off what was given back, or is no longer held.

    Returns the entries of the brackets of which no such shares are held any more.

    Args:
        book: with the trade.
        account: of its order.
        fill: the trade.
    """
    entry_of, counted = entry_id(fill.client_order_id), account.surplus
    if is_return(fill.client_order_id):
        if entry_of in counted:  # by itself: shares that its strategy holds so may hide that fewer are left
            counted[entry_of] = max(0, counted[entry_of] - fill.quantity)
    elif (entry := book.order(entry_of)) is not None and entry.has_bracket:
        excess = _as_it_stands(book, account, entry, 0).excess
        counted[entry_of] = counted.get(entry_of, 0) + min(fill.quantity, excess)
    if not counted:
        return ()
    shares = account.by_strategy.quantity(fill.strategy, fill.symbol)
    left, gone = abs(shares), []
    for each in tuple(counted):
        entry = book.order(each)
        if entry is None or (entry.strategy, entry.symbol) != (fill.strategy, fill.symbol):
            continue
        excess = _as_it_stands(book, account, entry, shares).excess
        held = min(counted.pop(each), excess, turned_as(entry, shares), left)
        left -= held
        if held:
            counted[each] = held
        else:
            gone.append(each)
    return tuple(gone)


def _as_it_stands(book: Orders, account: Account, entry: Order, shares: int) -> Bracket:
    """Return a bracket as it stands, whatever other brackets there are."""
    name = entry.client_order_id
    return as_it_stands(
        entry,
        functools.partial(exit_of, book),
        (),
        shares=shares,
        late=account.late.get(name, 0),
        sold=account.sold.get(name, 0),
        surplus=account.surplus.get(name, 0),
        is_carried=entry.product != "INTRADAY",  # who knows what orders are that name none decides
    )


def closed_by(book: Orders, account: Account, fill: OrderFilled) -> tuple[str, ...]:
    """Return the entries of the brackets whose shares are no longer held after a trade, of whatever order.

    Args:
        book: with the trade.
        account: of its order.
        fill: the trade.
    """
    if not (account.brackets or account.bare):
        return ()
    after = account.by_strategy.quantity(fill.strategy, fill.symbol)
    before = after - fill.quantity if fill.side == "BUY" else after + fill.quantity
    if not before or before * after > 0:
        return ()
    found = (book.order(each) for each in (*account.brackets, *account.bare))
    return tuple(
        order.client_order_id
        for order in found
        if order is not None
        and (order.strategy, order.symbol) == (fill.strategy, fill.symbol)
        and not held_as(order, after)
    )


def exit_of(book: Orders, client_order_id: str) -> Order | OrderRefused | None:
    """Return an exit of this id; None: there is none yet."""
    order = book.order(client_order_id)
    if order is None and isinstance(refusal := book.newest_fact(client_order_id), OrderRefused):
        return refusal
    return order
