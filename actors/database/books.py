"""Repositories of what the journal adds up to: orders, fills, positions, facts. They read; the projection writes."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, TypeVar

import msgspec

from ...messages.orders import Position
from .projection import FillRow, OrderRow
from .repository import BaseRepository

if TYPE_CHECKING:
    from ...messages.database import SqlValue
    from .results import Answer
    from .stores import Table

Row = TypeVar("Row", bound=msgspec.Struct)

PAISA = Decimal("0.01")
FOUR_PLACES = Decimal("0.0001")


class FactRow(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A row of the table `facts`: one journal record."""

    sequence: int
    recorded_ns: int
    """Nanoseconds since 1970-01-01 UTC, by the journal's clock."""

    correlation_id: str
    fact_type: str
    fact: str
    """The fact's fields as a JSON object."""


class OrderRepository(BaseRepository[OrderRow]):
    """Orders in their present state, by client order id."""

    table = "orders"
    key = ("client_order_id",)
    order = ("created_ns", "client_order_id")
    selection = "* replace (filled_value::varchar as filled_value)"  # exact: a column of decimals is fetched as floats
    columns = frozenset(OrderRow.__struct_fields__)

    def _entities(self, table: Table) -> tuple[OrderRow, ...]:
        return _rows(table, OrderRow)


class FillRepository(BaseRepository[FillRow]):
    """Trades, in the order of the journal."""

    table = "fills"
    key = ("client_order_id", "trade_id")
    order = ("sequence",)
    columns = frozenset(FillRow.__struct_fields__)

    def _entities(self, table: Table) -> tuple[FillRow, ...]:
        return _rows(table, FillRow)


class PositionRepository(BaseRepository[Position]):
    """What is held of each symbol, worked out from its fills."""

    table = "fills"
    key = ("symbol",)
    order = ("symbol", "sequence")
    columns = frozenset({"symbol", "strategy"})

    def count(self, **criteria: SqlValue) -> Answer[int]:
        """Count the symbols that were ever traded."""
        return self._answer(lambda: len(self._find(criteria)))

    def _entities(self, table: Table) -> tuple[Position, ...]:
        positions: dict[str, Position] = {}
        for fill in _rows(table, FillRow):
            positions[fill.symbol] = position_after(positions.get(fill.symbol), fill)
        return tuple(_rounded(position) for position in positions.values())


class EventRepository(BaseRepository[FactRow]):
    """Every journaled fact, by sequence."""

    table = "facts"
    key = ("sequence",)
    order = ("sequence",)
    columns = frozenset(FactRow.__struct_fields__)

    def _entities(self, table: Table) -> tuple[FactRow, ...]:
        return _rows(table, FactRow)


def position_after(before: Position | None, fill: FillRow) -> Position:
    """Give the position after a fill, by average cost; unrounded, so that it can be carried on exactly."""
    held = before or Position(symbol=fill.symbol, quantity=0, average_price=Decimal(0), realized_pnl=Decimal(0))
    price = Decimal(repr(fill.price))
    change = fill.quantity if fill.side == "BUY" else -fill.quantity
    quantity = held.quantity + change
    if held.quantity * change >= 0:
        cost = held.average_price * abs(held.quantity) + price * abs(change)
        return msgspec.structs.replace(held, quantity=quantity, average_price=cost / abs(quantity))
    closed = min(abs(held.quantity), abs(change))
    profit = (price - held.average_price) * closed * (1 if held.quantity > 0 else -1)
    if quantity == 0:
        average = Decimal(0)
    elif quantity * held.quantity > 0:
        average = held.average_price
    else:
        average = price
    return msgspec.structs.replace(
        held, quantity=quantity, average_price=average, realized_pnl=held.realized_pnl + profit
    )


def _rounded(position: Position) -> Position:
    return msgspec.structs.replace(
        position,
        average_price=position.average_price.quantize(FOUR_PLACES),
        realized_pnl=position.realized_pnl.quantize(PAISA),
    )


def _rows(table: Table, row_type: type[Row]) -> tuple[Row, ...]:
    """Turn columns into rows; a column without any value is None throughout."""
    count = max((len(values) for values in table.values()), default=0)
    nothing = [None] * count
    names = row_type.__struct_fields__
    columns = [table.get(name, nothing) for name in names]
    rows = zip(*columns, strict=True)
    return tuple(msgspec.convert(dict(zip(names, row, strict=True)), row_type) for row in rows)
