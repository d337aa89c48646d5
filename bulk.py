"""Files of market data in and out of the database, wherever that is: with a running system, or in files of our own.

The user's files are opened here, in the process of whoever asks; the owner of the database sees messages, and writes
files of its own that are then taken from it.
"""

from __future__ import annotations

import datetime as dt
import errno
import math
import time
from functools import partial
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, TYPE_CHECKING, Any, Final, Literal, Protocol, TypeAlias

import msgspec

from .actors.database import ParquetTable, QueryResult, is_parquet, take
from .actors.feed import MarketMessage, Recording
from .messages.codec import decode, encode
from .messages.database import QueryToFile, SaveMarketData
from .messages.market import Candle, Tick

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from .messages.database import MarketDataSaved, RowsFile, SqlValue

FileFormat: TypeAlias = Literal["parquet", "csv"]

BATCH_MESSAGES: Final = 10_000
PART_BYTES_MAX: Final = 900_000
"""Of one message to the owner: below `control.ask_bytes_max` as it is by default."""

LENGTH_BYTES: Final = 4
SHARE_OF_READING: Final = 0.75
"""Of the time that an import takes, about."""

SAVE_S: Final = 60.0
QUERY_S: Final = 600.0
ROWS_MAX: Final = 1_000_000_000

EPOCH: Final = dt.date(1970, 1, 1)
SECOND_NS: Final = 1_000_000_000
DAY_NS: Final = 86_400 * SECOND_NS
INDIA_NS: Final = 19_800 * SECOND_NS

DAYS: Final = f"""
select distinct (exchange_ns + {INDIA_NS}) // {DAY_NS} as day from all_ticks where {{where}} order by day
"""  # noqa: S608  our own text
TICK_COLUMNS: Final = """
select column_name from duckdb_columns() where database_name = 'market' and table_name = 'full_ticks'
order by column_index
"""
TICKS: Final = """
select {columns} from full_ticks where {where} and exchange_ns >= {start_ns} and exchange_ns < {end_ns}
order by exchange_ns, source, sequence
"""
TABLE_DAYS: Final = f"""
select distinct (exchange_ns + {INDIA_NS}) // {DAY_NS} as day from ticks where exchange_ns < ? order by day
"""  # noqa: S608  our own text
DAYS_TOLD: Final = f"""
select count(*), min(day), max(day) from (
    select distinct (exchange_ns + {INDIA_NS}) // {DAY_NS} as day from all_ticks)
"""  # noqa: S608  our own text
TABLES: Final = ("facts", "orders", "fills", "ticks", "books", "candles", "all_ticks", "all_books")
TICKS_BESIDE: Final = """
select count(*) from all_ticks
where symbol in ({symbols}) and exchange_ns >= ? and exchange_ns <= ? and source <> ?
"""
INTERVALS: Final = "select distinct interval_ns from candles where {where} order by interval_ns"
CANDLES: Final = "select * from candles where {where} and interval_ns = {interval_ns} order by start_ns, symbol"


class Owner(Protocol):
    """Who has the database."""

    def work(self, message: msgspec.Struct, *, timeout_s: float) -> Any:
        """Do what the message asks, and return its answer."""


class Imported(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one file."""

    file: str
    symbols: tuple[str, ...]
    ticks: int
    """In the file."""

    candles: int
    """In the file."""

    written: int
    """Written now: ticks that were there already are not; candles are, each over an earlier one."""

    beside: int
    """Ticks of these symbols and of this time that came from elsewhere before: they stay, beside those of this file."""

    bad_rows: int
    """Left out."""

    bad_lines: tuple[tuple[int, str], ...]
    """Line, from 1, and reason; of the first hundred."""

    elapsed_s: float


class Exported(msgspec.Struct, frozen=True, kw_only=True):
    """One file that was written."""

    file: str
    rows: int


class DatabaseStat(msgspec.Struct, frozen=True, kw_only=True):
    """What there is in the database."""

    files: dict[str, int]
    """Bytes of each."""

    rows: dict[str, int]
    """Of each table; `all_ticks` and `all_books` have the archived ones, too."""

    projected_sequence: int
    """Up to this the core file says what the journal says."""

    days: int
    """With ticks, on the exchange's calendar."""

    first_day: dt.date | None
    last_day: dt.date | None
    archived_days: int
    symbols: tuple[str, ...]


def import_file(  # noqa: PLR0913  what a file does not say itself
    path: Path,
    owner: Owner,
    *,
    symbol: str = "",
    tick_size_rupees: float | None = None,
    bad_rows_max: int = 0,
    on_progress: Callable[[float], object] = lambda _share: None,
) -> Imported:
    """Save the ticks or candles of a CSV file, plain or gzipped, or of a Parquet file; all of them, or none.

    The whole file is read before anything is saved. A tick is known by its place in its file, and the file by its
    contents: what is imported again is there already, and what was interrupted goes on where it stopped. Ticks of two
    files that overlap are there twice, since two trades may be alike; `beside` tells of it. A candle replaces the one
    of its symbol, interval and start.

    Args:
        path: the file.
        owner: who has the database.
        symbol: for a file that has no column for it.
        tick_size_rupees: what prices are rounded to multiples of, so that a replay of the file gives the same ticks;
            None to keep them as they are written.
        bad_rows_max: broken rows that are left out before the file is refused.
        on_progress: told now and then how much is done, 0 to 1.

    Raises:
        RecordingError: the file is refused, with line and reason; nothing was saved.
        DatabaseError, ControlError: the owner cannot save it.
    """
    begun_ns = time.monotonic_ns()
    open_recording = partial(Recording, table=ParquetTable) if is_parquet(path) else Recording
    recording = open_recording(
        path, symbol=symbol, tick_size_rupees=tick_size_rupees, bad_rows_max=bad_rows_max, replayed=False
    )
    symbols: set[str] = set()
    ticks = candles = written = saved = beside = 0
    first_ns, last_ns = math.inf, 0
    with TemporaryFile() as spool:
        for part in _parts(recording.chunks()):
            _put(spool, part)
            symbols.update(tick.symbol for tick in part.ticks)
            symbols.update(candle.symbol for candle in part.candles)
            ticks += len(part.ticks)
            candles += len(part.candles)
            first_ns = min(first_ns, min((tick.exchange_ns for tick in part.ticks), default=first_ns))
            last_ns = max(last_ns, max((tick.exchange_ns for tick in part.ticks), default=last_ns))
            on_progress(recording.share * SHARE_OF_READING)
        spool.seek(0)
        recorded: int | None = None
        for part in _all_of(spool):
            saved += len(part.ticks) + len(part.candles)
            fresh = part
            if part.ticks:
                if recorded is None:
                    source = part.ticks[0].source
                    recorded = _recorded(owner, source)
                    sql = TICKS_BESIDE.format(symbols=", ".join("?" for _ in symbols))
                    ((beside,),) = _rows(owner, sql, [*sorted(symbols), int(first_ns), last_ns, source])
                fresh = SaveMarketData(ticks=tuple(tick for tick in part.ticks if tick.sequence > recorded))
            if fresh.ticks or fresh.candles:
                answer: MarketDataSaved = owner.work(fresh, timeout_s=SAVE_S)
                written += answer.rows
            on_progress(SHARE_OF_READING + (1 - SHARE_OF_READING) * saved / (ticks + candles))
    return Imported(
        file=str(path),
        symbols=tuple(sorted(symbols)),
        ticks=ticks,
        candles=candles,
        written=written,
        beside=beside,
        bad_rows=recording.bad_rows,
        bad_lines=tuple(recording.bad_lines),
        elapsed_s=(time.monotonic_ns() - begun_ns) / 1e9,
    )


def export(  # noqa: PLR0913  what is exported, and as what
    folder: Path,
    owner: Owner,
    *,
    symbols: Sequence[str] = (),
    first_day: dt.date | None = None,
    last_day: dt.date | None = None,
    file_format: FileFormat = "parquet",
    on_progress: Callable[[float], object] = lambda _share: None,
) -> Iterator[Exported]:
    """Write ticks a day a file, `ticks-2026-01-31.parquet`, and candles an interval a file, `candles-60s.parquet`.

    In the order of time; `import_file` reads them back. Archived days are among them. Days are those of the exchange.

    Args:
        folder: made if it is not there; a file that is there already is not replaced.
        owner: who has the database.
        symbols: of these alone; empty for all.
        first_day: and all after it; None from the first there is.
        last_day: and all before it; None to the last there is.
        file_format: of the files.
        on_progress: told now and then how much is done, 0 to 1.

    Raises:
        FileExistsError: a file is there already; those before it are whole.
        DatabaseError, ControlError: the owner cannot read it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    where, parameters = _conditions(symbols, first_day, last_day)
    days = _rows(owner, DAYS.format(where=where.format(time="exchange_ns")), parameters)
    intervals = _rows(owner, INTERVALS.format(where=where.format(time="start_ns")), parameters)
    wanted: list[tuple[str, Callable[[], str]]] = []
    for (day,) in days:
        bounds = {"start_ns": day * DAY_NS - INDIA_NS, "end_ns": (day + 1) * DAY_NS - INDIA_NS}
        of_the_day = partial(TICKS.format, where=where.format(time="exchange_ns"), **bounds)
        make = partial(_without_empty, owner, of_the_day, parameters)
        wanted.append((f"ticks-{EPOCH + dt.timedelta(days=day)}", make))
    for (interval_ns,) in intervals:
        of_the_interval = CANDLES.format(where=where.format(time="start_ns"), interval_ns=interval_ns)
        wanted.append((f"candles-{interval_ns / SECOND_NS:g}s", partial(str, of_the_interval)))
    for number, (name, make_sql) in enumerate(wanted, start=1):
        target = folder / f"{name}.{file_format}"
        yield Exported(file=str(target), rows=query_to(target, owner, make_sql(), parameters, file_format=file_format))
        on_progress(number / len(wanted))


def closed_days(owner: Owner, before: dt.date | None = None) -> tuple[dt.date, ...]:
    """List the days with ticks that are not archived, before this day and before today on the exchange's calendar."""
    today = dt.datetime.now(dt.timezone(dt.timedelta(seconds=INDIA_NS // SECOND_NS))).date()
    first_left_ns = (min(before or today, today) - EPOCH).days * DAY_NS - INDIA_NS
    rows = _rows(owner, TABLE_DAYS, [first_left_ns])
    return tuple(EPOCH + dt.timedelta(days=day) for (day,) in rows)


def stat(owner: Owner) -> DatabaseStat:
    """Say what there is."""
    ((projected,),) = _rows(owner, "select sequence from projection", ())
    ((days, first, last),) = _rows(owner, DAYS_TOLD, ())
    ((archived,),) = _rows(owner, "select count(distinct day) from archived", ())
    symbols = _rows(owner, "select symbol from all_ticks union select symbol from candles order by symbol", ())
    paths = _rows(owner, "select path from duckdb_databases() where database_name in ('core', 'market') order by 1", ())
    return DatabaseStat(
        files={path: Path(path).stat().st_size for (path,) in paths},
        rows={table: _rows(owner, f"select count(*) from {table}", ())[0][0] for table in TABLES},  # noqa: S608  ours
        projected_sequence=projected,
        days=days,
        first_day=None if first is None else EPOCH + dt.timedelta(days=first),
        last_day=None if last is None else EPOCH + dt.timedelta(days=last),
        archived_days=archived,
        symbols=tuple(symbol for (symbol,) in symbols),
    )


def query_to(
    target: Path, owner: Owner, sql: str, parameters: Sequence[SqlValue] = (), *, file_format: FileFormat
) -> int:
    """Write the rows of a SELECT to a new file; return how many they are.

    Raises:
        FileExistsError: it is there already.
        DatabaseError, ControlError: the owner cannot read it.
    """
    if target.exists():
        raise FileExistsError(errno.EEXIST, "it is there already", str(target))
    answer = _ask(owner, sql, parameters)
    if file_format == "parquet":
        take(Path(answer.path), target)
    else:
        with QueryResult(answer) as result:
            result.write_csv(target)
    return answer.rows


def _without_empty(owner: Owner, sql: Callable[..., str], parameters: Sequence[SqlValue]) -> str:
    """Leave columns out that have no value: who reads the file would take them for a book that is empty."""
    names = [name for (name,) in _rows(owner, TICK_COLUMNS, ())]
    counted = sql(columns=", ".join(names))
    (counts,) = _rows(owner, f"select {', '.join(f'count({name})' for name in names)} from ({counted})", parameters)  # noqa: S608  our columns
    return sql(columns=", ".join(name for name, count in zip(names, counts, strict=True) if count))


def _conditions(
    symbols: Sequence[str], first_day: dt.date | None, last_day: dt.date | None
) -> tuple[str, list[SqlValue]]:
    terms, parameters = [f"{{time}} >= {-INDIA_NS}"], list[Any]()
    if symbols:
        terms.append(f"symbol in ({', '.join('?' for _ in symbols)})")
        parameters += symbols
    if first_day is not None:
        terms.append(f"{{time}} >= {(first_day - EPOCH).days * DAY_NS - INDIA_NS}")
    if last_day is not None:
        terms.append(f"{{time}} < {((last_day - EPOCH).days + 1) * DAY_NS - INDIA_NS}")
    return " and ".join(terms), parameters


def _rows(owner: Owner, sql: str, parameters: Sequence[SqlValue]) -> tuple[tuple[Any, ...], ...]:
    with QueryResult(_ask(owner, sql, parameters)) as result:
        return result.rows


def _ask(owner: Owner, sql: str, parameters: Sequence[SqlValue]) -> RowsFile:
    query = QueryToFile(sql=sql, parameters=tuple(parameters), timeout_s=QUERY_S, rows_max=ROWS_MAX)
    answer: RowsFile = owner.work(query, timeout_s=QUERY_S)
    return answer


def _recorded(owner: Owner, source: str) -> int:
    """Tell up to which tick the file is there already."""
    rows = _rows(owner, "select sequence from recorded where source = ?", [source])
    return int(rows[0][0]) if rows else 0


def _parts(chunks: Iterator[list[MarketMessage]]) -> Iterator[SaveMarketData]:
    """Gather messages to parts that an owner takes at once."""
    gathered: list[MarketMessage] = []
    for chunk in chunks:
        gathered += chunk
        if len(gathered) >= BATCH_MESSAGES:
            yield from _small_enough(gathered)
            gathered = []
    if gathered:
        yield from _small_enough(gathered)


def _small_enough(messages: list[MarketMessage]) -> Iterator[SaveMarketData]:
    part = SaveMarketData(
        ticks=tuple(message for message in messages if isinstance(message, Tick)),
        candles=tuple(message for message in messages if isinstance(message, Candle)),
    )
    if len(messages) == 1 or len(encode(part)) <= PART_BYTES_MAX:
        yield part
        return
    middle = len(messages) // 2
    yield from _small_enough(messages[:middle])
    yield from _small_enough(messages[middle:])


def _put(spool: IO[bytes], part: SaveMarketData) -> None:
    frame = encode(part)
    spool.write(len(frame).to_bytes(LENGTH_BYTES, "big"))
    spool.write(frame)


def _all_of(spool: IO[bytes]) -> Iterator[SaveMarketData]:
    while length := int.from_bytes(spool.read(LENGTH_BYTES), "big"):
        yield decode(spool.read(length))
