"""Shares of our book that the broker does not have: whose they were, when a person says how they went (pure).

The problem: what was sold while nobody looked, and on a day before, is listed by the broker no more. Our book holds it
on, and nothing can end that difference: a sale by us would open a position there. The person who saw at the terminal
what the broker holds says at which price the rest has gone; the shares are taken from those who hold them.

Certain is only that shares are gone: what the broker has more than our book is nobody's here, so it is never given to
anyone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from ..messages.orders import Product
    from ..messages.reconciliation import PositionMismatch

Held = Mapping[str, Mapping["Product", int]]
"""Signed shares by strategy and product, of one symbol."""


class Gone(NamedTuple):
    """Shares of a strategy that the broker does not have."""

    strategy: str
    product: Product
    shares: int
    """As they were held: signed."""


def gone(held: Held, differing: Iterable[PositionMismatch], *, symbol: str, theirs: int) -> tuple[Gone, ...] | str:
    """Return whose shares are gone, those of the greatest holding first; or why that cannot be said.

    Args:
        held: of the symbol.
        differing: positions as compared last, and what was traded since: all products together, and each that differs.
        symbol: of the position.
        theirs: what a person says that the broker has, all products together: signed.
    """
    of = {str(each.product): each for each in differing if each.symbol == symbol and each.is_ours}
    whole = of.pop("", None)
    if whole is None:
        return f"a position that differs from the broker's wanted, found none of {symbol}"
    if whole.theirs != theirs:
        return f"{whole.theirs} shares, as the broker has, wanted, found {theirs}"
    by_product = {product: each.ours - each.theirs for product, each in of.items()} or {"": whole.ours - whole.theirs}
    if sum(by_product.values()) != whole.ours - whole.theirs:
        return (
            f"products that come to the {whole.theirs} shares that the broker has wanted, found others: compare again"
        )
    found: list[Gone] = []
    for product, missing in sorted(by_product.items()):
        taken = _taken(held, product, missing)
        if sum(each.shares for each in taken) != missing:
            return f"{missing} shares{f' of {product}' * bool(product)} that somebody holds here wanted, found fewer"
        found += taken
    return tuple(found)


def all_gone(held: Held, *, symbol: str, theirs: int) -> tuple[Gone, ...] | str:
    """Return whose shares of a contract that has expired are gone: everybody's; or why that cannot be said.

    Args:
        held: of the symbol.
        symbol: of the contract.
        theirs: what a person says that the broker has: none.
    """
    if theirs:
        return f"0 shares of {symbol}, which has expired, wanted, found {theirs}"
    found = tuple(
        Gone(strategy, product, shares)
        for strategy, products in sorted(held.items())
        for product, shares in sorted(products.items())
        if shares
    )
    return found or f"a position in {symbol} wanted, found none"


def _taken(held: Held, product: str, missing: int) -> list[Gone]:
    """Take as many missing shares as are held on their side, of a product or (empty) of any."""
    side = 1 if missing > 0 else -1
    holders = sorted(
        (-side * shares, strategy, name)
        for strategy, products in held.items()
        for name, shares in products.items()
        if side * shares > 0 and product in {"", name}
    )
    taken, left = [], abs(missing)
    for shares, strategy, name in holders:
        part = min(left, -shares)
        if part:
            taken.append(Gone(strategy, name, side * part))
        left -= part
    return taken
