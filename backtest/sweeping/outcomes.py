"""The outcome of each test of a sweep."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

from ..errors import BacktestRefusedError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..figures.report import Report
    from ..plan import Plan
    from .grid import Choice

MEASURES: Final = (
    "net_rupees",
    "total_return",
    "cagr",
    "sharpe",
    "sortino",
    "calmar",
    "profit_factor",
    "expectancy_rupees",
)
"""Measures by which the best is chosen: more is better."""


def expect_measure(name: str) -> None:
    """Expect one of `MEASURES`.

    Raises:
        BacktestRefusedError: it is none.
    """
    if name not in MEASURES:
        raise BacktestRefusedError(f"a measure wanted, one of {', '.join(MEASURES)}, found {name!r}")


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """One test; the figures are those of its report, where it has one."""

    key: str
    """Digest of data, settings, window and choice: tests with the same key have the same figures."""

    parameters: dict[str, Any]
    since_ns: int
    until_ns: int
    trades: int = 0
    net_rupees: float = 0.0
    charges_rupees: float = 0.0
    total_return: float = 0.0
    cagr: float | None = None
    sharpe: float | None = None
    sortino: float | None = None
    calmar: float | None = None
    max_drawdown: float = 0.0
    win_rate: float | None = None
    profit_factor: float | None = None
    expectancy_rupees: float | None = None
    exposure: float | None = None
    refused: dict[str, int] = {}
    """Orders that a rule of the gate refused, by rule."""

    notes: tuple[str, ...] = ()
    """The notes of its report."""

    failed: str = ""
    """How the strategy failed, or why it was not tested: the figures are then not those of the whole data."""

    @property
    def is_lost(self) -> bool:
        """Whether the account was worth nothing or less at a mark: no broker lets it trade on."""
        return self.max_drawdown <= -1.0

    @property
    def growth(self) -> float:
        """The final value of a rupee; 0.0 where the account was lost."""
        return 0.0 if self.is_lost else 1.0 + self.total_return

    def figure(self, measure: str) -> float | None:
        """Return a measure for a decision; None where it has no value, the strategy failed, or the account was lost."""
        value = None if self.failed or self.is_lost else getattr(self, measure)
        return None if value is None else float(value)

    def by(self, measure: str) -> float:
        """Return a measure as a number for comparisons; a missing one is the least."""
        value = self.figure(measure)
        return float("-inf") if value is None else value


def failed_outcome(key: str, plan: Plan, choice: Choice, failed: str) -> Outcome:
    """Return the outcome of a test that has no figures."""
    return Outcome(key=key, parameters=dict(choice), since_ns=plan.since_ns, until_ns=plan.until_ns, failed=failed)


def outcome_of(key: str, plan: Plan, choice: Choice, report: Report) -> Outcome:
    """Return the outcome of a test."""
    return Outcome(
        key=key,
        parameters=dict(choice),
        since_ns=plan.since_ns,
        until_ns=plan.until_ns,
        trades=report.trades,
        net_rupees=float(report.net_rupees),
        charges_rupees=float(report.charges_rupees),
        total_return=report.total_return,
        cagr=report.cagr,
        sharpe=report.sharpe,
        sortino=report.sortino,
        calmar=report.calmar,
        max_drawdown=report.max_drawdown,
        win_rate=report.win_rate,
        profit_factor=report.profit_factor,
        expectancy_rupees=report.expectancy_rupees,
        exposure=report.exposure,
        refused=report.refused,
        notes=report.notes,
        failed=report.failed,
    )


def best_of(outcomes: Iterable[Outcome], measure: str) -> Outcome:
    """Return the best outcome; among equals the first choice, whichever was tested first."""
    return max(outcomes, key=lambda outcome: outcome.by(measure))
