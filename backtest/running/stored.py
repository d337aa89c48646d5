"""Market data of a database, written as files of whole days, of which a feed plays the part that is wanted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...actors.feed import RecordingError
from ...actors.strategy import path_of
from ...domain.time import day_of, day_start_ns
from ...transfer import is_database, stored_files
from ..errors import BacktestRefusedError
from ..plan import END_NS
from .warm_up import bars_wanted, past_ns

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from ..plan import Plan


def recordings_of(plan: Plan, scratch: Path) -> tuple[Path, ...]:
    """Return the files to be played: those of the plan, or what its database has, written into the folder `scratch`.

    Raises:
        BacktestRefusedError: the database has nothing of it, or candles of several lengths.
        DatabaseError: it cannot be read.
    """
    databases = [path for path in plan.data if is_database(path)]
    if not databases:
        return plan.data
    if len(plan.data) > 1:
        raise BacktestRefusedError(f"one database or files are wanted, found {', '.join(map(str, plan.data))}")
    since_ns = max(0, plan.since_ns - past_ns(bars_wanted([path_of(plan.strategy)])))
    return stored_in(
        databases[0], scratch, symbols=plan.symbols, since_ns=since_ns, until_ns=plan.until_ns, interval=plan.interval
    )


def stored_in(  # noqa: PLR0913  by name
    place: Path, scratch: Path, *, symbols: Sequence[str], since_ns: int, until_ns: int, interval: str
) -> tuple[Path, ...]:
    """Write what a database (its file, or its data directory) has of a time into files in `scratch`; return them.

    Raises:
        BacktestRefusedError: the database has nothing of it, candles of several lengths, or ticks twice.
        DatabaseError: it cannot be read.
    """
    try:
        return stored_files(
            place,
            scratch / "stored",
            symbols=symbols,
            since_ns=day_start_ns(day_of(since_ns)) if since_ns else None,
            until_ns=day_start_ns(day_of(until_ns - 1) + 1) if until_ns != END_NS else None,
            interval=interval,
        )
    except RecordingError as fault:
        raise BacktestRefusedError(f"{fault.reason} in {place}") from fault
