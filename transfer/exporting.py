"""Market data from the database to files, one a day or an interval."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

import msgspec

from ..actors.database import QueryResult, take
from ..client import ask, rows_of
from ..config.files import expect_new
from ..domain.time import DAY_NS, IST_OFFSET_NS, SECOND_NS, day_of_number, day_start_ns
from ..domain.wording import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from ..client import Owner
    from ..messages.database import SqlValue

FileFormat: TypeAlias = Literal["parquet", "csv"]

DAYS: Final = f"""
select distinct (exchange_ns + {IST_OFFSET_NS}) // {DAY_NS} as day from all_ticks where {{where}} order by day
"""  # noqa: S608  our own text
TICK_COLUMNS: Final = """
select column_name from duckdb_columns() where database_name = 'market' and table_name = 'full_ticks'
order by column_index
"""
TICKS: Final = """
select {columns} from full_ticks where {where} and exchange_ns >= {start_ns} and exchange_ns < {end_ns}
order by exchange_ns, source, sequence
"""
INTERVALS: Final = "select distinct interval_ns from candles where {where} order by interval_ns"
CANDLES: Final = "select * from candles where {where} and interval_ns = {interval_ns} order by start_ns, symbol"


class Exported(msgspec.Struct, frozen=True, kw_only=True):
    """One file that was written."""

    file: str
    rows: int


def export(  # noqa: PLR0913  what is exported, and as what
    folder: Path,
    owner: Owner,
    *,
    symbols: Sequence[str] = (),
    sources: Sequence[str] = (),
    since_ns: int | None = None,
    until_ns: int | None = None,
    file_format: FileFormat = "parquet",
    on_progress: Callable[[float], object] = lambda _share: None,
) -> Iterator[Exported]:
    """Write ticks, a file a day (`ticks-2026-01-31.parquet`), and candles, a file an interval (`candles-60s.parquet`).

    Rows are in order of time, archived days included; `import_file` reads the files back. Days are days in India.

    Args:
        folder: created if needed; existing files are not replaced.
        owner: of the database.
        symbols: to be exported; empty for all.
        sources: of ticks, as the table `recorded` names them; empty for all.
        since_ns: what lies, or begins, at this time (nanoseconds since 1970-01-01 UTC) or behind it; None: all.
        until_ns: and before this one.
        file_format: of the files.
        on_progress: called with the part done, from 0 to 1.

    Raises:
        FileExistsError: a file exists: nothing was written, or, if it was created meanwhile, only the files before it.
        DatabaseError, ControlError: the owner cannot read the data.
    """
    folder.mkdir(parents=True, exist_ok=True)
    where, parameters = conditions("start_ns", symbols=symbols, since_ns=since_ns, until_ns=until_ns)
    of_ticks, tick_parameters = conditions(
        "exchange_ns", symbols=symbols, sources=sources, since_ns=since_ns, until_ns=until_ns
    )
    days = rows_of(owner, DAYS.format(where=of_ticks), tick_parameters)
    intervals = rows_of(owner, INTERVALS.format(where=where), parameters)
    wanted: list[tuple[str, Callable[[], str], Sequence[SqlValue]]] = []
    for (day,) in days:
        bounds = {"start_ns": day_start_ns(day), "end_ns": day_start_ns(day + 1)}
        of_the_day = partial(TICKS.format, where=of_ticks, **bounds)
        make = partial(_without_empty, owner, of_the_day, tick_parameters)
        wanted.append((f"ticks-{day_of_number(day)}", make, tick_parameters))
    for (interval_ns,) in intervals:
        of_the_interval = CANDLES.format(where=where, interval_ns=interval_ns)
        wanted.append((f"candles-{interval_ns / SECOND_NS:g}s", partial(str, of_the_interval), parameters))
    targets = [folder / f"{name}.{file_format}" for name, *_ in wanted]
    there = [target for target in targets if os.path.lexists(target)]
    if there:
        others = f", and {counted(len(there) - 1, 'other')} of {len(targets)}" if there[1:] else ""
        raise FileExistsError(f"{there[0]} is there already{others}; nothing was written")
    for number, (target, (_, make_sql, given)) in enumerate(zip(targets, wanted, strict=True), start=1):
        yield Exported(file=str(target), rows=query_to(target, owner, make_sql(), given, file_format=file_format))
        on_progress(number / len(wanted))


def conditions(
    time: str,
    *,
    symbols: Sequence[str] = (),
    sources: Sequence[str] = (),
    since_ns: int | None = None,
    until_ns: int | None = None,
) -> tuple[str, list[SqlValue]]:
    """Return a WHERE for rows whose time is in the column `time`, and its parameters."""
    terms, parameters = [f"{time} >= {-IST_OFFSET_NS if since_ns is None else since_ns}"], list[Any]()
    for column, names in (("symbol", symbols), ("source", sources)):
        if names:
            terms.append(f"{column} in ({', '.join('?' for _ in names)})")
            parameters += names
    if until_ns is not None:
        terms.append(f"{time} < {until_ns}")
    return " and ".join(terms), parameters


def query_to(
    target: Path, owner: Owner, sql: str, parameters: Sequence[SqlValue] = (), *, file_format: FileFormat
) -> int:
    """Write the rows of a SELECT to a new file; return their number.

    Raises:
        OSError: the file exists, or its directory does not.
        DatabaseError, ControlError: the owner cannot read the data.
    """
    expect_new(target)
    answer = ask(owner, sql, parameters)
    if file_format == "parquet":
        take(Path(answer.path), target)
    else:
        with QueryResult(answer) as result:
            result.write_csv(target)
    return answer.rows


def _without_empty(owner: Owner, sql: Callable[..., str], parameters: Sequence[SqlValue]) -> str:
    """Return the SELECT without columns that have no value: a reader would take empty depth for an empty book."""
    names = [name for (name,) in rows_of(owner, TICK_COLUMNS, ())]
    texts = {"deep_book": "lower(hex(deep_book)) as deep_book"}
    whole = sql(columns=", ".join(names))
    (counts,) = rows_of(owner, f"select {', '.join(f'count({name})' for name in names)} from ({whole})", parameters)  # noqa: S608  our columns
    return sql(columns=", ".join(texts.get(name, name) for name, count in zip(names, counts, strict=True) if count))
