"""The product in which shares are held, and the product that a closing order must have (pure).

The problem: a broker keeps a position for each product. A sale of INTRADAY closes nothing that is held as CNC: it opens
a short position beside it, and the two together look flat. So an order that names no product, and closes what its
strategy holds, is of the product in which that is held.
"""

from __future__ import annotations

from collections.abc import Mapping

from ..messages.orders import Product, Side
from .closing import closable


def held_by_product(shares: int, named: Mapping[Product, int], default: Product) -> dict[Product, int]:
    """Return the signed shares by product.

    Args:
        shares: signed, of all of them.
        named: those of orders that named a product.
        default: of orders that named none.
    """
    rest = shares - sum(named.values())
    return {**named, default: named.get(default, 0) + rest}


def product_to_close(held: Mapping[Product, int], side: Side, quantity: int, default: Product) -> Product:
    """Return the product of an order that names none: one in which so much is held as it closes, else the default."""
    closes = {product: closable(side, shares) for product, shares in held.items()}
    if closes.get(default, 0) >= quantity:
        return default
    return next((product for product in sorted(closes) if closes[product] >= quantity), default)


def closable_at_once(held: Mapping[Product, int], shares: int) -> int:
    """Return how many of the signed shares one order may close, as it is of one product; 0: none of them."""
    side: Side = "SELL" if shares > 0 else "BUY"
    return min(abs(shares), max((closable(side, each) for each in held.values()), default=0))
