"""The request handler: queries, backups, archiving and checks, one method a message.

    handler = RequestHandler(database, Folders.beside(database.core_path, life="1"))
    handler.perform(QueryToFile(sql="select * from orders"))

The database actor calls it on threads of its own; a command calls it directly, for files without a running owner. Files
that it hands over are in a folder of the owner's: the owner opens no file of a client's, and no client one of its own.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import itertools
import shutil
from collections import deque
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeAlias, TypeVar

from ....messages.database import (
    ArchiveDay,
    BackedUp,
    BackUp,
    CheckDatabase,
    DatabaseChecked,
    DaysArchived,
    HistoryRead,
    Query,
    QueryToFile,
    ReadHistory,
    Rows,
    RowsFile,
    SqlValue,
)
from ..engine.adapter import DuckDBAdapter
from ..errors import QueryRefused, ResultTooLarge, StatementFailed
from ..queries.statements import bare_select, values
from ..repositories.market_data import MarketDataRepositoryImpl
from ..results.forms import INLINE_CHARACTERS_MAX, INLINE_ROWS_MAX, is_inline, is_told_plainly, stored, told
from ..tables.sql_text import quoted
from ..upkeep.copies import back_up, check, snapshot
from ..upkeep.days import archive
from ..upkeep.folders import Folders

if TYPE_CHECKING:
    from collections.abc import Iterator
    from concurrent.futures import Future

    import duckdb

    from ..results.answers import Answer

T = TypeVar("T")

Reading: TypeAlias = Query | QueryToFile | BackUp | CheckDatabase | ReadHistory
"""Work for a reader, with a timeout of its own."""

Work: TypeAlias = Reading | ArchiveDay
Done: TypeAlias = Rows | RowsFile | BackedUp | DaysArchived | DatabaseChecked | HistoryRead

HANDED_OVER_MAX: Final = 64
"""Files that wait for their clients; beyond it the oldest is removed. A client that has opened it can still read it."""

HISTORY_CANDLES_MAX: Final = 100_000
"""In one answer: 10 MB."""

SPACE_LEFT_BYTES: Final = 1 << 28
"""Bytes of disk space that a copy leaves free."""


class RequestHandler:
    """Does work on one adapter; any thread may call it, several at the same time."""

    def __init__(self, database: DuckDBAdapter, folders: Folders | None) -> None:
        """Take over the folders; what earlier lives left to be fetched is deleted.

        Args:
            database: with the folders among its `directories`.
            folders: None for a database in memory, which hands no files over.
        """
        self._database = database
        self._folders = folders
        self._numbers = itertools.count(1)
        self._handed_over: deque[str] = deque()
        if folders is not None:
            folders.handover.forget_earlier_lives()

    def close(self) -> None:
        """Remove the folder if no file in it waits to be fetched."""
        if self._folders is not None:
            self._folders.handover.leave()

    def perform(self, work: Work, abandoned: Future[None] | None = None) -> Done:
        """Do it, and return its answer; interrupted when `abandoned` is done.

        Raises:
            DatabaseError: it was refused, took too long, or failed.
        """
        try:
            match work:
                case Query():
                    return self._database.query(
                        work.sql,
                        work.parameters,
                        timeout_s=work.timeout_s,
                        rows_max=work.rows_max,
                        tables=work.tables,
                        abandoned=abandoned,
                    )
                case QueryToFile():
                    return self._query_to_file(work, abandoned)
                case BackUp():
                    return self._back_up(work, abandoned)
                case CheckDatabase():
                    problems = check(self._database, timeout_s=work.timeout_s, abandoned=abandoned)
                    return DatabaseChecked(problems=problems)
                case ReadHistory():
                    return self._history(work)
                case ArchiveDay():
                    return self._archive(work)
                case _:
                    raise QueryRefused(f"work for the database wanted, found {type(work).__name__}")
        except OSError as fault:
            raise StatementFailed(str(fault)) from fault

    def _query_to_file(self, query: QueryToFile, abandoned: Future[None] | None) -> RowsFile:
        def work(cursor: duckdb.DuckDBPyConnection) -> RowsFile:
            # Its own lines: a comment at its end must not swallow what follows.
            inner = f"(\n{bare_select(cursor, query.sql)}\n)"
            parameters = list(query.parameters)
            described = cursor.execute(f"describe select * from {inner}", parameters).fetchall()  # noqa: S608  checked
            columns = tuple((str(name), str(kind)) for name, kind, *_ in described)
            selected = f"select {', '.join(itertools.starmap(stored, columns))} from {inner}"  # noqa: S608  checked
            names, types = zip(*columns, strict=True)
            inline = _inline(cursor, query, columns, selected)
            if inline is not None:
                return RowsFile(path="", names=names, types=types, rows=len(inline), inline=inline)
            with self._handing_over(".parquet") as path:
                copied = f"copy ({selected} limit {query.rows_max + 1}) to {quoted(str(path))} (format parquet)"
                ((rows, *_),) = cursor.execute(copied, parameters).fetchall()
                if rows > query.rows_max:
                    raise ResultTooLarge(f"at most {query.rows_max} rows wanted, found more")
            return RowsFile(path=str(path), names=names, types=types, rows=int(rows))

        # The transaction is read-only: a SELECT may have an INSERT in it.
        return self._database.read_of(query.sql, query.parameters, work, timeout_s=query.timeout_s, abandoned=abandoned)

    def _history(self, work: ReadHistory) -> HistoryRead:
        with MarketDataRepositoryImpl(self._database) as market:
            symbols = work.symbols or _found(market.symbols())
            if len(symbols) * work.bars > HISTORY_CANDLES_MAX:
                raise ResultTooLarge(
                    f"at most {HISTORY_CANDLES_MAX:,} candles wanted, found {work.bars:,} of {len(symbols):,} symbols"
                )
            answers = [market.history(symbol, work.interval_ns, work.bars, work.until_ns) for symbol in symbols]
            return HistoryRead(candles=tuple(itertools.chain.from_iterable(map(_found, answers))))

    def _back_up(self, work: BackUp, abandoned: Future[None] | None) -> BackedUp:
        self._expect_space()
        if work.single_file:
            with self._handing_over(".duckdb") as path:
                snapshot(self._database, path, timeout_s=work.timeout_s, abandoned=abandoned)
            return BackedUp(paths=(str(path),))
        with self._handing_over("") as path:
            folder = self._own_folders().handover.made_below(path.name)
            core, market = back_up(self._database, folder, timeout_s=work.timeout_s, abandoned=abandoned)
        return BackedUp(paths=(str(core), str(market)))

    def _archive(self, work: ArchiveDay) -> DaysArchived:
        try:
            before = dt.date.fromisoformat(work.day) + dt.timedelta(days=1)
        except (ValueError, OverflowError) as fault:
            raise QueryRefused(f"a day such as 2026-01-31 wanted, found {work.day!r}") from fault
        archived = archive(self._database, self._own_folders().archive, before=before)
        return DaysArchived(
            days=tuple(str(each.day) for each in archived),
            files=tuple(each.file for each in archived),
            ticks=tuple(each.rows for each in archived),
        )

    @contextlib.contextmanager
    def _handing_over(self, suffix: str) -> Iterator[Path]:
        """Name a new file or folder; it is gone again if the block raises, or when too many others have come."""
        handover = self._own_folders().handover
        path = handover.made() / f"{next(self._numbers)}{suffix}"
        try:
            yield path
        except BaseException:
            handover.delete(path.name)
            raise
        self._handed_over.append(path.name)
        while len(self._handed_over) > HANDED_OVER_MAX:
            handover.delete(self._handed_over.popleft())

    def _expect_space(self) -> None:
        """See that a copy fits: the journal may be on the same disk."""
        files = (self._database.core_path, self._database.market_path)
        wanted = sum(Path(file).stat().st_size for file in files) + SPACE_LEFT_BYTES
        free = shutil.disk_usage(self._own_folders().handover.made()).free
        if free < wanted:
            raise StatementFailed(f"a copy wants {wanted:,} bytes of free space, found {free:,}")

    def _own_folders(self) -> Folders:
        if self._folders is None:
            raise QueryRefused("a database in memory hands no files over, and archives none")
        return self._folders


def _found(answer: Answer[tuple[T, ...]]) -> tuple[T, ...]:
    """Return the data of a repository's result.

    Raises:
        StatementFailed: the repository says why it did not.
    """
    result = answer.result()
    if result.data is None:
        raise StatementFailed(str(result.error))
    return result.data


def _inline(
    cursor: duckdb.DuckDBPyConnection, query: QueryToFile, columns: tuple[tuple[str, str], ...], selected: str
) -> tuple[tuple[SqlValue, ...], ...] | None:
    """Fetch all rows as texts and numbers, if they are few and short and lose nothing by it; else None."""
    rows_max = min(query.inline_rows_max, INLINE_ROWS_MAX, query.rows_max)
    if not rows_max or not all(is_inline(kind) for _, kind in columns):
        return None
    shown = f"select {', '.join(itertools.starmap(told, columns))} from ({selected} limit {rows_max + 1})"  # noqa: S608  checked
    rows = cursor.execute(shown, list(query.parameters)).fetchmany(rows_max + 1)
    if len(rows) > rows_max:
        return None
    answer = values(rows, [is_told_plainly(kind) for _, kind in columns])
    characters = sum(len(value) for row in answer for value in row if isinstance(value, str))
    return answer if characters <= INLINE_CHARACTERS_MAX else None
