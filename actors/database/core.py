"""The core file: what the journal's facts add up to, brought up to date batch by batch."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from .columns import Columns, floats, insert, integers, nullable_integers, texts
from .errors import DatabaseDamaged, JournalGap
from .projection import FillRow, OrderRow, Projection

if TYPE_CHECKING:
    from collections.abc import Sequence

    import duckdb

    from ...messages.journal import JournalRecord
    from .adapter import DuckDBAdapter


class LastFact(msgspec.Struct, frozen=True, kw_only=True):
    """The newest fact that is projected, as the core file holds it."""

    sequence: int
    recorded_ns: int
    fact_type: str
    fact: str

    def is_of(self, record: JournalRecord) -> bool:
        """Tell whether the journal's record is the same."""
        return (self.sequence, self.recorded_ns, self.fact_type, self.fact) == (
            record.sequence,
            record.recorded_ns,
            type(record.fact).__name__,
            _fact_text(record),
        )


_TABLES = frozenset({"facts", "orders", "fills", "projection"})
_json = msgspec.json.Encoder(decimal_format="string")


class ReadModel:
    """Projects journal records into the core file; the place in the journal is kept in the same transaction."""

    def __init__(self, database: DuckDBAdapter) -> None:
        self._database = database

    def sequence(self) -> int:
        """Tell up to which journal sequence the core file is current."""
        return self._database.read(_sequence)

    def last(self) -> LastFact | None:
        """Return the newest fact of the core file; None if nothing is projected.

        Raises:
            DatabaseDamaged: it cannot be read, or the file says that it is current up to a sequence it has no fact of.
        """
        path = self._database.core_path

        def work(cursor: duckdb.DuckDBPyConnection) -> LastFact | None:
            sequence = _sequence(cursor)
            if sequence == 0:
                return None
            rows = cursor.execute(
                "select sequence, recorded_ns, fact_type, fact from core.facts where sequence = ?", [sequence]
            ).fetchall()
            if len(rows) != 1:
                raise DatabaseDamaged(f"{len(rows)} facts of its last sequence {sequence}, one wanted")
            return LastFact(**dict(zip(LastFact.__struct_fields__, rows[0], strict=True)))

        try:
            return self._database.read(work, label="last fact")
        except DatabaseDamaged as damage:
            raise DatabaseDamaged(f"{path}: {damage}", path=path) from damage

    def apply(self, records: Sequence[JournalRecord], *, first: int = 1) -> int:
        """Project records in the order of their sequences; those that are projected already change nothing.

        Args:
            records: some of the journal, without gaps.
            first: the sequence with which the journal begins.

        Returns:
            The sequence up to which the core file is current, durably.

        Raises:
            JournalGap: records are missing before these.
            DatabaseError: see the adapter; nothing was projected.
        """

        def work(cursor: duckdb.DuckDBPyConnection) -> int:
            before = _sequence(cursor) or first - 1
            fresh = [record for record in records if record.sequence > before]
            for wanted, record in enumerate(fresh, start=before + 1):
                if record.sequence != wanted:
                    raise JournalGap(f"record {wanted} wanted next, found {record.sequence}")
            if not fresh:
                return before
            _project(cursor, fresh)
            last = fresh[-1].sequence
            if before == first - 1:
                cursor.execute("update projection set first_sequence = ?", [first])
            cursor.execute("update projection set sequence = ?", [last])
            return last

        return self._database.write("core", work, label=f"project {len(records)} records", tables=_TABLES)


def _sequence(cursor: duckdb.DuckDBPyConnection) -> int:
    rows = cursor.execute("select sequence from core.projection").fetchall()
    if len(rows) != 1:
        raise DatabaseDamaged(f"the core file says {len(rows)} times how far it is projected, once wanted")
    return int(rows[0][0])


def _project(cursor: duckdb.DuckDBPyConnection, records: Sequence[JournalRecord]) -> None:
    identifiers = {fact.client_order_id for record in records if hasattr(fact := record.fact, "client_order_id")}
    projection = Projection(*_known(cursor, sorted(identifiers))) if identifiers else Projection()
    for record in records:
        projection.apply(record)
    insert(cursor, "insert into facts by name select * from batch", _fact_columns(records))
    if projection.orders:
        columns = _order_columns(tuple(projection.orders.values()))
        insert(cursor, "insert or replace into orders by name select * from batch", columns)
    if projection.fills:
        insert(cursor, "insert into fills by name select * from batch", _fill_columns(projection.fills))


def _known(
    cursor: duckdb.DuckDBPyConnection, client_order_ids: list[str]
) -> tuple[list[OrderRow], list[tuple[str, str]]]:
    fields = OrderRow.__struct_fields__
    orders = cursor.execute(
        f"select {', '.join(fields)} from orders where client_order_id in (select unnest(?::varchar[]))",  # noqa: S608  our own names
        [client_order_ids],
    ).fetchall()
    trades = cursor.execute(
        "select client_order_id, trade_id from fills where client_order_id in (select unnest(?::varchar[]))",
        [client_order_ids],
    ).fetchall()
    return [OrderRow(**dict(zip(fields, row, strict=True))) for row in orders], trades


def _fact_columns(records: Sequence[JournalRecord]) -> Columns:
    return {
        "sequence": integers([record.sequence for record in records]),
        "recorded_ns": integers([record.recorded_ns for record in records]),
        "correlation_id": texts([record.correlation_id for record in records]),
        "fact_type": texts([type(record.fact).__name__ for record in records]),
        "fact": texts([_fact_text(record) for record in records]),
    }


def _fact_text(record: JournalRecord) -> str:
    return _json.encode(msgspec.structs.asdict(record.fact)).decode()


def _order_columns(orders: Sequence[OrderRow]) -> Columns:
    return {
        "client_order_id": texts([order.client_order_id for order in orders]),
        "broker_order_id": texts([order.broker_order_id for order in orders]),
        "strategy": texts([order.strategy for order in orders]),
        "symbol": texts([order.symbol for order in orders]),
        "side": texts([order.side for order in orders]),
        "quantity": nullable_integers([order.quantity for order in orders]),
        "order_type": texts([order.order_type for order in orders]),
        "limit_price": floats([order.limit_price for order in orders]),
        "state": texts([order.state for order in orders]),
        "filled_quantity": integers([order.filled_quantity for order in orders]),
        "filled_value": texts([str(order.filled_value) for order in orders]),
        "reason": texts([order.reason for order in orders]),
        "created_ns": integers([order.created_ns for order in orders]),
        "changed_ns": integers([order.changed_ns for order in orders]),
        "changed_sequence": integers([order.changed_sequence for order in orders]),
    }


def _fill_columns(fills: Sequence[FillRow]) -> Columns:
    return {
        "client_order_id": texts([fill.client_order_id for fill in fills]),
        "trade_id": texts([fill.trade_id for fill in fills]),
        "strategy": texts([fill.strategy for fill in fills]),
        "symbol": texts([fill.symbol for fill in fills]),
        "side": texts([fill.side for fill in fills]),
        "quantity": integers([fill.quantity for fill in fills]),
        "price": floats([fill.price for fill in fills]),
        "traded_ns": integers([fill.traded_ns for fill in fills]),
        "sequence": integers([fill.sequence for fill in fills]),
    }
