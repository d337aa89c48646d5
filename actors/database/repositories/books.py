"""Repositories of what is projected from the journal: orders, fills, positions, facts. Read-only."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import msgspec

from ....domain.positions import Positions
from ....messages.holdings import Position
from ..errors import QueryRefused
from ..tables.projection import FillRow, OrderRow
from .repository import BaseRepository, messages_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ....messages.database import SqlValue
    from ..results.answers import Answer
    from ..tables.columns import Columns

Row = TypeVar("Row", bound=msgspec.Struct)


class FactRow(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A row of the table `facts`: one journal record."""

    sequence: int
    recorded_ns: int
    """Nanoseconds since 1970-01-01 UTC, by the journal's clock."""

    correlation_id: str
    fact_type: str
    fact: str
    """The fact's fields as a JSON object."""


class _ReadModelRepository(BaseRepository[Row]):
    """A table of the core file, which only the projection writes."""

    file = "core"

    def _save(self, entities: tuple[Row, ...]) -> int:
        raise QueryRefused(f"{self.table} is projected from the journal and written by nobody else: {len(entities)}")

    def _delete(self, where: str, parameters: Sequence[SqlValue]) -> int:
        raise QueryRefused(f"{self.table} is projected from the journal and deleted by nobody:{where} {parameters}")


class OrderRepository(_ReadModelRepository[OrderRow]):
    """Orders in their present state, by client order id."""

    entity = OrderRow
    table = "orders"
    key = ("client_order_id",)
    order = ("created_ns", "client_order_id")
    reads = ("orders",)


class FillRepository(_ReadModelRepository[FillRow]):
    """Trades, in the order of the journal."""

    entity = FillRow
    table = "fills"
    key = ("client_order_id", "trade_id")
    order = ("sequence",)
    reads = ("fills",)


class PositionRepository(_ReadModelRepository[Position]):
    """Position of each symbol, computed from the fills of one account: by default the one entered last."""

    entity = Position
    table = "fills"
    key = ("symbol",)
    order = ("symbol", "sequence")
    reads = ("fills", "projection")
    searchable = frozenset({"symbol", "strategy", "account"})

    def find(self, **criteria: SqlValue) -> Answer[tuple[Position, ...]]:
        """Compute positions, by symbol; with `strategy`, from that strategy's fills alone."""
        return self._answer(lambda: self._entities(self._read(self._in_account(criteria))))

    def count(self, **criteria: SqlValue) -> Answer[int]:
        """Count the symbols that were ever traded."""
        return self._answer(lambda: len(self._entities(self._read(self._in_account(criteria)))))

    def _in_account(self, criteria: dict[str, SqlValue]) -> dict[str, SqlValue]:
        if "account" in criteria:
            return criteria
        entered = self._query("select account from core.projection")
        return criteria | {"account": int(entered["account"][0])}

    def _selection(self) -> str:
        return ", ".join(FillRow.__struct_fields__)

    def _entities(self, columns: Columns) -> tuple[Position, ...]:
        positions = Positions()
        for fill in messages_of(columns, FillRow):
            positions.trade(fill.symbol, fill.quantity if fill.side == "BUY" else -fill.quantity, fill.price)
        return positions.all()


class EventRepository(_ReadModelRepository[FactRow]):
    """Every journaled fact, by sequence."""

    entity = FactRow
    table = "facts"
    key = ("sequence",)
    reads = ("facts",)
