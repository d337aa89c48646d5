"""Packets of what the market has shown. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from ....domain.dhan.streams import depth as deep
from ....domain.dhan.streams import packets

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ....messages.market import DaySummary, Depth, Tick
    from ..wire.market import DayShown

_U32: Final = 0xFFFF_FFFF
_EMPTY_LEVEL: Final = (0, 0, 0, 0, 0.0, 0.0)


class Number(NamedTuple):
    """How the sockets name an instrument."""

    segment: int
    security_id: int


def ticker(number: Number, shown: DayShown) -> bytes:
    """Return the last price."""
    tick = shown.tick
    layout = packets.TICKER_LAYOUT
    return layout.pack(packets.TICKER, layout.size, *number, tick.price, _time(tick))


def quote(number: Number, shown: DayShown) -> bytes:
    """Return the last price and the day."""
    layout = packets.QUOTE_LAYOUT
    return layout.pack(packets.QUOTE, layout.size, *number, *_trade(shown), *_day(shown))


def full(number: Number, shown: DayShown) -> bytes:
    """Return the last price, the day and five levels of the book."""
    layout = packets.FULL_LAYOUT
    return layout.pack(
        *(packets.FULL, layout.size, *number, *_trade(shown)),
        *(open_interest_of(shown), 0, 0, *_day(shown)),
        *_levels(shown.tick.depth),
    )


def book(number: Number, shown: DayShown) -> bytes:
    """Return the last price and five levels of the book."""
    layout = packets.BOOK_LAYOUT
    return layout.pack(packets.BOOK, layout.size, *number, shown.tick.price, *_levels(shown.tick.depth))


def previous_close(number: Number, shown: DayShown) -> bytes:
    """Return the close of the day before; 0 where it is not known."""
    layout = packets.PREVIOUS_CLOSE_LAYOUT
    return layout.pack(packets.PREVIOUS_CLOSE, layout.size, *number, shown.close_before, 0)


def open_interest(number: Number, shown: DayShown) -> bytes:
    """Return the open interest."""
    layout = packets.OPEN_INTEREST_LAYOUT
    return layout.pack(packets.OPEN_INTEREST, layout.size, *number, open_interest_of(shown))


def status(segment: int) -> bytes:
    """Return what is told when the market of a segment opens, and when it closes: a header without more."""
    return packets.STATUS_LAYOUT.pack(packets.STATUS, packets.STATUS_LAYOUT.size, segment, 0)


def ended(reason: int) -> bytes:
    """Return what ends a connection of the market feed."""
    layout = packets.DISCONNECT_LAYOUT
    return layout.pack(packets.DISCONNECT, layout.size, 0, 0, reason)


def depth(number: Number, shown: DayShown, *, levels: int) -> bytes:
    """Return both sides of the book: of 20 levels always so many rows, of 200 as many as there are."""
    book = shown.tick.depth
    sides = (
        (deep.BID, (), (), ()) if book is None else (deep.BID, book.bid_prices, book.bid_quantities, book.bid_orders),
        (deep.ASK, (), (), ()) if book is None else (deep.ASK, book.ask_prices, book.ask_quantities, book.ask_orders),
    )
    return b"".join(_side(number, *side, levels=levels) for side in sides)


def depth_ended(reason: int) -> bytes:
    """Return what ends a connection of depth."""
    size = deep.HEADER.size + deep.REASON.size
    return deep.HEADER.pack(size, deep.DISCONNECT, 0, 0, 0) + deep.REASON.pack(reason)


def open_interest_of(shown: DayShown) -> int:
    """Return it, 0 where the source does not say."""
    day = shown.tick.day
    return 0 if day is None else min(day.open_interest or 0, _U32)


def _trade(shown: DayShown) -> tuple[float, int, int, float, int, int, int]:
    tick = shown.tick
    day = tick.day
    quantity = tick.quantity & packets.QUANTITY_MAX  # it has sixteen bits at Dhan, too
    if day is not None:
        average, sellers, buyers = day.average_price, day.total_sell_quantity, day.total_buy_quantity
    else:
        average = round(shown.rupees / shown.volume, 2) if shown.volume else 0.0
        sellers, buyers = _totals(tick.depth)
    volume = min(shown.volume, _U32)
    return tick.price, quantity, _time(tick), average, volume, min(sellers, _U32), min(buyers, _U32)


def _totals(book: Depth | None) -> tuple[int, int]:
    return (0, 0) if book is None else (sum(book.ask_quantities), sum(book.bid_quantities))


def _day(shown: DayShown) -> tuple[float, float, float, float]:
    """Return open, close, high, low: close before high, as they are on the wire."""
    day: DaySummary | None = shown.tick.day
    if day is not None and day.open_price:
        return day.open_price, shown.close_before, day.high_price, day.low_price
    return shown.open, shown.close_before, shown.high, shown.low


def _time(tick: Tick) -> int:
    return min(max(0, packets.feed_time_of(tick.exchange_ns)), _U32)


def _levels(book: Depth | None) -> Iterator[float]:
    return (value for level in range(packets.LEVELS) for value in _level(book, level))


def _level(book: Depth | None, level: int) -> tuple[int, int, int, int, float, float]:
    if book is None or level >= len(book.bid_prices):
        return _EMPTY_LEVEL
    orders = packets.QUANTITY_MAX
    return (
        min(book.bid_quantities[level], _U32),
        min(book.ask_quantities[level], _U32),
        min(book.bid_orders[level], orders) if level < len(book.bid_orders) else 0,
        min(book.ask_orders[level], orders) if level < len(book.ask_orders) else 0,
        book.bid_prices[level],
        book.ask_prices[level],
    )


def _side(  # noqa: PLR0913  a side of a book
    number: Number,
    code: int,
    prices: tuple[float, ...],
    quantities: tuple[int, ...],
    orders: tuple[int, ...],
    *,
    levels: int,
) -> bytes:
    counts = orders + (0,) * len(prices)
    rows = [
        deep.ROW.pack(price, min(quantity, _U32), min(count, _U32))
        for price, quantity, count in zip(prices[:levels], quantities, counts, strict=False)
    ]
    if levels == deep.LEVELS:
        rows += [bytes(deep.ROW.size)] * (levels - len(rows))
    body = b"".join(rows)
    return (
        deep.HEADER.pack(deep.HEADER.size + len(body), code, *number, len(rows) if levels > deep.LEVELS else 0) + body
    )
