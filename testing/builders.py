"""Market messages that show only what a test is about."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from ..actors.runtime.simulation.clock import FIRST_NS
from ..domain.time import SECOND_NS, duration_ns
from ..messages.market import Candle, Depth, Tick

SPREAD_RUPEES: Final = 0.05
QUANTITY: Final = 1_000


def ticks(
    symbol: str,
    prices: Sequence[float],
    *,
    every_s: float = 1.0,
    start_ns: int = FIRST_NS,
    with_books: bool = True,
) -> list[Tick]:
    """Make a tick for each price.

    Args:
        symbol: of all.
        prices: in rupees, on the instrument's grid.
        every_s: seconds from one to the next.
        start_ns: time of the first: nanoseconds since 1970-01-01 UTC; else 2024-01-01 09:15 in India.
        with_books: whether each has a book around its price.
    """
    return [
        Tick(
            symbol=symbol,
            price=price,
            quantity=1,
            exchange_ns=start_ns + int(number * every_s * SECOND_NS),
            source="",
            sequence=number + 1,
            depth=book(price) if with_books else None,
        )
        for number, price in enumerate(prices)
    ]


def candles(
    symbol: str,
    closes: Sequence[float],
    *,
    interval: str = "1m",
    start_ns: int = FIRST_NS,
    volume: int = QUANTITY,
) -> list[Candle]:
    """Make candles that follow each other, each from the close before it to its own.

    Args:
        symbol: of all.
        closes: in rupees, on the instrument's grid.
        interval: length of each, such as `5m`.
        start_ns: of the first: nanoseconds since 1970-01-01 UTC; else 2024-01-01 09:15 in India.
        volume: shares of each.
    """
    interval_ns = duration_ns(interval)
    opens = [*closes[:1], *closes[:-1]]
    return [
        Candle(
            symbol=symbol,
            interval_ns=interval_ns,
            start_ns=start_ns + number * interval_ns,
            open=begin,
            high=max(begin, end),
            low=min(begin, end),
            close=end,
            volume=volume,
            source="",
        )
        for number, (begin, end) in enumerate(zip(opens, closes, strict=True))
    ]


def book(price: float, *, quantity: int = QUANTITY, levels: int = 5, spread_rupees: float = SPREAD_RUPEES) -> Depth:
    """Make a book whose best bid is a price, and whose best ask is a spread above it; as much on each level."""
    steps = [round(level * spread_rupees, 4) for level in range(levels)]
    return Depth(
        bid_prices=tuple(round(price - step, 4) for step in steps),
        bid_quantities=(quantity,) * levels,
        bid_orders=(1,) * levels,
        ask_prices=tuple(round(price + spread_rupees + step, 4) for step in steps),
        ask_quantities=(quantity,) * levels,
        ask_orders=(1,) * levels,
    )
