"""Writes journal records into the tables of the core file, and rebuilds orders and fills from the facts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, get_args

import msgspec

from ....domain.money import rounded
from ....messages.accounts import AccountEntered
from ....messages.journal import JournalRecord
from ....messages.orders import OrderFact
from ..errors import DatabaseDamaged
from .columns import Columns, append, floats, integers, nullable_integers, replace, texts
from .projection import FillRow, OrderRow, Projection
from .sql_text import quoted

if TYPE_CHECKING:
    from collections.abc import Sequence
    from decimal import Decimal

    import duckdb

PAGE_FACTS: Final = 20_000
VALUE_PLACES: Final = 6
"""Decimal places of `orders.filled_value`."""

_PROJECTED: Final[dict[str, type[OrderFact | AccountEntered]]] = {
    kind.__name__: kind for kind in (*get_args(OrderFact), AccountEntered)
}
_json = msgspec.json.Encoder(decimal_format="string")


def project(cursor: duckdb.DuckDBPyConnection, records: Sequence[JournalRecord]) -> None:
    """Write the facts of these records, and what they change of orders and fills."""
    append(cursor, "facts", _fact_columns(records))
    _project_orders(cursor, records)


def project_emptied(cursor: duckdb.DuckDBPyConnection) -> None:
    """Fill the tables `orders` and `fills` from the table `facts`, if an earlier step of a migration has emptied them.

    Raises:
        DatabaseDamaged: a fact does not read back.
    """
    if cursor.execute("select count(*) from orders").fetchall() == [(0,)]:
        project_anew(cursor)


def project_anew(cursor: duckdb.DuckDBPyConnection) -> None:
    """Fill the empty tables `orders` and `fills` from the table `facts`.

    Raises:
        DatabaseDamaged: a fact does not read back.
    """
    names = ", ".join(quoted(name) for name in _PROJECTED)
    after = -1
    while True:
        rows = cursor.execute(
            "select sequence, recorded_ns, correlation_id, fact_type, fact from facts "  # noqa: S608  our own names
            f"where sequence > ? and fact_type in ({names}) order by sequence limit {PAGE_FACTS}",
            [after],
        ).fetchall()
        if not rows:
            return
        _project_orders(cursor, [_record(*row) for row in rows])
        after = rows[-1][0]


def fact_text(record: JournalRecord) -> str:
    """Write a fact as the table `facts` holds it."""
    return _json.encode(msgspec.structs.asdict(record.fact)).decode()


def _record(sequence: int, recorded_ns: int, correlation_id: str, fact_type: str, fact: str) -> JournalRecord:
    try:
        fields = msgspec.json.decode(fact)
        # Later releases append fields: those that an earlier one did not write get their defaults.
        values = (fields[name] for name in _PROJECTED[fact_type].__struct_fields__ if name in fields)
        read = msgspec.convert([fact_type, *values], _PROJECTED[fact_type])
    except (msgspec.DecodeError, TypeError) as fault:
        raise DatabaseDamaged(f"fact {sequence} ({fact_type}) does not read back: {fault}") from fault
    return JournalRecord(sequence=sequence, recorded_ns=recorded_ns, correlation_id=correlation_id, fact=read)


def _project_orders(cursor: duckdb.DuckDBPyConnection, records: Sequence[JournalRecord]) -> None:
    identifiers = {fact.client_order_id for record in records if hasattr(fact := record.fact, "client_order_id")}
    account = cursor.execute("select account from projection").fetchall()[0][0]
    known = _known(cursor, sorted(identifiers)) if identifiers else ([], [])
    projection = Projection(*known, account=account)
    for record in records:
        projection.apply(record)
    if projection.account != account:
        cursor.execute("update projection set account = ?", [projection.account])
    there = {row.client_order_id for row in known[0]}
    orders = projection.orders.values()
    if changed := [row for row in orders if row.client_order_id in there]:
        replace(cursor, "orders", "client_order_id", _order_columns(changed))
    if new := [row for row in orders if row.client_order_id not in there]:
        append(cursor, "orders", _order_columns(new))
    if projection.fills:
        append(cursor, "fills", _fill_columns(projection.fills))


def _known(
    cursor: duckdb.DuckDBPyConnection, client_order_ids: list[str]
) -> tuple[list[OrderRow], list[tuple[str, str, int, float]]]:
    fields = OrderRow.__struct_fields__
    orders = cursor.execute(
        f"select {', '.join(fields)} from orders where client_order_id in (select unnest(?::varchar[]))",  # noqa: S608  our own names
        [client_order_ids],
    ).fetchall()
    fills = cursor.execute(
        "select client_order_id, trade_id, quantity, price from fills "
        "where client_order_id in (select unnest(?::varchar[]))",
        [client_order_ids],
    ).fetchall()
    return [OrderRow(**dict(zip(fields, row, strict=True))) for row in orders], fills


def _fact_columns(records: Sequence[JournalRecord]) -> Columns:
    return {
        "sequence": integers([record.sequence for record in records]),
        "recorded_ns": integers([record.recorded_ns for record in records]),
        "correlation_id": texts([record.correlation_id for record in records]),
        "fact_type": texts([type(record.fact).__name__ for record in records]),
        "fact": texts([fact_text(record) for record in records]),
    }


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
        "filled_value": texts([_shown(order.filled_value) for order in orders]),
        "reason": texts([order.reason for order in orders]),
        "account": integers([order.account for order in orders]),
        "trigger_price": floats([order.trigger_price for order in orders]),
        "validity": texts([order.validity for order in orders]),
        "product": texts([order.product for order in orders]),
        "modifications": integers([order.modifications for order in orders]),
        "in_effect": integers([order.in_effect for order in orders]),
        "settled": integers([order.settled for order in orders]),
        "pending_quantity": nullable_integers([order.pending_quantity for order in orders]),
        "evidence": texts([order.evidence for order in orders]),
        "cancellations": integers([order.cancellations for order in orders]),
        "cancellations_refused": integers([order.cancellations_refused for order in orders]),
        "cancellations_doubted": integers([order.cancellations_doubted for order in orders]),
        "cancellation_by": texts([order.cancellation_by for order in orders]),
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
        "account": integers([fill.account for fill in fills]),
    }


def _shown(value: Decimal) -> str:
    numerator, denominator = value.as_integer_ratio()
    return f"{rounded(numerator, denominator, VALUE_PLACES):f}"
