"""Where a repository's data is: in files of its own, or with the system that runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, cast

from ....messages.addresses import DATABASE
from ....messages.database import MarketDataSaved, Query, Rows, SaveMarketData, SqlValue
from ...runtime import ActorRuntimeError
from ..errors import OwnerRefused
from ..results.frames import columns_of
from ..tables.columns import insert
from ..writing.market import MarketStore

if TYPE_CHECKING:
    from collections.abc import Sequence

    import duckdb

    from ....messages.market import Candle, Tick
    from ..engine.adapter import DuckDBAdapter
    from ..tables.columns import Columns
    from ..tables.migrations import DatabaseFile

SYSTEM_ANSWER_S = 30.0


class Store(Protocol):
    """What a repository needs; every method blocks and may be called from any thread."""

    def query(self, sql: str, parameters: Sequence[SqlValue], tables: tuple[str, ...]) -> Columns:
        """Answer one SELECT that depends on these tables alone; on any, if none is named."""

    def save(self, ticks: Sequence[Tick], candles: Sequence[Candle]) -> int:
        """Save market data, all or none; return how many rows were written."""

    def insert(self, file: DatabaseFile, sql: str, columns: Columns) -> int:
        """Run one INSERT from the columns, which it sees as the table `batch`; return how many rows it wrote."""

    def delete(self, file: DatabaseFile, tables: Sequence[str], where: str, parameters: Sequence[SqlValue]) -> int:
        """Delete these rows from all of the tables, or from none; return how many the first one had."""

    def define(self, file: DatabaseFile, sql: str) -> None:
        """Run one CREATE TABLE IF NOT EXISTS."""


class AdapterStore:
    """Files of our own."""

    def __init__(self, database: DuckDBAdapter) -> None:
        self.database = database
        self._market = MarketStore(database)

    def query(self, sql: str, parameters: Sequence[SqlValue], tables: tuple[str, ...]) -> Columns:
        """Answer one SELECT, column by column: five times as fast as rows where a table has fifty columns."""
        del tables  # not cached: the caller has the files in its own process

        def work(cursor: duckdb.DuckDBPyConnection) -> Columns:
            return cast("Columns", cursor.execute(sql, list(parameters)).fetchnumpy())

        return self.database.read(work, label=sql)

    def save(self, ticks: Sequence[Tick], candles: Sequence[Candle]) -> int:
        """Write through the only writer of the market file."""
        written = self._market.write(ticks, candles, all_or_none=True)
        return written.ticks + written.candles

    def insert(self, file: DatabaseFile, sql: str, columns: Columns) -> int:
        """Write through the only writer of the file."""

        def work(cursor: duckdb.DuckDBPyConnection) -> int:
            insert(cursor, sql, columns)
            return max(len(values) for values in columns.values())

        return self.database.write(file, work, label=sql)

    def delete(self, file: DatabaseFile, tables: Sequence[str], where: str, parameters: Sequence[SqlValue]) -> int:
        """Delete through the only writer of the file."""

        def work(cursor: duckdb.DuckDBPyConnection) -> int:
            counts = [
                cursor.execute(f"delete from {table}{where}", list(parameters)).fetchall()[0][0]  # noqa: S608  our names
                for table in tables
            ]
            return int(counts[0])

        return self.database.write(file, work, label=f"delete rows of {tables[0]}")

    def define(self, file: DatabaseFile, sql: str) -> None:
        """Create the table through the only writer of the file."""
        self.database.execute(sql, file=file)


class System(Protocol):
    """A running system, as far as a repository needs it."""

    def request(self, target: str, message: Any, *, timeout_s: float) -> Any:
        """Send to the actor of that name and return the one answer."""


class SystemStore:
    """The database actor of a running system."""

    def __init__(self, system: System) -> None:
        self._system = system

    def query(self, sql: str, parameters: Sequence[SqlValue], tables: tuple[str, ...]) -> Columns:
        """Ask the database actor."""
        answer = self._ask(Query(sql=sql, parameters=tuple(parameters), tables=tables), Rows)
        return columns_of(answer.columns, answer.rows)

    def save(self, ticks: Sequence[Tick], candles: Sequence[Candle]) -> int:
        """Send it to the database actor."""
        saved = self._ask(SaveMarketData(ticks=tuple(ticks), candles=tuple(candles)), MarketDataSaved)
        return int(saved.rows)

    def insert(self, file: DatabaseFile, sql: str, columns: Columns) -> int:
        """Refuse: the owner writes only to tables of its own schema."""
        raise OwnerRefused(
            f"a running system writes market data and its own facts, found: {sql} ({', '.join(columns)}, {file})"
        )

    def delete(self, file: DatabaseFile, tables: Sequence[str], where: str, parameters: Sequence[SqlValue]) -> int:
        """Refuse: others use the same data."""
        raise OwnerRefused(f"a running system deletes nothing: {', '.join(tables)}{where} {parameters} ({file})")

    def define(self, file: DatabaseFile, sql: str) -> None:
        """Do nothing: the table may exist; if it does not, each query fails with that reason."""

    def _ask(self, message: Query | SaveMarketData, wanted: type[Rows | MarketDataSaved]) -> Any:
        try:
            answer = self._system.request(DATABASE, message, timeout_s=SYSTEM_ANSWER_S)
        except ActorRuntimeError as failure:
            raise OwnerRefused(f"{type(failure).__name__}: {failure}") from failure
        if not isinstance(answer, wanted):
            raise OwnerRefused(f"{wanted.__name__} wanted, found {answer}")
        return answer
