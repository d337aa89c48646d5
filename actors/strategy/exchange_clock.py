"""`ExchangeClock`: a strategy's `self.clock`, the time of the exchange and where in its session that is (plain)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from ...domain import calendar
from ...domain.time import EPOCH
from ...domain.venues import session_of_symbol, venue_of_symbol
from ..runtime import Clock


class ExchangeClock:
    """The time: of the market in a replay or backtest, else of the machine; and the session that it falls in.

    `now_ns()` is in nanoseconds since 1970-01-01 UTC, and exact; `monotonic_ns()` never steps back.
    """

    def __init__(self, clock: Clock) -> None:
        """Read the time of another clock."""
        self.now_ns: Final = clock.now_ns
        self.monotonic_ns: Final = clock.monotonic_ns
        self.elapsed_ns: Final = clock.elapsed_ns

    @property
    def now(self) -> datetime:
        """The time in India, to the microsecond."""
        return EPOCH + timedelta(microseconds=self.now_ns() // 1000)

    @property
    def session(self) -> calendar.Session | None:
        """The session of today, with `day`, `open_ns`, `close_ns` and `name`; None on a day without trading."""
        return calendar.session_at(self.now_ns())

    @property
    def is_open(self) -> bool:
        """Whether the exchange trades now."""
        return calendar.is_open(self.now_ns())

    @property
    def minutes_to_close(self) -> float:
        """Minutes until the trading of today ends; 0.0 before the opening and after the close.

        A number always: the candle that ends with the session comes at its close.
        That of shares without derivatives: others end before it, or after it (`minutes_to_close_of`).
        """
        return calendar.minutes_to_close(self.now_ns())

    def session_of(self, symbol: str) -> calendar.Session | None:
        """Return the session that a symbol has today, with its closing auction (`closing`) where one is held."""
        return session_of_symbol(symbol, self.now_ns())

    def minutes_to_close_of(self, symbol: str) -> float:
        """Return the minutes until continuous trading of a symbol ends: 15:15 where a closing auction follows.

        0.0 while there is none.
        """
        return calendar.minutes_to_close(self.now_ns(), *venue_of_symbol(symbol))
