"""How a look-up reads an answer (pure). A row that cannot be read is counted: it may be of any order."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Container
from typing import Any, TypeVar

import msgspec

from .....domain.dhan.decoding import rows_reader
from .....domain.dhan.tolerant import MalformedAnswerError, read
from .....domain.dhan.trading.orders import OrderRow

T = TypeVar("T", bound=msgspec.Struct)


def readable(kind: type[T], found: Any) -> tuple[list[T], int]:
    """Read those rows of an answer that can be read, and count the others.

    Raises:
        MalformedAnswerError: it is no array: nothing is known of what is not in it.
    """
    if not isinstance(found, list):
        raise MalformedAnswerError(f"an array of {kind.__name__} wanted, found {type(found).__name__}")
    with contextlib.suppress(ValueError):  # one of them, or several: which
        # Encoded once more: decoding JSON into a type takes a twentieth of converting decoded objects.
        return [*rows_reader(kind)(msgspec.json.encode(found))], 0
    rows, unreadable = [], 0
    for each in found:
        try:
            rows.append(read(kind, each))
        except MalformedAnswerError:
            unreadable += 1
    return rows, unreadable


def rows_of(kind: type[T]) -> Callable[[Any], tuple[list[T], int]]:
    """Return the reader of an array, which counts the rows that cannot be read."""
    return lambda data: readable(kind, data)


def one_of(kind: type[T]) -> Callable[[Any], T]:
    """Return the reader of one row."""
    return lambda data: read(kind, data)


def row_of(number: str) -> Callable[[Any], OrderRow | None]:
    """Return the reader of one order, or None; of several rows it takes that of this broker order id."""

    def read_row(data: Any) -> OrderRow | None:
        if isinstance(data, list):
            if not data:
                return None
            if len(data) > 1:
                rows = [row for row in readable(OrderRow, data)[0] if row.order_id == number]
                if len(rows) != 1:
                    raise MalformedAnswerError(f"one order wanted, found {len(data)}")
                return rows[0]
        row = read(OrderRow, data)
        if number and row.order_id != number:
            raise MalformedAnswerError(f"the order {number} wanted, found {row.order_id!a}")
        return row

    return read_row


def only(kind: type[msgspec.Struct], numbers: set[str], correlation_ids: Container[str]) -> Callable[[Any], Any]:
    """Return the reader of the rows of these orders alone: a day has thousands, and each takes time to decode."""

    def read_some(data: Any) -> tuple[list[Any], int]:
        if not isinstance(data, list):
            raise MalformedAnswerError(f"an array of {kind.__name__} wanted, found {type(data).__name__}")
        rows, unreadable = [], 0
        for each in data:
            if isinstance(each, dict):
                number, correlation_id = each.get("orderId", ""), each.get("correlationId", "")
                told = isinstance(number, str) and isinstance(correlation_id, str) and number
                if told and number not in numbers and correlation_id not in correlation_ids:
                    continue
            try:
                row = read(kind, each)
            except MalformedAnswerError:
                unreadable += 1
            else:
                rows.append(row)
        return rows, unreadable

    return read_some
