"""Books of 20 or 200 levels, as they deepen the five levels of a tick.

The problem: bids, asks and ticks come one by one, over different connections, and say nothing of which is newer. The
idea: the five levels of the tick count; a deep book only adds what lies beyond them. The trap: what nobody offers any
more must not be shown to who prices by it, so a side that is more than a few seconds old adds nothing, and a side that
is none (its prices are not in order) is forgotten.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from .....domain.dhan.streams.depth import BID, Ended, Side, sides_of
from .....domain.dhan.streams.packets import SEGMENT_NUMBERS, PacketError
from .....domain.time import SECOND_NS
from .....messages.market import Depth
from .prices import OnGrid, PriceError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .....domain.instruments import PriceGrid

AGE_MAX_NS: Final = 3 * SECOND_NS
"""An older side adds nothing."""


class SideOrderError(PacketError):
    """Prices of a side are not in order, best first."""


class Levels(NamedTuple):
    """One side of a book, best level first; none is empty."""

    prices: tuple[float, ...] = ()
    quantities: tuple[int, ...] = ()
    orders: tuple[int, ...] = ()
    received_ns: int = 0

    def beyond(self, price: float, *, down: bool) -> Levels:
        """Return the levels behind that of a price; `down`: of bids."""
        behind = sum(each >= price if down else each <= price for each in self.prices)
        return Levels(self.prices[behind:], self.quantities[behind:], self.orders[behind:], self.received_ns)

    def padded(self, count: int) -> Levels:
        """Return so many levels; missing ones are empty, as in a packet."""
        missing = (0,) * (count - len(self.prices))
        return Levels(self.prices + (0.0,) * len(missing), self.quantities + missing, self.orders + missing)


NONE: Final = Levels()


class DeepBook:
    """What is known of one instrument's book."""

    __slots__ = ("asks", "bids", "on_grid")

    def __init__(self, on_grid: OnGrid) -> None:
        """Know nothing."""
        self.on_grid = on_grid
        self.bids = self.asks = NONE

    def forget(self) -> None:
        """Know nothing any more: the connection is gone."""
        self.bids = self.asks = NONE

    def note(self, side: Side, received_ns: int) -> None:
        """Keep one side.

        Raises:
            PacketError: it is none; what was known of it is forgotten.
        """
        bids = side.code == BID
        self._keep(NONE, bids=bids)
        rows = [row for row in zip(side.prices, side.quantities, side.orders, strict=True) if row[0] and row[1]]
        prices = tuple(self.on_grid[row[0]] for row in rows)
        if prices != tuple(sorted(set(prices), reverse=bids)) or not all(prices):
            raise SideOrderError("prices in order, best first, each once, wanted, found others")
        _, quantities, orders = zip(*rows, strict=True) if rows else ((), (), ())
        self._keep(Levels(prices, quantities, orders, received_ns), bids=bids)

    def _keep(self, levels: Levels, *, bids: bool) -> None:
        if bids:
            self.bids = levels
        else:
            self.asks = levels

    def beyond(self, shown: Depth, now_ns: int) -> Depth:
        """Return the book that a tick shows, with what is known of the levels behind it.

        Args:
            shown: by the tick; both sides have as many levels.
            now_ns: when the tick came.
        """
        bids = _behind(shown.bid_prices, self.bids, now_ns, down=True)
        asks = _behind(shown.ask_prices, self.asks, now_ns, down=False)
        count = max(len(bids.prices), len(asks.prices))
        if not count:
            return shown
        bids, asks = bids.padded(count), asks.padded(count)
        return Depth(
            bid_prices=shown.bid_prices + bids.prices,
            bid_quantities=shown.bid_quantities + bids.quantities,
            ask_prices=shown.ask_prices + asks.prices,
            ask_quantities=shown.ask_quantities + asks.quantities,
            bid_orders=shown.bid_orders + bids.orders,
            ask_orders=shown.ask_orders + asks.orders,
        )


def _behind(shown: Sequence[float], known: Levels, now_ns: int, *, down: bool) -> Levels:
    if not shown or not shown[-1] or abs(now_ns - known.received_ns) > AGE_MAX_NS:  # either way: a clock may be set
        return NONE  # where the tick shows fewer than it could, there are no more
    return known.beyond(shown[-1], down=down)


class Books:
    """Those of all instruments that have depth."""

    def __init__(self, levels: int) -> None:
        """Know no instrument yet.

        Args:
            levels: 20 or 200, as the connections are.
        """
        self._levels: Final = levels
        self._tables: Final[dict[float, OnGrid]] = {}
        self._known: Final[dict[tuple[int, int], DeepBook]] = {}
        self.kept = self.unknown = self.damaged = 0
        """Sides that count; of instruments that are not subscribed to; and frames, or sides, that were none."""

        self.reason = 0
        """Of the last packet that ended a connection; 0 for none."""

        self.broken = ""
        """Of the last frame that was not packets, until it is set back."""

    def add(self, segment: str, security_id: str, grid: PriceGrid) -> DeepBook:
        """Know an instrument from now on."""
        table = self._tables.setdefault(grid.tick_size_rupees, OnGrid(grid))
        book = self._known[SEGMENT_NUMBERS[segment], int(security_id)] = DeepBook(table)
        return book

    def note(self, frame: bytes, received_ns: int) -> bool:
        """Keep what a frame says; return whether it ends the connection."""
        try:
            for found in sides_of(frame, levels=self._levels):
                if isinstance(found, Ended):
                    self.reason = found.reason
                    return True
                book = self._known.get((found.segment_number, found.security_id))
                if book is None:
                    self.unknown += 1
                    continue
                try:
                    book.note(found, received_ns)
                    self.kept += 1
                except (PriceError, SideOrderError):
                    self.damaged += 1
        except PacketError as fault:
            self.damaged += 1
            self.broken = str(fault)
        return False
