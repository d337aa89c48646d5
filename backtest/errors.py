"""Errors of backtests."""

from __future__ import annotations


class BacktestError(Exception):
    """Base of the errors of backtests."""


class BacktestRefusedError(BacktestError):
    """What is to be tested cannot be: the text says what was wanted and what was found. Correct that."""


class BacktestBrokenError(BacktestError):
    """It did not come to the end of its data, which is broken there. Correct the data."""


class BacktestFailedError(BacktestError):
    """An actor failed for good, most likely the strategy: the text says where. Correct the strategy."""
