"""Import of market data files: all of a file or nothing, and each tick once, however often the file is imported.

The files are opened in this process; the owner of the database, in this or another process, gets messages.
"""

from __future__ import annotations

import math
import time
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, TYPE_CHECKING, Final

import msgspec

from ..actors.database import outside
from ..actors.feed import DateOrder, DecimalMark, Recording
from ..client import rows_of
from ..domain.market_messages import parted
from ..domain.time import SECOND_NS
from ..messages.codec import decode, encode
from ..messages.database import SaveMarketData
from ..messages.framing import framed, read_frame

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from ..client import Owner
    from ..messages.database import MarketDataSaved
    from ..messages.market import MarketMessage

BATCH_MESSAGES: Final = 10_000
PART_BYTES_MAX: Final = 900_000
"""Size of one message to the owner: below the default of `control.ask_bytes_max`."""

SHARE_OF_READING: Final = 0.75
"""Part of an import's time that is spent reading, for the progress."""

SAVE_S: Final = 60.0
RECORDED: Final = "select coalesce(max(sequence), 0) from recorded where source in (?, ?)"
TICKS_BESIDE: Final = """
select count(*) from all_ticks
where symbol in ({symbols}) and exchange_ns >= ? and exchange_ns <= ? and source <> ? and source <> ?
"""

CANDLES = "select count(*) from candles where symbol in ({symbols}) and start_ns >= ? and start_ns <= ?"


class Imported(msgspec.Struct, frozen=True, kw_only=True):
    """The outcome of the import of one file."""

    file: str
    symbols: tuple[str, ...]
    ticks: int
    """Ticks in the file."""

    candles: int
    """Candles in the file."""

    written: int
    """Rows written now: not those that were there already; a candle replaces an earlier one of its time."""

    beside: int
    """Ticks of these symbols and this time that other sources have recorded: they stay, besides those of this file.
    Where candles are made from ticks, one source is used at a time."""

    replaced: int
    """Candles that were there from elsewhere, and are this file's now: part of `written`. Exact where nobody else saves
    candles of these symbols and this time meanwhile."""

    bad_rows: int
    """Rows skipped."""

    bad_lines: tuple[tuple[int, str], ...]
    """Line number, from 1, and reason of the first hundred bad rows."""

    elapsed_s: float

    notes: tuple[str, ...] = ()
    """How the file was read, where that is not certain."""


def import_file(  # noqa: PLR0913  what a file does not say itself
    path: Path,
    owner: Owner,
    *,
    symbol: str = "",
    tick_size_rupees: float | None = None,
    bad_rows_max: int = 0,
    interval_ns: int | None = None,
    dates: DateOrder | None = None,
    decimal: DecimalMark | None = None,
    zone: str = "",
    on_progress: Callable[[float], object] = lambda _share: None,
) -> Imported:
    """Save the ticks or candles of a file (CSV, JSON, Parquet; gzip, zip, zstd); all of them, or none.

    The whole file is read before anything is saved. A tick is identified by its position in the file, and the file by
    its contents: a second import writes nothing, and an interrupted one continues where it stopped. Ticks of two files
    that overlap are both kept, since two equal trades are possible; `beside` counts them, and candles are made from one
    source only. A candle replaces the one of its symbol, interval and start, and `replaced` counts them.

    Args:
        path: the file.
        owner: of the database.
        symbol: of rows that name none.
        tick_size_rupees: prices are rounded to multiples of it, so that a replay of the file gives the same ticks;
            None keeps them as written.
        bad_rows_max: broken rows that are skipped before the file is refused.
        interval_ns: length of the candles; None: it is inferred from the distances between them.
        dates: whether day or month comes first in dates such as 03/04/2025; None: the file's dates tell it.
        decimal: what stands before decimals, where 74,125 may be 74.125; None: the file's numbers tell it.
        zone: of times that name none: IST, UTC, or a distance from UTC such as +05:30; empty: India's, unless they are
            clearly UTC's.
        on_progress: called with the part done, from 0 to 1.

    Raises:
        RecordingError: the file is refused, with line and reason; nothing was saved.
        DatabaseError, ControlError: the owner cannot save the data.
    """
    begun_ns = time.monotonic_ns()
    recording = Recording(
        path,
        symbol=symbol,
        tick_size_rupees=tick_size_rupees,
        bad_rows_max=bad_rows_max,
        interval_ns=interval_ns,
        dates=dates,
        decimal=decimal,
        zone=zone,
        replayed=False,
    )
    with TemporaryFile() as spool:
        content = _Content()
        for part in _parts(recording.chunks()):
            _put(spool, part)
            content.add(part)
            on_progress(recording.share * SHARE_OF_READING)
        spool.seek(0)
        recorded, beside = _stored(owner, content)
        candles_before = _candles_there(owner, content)
        written = saved = 0
        for part in _all_of(spool):
            written += _save(owner, part, behind=recorded)
            saved += len(part.ticks) + len(part.candles)
            on_progress(SHARE_OF_READING + (1 - SHARE_OF_READING) * saved / (content.ticks + content.candles))
    new = _candles_there(owner, content) - candles_before if written else 0
    return Imported(
        file=str(path),
        symbols=tuple(sorted(content.symbols)),
        ticks=content.ticks,
        candles=content.candles,
        written=written,
        beside=beside,
        replaced=max(0, written - new) if content.candles else 0,
        bad_rows=recording.bad_rows,
        bad_lines=tuple(recording.bad_lines),
        notes=recording.notes,
        elapsed_s=(time.monotonic_ns() - begun_ns) / SECOND_NS,
    )


class _Content:
    """What a file has, part by part."""

    def __init__(self) -> None:
        self.symbols: Final[set[str]] = set()
        self.ticks = self.candles = 0
        self.source = ""
        """Of its ticks; empty: it has none."""

        self.first_ns, self.last_ns = math.inf, 0
        """Times of the first and the last of all: nanoseconds since 1970-01-01 UTC."""

    def add(self, part: SaveMarketData) -> None:
        """Count the next part."""
        self.symbols.update(tick.symbol for tick in part.ticks)
        self.symbols.update(candle.symbol for candle in part.candles)
        self.ticks += len(part.ticks)
        self.candles += len(part.candles)
        if part.ticks:
            self.source = part.ticks[0].source
        times = [tick.exchange_ns for tick in part.ticks] + [candle.start_ns for candle in part.candles]
        if times:
            self.first_ns, self.last_ns = min(self.first_ns, *times), max(self.last_ns, *times)


def _stored(owner: Owner, content: _Content) -> tuple[int, int]:
    """Return up to which sequence the file's ticks are in the database, and how many of others are beside them."""
    if not content.source:
        return 0, 0
    own = [content.source, outside(content.source)]
    ((sequence,),) = rows_of(owner, RECORDED, own)
    sql = TICKS_BESIDE.format(symbols=", ".join("?" for _ in content.symbols))
    ((beside,),) = rows_of(owner, sql, [*sorted(content.symbols), int(content.first_ns), content.last_ns, *own])
    return int(sequence), int(beside)


def _candles_there(owner: Owner, content: _Content) -> int:
    """Return how many candles there are of the file's symbols and time; 0 where it has none."""
    if not content.candles:
        return 0
    sql = CANDLES.format(symbols=", ".join("?" for _ in content.symbols))
    ((count,),) = rows_of(owner, sql, [*sorted(content.symbols), int(content.first_ns), content.last_ns])
    return int(count)


def _save(owner: Owner, part: SaveMarketData, *, behind: int) -> int:
    """Save what is not there: all candles of a part, and the ticks behind this sequence; return the rows written."""
    fresh = SaveMarketData(ticks=tuple(tick for tick in part.ticks if tick.sequence > behind), candles=part.candles)
    if not fresh.ticks and not fresh.candles:
        return 0
    answer: MarketDataSaved = owner.work(fresh, timeout_s=SAVE_S)
    return answer.rows


def _parts(chunks: Iterator[list[MarketMessage]]) -> Iterator[SaveMarketData]:
    """Group messages into parts that the owner accepts in one request."""
    gathered: list[MarketMessage] = []
    for chunk in chunks:
        gathered += chunk
        if len(gathered) >= BATCH_MESSAGES:
            yield from small_enough(gathered)
            gathered = []
    if gathered:
        yield from small_enough(gathered)


def small_enough(messages: Sequence[MarketMessage]) -> Iterator[SaveMarketData]:
    """Divide messages into parts that the owner accepts in one request."""
    ticks, candles = parted(messages)
    part = SaveMarketData(ticks=tuple(ticks), candles=tuple(candles))
    if len(messages) == 1 or len(encode(part)) <= PART_BYTES_MAX:
        yield part
        return
    middle = len(messages) // 2
    yield from small_enough(messages[:middle])
    yield from small_enough(messages[middle:])


def _put(spool: IO[bytes], part: SaveMarketData) -> None:
    spool.write(framed(encode(part)))


def _all_of(spool: IO[bytes]) -> Iterator[SaveMarketData]:
    while frame := read_frame(spool):
        yield decode(frame)
