"""Errors of backtests."""

from __future__ import annotations


class BacktestError(Exception):
    """Base of the errors of backtests."""


class BacktestRefusedError(BacktestError):
    """The test cannot be run as requested: the text says what was wanted and what was found. Correct that."""


class BacktestBrokenError(BacktestError):
    """The test did not reach the end of its data, which are broken there. Correct the data."""


class BacktestFailedError(BacktestError):
    """An actor failed for good, most likely the strategy: the text says where. Correct the strategy."""
