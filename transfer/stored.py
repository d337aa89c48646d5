"""What a database has of a market, as files that a feed plays.

They are written by the database's owner, in the order of time, a file a day, so that neither their number nor their
size costs memory. What a replay recorded is a copy: it is left out where the market itself was recorded, too.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Final

import msgspec

from ..actors.control import NotRunningError
from ..actors.database import OwnFiles
from ..actors.feed import RecordingError
from ..client import connect, rows_of
from ..config.loader import load_settings
from ..domain.time import SECOND_NS, duration_ns, duration_text
from .exporting import conditions, export

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from ..client import Owner

CORE_NAME: Final = "natya.duckdb"
SUFFIX: Final = ".duckdb"
MARKET_END: Final = "-market"
"""Suffix of the market file's name, which is beside its core file."""

AS_STORED: Final = {"feed.tick_size_rupees": 0.0001}
"""Settings of a feed that plays prices as they were stored: a divisor of all tick sizes rounds none."""

REPLAYED: Final = "replay-"
"""Sources that begin so are recordings that were played."""

MADE_UP: Final = "synthetic-"
"""Sources that begin so are markets that were made up."""

SPANS: Final = """
select symbol, source, min(exchange_ns), max(exchange_ns) from all_ticks where {where}
group by symbol, source order by 1, 3, 4, 2
"""

PLAYED: Final = """
with bars as (
    select source, interval_ns, count(*) bars from candles where {starts} group by source, interval_ns
    qualify row_number() over (partition by source order by interval_ns) = 1
), quotes as (
    select source, count(*) quotes, count(distinct symbol) symbols from all_ticks where {ticks} group by source
)
select source, interval_ns, bars, coalesce(quotes, 0), coalesce(symbols, 0) from quotes full join bars using (source)
"""
"""Of each source its ticks, the symbols of these, and its candles of the shortest length."""

TICKS_A_CANDLE: Final = 4
"""That a candle of a recording becomes."""


def is_database(place: Path) -> bool:
    """Return whether this is a database: one of its files, or the data directory of a system that has one."""
    return place.suffix == SUFFIX or (place / CORE_NAME).is_file()


@contextlib.contextmanager
def owner_at(place: Path) -> Iterator[Owner]:
    """Give the owner of a database: the system that runs there, or this process.

    The key of an encrypted one is that of the environment, or the one that is kept beside the file.

    Raises:
        DatabaseError: it is not there, or cannot be read.
        SettingsError: the environment has wrong settings.
        ControlError: the system that runs there does not answer.
    """
    is_file = place.suffix == SUFFIX
    core = place.with_name(f"{place.stem.removesuffix(MARKET_END)}{SUFFIX}") if is_file else place / CORE_NAME
    places = {"system.data_dir": str(core.parent), "database.path": str(core)}
    with contextlib.ExitStack() as held:
        try:
            owner: Owner = held.enter_context(connect(core.parent))
        except NotRunningError:
            settings = load_settings("paper", overrides=places)
            owner = held.enter_context(OwnFiles(settings, read_only=True))
        yield owner


class PlayedSource(msgspec.Struct, frozen=True):
    """What a source of market data has left in a database."""

    source: str
    interval_ns: int | None
    """The shortest length of its candles; None: it has none."""

    candles: int | None
    """Of that length."""

    ticks: int
    symbols: int


def played_interval(place: Path, *, since_ns: int | None = None, until_ns: int | None = None) -> str:
    """Return the length of the candles that were played there in a time, such as `1m`; empty: ticks were.

    Raises:
        DatabaseError, ControlError: it cannot be read.
    """
    interval_ns = interval_of_candles(_sources_of(place, since_ns, until_ns))
    return "" if interval_ns is None else duration_text(interval_ns)


def was_made_up(place: Path, *, since_ns: int | None = None, until_ns: int | None = None) -> bool:
    """Tell whether all of the market of a time there was made up: it traded day and night.

    Raises:
        DatabaseError, ControlError: it cannot be read.
    """
    sources = _sources_of(place, since_ns, until_ns)
    return bool(sources) and all(each.source.startswith(MADE_UP) for each in sources)


def was_live(place: Path, *, since_ns: int | None = None, until_ns: int | None = None) -> bool:
    """Tell whether ticks of a time came from a feed, at their own pace: a market that waits for nobody.

    Raises:
        DatabaseError, ControlError: it cannot be read.
    """
    return came_live(_sources_of(place, since_ns, until_ns))


def _sources_of(place: Path, since_ns: int | None, until_ns: int | None) -> list[PlayedSource]:
    ticks, _ = conditions("exchange_ns", since_ns=since_ns, until_ns=until_ns)
    starts, _ = conditions("start_ns", since_ns=since_ns, until_ns=until_ns)
    with owner_at(place) as owner:
        return [PlayedSource(*row) for row in rows_of(owner, PLAYED.format(ticks=ticks, starts=starts), ())]


def interval_of_candles(sources: Sequence[PlayedSource]) -> int | None:
    """Return the length of the candles that all of these have played, in ns; None: at least one has played ticks.

    A recording of candles has four ticks of each, or none are kept. Those made of ticks have any number of them.
    """
    lengths = {each.interval_ns if _is_of_candles(each) else None for each in sources}
    return lengths.pop() if len(lengths) == 1 else None


def came_live(sources: Sequence[PlayedSource]) -> bool:
    """Tell whether ticks of one of these came from a feed."""
    return any(each.ticks and not each.source.startswith((MADE_UP, REPLAYED)) for each in sources)


def _is_of_candles(found: PlayedSource) -> bool:
    if not (found.source.startswith(REPLAYED) and found.candles):
        return False
    if not found.ticks:
        return True
    # A time that begins or ends in the middle, or a session that did, has a part of one candle of each symbol.
    return abs(found.ticks - TICKS_A_CANDLE * found.candles) <= TICKS_A_CANDLE * found.symbols


def stored_files(  # noqa: PLR0913  by name
    place: Path,
    folder: Path,
    *,
    symbols: Sequence[str] = (),
    source: str = "",
    since_ns: int | None = None,
    until_ns: int | None = None,
    interval: str = "",
) -> tuple[Path, ...]:
    """Write what a database has of a time into files in the new folder `folder`; return those to be played.

    They are its ticks, where it has any and no length of candles is wanted; else its candles of one length.

    Args:
        place: one of its files, or a data directory.
        folder: the files are the caller's to delete.
        symbols: only these; empty: all.
        source: of ticks, where several were recorded at one time.
        since_ns: nothing before: nanoseconds since 1970-01-01 UTC.
        until_ns: nothing from then on.
        interval: length of candles, such as `5m`.

    Raises:
        RecordingError: it has nothing of it, candles of several lengths, or ticks of one symbol and time twice.
        DatabaseError, ControlError: it cannot be read.
    """
    with owner_at(place) as owner:
        where, parameters = conditions(
            "exchange_ns",
            symbols=symbols,
            sources=(source,) if source else (),
            since_ns=since_ns,
            until_ns=until_ns,
        )
        sources = () if interval else _sources(place, rows_of(owner, SPANS.format(where=where), parameters))
        files = [
            folder / each.file
            for each in export(folder, owner, symbols=symbols, sources=sources, since_ns=since_ns, until_ns=until_ns)
        ]
    return _chosen(files, interval, place)


def _sources(place: Path, spans: Sequence[tuple[str, str, int, int]]) -> tuple[str, ...]:
    """Return whose ticks are played, of each symbol at one time those of one source.

    Raises:
        RecordingError: two have a symbol at one time.
    """
    names = {source for _, source, _, _ in spans}
    originals = {name for name in names if not name.startswith(REPLAYED)} or names
    newest: dict[str, tuple[str, int]] = {}
    for symbol, source, first_ns, last_ns in spans:
        if source not in originals:
            continue
        before, until_ns = newest.get(symbol, (source, last_ns))
        if before != source and first_ns <= until_ns:
            raise RecordingError(
                place, 0, f"the ticks of one source at a time are wanted, found {symbol} of {before} and of {source}"
            )
        newest[symbol] = source, max(last_ns, until_ns)
    return tuple(sorted(originals))


def _chosen(files: Sequence[Path], interval: str, place: Path) -> tuple[Path, ...]:
    ticks = tuple(path for path in files if path.name.startswith("ticks-"))
    candles = {_seconds(path): path for path in files if path.name.startswith("candles-")}
    if interval:
        wanted = duration_ns(interval) / SECOND_NS
        if wanted in candles:
            return (candles[wanted],)
        raise RecordingError(place, 0, f"candles of {interval} wanted, found {_lengths(candles)}")
    if ticks:
        return ticks
    if len(candles) == 1:
        return tuple(candles.values())
    raise RecordingError(
        place,
        0,
        f"ticks, or candles of one length (--interval), wanted for that time and symbols, found {_lengths(candles)}",
    )


def _seconds(path: Path) -> float:
    return float(path.stem.removeprefix("candles-").removesuffix("s"))


def _lengths(candles: Mapping[float, Path]) -> str:
    return " and ".join(f"{each:g} s" for each in sorted(candles)) if candles else "none"
