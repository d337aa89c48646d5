"""`ExchangeClock`: a strategy's `self.clock`, the time of the exchange and where in its session that is (plain)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from ...domain import calendar
from ...domain.time import IST
from ..runtime import Clock

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=IST) + timedelta(hours=5, minutes=30)


class ExchangeClock:
    """The time: of the market in a replay or backtest, else of the machine; and the session that it falls in.

    `now_ns()` is in nanoseconds since 1970-01-01 UTC, and exact; `monotonic_ns()` never steps back.
    """

    def __init__(self, clock: Clock) -> None:
        """Read the time of another clock."""
        self.now_ns: Final = clock.now_ns
        self.monotonic_ns: Final = clock.monotonic_ns

    @property
    def now(self) -> datetime:
        """The time in India, to the microsecond."""
        return _EPOCH + timedelta(microseconds=self.now_ns() // 1000)

    @property
    def session(self) -> calendar.Session | None:
        """The session of today, with `day`, `open_ns`, `close_ns` and `name`; None on a day without trading."""
        return calendar.session_at(self.now_ns())

    @property
    def is_open(self) -> bool:
        """Whether the exchange trades now."""
        return calendar.is_open(self.now_ns())

    @property
    def minutes_to_close(self) -> float | None:
        """Minutes until the trading of today ends; None before the opening and after the close."""
        return calendar.minutes_to_close(self.now_ns())
