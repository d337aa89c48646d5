"""Market data out of a database, as files that a feed plays."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Final

from ...actors.database import OwnFiles
from ...config.loader import load_settings
from ...domain.time import SECOND_NS, day_of, duration_ns
from ...transfer import export
from ..errors import BacktestRefusedError
from ..plan import END_NS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from ..plan import Plan

CORE_NAME: Final = "natya.duckdb"
SUFFIX: Final = ".duckdb"

_EPOCH: Final = dt.date(1970, 1, 1)


def recordings_of(plan: Plan, scratch: Path) -> tuple[Path, ...]:
    """Return the files to be played: those of the plan, or what its database has, written into the folder `scratch`.

    Raises:
        BacktestRefusedError: the database has nothing of it, or candles of several lengths.
        DatabaseError: it cannot be read.
    """
    stored = [path for path in plan.data if path.suffix == SUFFIX or (path / CORE_NAME).is_file()]
    if not stored:
        return plan.data
    if len(plan.data) > 1:
        raise BacktestRefusedError(f"one database or files are wanted, found {', '.join(map(str, plan.data))}")
    return stored_in(
        stored[0], scratch, symbols=plan.symbols, since_ns=plan.since_ns, until_ns=plan.until_ns, interval=plan.interval
    )


def stored_in(  # noqa: PLR0913  by name
    place: Path, scratch: Path, *, symbols: Sequence[str], since_ns: int, until_ns: int, interval: str
) -> tuple[Path, ...]:
    """Write what a database (its file, or its data directory) has of a time into files in `scratch`; return them.

    Raises:
        BacktestRefusedError: the database has nothing of it, or candles of several lengths.
        DatabaseError: it cannot be read.
    """
    folder = place.parent if place.suffix == SUFFIX else place
    settings = load_settings("paper", environment={}, overrides={"system.data_dir": str(folder)})
    with OwnFiles(settings, read_only=True) as owner:
        written = export(
            scratch / "stored",
            owner,
            symbols=symbols,
            first_day=_day(since_ns) if since_ns else None,
            last_day=_day(until_ns - 1) if until_ns != END_NS else None,
        )
        files = [scratch / "stored" / each.file for each in written]
    return _chosen(files, interval, place)


def _chosen(files: Sequence[Path], interval: str, whence: Path) -> tuple[Path, ...]:
    """Choose ticks where there are any and no length of candles is wanted; else the candles of one length."""
    ticks = tuple(path for path in files if path.name.startswith("ticks-"))
    candles = {_seconds(path): path for path in files if path.name.startswith("candles-")}
    if interval:
        wanted = duration_ns(interval) // SECOND_NS
        if wanted in candles:
            return (candles[wanted],)
        raise BacktestRefusedError(f"candles of {interval} wanted, found {_lengths(candles)} in {whence}")
    if ticks:
        return ticks
    if len(candles) == 1:
        return tuple(candles.values())
    raise BacktestRefusedError(
        f"ticks, or candles of one length (--interval), wanted for that time, found {_lengths(candles)} in {whence}"
    )


def _seconds(path: Path) -> int:
    return int(path.stem.removeprefix("candles-").removesuffix("s"))


def _lengths(candles: dict[int, Path]) -> str:
    return " and ".join(f"{each} s" for each in sorted(candles)) if candles else "none"


def _day(time_ns: int) -> dt.date:
    return _EPOCH + dt.timedelta(days=day_of(time_ns))
