"""Opening-range breakout: buys above the high of the first minutes, with a stop at their low; flat from 15:20.

Shares that end by a closing auction are sold at 15:10: at 15:15 their stop orders end.

natya run --strategy opening_range:OpeningRange --param minutes=15
natya backtest examples/opening_range.py --data candles.csv
"""

from datetime import date
from typing import Annotated

import msgspec

import natya
from natya.domain.calendar import Session

MINUTE_NS = 60 * 10**9
LAST_MINUTES = 15
"""Nothing is bought in them."""


class OpeningRange(natya.StrategyActor):
    """One trade a day and symbol."""

    class Parameters(msgspec.Struct, frozen=True):
        """What may be set with `--param`."""

        minutes: Annotated[int, msgspec.Meta(ge=1, le=120)] = 30
        quantity: Annotated[int, msgspec.Meta(ge=1)] = 10

    candles = ("1m",)
    warm_up = {"1m": 375}  # noqa: RUF012  a day: the range is known after a restart, too

    def on_begin(self) -> None:
        """Be flat in time."""
        self.traded: dict[str, date] = {}
        self.every("15:10", self.leave_auctions)
        self.every("15:20", self.flatten)

    def on_candle(self, candle: natya.Candle) -> None:
        """Buy at the first close above the range."""
        symbol, today = candle.symbol, self.clock.session
        left = self.clock.minutes_to_close_of(symbol)
        if today is None or left <= LAST_MINUTES:
            return
        if self.position(symbol) or self.traded.get(symbol) == today.day:
            return
        found = self.range_of(symbol, candle.start_ns, today)
        if found is not None and candle.close > found[1]:
            self.traded[symbol] = today.day
            self.buy(symbol, self.parameters.quantity)

    def on_fill(self, fill: natya.OrderFilled) -> None:
        """Protect what was bought."""
        found = self.range_of(fill.symbol, self.clock.now_ns(), self.clock.session)
        if fill.side == "BUY" and found is not None:
            self.sell(fill.symbol, fill.quantity, stop=found[0])

    def leave_auctions(self) -> None:
        """Sell what ends by a closing auction."""
        for symbol in self.traded:
            today = self.clock.session_of(symbol)
            if today is not None and today.closing is not None:
                self.close(symbol)

    def range_of(self, symbol: str, now_ns: int, today: Session | None) -> tuple[float, float] | None:
        """Return low and high of the first minutes of today; None while they are not over, or not known."""
        if today is None:
            return None
        end_ns = today.open_ns + self.parameters.minutes * MINUTE_NS
        past = self.history(symbol, "1m")
        first = (past.start_ns >= today.open_ns) & (past.start_ns < end_ns)
        return (past.low[first].min(), past.high[first].max()) if now_ns >= end_ns and first.any() else None
