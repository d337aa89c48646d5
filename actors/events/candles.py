"""The candles that the router builds from ticks, and closes in time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from ...domain.candle_making import NEVER_NS, CandleMaker
from ...domain.candles import fault_of_interval
from ...domain.time import SECOND_NS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from ...domain.candle_making import SymbolCandles
    from ...messages.market import Candle, Tick
    from ..runtime import RuntimeActor, Timer
    from .settings import EventsSettings

INTERVALS_MAX: Final = 32
"""Lengths of candles in one subscription."""


class CloseCandles(msgspec.Struct, frozen=True, gc=False):
    """To the router itself: the time of a candle may be over."""


class CandlesInTime:
    """Grows candles by ticks, and closes those whose time is over by the actor's clock.

    In a simulated market all ticks of a moment come before the candles that end in it are closed: a tick may be of
    another symbol, and a recording may have the candle itself. And there is no close but the end of an interval, as in
    a recording.

    Args:
        actor: provides the clock and the timer.
        settings: when a live market closes, and how late its ticks may be.
        tell: sends closed candles to their subscribers.
    """

    def __init__(self, actor: RuntimeActor, settings: EventsSettings, tell: Callable[[Iterable[Candle]], None]) -> None:
        self._actor: Final = actor
        self._tell: Final = tell
        self._is_simulated: Final = actor.market_rules
        self._wait_ns: Final = 1 if self._is_simulated else int(settings.candle_wait_s * SECOND_NS)
        self.maker = CandleMaker(exchange=None if self._is_simulated else settings.exchange)
        self._timer: Timer | None = None
        self._timer_ns = NEVER_NS

    @property
    def since_ns(self) -> int:
        """Time from which a candle that begins now is complete; a recording is heard from its beginning."""
        return 0 if self._is_simulated else self._actor.clock.now_ns()

    def take_over(self, maker: CandleMaker) -> None:
        """Go on with the open candles of the earlier instance."""
        self.maker = maker
        self._set_timer()

    def grow(self, candles: SymbolCandles, tick: Tick) -> None:
        """Add the tick to its candles, and send those that it closes."""
        maker = self.maker
        late = maker.late
        if closed := candles.add(tick):
            self._tell(closed)
        if maker.late != late:
            behind_s = (self._actor.clock.now_ns() - tick.exchange_ns) / SECOND_NS
            self._actor.log_bounded("tick.late", level="warning", symbol=tick.symbol, behind_s=round(behind_s, 3))
        if maker.next_close_ns < self._timer_ns:
            self._set_timer()

    def close(self) -> None:
        """Send the candles whose time is over."""
        self._tell(self.maker.close_until(self._actor.clock.now_ns() - self._wait_ns))
        self._set_timer()

    def is_recorded(self, candle: Candle) -> bool:
        """Note that the recording has candles of this kind, so that none are built; return whether that is new."""
        return self._is_simulated and self.maker.leave_to_recording(candle.symbol, candle.interval_ns)

    def _set_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._timer_ns = self.maker.next_close_ns
        if self._timer_ns != NEVER_NS:
            wait_ns = self._timer_ns + self._wait_ns - self._actor.clock.now_ns()
            self._timer = self._actor.after(max(0, wait_ns) / SECOND_NS, CloseCandles())


def fault_of(intervals_ns: tuple[int, ...]) -> str:
    """Say what is wrong with the intervals of a subscription; empty if nothing is."""
    if len(intervals_ns) > INTERVALS_MAX:
        return f"at most {INTERVALS_MAX} lengths of candles wanted, found {len(intervals_ns)}"
    return next(filter(None, map(fault_of_interval, intervals_ns)), "")
