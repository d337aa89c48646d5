"""The report of a backtest on a terminal, and how far one is."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any, Final

from ...domain.time import time_text
from ...domain.wording import counted
from ..terminal import err

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ...backtest import Report
    from ...backtest.figures.report import Part
    from ...backtest.parity import Parity
    from ...backtest.sweeping.outcomes import Outcome
    from ...backtest.sweeping.sweep import Walk

NONE: Final = "-"
SHOWN_MAX: Final = 20
"""Choices of a sweep that are shown."""

OUTCOME_HEAD: Final = "trades", "win rate", "net", "return", "drawdown", "Sharpe", "profit factor"


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
    return "\n".join([f"{counts}, {again}", said, *(f"note: {note}" for note in found.notes)])


def sweep_text(found: list[Outcome] | Walk, by: str) -> str:
    """Return what a sweep or a walk came to, as text for people: the best first, or step by step."""
    if isinstance(found, list):
        ranked = sorted(found, key=lambda outcome: -outcome.by(by))
        shown = ranked[:SHOWN_MAX]
        rows = [_outcome_row(outcome, "") for outcome in shown]
        more = len(ranked) - len(shown)
        return "\n".join(
            [
                *_aligned([("parameters", *OUTCOME_HEAD), *rows]),
                *([f"and {more:,} more (--json, or --results FILE)"] if more else []),
                f"note: best of {len(found):,} by {by}, chosen with hindsight: --train and --test show if it holds",
            ]
        )
    rows = [
        row
        for step in found.steps
        for row in (
            _outcome_row(step.trained, f"{_day(step.window.train_ns)} train"),
            _outcome_row(step.tested, f"{_day(step.window.test_ns)} test"),
        )
    ]
    return "\n".join(
        [
            *_aligned([("from", "parameters", *OUTCOME_HEAD), *rows]),
            f"all times of testing: {_rupees(found.net_rupees)} rupees, {_percent(found.total_return)}",
            "note: each begins flat, without history; only the tests count: trainings were chosen by their result",
        ]
    )


def _outcome_row(outcome: Outcome, when: str) -> tuple[str, ...]:
    parameters = " ".join(f"{name}={value}" for name, value in outcome.parameters.items())
    return (
        *([when] if when else []),
        parameters,
        f"{outcome.trades:,}",
        _percent(outcome.win_rate),
        _rupees(outcome.net_rupees),
        _percent(outcome.total_return),
        _percent(outcome.max_drawdown),
        _number(outcome.sharpe),
        _number(outcome.profit_factor),
    )


def _aligned(rows: list[tuple[str, ...]]) -> Iterator[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    texts = len(rows[0]) - len(OUTCOME_HEAD)
    for row in rows:
        cells = zip(row, widths, strict=True)
        yield "  ".join(
            cell.ljust(width) if place < texts else cell.rjust(width) for place, (cell, width) in enumerate(cells)
        ).rstrip()


def _day(time_ns: int) -> str:
    return time_text(time_ns)[:10]


def report_text(report: Report) -> str:
    """Return the report as text for people."""
    lines = [
        f"{report.strategy} on {', '.join(report.symbols) or 'nothing'}",
        f"{_moment(report.first_ns)} to {_moment(report.last_ns)}",
        f"{counted(report.days, 'day')}, {counted(report.ticks, 'tick')}, {counted(report.candles, 'candle')}",
        f"latency {report.latency_s * 1e3:,.6g} ms, charges {report.charge_model}",
        "",
        *_table(
            ("return", _percent(report.total_return), "trades", f"{report.trades:,}"),
            ("CAGR", _percent(report.cagr), "open at the end", f"{report.open_trades:,}"),
            ("volatility", _percent(report.volatility), "win rate", _percent(report.win_rate)),
            ("max drawdown", _percent(report.max_drawdown), "profit factor", _number(report.profit_factor)),
            (
                "its longest",
                f"{report.longest_drawdown_days:,.1f} days",
                "expectancy",
                _rupees(report.expectancy_rupees),
            ),
            ("Sharpe", _number(report.sharpe), "best trade", _rupees(report.best_rupees)),
            ("Sortino", _number(report.sortino), "worst trade", _rupees(report.worst_rupees)),
            ("Calmar", _number(report.calmar), "exposure", _percent(report.exposure)),
        ),
        "",
        *_table(
            ("capital", _rupees(report.capital_rupees, signed=False), "orders", f"{report.orders:,}"),
            ("profit", _rupees(report.profit_rupees), "fills", f"{report.fills:,}"),
            ("charges", _rupees(-report.charges_rupees), "refused", f"{sum(report.refused.values()):,}"),
            ("net", _rupees(report.net_rupees), "rejected", f"{report.rejected:,}"),
            ("final", _rupees(report.final_rupees, signed=False), "turnover", f"{report.turnover:,.2f} x capital"),
        ),
    ]
    if report.refused:
        lines.append(f"refused by rule: {', '.join(f'{rule} {count:,}' for rule, count in report.refused.items())}")
    if report.positions:
        held = ", ".join(f"{symbol} {quantity:+,}" for symbol, quantity in report.positions.items())
        lines.append(f"held at the end: {held}")
    lines += ["", *_parts("month", report.months)]
    if len(report.by_symbol) > 1:
        lines += ["", *_parts("symbol", report.by_symbol)]
    lines += [f"note: {note}" for note in report.notes]
    return "\n".join(lines)


def _parts(kind: str, parts: tuple[Part, ...]) -> Iterator[str]:
    width = max([len(kind), *(len(part.name) for part in parts)])
    yield f"{kind:<{width}} {'trades':>8} {'win rate':>9} {'charges':>14} {'net':>16} {'return':>9}"
    for part in parts:
        yield (
            f"{part.name:<{width}} {part.trades:>8,} {_percent(part.win_rate):>9} {-part.charges_rupees:>14,} "
            f"{part.net_rupees:>+16,} {_percent(part.return_):>9}"
        )


def _table(*rows: tuple[str, str, str, str]) -> Iterator[str]:
    for left, value, right, other in rows:
        yield f"{left:<14}{value:>18}    {right:<16}{other:>18}"


def _moment(time_ns: int) -> str:
    return time_text(time_ns) if time_ns else NONE


def _percent(fraction: float | None) -> str:
    return NONE if fraction is None else f"{fraction * 100:,.2f} %"


def _number(value: float | None) -> str:
    return NONE if value is None else f"{value:,.2f}"


def _rupees(amount: Any, *, signed: bool = True) -> str:
    return NONE if amount is None else f"{amount:+,.2f}" if signed else f"{amount:,.2f}"
