"""Checks which statements may run, and converts their results to rows."""

from __future__ import annotations

import datetime as dt
import itertools
import math
import re
from typing import TYPE_CHECKING, Any

import duckdb
import msgspec

from ....messages.database import Rows, SqlValue
from ..errors import QueryRefused, ResultTooLarge

if TYPE_CHECKING:
    from collections.abc import Sequence

ROWS_MAX = 1_000_000
"""Default limit of the rows of an answer."""

NESTED_MAX = 1_000
"""Depth of nested brackets. DuckDB's parser takes 5 s for 5,000 of them, and cannot be interrupted."""

_TYPES = duckdb.StatementType
_ALLOWED = frozenset(
    {_TYPES.SELECT, _TYPES.INSERT, _TYPES.UPDATE, _TYPES.DELETE, _TYPES.MERGE_INTO, _TYPES.COPY, _TYPES.EXPORT}
    | {_TYPES.CREATE, _TYPES.CREATE_FUNC, _TYPES.ALTER, _TYPES.DROP, _TYPES.EXPLAIN, _TYPES.ANALYZE, _TYPES.VACUUM}
)
"""Statements a caller may run. Others would change the connection for its later users: BEGIN and COMMIT, USE and SET
(`search_path` can be set after `lock_configuration`), PREPARE, ATTACH and DETACH, LOAD."""

_OF_ROWS = frozenset({_TYPES.SELECT, _TYPES.INSERT, _TYPES.UPDATE, _TYPES.DELETE, _TYPES.MERGE_INTO, _TYPES.COPY})
"""Statements that define no table, view or macro."""

_MACRO = re.compile("macro|function", re.IGNORECASE)

_NO_NUMBERS = {math.inf: "Infinity", -math.inf: "-Infinity"}
_INT64 = range(-(2**63), 2**63)

PLAIN_TYPES = frozenset(
    {"BOOLEAN", "TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER"}
    | {"FLOAT", "DOUBLE", "VARCHAR"}
)
"""Columns whose values are a `SqlValue` as they are fetched."""


def one_statement(cursor: duckdb.DuckDBPyConnection, sql: str) -> duckdb.Statement:
    """Parse the text, which must be exactly one statement.

    DuckDB itself runs all that a text holds: `select 1; drop table t` drops the table.
    """
    if sql.count("(") > NESTED_MAX and _depth(sql) > NESTED_MAX:
        raise QueryRefused(f"at most {NESTED_MAX} brackets within brackets wanted, found more")
    try:
        statements = cursor.extract_statements(sql)
    except TypeError as wrong:  # a lone surrogate, for one
        raise QueryRefused(f"SQL in UTF-8 wanted, found {sql!r}") from wrong
    if len(statements) != 1:
        raise QueryRefused(f"exactly one statement a call, found {len(statements)}")
    try:
        kind = statements[0].type
    except ValueError as unknown:  # `update extensions` has a type that the package does not know
        raise QueryRefused(f"a statement that reads or writes tables wanted, found another: {unknown}") from unknown
    if kind not in _ALLOWED:
        raise QueryRefused(f"a statement that reads or writes tables wanted, found {kind.name}")
    return statements[0]


def may_define(statement: duckdb.Statement) -> bool:
    """Return whether the statement may define or drop a table, view or macro."""
    return statement.type not in _OF_ROWS


def may_define_macros(sql: str) -> bool:
    """Tell whether a statement may change which macros there are: one that does says so by one of two words."""
    return _MACRO.search(sql) is not None


def _depth(sql: str) -> int:
    """Return the greatest depth of open brackets; those in string literals count, too."""
    return max(itertools.accumulate((letter == "(") - (letter == ")") for letter in sql))


def one_select(cursor: duckdb.DuckDBPyConnection, sql: str) -> duckdb.Statement:
    """Parse the text, which must be exactly one SELECT."""
    statement = one_statement(cursor, sql)
    if statement.type != duckdb.StatementType.SELECT:
        raise QueryRefused(f"one SELECT wanted, found {statement.type.name}")
    return statement


def bare_select(cursor: duckdb.DuckDBPyConnection, sql: str) -> str:
    """Check that the text is exactly one SELECT, and return it without its semicolon, to stand inside another."""
    one_select(cursor, sql)
    text = sql.encode()
    end = len(text)
    for offset, kind in reversed(duckdb.tokenize(sql)):  # offsets count bytes
        if kind != duckdb.token_type.comment and text[offset:end].strip() != b";":
            break
        end = offset
    return text[:end].decode()


def execute(
    cursor: duckdb.DuckDBPyConnection, statement: duckdb.Statement, parameters: Sequence[SqlValue], rows_max: int
) -> Rows:
    """Run a statement with its values bound, and fetch all of its rows.

    Raises:
        QueryRefused: a value cannot be bound (a text that is no UTF-8, for one). Nothing ran.
        ResultTooLarge: there are more than `rows_max`.
    """
    try:
        result = cursor.execute(statement, list(parameters))
    except (ValueError, TypeError, OverflowError) as wrong:
        raise QueryRefused(f"values that DuckDB can take are wanted: {wrong}") from wrong
    columns = result.description or []
    rows = result.fetchmany(rows_max + 1)
    if len(rows) > rows_max:
        raise ResultTooLarge(f"at most {rows_max} rows wanted, found more")
    plain = [str(column[1]) in PLAIN_TYPES for column in columns]
    return Rows(columns=tuple(column[0] for column in columns), rows=values(rows, plain))


def values(rows: list[tuple[Any, ...]], plain: list[bool]) -> tuple[tuple[SqlValue, ...], ...]:
    """Convert fetched rows to rows of `SqlValue`s, as messages carry them."""
    if all(plain):
        return tuple(rows)
    return tuple(
        tuple(value if is_plain else _value(value) for value, is_plain in zip(row, plain, strict=True)) for row in rows
    )


def _json(value: Any) -> Any:
    """Convert a nested value for JSON: infinity becomes a text, and so do keys."""
    match value:
        case float() if not math.isfinite(value):
            return _NO_NUMBERS.get(value, "NaN")
        case list() | tuple():
            return [_json(each) for each in value]
        case dict():
            return {name if isinstance(name, str) else str(name): _json(each) for name, each in value.items()}
        case _:
            return value


def _value(value: Any) -> SqlValue:
    """Show a value that no message carries as text: decimals, huge integers, times (ISO 8601), nested values."""
    match value:
        case None | bool() | float() | str():
            return value
        case int() if value in _INT64:
            return value
        case dt.date() | dt.time():
            return value.isoformat()
        case bytes():
            return value.hex()
        case list() | dict() | tuple():
            return msgspec.json.encode(_json(value), enc_hook=str).decode()
        case _:
            return str(value)
