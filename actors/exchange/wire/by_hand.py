"""A price set by hand, as the tick that a feed would send. Pure.

A feed reads no price below a tick, and no count that has no place in a packet; a hand is held to the same, since
whatever trades at a price is in the account for good.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ....domain.instruments import without_noise
from ....messages.market import DaySummary, Depth, Tick
from ....messages.units import RUPEES_MAX

if TYPE_CHECKING:
    from ..account import Listing
    from .asking import SetPrice

LEVELS_MAX: Final = 20
QUANTITY_MAX: Final = (1 << 31) - 1
"""Shares: the broker's numbers have 32 bits."""


def tick_of(wanted: SetPrice, listing: Listing, *, now_ns: int, source: str, sequence: int) -> Tick:
    """Return the tick of a price.

    Raises:
        ValueError: it is none; the text names the field, what is wanted and what was found.
    """
    least = listing.reference.tick_size_rupees

    def rupees(field: str, found: float) -> float:
        price = without_noise(found)
        if not least <= price <= RUPEES_MAX:
            raise ValueError(f"{field}: {least} (a tick) to {RUPEES_MAX:.0f} rupees wanted, found {found}")
        return price

    price = rupees("price", wanted.price)
    close = rupees("previousClose", wanted.previous_close) if wanted.previous_close else 0.0
    _expect_shares("quantity", wanted.quantity)
    for field, levels in (("bids", wanted.bids or ()), ("asks", wanted.asks or ())):
        if len(levels) > LEVELS_MAX:
            raise ValueError(f"{field}: at most {LEVELS_MAX} levels wanted, found {len(levels)}")
        for at, shares in levels:
            rupees(field, at)
            _expect_shares(field, shares)
    return Tick(
        symbol=listing.symbol,
        price=price,
        quantity=wanted.quantity,
        exchange_ns=now_ns,
        received_ns=now_ns,
        source=source,
        sequence=sequence,
        depth=_depth(wanted),
        day=_day(price, close) if close else None,
    )


def _expect_shares(field: str, found: int) -> None:
    if not 0 <= found <= QUANTITY_MAX:
        raise ValueError(f"{field}: 0 to {QUANTITY_MAX} shares wanted, found {found}")


def _depth(wanted: SetPrice) -> Depth | None:
    if wanted.bids is None and wanted.asks is None:
        return None
    bids, asks = wanted.bids or (), wanted.asks or ()
    padding = ((0.0, 0),) * max(len(bids), len(asks))
    bids, asks = (bids + padding)[: len(padding)], (asks + padding)[: len(padding)]
    return Depth(
        bid_prices=tuple(price for price, _ in bids),
        bid_quantities=tuple(quantity for _, quantity in bids),
        ask_prices=tuple(price for price, _ in asks),
        ask_quantities=tuple(quantity for _, quantity in asks),
    )


def _day(price: float, close: float) -> DaySummary:
    return DaySummary(
        open_price=price,
        high_price=price,
        low_price=price,
        close_price=close,
        average_price=price,
        total_buy_quantity=0,
        total_sell_quantity=0,
    )
