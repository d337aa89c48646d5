"""How the figures of a report are written for people, on a terminal and on a page (pure)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeAlias

from ...domain.time import time_text
from ...domain.wording import counted

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from .report import Part, Report

NONE: Final = "-"

Named: TypeAlias = tuple[str, str]
"""What it is, and how much."""


def percent_text(fraction: float | None) -> str:
    """Return a fraction in percent; `-` where it has no meaning, as the others do."""
    return NONE if fraction is None else f"{fraction * 100:,.2f} %"


def number_text(value: float | None) -> str:
    """Return a ratio."""
    return NONE if value is None else f"{value:,.2f}"


def _with_error(value: float | None, error: float | None) -> str:
    return NONE if value is None else f"{number_text(value)} \u00b1 {number_text(error)}"


def rupees_text(amount: Any, *, signed: bool = True) -> str:
    """Return an amount with its paise."""
    return NONE if amount is None else f"{amount:+,.2f}" if signed else f"{amount:,.2f}"


def day_text(time_ns: int) -> str:
    """Return the day in India of a time (ns since 1970-01-01 UTC)."""
    return time_text(time_ns)[:10]


def headline(report: Report) -> tuple[str, ...]:
    """Return in lines what was tested."""
    return (
        f"{report.strategy} on {', '.join(report.symbols) or 'nothing'}",
        f"{_moment(report.first_ns)} to {_moment(report.last_ns)}",
        f"{counted(report.days, 'day')}, {counted(report.ticks, 'tick')}, {counted(report.candles, 'candle')}",
        f"latency {report.latency_s * 1e3:,.6g} ms, charges {report.charge_model}",
    )


def measures_shown(report: Report) -> tuple[tuple[Named, Named], ...]:
    """Return the measures: of the account, and beside them those of its trades."""
    return (
        (("return", percent_text(report.total_return)), ("trades", f"{report.trades:,}")),
        (("CAGR", percent_text(report.cagr)), ("open at the end", f"{report.open_trades:,}")),
        (("volatility", percent_text(report.volatility)), ("win rate", percent_text(report.win_rate))),
        (("max drawdown", percent_text(report.max_drawdown)), ("profit factor", number_text(report.profit_factor))),
        (
            ("its longest", f"{report.longest_drawdown_days:,.1f} days"),
            ("expectancy", rupees_text(report.expectancy_rupees)),
        ),
        (("Sharpe", _with_error(report.sharpe, report.sharpe_error)), ("best trade", rupees_text(report.best_rupees))),
        (("Sortino", number_text(report.sortino)), ("worst trade", rupees_text(report.worst_rupees))),
        (("Calmar", number_text(report.calmar)), ("exposure", percent_text(report.exposure))),
    )


def amounts_shown(report: Report) -> tuple[tuple[Named, Named], ...]:
    """Return the amounts of the account, and beside them what its orders came to."""
    return (
        (("capital", rupees_text(report.capital_rupees, signed=False)), ("orders", f"{report.orders:,}")),
        (("profit", rupees_text(report.profit_rupees)), ("fills", f"{report.fills:,}")),
        (("charges", rupees_text(-report.charges_rupees)), ("refused", f"{sum(report.refused.values()):,}")),
        (("net", rupees_text(report.net_rupees)), ("rejected", f"{report.rejected:,}")),
        (
            ("final", rupees_text(report.final_rupees, signed=False)),
            ("turnover", f"{report.turnover:,.2f} x capital"),
        ),
    )


def left_shown(report: Report) -> Iterator[str]:
    """Yield lines on orders that were refused, and on what is held at the end, where there is any."""
    if report.refused:
        yield f"refused by rule: {', '.join(f'{rule} {count:,}' for rule, count in report.refused.items())}"
    if report.positions:
        held = ", ".join(f"{symbol} {quantity:+,}" for symbol, quantity in report.positions.items())
        yield f"held at the end: {held}"


PART_HEAD: Final = "trades", "win rate", "charges", "net", "return"


def parts_shown(parts: Iterable[Part]) -> Iterator[tuple[str, ...]]:
    """Yield for each month or symbol its name, and the columns of `PART_HEAD`."""
    for part in parts:
        yield (
            part.name,
            f"{part.trades:,}",
            percent_text(part.win_rate),
            f"{-part.charges_rupees:,}",
            f"{part.net_rupees:+,}",
            percent_text(part.return_),
        )


def _moment(time_ns: int) -> str:
    return time_text(time_ns) if time_ns else NONE
