"""Rows of the tables `ticks` and `books` back into messages."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any

import numpy as np

from ....messages.codec import decode
from ....messages.market import DaySummary, Depth, Tick
from .ticks import LEVELS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .columns import Columns


_DAY_COLUMNS = DaySummary.__struct_fields__
PLAIN_COLUMNS = ("symbol", "price", "quantity", "exchange_ns", "source", "sequence", "received_ns", "volume")
"""Of every tick: what a row holds besides the book and the day."""

_PRICES = struct.Struct(f"={LEVELS}d")
_COUNTS = struct.Struct(f"={LEVELS}q")
_SIDES = {
    "bid_price": _PRICES,
    "bid_quantity": _COUNTS,
    "bid_orders": _COUNTS,
    "ask_price": _PRICES,
    "ask_quantity": _COUNTS,
    "ask_orders": _COUNTS,
}


def ticks_of(columns: Columns) -> tuple[Tick, ...]:
    """Build the ticks; a depth without any level comes back as none."""
    count = len(columns["sequence"])
    return tuple(
        [
            Tick(
                symbol=symbol,
                price=price,
                quantity=quantity,
                exchange_ns=exchange_ns,
                source=source,
                sequence=sequence,
                received_ns=received_ns,
                volume=volume,
                depth=depth,
                day=day,
            )
            for (symbol, price, quantity, exchange_ns, source, sequence, received_ns, volume), depth, day in zip(
                zip(*(columns[name].tolist() for name in PLAIN_COLUMNS), strict=True),
                _depths(columns, count),
                _days(columns, count),
                strict=True,
            )
        ]
    )


def _days(columns: Columns, count: int) -> list[DaySummary | None]:
    if "open_price" not in columns:
        return [None] * count
    return [
        None
        if first is None
        else DaySummary(
            open_price=first,
            high_price=high,
            low_price=low,
            close_price=last,
            average_price=average,
            total_buy_quantity=bought,
            total_sell_quantity=sold,
            open_interest=interest,
        )
        for first, high, low, last, average, bought, sold, interest in zip(
            *(columns[name].tolist() for name in _DAY_COLUMNS), strict=True
        )
    ]


def _depths(columns: Columns, count: int) -> list[Depth | None]:
    if "deep_book" not in columns:
        return [None] * count
    depths = [
        Depth(
            bid_prices=bid_prices,
            bid_quantities=bid_quantities,
            bid_orders=bid_orders,
            ask_prices=ask_prices,
            ask_quantities=ask_quantities,
            ask_orders=ask_orders,
        )
        if bid_prices or ask_prices
        else None
        for bid_prices, bid_quantities, bid_orders, ask_prices, ask_quantities, ask_orders in zip(
            *(_levels(columns, name, rows) for name, rows in _SIDES.items()), strict=True
        )
    ]
    if not np.ma.getmaskarray(columns["deep_book"]).all():
        for row, book in enumerate(columns["deep_book"].tolist()):
            if book is not None:
                depths[row] = decode(bytes.fromhex(book))
    return depths


def _levels(columns: Columns, name: str, packed: struct.Struct) -> Iterator[tuple[Any, ...]]:
    """Give what each row has of one side, level by level."""
    levels = [columns[f"{name}_{number}"] for number in range(1, LEVELS + 1)]
    if not any(np.ma.is_masked(level) for level in levels):  # the common case: no row has to be looked at
        return packed.iter_unpack(np.column_stack(levels).data)
    rows = zip(*(level.tolist() for level in levels), strict=True)
    return (tuple([value for value in row if value is not None]) for row in rows)
