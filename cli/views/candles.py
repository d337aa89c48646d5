"""Candles that were fetched, and those that are stored, for people and as JSON. Pure, but for `tell_fetch`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

from ...domain.time import duration_text, time_text
from ...domain.wording import counted
from ..terminal import note, tell
from .columns import lined

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.table import Table

    from ...client import Series
    from ...domain.history import Missing
    from ...transfer import Fetch

SHOWN_MAX: Final = 5
"""Gaps that are shown of a symbol; `--json` has all."""


def fetch_json(done: Fetch) -> dict[str, Any]:
    """Return the outcome of a fetch."""
    empty = [{"first": first, "last": last} for first, last in done.empty]
    return msgspec.structs.asdict(done) | {"empty": empty, "missing": [_gap_json(each) for each in done.missing]}


def tell_fetch(done: Fetch) -> None:
    """Print the outcome of a fetch."""
    there = f", {counted(done.days_there, 'day')} fetched before" if done.days_there else ""
    tell(
        f"{done.symbol} {done.interval}: {counted(done.candles, 'candle')}, {done.written:,} written{there}, "
        f"{counted(done.requests, 'request')}, {_missing_text(done.missing)}"
    )
    if done.error:
        note(f"  refused: {done.error}")
    if done.adjusted_by is not None:
        note(f"  earlier prices were adjusted by {done.adjusted_by:g} since they were fetched: all were fetched again")
    for first, last in done.empty:
        note(f"  {first} to {last}: nothing came, however often it was asked for; the next fetch asks again")
    for reason, count in done.left_out.items():
        note(f"  {counted(count, 'row')} left out: {reason}")
    longest = sorted(done.missing, key=lambda each: -each.candles)[:SHOWN_MAX]
    for each in sorted(longest, key=lambda each: each.start_ns):
        note(f"  missing: {counted(each.candles, 'candle')}, {time_text(each.start_ns)} to {time_text(each.end_ns)}")


def series_json(found: Sequence[Series]) -> dict[str, Any]:
    """Return the candles that are stored."""
    return {
        "series": [
            msgspec.structs.asdict(each)
            | {
                "interval": duration_text(each.interval_ns),
                "first": time_text(each.first_ns),
                "last": time_text(each.last_ns),
                "missing": [_gap_json(gap) for gap in each.missing],
            }
            for each in found
        ]
    }


def series_table(found: Sequence[Series]) -> Table:
    """Return a line for each symbol and length."""
    table = lined("symbol", "candle", "from", "to", "candles", "missing", numbers=("candles",))
    for each in found:
        missing = _missing_text(each.missing) if each.are_hours_known else "the hours of this market are not known"
        table.add_row(
            each.symbol,
            duration_text(each.interval_ns),
            time_text(each.first_ns),
            time_text(each.last_ns),
            f"{each.candles:,}",
            missing,
        )
    return table


def _missing_text(missing: Sequence[Missing]) -> str:
    if not missing:
        return "none missing"
    candles, sessions = sum(each.candles for each in missing), sum(each.sessions for each in missing)
    whole = f", {counted(sessions, 'whole session')} among them" if sessions else ""
    return f"{counted(candles, 'candle')} missing in {counted(len(missing), 'gap')}{whole}"


def _gap_json(each: Missing) -> dict[str, Any]:
    return msgspec.structs.asdict(each) | {"start": time_text(each.start_ns), "end": time_text(each.end_ns)}
