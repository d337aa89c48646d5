"""The report of a backtest on a terminal, and its progress."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Final

from ...backtest.figures.shown import (
    PART_HEAD,
    amounts_shown,
    headline,
    left_shown,
    measures_shown,
    parts_shown,
    percent_text,
    rupees_text,
)
from ...backtest.sweeping.shown import OUTCOME_HEAD, outcome_shown, steps_shown, told_of_sweep, told_of_walk
from ...domain.time import time_text
from ...domain.wording import counted
from ..terminal import err

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from ...backtest import Report
    from ...backtest.figures.report import Part
    from ...backtest.figures.shown import Named
    from ...backtest.parity import Parity
    from ...backtest.sweeping.outcomes import Outcome
    from ...backtest.sweeping.sweep import Walk

SHOWN_MAX: Final = 20
"""Choices of a sweep that are shown."""


@contextlib.contextmanager
def progress() -> Iterator[Callable[[int], None]]:
    """Show on a terminal which time of the market is played; nothing where standard error is none."""
    if not err().isatty():
        yield lambda _now_ns: None
        return
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn  # noqa: PLC0415  only for terminals

    from .tables import PlainConsole  # noqa: PLC0415  the same

    columns = SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn()
    with Progress(*columns, console=PlainConsole(stderr=True), transient=True) as shown:
        task = shown.add_task("reading", total=None)
        yield lambda now_ns: shown.update(task, description=time_text(now_ns))


@contextlib.contextmanager
def counting() -> Iterator[Callable[[int, int], None]]:
    """Show on a terminal how many tests are done; nothing where standard error is none."""
    if not err().isatty():
        yield lambda _done, _all: None
        return
    from rich.progress import Progress  # noqa: PLC0415  only for terminals

    from .tables import PlainConsole  # noqa: PLC0415  the same

    with Progress(console=PlainConsole(stderr=True), transient=True) as shown:
        task = shown.add_task("tests", total=None)
        yield lambda done, count: shown.update(task, completed=done, total=count)


def parity_text(found: Parity) -> str:
    """Return the outcome of a comparison as text for people."""
    counts = f"{counted(found.orders, 'order')} and {counted(found.fills, 'fill')} in the session"
    again = f"{counted(found.backtest_orders, 'order')} and {counted(found.backtest_fills, 'fill')} in the backtest"
    said = f"the first difference: {found.difference}" if found.difference else "the same, one for one"
    played = f"played: {found.played}"
    return "\n".join([f"{counts}, {again}", played, said, *(f"note: {note}" for note in found.notes)])


def sweep_text(found: list[Outcome] | Walk, by: str, more: Iterable[str] = ()) -> str:
    """Return the result of a sweep or a walk as text for people: the best first, or step by step; `more` are notes."""
    if isinstance(found, list):
        ranked = sorted(found, key=lambda outcome: -outcome.by(by))
        rows = [outcome_shown(outcome) for outcome in ranked[:SHOWN_MAX]]
        left = len(ranked) - len(rows)
        lines = [
            *_aligned([("parameters", *OUTCOME_HEAD), *rows]),
            *([f"and {left:,} more (--json, --html FILE or --results FILE)"] if left else []),
            *(f"note: {each}" for each in told_of_sweep(found, by, more)),
        ]
    else:
        lines = [
            *_aligned([("from", "parameters", *OUTCOME_HEAD), *steps_shown(found)]),
            f"all times of testing: {rupees_text(found.net_rupees)} rupees, {percent_text(found.total_return)}",
            *(f"note: {each}" for each in told_of_walk(found, more=more)),
        ]
    return "\n".join(lines)


def _aligned(rows: list[tuple[str, ...]]) -> Iterator[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    texts = len(rows[0]) - len(OUTCOME_HEAD)
    for row in rows:
        cells = zip(row, widths, strict=True)
        yield "  ".join(
            cell.ljust(width) if place < texts else cell.rjust(width) for place, (cell, width) in enumerate(cells)
        ).rstrip()


def report_text(report: Report) -> str:
    """Return the report as text for people."""
    lines = [
        *headline(report),
        "",
        *_table(measures_shown(report)),
        "",
        *_table(amounts_shown(report)),
        *left_shown(report),
        "",
        *_parts("month", report.months),
    ]
    if len(report.by_symbol) > 1:
        lines += ["", *_parts("symbol", report.by_symbol)]
    lines += [f"note: {note}" for note in report.notes]
    return "\n".join(lines)


def _parts(kind: str, parts: tuple[Part, ...]) -> Iterator[str]:
    width = max([len(kind), *(len(part.name) for part in parts)])
    for name, trades, win_rate, charges, net, return_ in ((kind, *PART_HEAD), *parts_shown(parts)):
        yield f"{name:<{width}} {trades:>8} {win_rate:>9} {charges:>14} {net:>16} {return_:>9}"


def _table(rows: Iterable[tuple[Named, Named]]) -> Iterator[str]:
    for (left, value), (right, other) in rows:
        yield f"{left:<14}{value:>18}    {right:<16}{other:>18}"
