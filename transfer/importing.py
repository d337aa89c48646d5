"""Files of market data into the database, wherever that is: all of a file or nothing, each once however often.

The user's files are opened here, in the process of whoever asks; the owner of the database sees messages.
"""

from __future__ import annotations

import math
import time
from functools import partial
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, TYPE_CHECKING, Final

import msgspec

from ..actors.database import ParquetTable, is_parquet, outside
from ..actors.feed import MarketMessage, Recording
from ..client import rows_of
from ..domain.time import SECOND_NS
from ..messages.codec import decode, encode
from ..messages.database import SaveMarketData
from ..messages.framing import framed, read_frame
from ..messages.market import Candle, Tick

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ..client import Owner
    from ..messages.database import MarketDataSaved

BATCH_MESSAGES: Final = 10_000
PART_BYTES_MAX: Final = 900_000
"""Of one message to the owner: below `control.ask_bytes_max` as it is by default."""

SHARE_OF_READING: Final = 0.75
"""Of the time that an import takes, about."""

SAVE_S: Final = 60.0
TICKS_BESIDE: Final = """
select count(*) from all_ticks
where symbol in ({symbols}) and exchange_ns >= ? and exchange_ns <= ? and source <> ? and source <> ?
"""


class Imported(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one file."""

    file: str
    symbols: tuple[str, ...]
    ticks: int
    """In the file."""

    candles: int
    """In the file."""

    written: int
    """Written now: what was there already is not; a candle that was another is written over it."""

    beside: int
    """Ticks of these symbols and of this time that came from elsewhere before: they stay, beside those of this file.
    In candles one source counts at a time."""

    bad_rows: int
    """Left out."""

    bad_lines: tuple[tuple[int, str], ...]
    """Line, from 1, and reason; of the first hundred."""

    elapsed_s: float

    notes: tuple[str, ...] = ()
    """How the file was understood, where whoever gave it might have meant something else."""


def import_file(  # noqa: PLR0913  what a file does not say itself
    path: Path,
    owner: Owner,
    *,
    symbol: str = "",
    tick_size_rupees: float | None = None,
    bad_rows_max: int = 0,
    interval_ns: int | None = None,
    on_progress: Callable[[float], object] = lambda _share: None,
) -> Imported:
    """Save the ticks or candles of a CSV file, plain or gzipped, or of a Parquet file; all of them, or none.

    The whole file is read before anything is saved. A tick is known by its place in its file, and the file by its
    contents: what is imported again is there already, and what was interrupted goes on where it stopped. Ticks of two
    files that overlap are there twice, since two trades may be alike; `beside` tells of it, and candles are made of one
    of them. A candle replaces the one of its symbol, interval and start.

    Args:
        path: the file.
        owner: who has the database.
        symbol: for a file that has no column for it.
        tick_size_rupees: what prices are rounded to multiples of, so that a replay of the file gives the same ticks;
            None to keep them as they are written.
        bad_rows_max: broken rows that are left out before the file is refused.
        interval_ns: how long candles are; None to tell it by their distances.
        on_progress: told now and then how much is done, 0 to 1.

    Raises:
        RecordingError: the file is refused, with line and reason; nothing was saved.
        DatabaseError, ControlError: the owner cannot save it.
    """
    begun_ns = time.monotonic_ns()
    open_recording = partial(Recording, table=ParquetTable) if is_parquet(path) else Recording
    recording = open_recording(
        path,
        symbol=symbol,
        tick_size_rupees=tick_size_rupees,
        bad_rows_max=bad_rows_max,
        interval_ns=interval_ns,
        replayed=False,
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
                    own = (source, outside(source))
                    ((beside,),) = rows_of(owner, sql, [*sorted(symbols), int(first_ns), last_ns, *own])
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
        notes=recording.notes,
        elapsed_s=(time.monotonic_ns() - begun_ns) / SECOND_NS,
    )


def _recorded(owner: Owner, source: str) -> int:
    """Tell up to which tick the file is there already: imported, or recorded when it was replayed."""
    sql = "select coalesce(max(sequence), 0) from recorded where source in (?, ?)"
    ((sequence,),) = rows_of(owner, sql, [source, outside(source)])
    return int(sequence)


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
    spool.write(framed(encode(part)))


def _all_of(spool: IO[bytes]) -> Iterator[SaveMarketData]:
    while frame := read_frame(spool):
        yield decode(frame)
