"""A transaction of several statements, all or none."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from ..errors import DatabaseClosed, TransactionAborted
from ..queries.statements import ROWS_MAX, execute, may_define, one_statement

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import duckdb

    from ....messages.database import Rows, SqlValue
    from .connection import Connection


class Transaction:
    """An open transaction of `DuckDBAdapter.transaction`."""

    def __init__(self, connection: Connection, on_definition: Callable[[str], object]) -> None:
        """Take over a connection; `on_definition` hears of each statement that may define something, before it runs."""
        self._connection = connection
        self._on_definition = on_definition
        self._failure: Exception | None = None
        self._is_over = False

    def execute(self, sql: str, parameters: Sequence[SqlValue] = ()) -> Rows:
        """Run one statement; it sees what those before it wrote.

        Raises:
            QueryRefused: it is not one statement, or would end the transaction.
            StatementFailed: DuckDB refused it; nothing of the transaction will be written.
            DatabaseClosed: the block has ended, and the connection is lent to another caller.
        """
        if self._is_over:
            raise DatabaseClosed(f"the transaction is over: {sql}")
        try:
            return self._connection.run(functools.partial(self._execute, sql=sql, parameters=parameters), label=sql)
        except Exception as failure:
            self._failure = failure
            raise

    def _execute(self, cursor: duckdb.DuckDBPyConnection, sql: str, parameters: Sequence[SqlValue]) -> Rows:
        statement = one_statement(cursor, sql)
        if may_define(statement):
            self._on_definition(sql)
        return execute(cursor, statement, parameters, ROWS_MAX)

    def end(self) -> None:
        """Refuse further statements."""
        self._is_over = True

    def check(self) -> None:
        """Raise `TransactionAborted` if a statement failed: DuckDB would commit nothing, without an error."""
        if self._failure is not None:
            raise TransactionAborted(f"nothing was written: {self._failure}") from self._failure
