"""Rows of the tables `ticks` and `books` as messages again: what went in comes out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from ...messages.codec import decode
from ...messages.market import DaySummary, Depth, Tick
from .ticks import LEVELS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .columns import Columns

Table: TypeAlias = dict[str, list[Any]]

_DAY_COLUMNS = tuple(name for name in DaySummary.__struct_fields__)
PLAIN_COLUMNS = ("symbol", "price", "quantity", "exchange_ns", "source", "sequence", "received_ns", "volume")
"""Of every tick: what a row holds besides the book and the day."""


def ticks_of(columns: Columns) -> tuple[Tick, ...]:
    """Build the ticks; a depth without any level comes back as none."""
    table: Table = {name: values.tolist() for name, values in columns.items()}
    count = len(table["sequence"])
    depths = _depths(table, count)
    days = _days(table, count)
    plain = zip(*(table[name] for name in PLAIN_COLUMNS), strict=True)
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
                plain, depths, days, strict=True
            )
        ]
    )


def _days(table: Table, count: int) -> list[DaySummary | None]:
    if "open_price" not in table:
        return [None] * count
    nothing = [None] * count
    rows = zip(*(table.get(name, nothing) for name in _DAY_COLUMNS), strict=True)
    return [None if row[0] is None else DaySummary(**dict(zip(_DAY_COLUMNS, row, strict=True))) for row in rows]


def _depths(table: Table, count: int) -> list[Depth | None]:
    if "bid_price_1" not in table and "ask_price_1" not in table:
        return [None] * count
    books = table.get("deep_book", [None] * count)
    fields = [
        _levels(table, count, name)
        for name in ("bid_price", "bid_quantity", "bid_orders", "ask_price", "ask_quantity", "ask_orders")
    ]
    return [_depth(book, levels) for book, *levels in zip(books, *fields, strict=True)]


def _levels(table: Table, count: int, name: str) -> Iterator[tuple[Any, ...]]:
    nothing = [None] * count
    levels = [table.get(f"{name}_{number}", nothing) for number in range(1, LEVELS + 1)]
    return (tuple(value for value in row if value is not None) for row in zip(*levels, strict=True))


def _depth(book: str | None, levels: list[tuple[Any, ...]]) -> Depth | None:
    if book is not None:
        depth: Depth = decode(bytes.fromhex(book))
        return depth
    bid_prices, bid_quantities, bid_orders, ask_prices, ask_quantities, ask_orders = levels
    if not (bid_prices or ask_prices):
        return None
    return Depth(
        bid_prices=bid_prices,
        bid_quantities=bid_quantities,
        bid_orders=bid_orders,
        ask_prices=ask_prices,
        ask_quantities=ask_quantities,
        ask_orders=ask_orders,
    )
