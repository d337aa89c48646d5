"""The liquidity of one tick: prices and quantities that our orders can trade with, each used once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Self

from ....messages.units import INTEGER_MAX

if TYPE_CHECKING:
    from ....messages.market import Tick
    from ....messages.orders import Side

UNLIMITED: Final = INTEGER_MAX


class Level:
    """A price level: rupees a share, and the shares left at it."""

    __slots__ = ("price", "quantity")

    def __init__(self, price: float, quantity: int) -> None:
        """Take rupees a share, and shares."""
        self.price = price
        self.quantity = quantity


class Liquidity:
    """The other side of our trades at one tick.

    The book: the depth of the recording, best level first. A tick without depth offers its last price on both sides, in
    any quantity, since such a recording does not say how much there was.

    The print: the volume traded since the tick before, at the last price. A print beyond the limit of a resting order
    of ours would have filled that order first, so it may trade with it. At the limit itself others may have been ahead
    in the queue, so the order gets nothing. Without depth there is no separate print, and the same rule is applied to
    the last price.
    """

    def __init__(self, tick: Tick, traded: int, *, share: float) -> None:
        """Take what was traded since the tick before, in shares, and the part of all quantities that we may have."""
        depth = tick.depth
        self._is_book = depth is not None
        if depth is None:
            self._asks, self._bids = [Level(tick.price, UNLIMITED)], [Level(tick.price, UNLIMITED)]
        else:
            self._asks = _levels(depth.ask_prices, depth.ask_quantities, share)
            self._bids = _levels(depth.bid_prices, depth.bid_quantities, share)
        self._printed = Level(tick.price, _part(traded, share) if depth is not None else 0)

    @classmethod
    def of_auction(cls, tick: Tick, traded: int, *, share: float) -> Self:
        """Return what an auction offers: its one price on both sides, as much as it traded where the book is known."""
        found = cls(tick, 0, share=share)
        quantity = UNLIMITED if tick.depth is None else _part(traded, share)
        found._is_book = False
        found._asks, found._bids = [Level(tick.price, quantity)], [Level(tick.price, quantity)]
        return found

    def against(self, side: Side, *, limit_price: float | None, rested: bool, at_limit: int = 0) -> list[Level]:
        """Return the levels that an order may trade with now, best price first.

        Args:
            side: of the order.
            limit_price: rupees; None for a market order.
            rested: whether the order was in the book before this tick.
            at_limit: shares that it may have of a print at its very limit.
        """
        levels = self._asks if side == "BUY" else self._bids
        reaches = _within if self._is_book or not rested or at_limit == UNLIMITED else _through
        found = [level for level in levels if level.quantity and reaches(side, level.price, limit_price)]
        printed = self._printed
        if rested and printed.quantity and limit_price is not None:
            if _through(side, printed.price, limit_price):
                found.append(printed)
                found.sort(key=lambda level: level.price, reverse=side == "SELL")
            elif at_limit and printed.price == limit_price:
                found.append(printed)
        return found

    def best(self, side: Side) -> float:
        """Return the best price for an order that rests on a side: rupees; of no level, the last trade's."""
        levels = self._asks if side == "BUY" else self._bids
        prices = [level.price for level in levels]
        return min([*prices, self._printed.price]) if side == "BUY" else max([*prices, self._printed.price])

    def most_of(self, level: Level, *, limit_price: float | None, at_limit: int) -> int:
        """Return how many shares of a level an order may have; of a trade at its very limit, what its queue left."""
        if level is self._printed and level.price == limit_price:
            return min(level.quantity, at_limit)
        return level.quantity


def _levels(prices: tuple[float, ...], quantities: tuple[int, ...], share: float) -> list[Level]:
    levels = zip(prices, quantities, strict=True)
    return [Level(price, _part(quantity, share)) for price, quantity in levels if price > 0]


def _part(quantity: int, share: float) -> int:
    return quantity if share == 1.0 else int(quantity * share)


def _within(side: Side, price: float, limit_price: float | None) -> bool:
    if limit_price is None:
        return True
    return price <= limit_price if side == "BUY" else price >= limit_price


def _through(side: Side, price: float, limit_price: float | None) -> bool:
    if limit_price is None:
        return True
    return price < limit_price if side == "BUY" else price > limit_price
