"""Rows of full packets: a last price, the day so far, and the depth as far as the broker shows it."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from ...domain.time import time_text
from ...messages.codec import decode
from ...messages.market import DaySummary, Depth, Tick
from .numbers import Memo, PriceReader, paise, whole, whole_or_none
from .rows import SymbolColumn

if TYPE_CHECKING:
    from collections.abc import Sized

    from ...messages.market import MarketMessage
    from .columns import Columns, Row, Side

_DAY_PRICES = ("open", "high", "low", "close")
_DAY_COUNTS = ("quantity", "total_buy", "total_sell")
_DAY_OTHERS = ("average", "total_buy", "total_sell", "open_interest")


class TickRows:
    """Reads one tick a row; a row without a last price (Dhan's packets of open interest alone) gives none.

    Rows come in the order of time, sorted before if need be.
    """

    def __init__(self, columns: Columns, *, symbol: SymbolColumn, grid: PriceReader, source: str) -> None:
        self._source = source
        self._symbol = symbol.of
        self._time = columns.times().read
        self._time_at, self._last_at, self._volume_at = columns.at("time"), columns.at("last"), columns.at("volume")
        self._average_at, self._interest_at = columns.at("average"), columns.at("open_interest")
        self._has_day = any(field in columns for field in (*_DAY_PRICES, *_DAY_OTHERS))
        bids, asks = _numbers(columns, "bid"), _numbers(columns, "ask")
        self._has_depth = bool(bids or asks)
        bid_orders, ask_orders = _counted(columns, "bid"), _counted(columns, "ask")
        # All prices of a row are read at once, and all counts; slices take them apart.
        self._prices_of = columns.pick(
            *_DAY_PRICES, *(f"bid_price_{n}" for n in bids), *(f"ask_price_{n}" for n in asks)
        )
        self._counts_of = columns.pick(
            *_DAY_COUNTS,
            *(f"bid_qty_{n}" for n in bids),
            *(f"ask_qty_{n}" for n in asks),
            *(f"bid_orders_{n}" for n in bid_orders),
            *(f"ask_orders_{n}" for n in ask_orders),
        )
        self._depth_at = [at for field, at in columns.positions.items() if field.startswith(("bid_", "ask_"))]
        self._day_at = [columns.at(field) for field in (*_DAY_PRICES, *_DAY_OTHERS) if field in columns]
        self._deep_at = columns.at("deep_book")
        self._bid_prices, self._ask_prices = _slices(len(_DAY_PRICES), bids, asks)
        self._bid_quantities, self._ask_quantities, self._bid_orders, self._ask_orders = _slices(
            len(_DAY_COUNTS), bids, asks, bid_orders, ask_orders
        )
        # Bound methods of dictionaries: `map` over one of them never enters Python where the text is known.
        self._price = Memo(columns.rupees(grid.price)).__getitem__
        self._price_or_none = Memo(columns.rupees(grid.price_or_none)).__getitem__
        self._paise = Memo(columns.rupees(paise)).__getitem__
        self._whole = Memo(columns.numbers(whole)).__getitem__
        self._whole_or_none = Memo(columns.numbers(whole_or_none)).__getitem__
        self._volume = columns.numbers(whole)
        self._sequence = 0
        self._newest_ns = 0

    def read(self, row: Row, messages: list[MarketMessage]) -> None:
        """Append the tick of this row, if it has one.

        Raises:
            ValueError: as `RowReader` says.
        """
        last = row[self._last_at]
        if not last:
            return
        exchange_ns = self._time(row[self._time_at])
        symbol = self._symbol(row)
        if exchange_ns < self._newest_ns:
            raise ValueError(
                f"a time not before {time_text(self._newest_ns)} is wanted, found {row[self._time_at]!r}: "
                "ticks with the newest first cannot be put in order, since several may have one time"
            )
        prices = tuple(map(self._price_or_none, self._prices_of(row)))
        counts = tuple(map(self._whole, self._counts_of(row)))
        tick = Tick(
            symbol=symbol,
            price=self._price(last),
            quantity=counts[0],
            exchange_ns=exchange_ns,
            source=self._source,
            sequence=self._sequence + 1,
            volume=self._volume(row[self._volume_at]),
            depth=self._depth(prices, counts, row) if self._has_depth else None,
            day=self._day(prices, counts, row) if self._has_day else None,
        )
        self._sequence += 1
        self._newest_ns = exchange_ns
        messages.append(tick)

    def finish(self, messages: list[MarketMessage]) -> None:
        """Append nothing: no tick is kept."""

    def _depth(self, prices: tuple[float, ...], counts: tuple[int, ...], row: Row) -> Depth | None:
        if row[self._deep_at]:
            return _deep(row[self._deep_at])
        bid_prices, bid_quantities = prices[self._bid_prices], counts[self._bid_quantities]
        ask_prices, ask_quantities = prices[self._ask_prices], counts[self._ask_quantities]
        bid_orders, ask_orders = counts[self._bid_orders], counts[self._ask_orders]
        if not (all(prices) and all(counts)):
            bid_prices, bid_quantities, bid_orders = _shown(bid_prices, bid_quantities, bid_orders)
            ask_prices, ask_quantities, ask_orders = _shown(ask_prices, ask_quantities, ask_orders)
            if not (bid_prices or ask_prices or any(row[place] for place in self._depth_at)):
                return None  # zeros are an empty book; nothing at all, as of an index among shares, is none
        return Depth(
            bid_prices=bid_prices,
            bid_quantities=bid_quantities,
            ask_prices=ask_prices,
            ask_quantities=ask_quantities,
            bid_orders=bid_orders,
            ask_orders=ask_orders,
        )

    def _day(self, prices: tuple[float, ...], counts: tuple[int, ...], row: Row) -> DaySummary | None:
        if not prices[0] and not any(row[place] for place in self._day_at):
            return None
        return DaySummary(
            open_price=prices[0],
            high_price=prices[1],
            low_price=prices[2],
            close_price=prices[3],
            average_price=self._paise(row[self._average_at]),
            total_buy_quantity=counts[1],
            total_sell_quantity=counts[2],
            open_interest=self._whole_or_none(row[self._interest_at]),
        )


def _deep(text: str) -> Depth:
    """Read a book deeper than the columns, as the database's export writes it.

    Raises:
        ValueError: it is none.
    """
    depth = decode(bytes.fromhex(text))
    if not isinstance(depth, Depth):
        raise ValueError(f"an order book is wanted in deep_book, found {type(depth).__name__}")  # noqa: TRY004  of a row
    return depth


def _numbers(columns: Columns, side: Side) -> range:
    return range(1, columns.levels(side) + 1)


def _counted(columns: Columns, side: Side) -> list[int]:
    """Return the columns of the number of orders, by level, from the best without a gap."""
    return list(itertools.takewhile(lambda n: f"{side}_orders_{n}" in columns, _numbers(columns, side)))


def _slices(start: int, *parts: Sized) -> list[slice]:
    """Cut what begins at `start` into consecutive parts of these lengths."""
    ends = list(itertools.accumulate(map(len, parts), initial=start))
    return [slice(*pair) for pair in itertools.pairwise(ends)]


def _shown(
    prices: tuple[float, ...], quantities: tuple[int, ...], orders: tuple[int, ...]
) -> tuple[tuple[float, ...], tuple[int, ...], tuple[int, ...]]:
    """Leave out empty levels: no price, or no quantity."""
    levels = [place for place, price in enumerate(prices) if price and quantities[place]]
    return (
        tuple(prices[place] for place in levels),
        tuple(quantities[place] for place in levels),
        tuple(orders[place] for place in levels if place < len(orders)),
    )
