"""Ticks as columns: from frozen messages to arrays, in one or two microseconds a tick.

Numbers are packed field by field with `struct`, which checks count and range as it goes and costs a quarter of what
numpy's conversion of nested tuples does.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any

import numpy as np

from ....messages.codec import encode
from ....messages.market import DaySummary, Depth
from .columns import (
    NAN,
    NOTHING,
    Array,
    Columns,
    Insertion,
    finite,
    floats,
    insert,
    integers,
    masked,
    nullable_integers,
    texts,
    times,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import duckdb

    from ....messages.market import Candle, Tick

LEVELS = 5
"""Levels of depth that have columns; a deeper book is stored whole beside them, in `deep_book`."""

UNSTORABLE = (ValueError, struct.error, OverflowError, TypeError)
"""Exceptions for a message that no row can hold."""

_NO_DEPTH = Depth(bid_prices=(), bid_quantities=(), ask_prices=(), ask_quantities=())
_NO_DAY = DaySummary(
    open_price=NAN,
    high_price=NAN,
    low_price=NAN,
    close_price=NAN,
    average_price=NAN,
    total_buy_quantity=NOTHING,
    total_sell_quantity=NOTHING,
)
_pack_prices = struct.Struct(f"={LEVELS}d").pack
_pack_counts = struct.Struct(f"={LEVELS}q").pack
_PRICE_PADDING = (NAN,) * LEVELS
_COUNT_PADDING = (NOTHING,) * LEVELS


PLAIN = ("sequence", "symbol", "exchange_ns", "received_ns", "price", "quantity", "volume")
"""The columns of the table `ticks`, all but `source`."""

HAS_BOOK = "has_book"
DEEP_BOOK = "deep_book"
_INSERT_TICKS = f"insert into ticks by name select ? as source, {', '.join(PLAIN)} from {{batch}}"  # noqa: S608  our own names
_INSERT_BOOKS = "insert into books by name select ? as source, * exclude (has_book) from {batch} where has_book"
_INSERT_DEEP_BOOKS = _INSERT_BOOKS.format(batch="batch")
_NOT_OF_BOOKS = frozenset(PLAIN) - {"sequence", "symbol", "exchange_ns"}


class TickWriter:
    """Writes what `tick_columns` built into the tables `ticks` and `books`, on one connection."""

    def __init__(self) -> None:
        self._ticks = Insertion(_INSERT_TICKS)
        self._books = Insertion(_INSERT_BOOKS)

    def write(self, cursor: duckdb.DuckDBPyConnection, source: str, columns: Columns) -> None:
        """Write the ticks of a source."""
        self._ticks.run(cursor, {name: columns[name] for name in PLAIN}, source)
        if HAS_BOOK not in columns:
            return
        books = {name: values for name, values in columns.items() if name not in _NOT_OF_BOOKS}
        if DEEP_BOOK in books:
            insert(cursor, _INSERT_DEEP_BOOKS, books, source)
        else:
            self._books.run(cursor, books, source)

    def forget(self) -> None:
        """Forget what was registered: the transaction was rolled back."""
        self._ticks.forget()
        self._books.forget()


def tick_columns(ticks: Sequence[Tick]) -> Columns:
    """Build the columns of the table `ticks`, all but `source`; where a tick has a book, those of `books`, too.

    Raises:
        ValueError: a price is not finite, a symbol cannot be encoded in UTF-8, or a time is too late (see `times`).
        struct.error, OverflowError, TypeError: a number has the wrong type or does not fit into 64 bits.
    """
    columns: Columns = {
        "sequence": integers([tick.sequence for tick in ticks]),
        "symbol": _symbols([tick.symbol for tick in ticks]),
        "exchange_ns": times([tick.exchange_ns for tick in ticks]),
        "received_ns": integers([tick.received_ns for tick in ticks]),
        "price": finite([tick.price for tick in ticks]),
        "quantity": integers([tick.quantity for tick in ticks]),
        "volume": integers([tick.volume for tick in ticks]),
    }
    days = [tick.day for tick in ticks]
    if any(days):
        columns.update(_day_columns([day or _NO_DAY for day in days]))
    depths = [tick.depth for tick in ticks]
    if any(depths):
        columns.update(_depth_columns([depth or _NO_DEPTH for depth in depths]))
    if len(columns) > len(PLAIN):
        columns[HAS_BOOK] = np.array([bool(depth or day) for depth, day in zip(depths, days, strict=True)])
    return columns


def candle_columns(candles: Sequence[Candle]) -> Columns:
    """Build the columns of the table `candles`.

    Raises:
        ValueError: a price is no finite number, or a symbol no text that UTF-8 can write.
        OverflowError, TypeError: a number has the wrong type or does not fit into 64 bits.
    """
    return {
        "symbol": _symbols([bar.symbol for bar in candles]),
        "interval_ns": integers([bar.interval_ns for bar in candles]),
        "start_ns": times([bar.start_ns for bar in candles]),
        "open": finite([bar.open for bar in candles]),
        "high": finite([bar.high for bar in candles]),
        "low": finite([bar.low for bar in candles]),
        "close": finite([bar.close for bar in candles]),
        "volume": integers([bar.volume for bar in candles]),
        "source": texts([bar.source for bar in candles]),
    }


def _symbols(symbols: list[str]) -> Array:
    for symbol in set(symbols):
        symbol.encode()
    return texts(symbols)


def _day_columns(days: list[DaySummary]) -> Columns:
    return {
        "open_price": floats([day.open_price for day in days]),
        "high_price": floats([day.high_price for day in days]),
        "low_price": floats([day.low_price for day in days]),
        "close_price": floats([day.close_price for day in days]),
        "average_price": floats([day.average_price for day in days]),
        "total_buy_quantity": nullable_integers([day.total_buy_quantity for day in days]),
        "total_sell_quantity": nullable_integers([day.total_sell_quantity for day in days]),
        "open_interest": nullable_integers([day.open_interest for day in days]),
    }


def _depth_columns(depths: list[Depth]) -> Columns:
    columns: Columns = {}
    for name, prices in (
        ("bid_price", [depth.bid_prices for depth in depths]),
        ("ask_price", [depth.ask_prices for depth in depths]),
    ):
        packed = _pack(_pack_prices, prices, _PRICE_PADDING)
        columns |= _by_level(name, np.frombuffer(packed, dtype=np.float64))
    for name, counts in (
        ("bid_quantity", [depth.bid_quantities for depth in depths]),
        ("bid_orders", [depth.bid_orders for depth in depths]),
        ("ask_quantity", [depth.ask_quantities for depth in depths]),
        ("ask_orders", [depth.ask_orders for depth in depths]),
    ):
        packed = _pack(_pack_counts, counts, _COUNT_PADDING)
        columns |= {key: masked(level) for key, level in _by_level(name, np.frombuffer(packed, dtype=np.int64)).items()}
    if any(_is_deep(depth) for depth in depths):
        books = [encode(depth) if _is_deep(depth) else None for depth in depths]
        columns[DEEP_BOOK] = texts(books)
    return columns


def _is_deep(depth: Depth) -> bool:
    return len(depth.bid_prices) > LEVELS or len(depth.ask_prices) > LEVELS


def _pack(pack: Callable[..., bytes], rows: list[tuple[Any, ...]], padding: tuple[Any, ...]) -> bytes:
    """Pack as many values a row as `padding` has; the common case, where every row has them, goes without a copy."""
    try:
        return b"".join([pack(*row) for row in rows])
    except struct.error:
        return b"".join([pack(*(row + padding)[: len(padding)]) for row in rows])


def _by_level(name: str, values: Array) -> Columns:
    levels = np.ascontiguousarray(values.reshape(-1, LEVELS).T)
    return {f"{name}_{number}": level for number, level in enumerate(levels, start=1)}
