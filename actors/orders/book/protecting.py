"""Which open orders of a book stay where all are cancelled (plain); the rule is `domain/protection.py`."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from ....domain.flattening import STOPS
from ....domain.protection import RestingStop, that_stay

if TYPE_CHECKING:
    from collections.abc import Hashable

    from ....domain.closing import TheirBook
    from ....domain.orders import Order
    from ....messages.orders import Product
    from .book import Book

NAMED_MAX: Final = 5
"""Positions that a sentence names."""


def stops_that_stay(book: Book, theirs: TheirBook, default: Product) -> frozenset[str]:
    """Return the client order ids of the stops that only make smaller what is held, by both books.

    The newest goes first: shares that others have sold count for the oldest.

    Args:
        book: ours.
        theirs: in what the broker's positions differ.
        default: the product of orders that named none.
    """
    held: dict[Hashable, int] = {}
    stops = []
    for order in sorted(book.open_orders(), key=lambda each: each.intended_ns, reverse=True):
        if not _is_resting_stop(order):
            continue
        strategy, symbol, product = order.strategy, order.symbol, order.product or default
        held[strategy, symbol, product] = book.strategy_products(strategy, symbol, default).get(product, 0)
        in_product = theirs.held(symbol, book.products(symbol, default).get(product, 0), product)
        in_all = theirs.held(symbol, book.position(symbol))
        views: dict[Hashable, int] = {
            **{(symbol, product, of): shares for of, shares in enumerate(in_product)},
            **{(symbol, of): shares for of, shares in enumerate(in_all) if of},
        }
        held.update(views)
        draws_on = ((strategy, symbol, product), *views)
        stop = RestingStop(order_id=order.client_order_id, side=order.side, shares=order.leaves, draws_on=draws_on)
        stops.append(stop)
    return that_stay(stops, held)


def held_without_stop(book: Book, theirs: TheirBook, default: Product) -> str:
    """Say what strategies hold that none of these stops closes; empty: nothing."""
    closed: Counter[tuple[str, str]] = Counter()
    for client_order_id in stops_that_stay(book, theirs, default):
        order = book.order(client_order_id)
        assert order is not None, "it is open"
        closed[order.strategy, order.symbol] += order.leaves
    bare = [
        f"{abs(shares) - closed[strategy, symbol]} {symbol} of {strategy}"
        for (strategy, symbol), shares in sorted(book.shares_by_strategy().items())
        if abs(shares) > closed[strategy, symbol]
    ]
    more = f", and {len(bare) - NAMED_MAX} more" if len(bare) > NAMED_MAX else ""
    return ", ".join(bare[:NAMED_MAX]) + more


def _is_resting_stop(order: Order) -> bool:
    return order.order_type in STOPS and bool(order.broker_order_id) and order.cancelling is None
