"""Backtests: a strategy on market data of the past, by the actors that trade on paper and live.

What differs from a live day is the clock (that of the recording), the feed, and the broker's body. A test is a function
of its data, its settings and its seed: the same inputs give the same journal, to the byte.

plan        what is to be tested, in the user's words; errors
running/    the actors of a test, from their start to their end
figures/    what came of it: trades, charges, equity, measures, report; pure
sweeping/   many tests of one strategy: every choice of parameters, and walks forward
parity      whether a backtest gives the orders of a recorded session
pages/      what came of it as a page of HTML, of one test and of a sweep
result      `natya.backtest(…)`, and its tables
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

from ..domain.lazily import lazily

if TYPE_CHECKING:
    from .errors import BacktestBrokenError, BacktestError, BacktestFailedError, BacktestRefusedError
    from .figures.report import Report
    from .plan import Plan
    from .result import BacktestResult, backtest, perform

__all__ = [
    "BacktestBrokenError",
    "BacktestError",
    "BacktestFailedError",
    "BacktestRefusedError",
    "BacktestResult",
    "Plan",
    "Report",
    "backtest",
    "perform",
]

_HOMES = {
    ".errors": ("BacktestBrokenError", "BacktestError", "BacktestFailedError", "BacktestRefusedError"),
    ".figures.report": ("Report",),
    ".plan": ("Plan",),
    ".result": ("BacktestResult", "backtest", "perform"),
}

__getattr__ = lazily(__name__, _HOMES)


class _Callable(ModuleType):
    """This package is called what its function is: whichever of both `natya.backtest` is, it can be called."""

    def __call__(self, *arguments: Any, **options: Any) -> BacktestResult:
        from .result import backtest  # noqa: PLC0415  loads everything

        return backtest(*arguments, **options)


sys.modules[__name__].__class__ = _Callable
