"""Which shares of open orders close a position, and so need no margin, and which open one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

from ....domain.closing import closable
from .state import SUPER

if TYPE_CHECKING:
    from ....messages.exchange import AccountOrder, Instrument, ProductType
    from ....messages.orders import Side
    from .state import State

SIDES: Final[tuple[Side, ...]] = ("BUY", "SELL")


def lacks_for_exits(state: State, instrument: Instrument, product: ProductType, *, net: int) -> int:
    """Return the shares that exits of super orders would close too many, if a position became `net`."""
    return max(0, *(state.leaves(instrument, product, side)[1] - closable(side, net) for side in SIDES))


def restated(state: State, instrument: Instrument, product: ProductType, *, net: int) -> list[AccountOrder]:
    """Return the orders at the exchange that open more or fewer shares than before, if a position becomes `net`.

    What exits of super orders close is theirs; of the rest, each order closes what the earlier ones leave.
    """
    changed = []
    arrived = sorted((row for row in state.open.values() if row.arrival), key=lambda row: row.arrival)
    for side in SIDES:
        free = max(0, closable(side, net) - state.leaves(instrument, product, side)[1])
        for row in arrived:
            if (row.instrument, row.product, row.side) != (instrument, product, side) or row.source == SUPER:
                continue
            opening = max(0, row.remaining_quantity - free)
            free -= row.remaining_quantity - opening
            if opening != min(row.opening_quantity, row.remaining_quantity):
                changed.append(replace(row, opening_quantity=opening))
    return changed
