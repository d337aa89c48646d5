"""The days of brackets (plain): when the exchange takes orders, and since when exits of a day before may be placed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from .....domain.calendar import next_open
from .....domain.time import SECOND_NS, day_of, day_start_ns
from .....domain.venues import session_of_symbol, venue_of_symbol
from ..due import DayDue

if TYPE_CHECKING:
    from .....domain.calendar import Exchange, Session
    from ....runtime import Timer
    from ..context import OrdersContext

OPENED_S: Final = 5.0
"""Seconds that a session is open before exits of a day before are placed again: a clock may be ahead of the broker's,
which refuses what comes too early."""

COMPARED_S: Final = 60.0
"""Seconds that they wait at most for a look at the broker's positions, counted from the opening of the session."""

DAY_LOOK_MAX_S: Final = 60.0
"""Seconds from one look whether the day has begun to the next, at most: a machine may sleep over it."""

DAY_LOOK_MIN_S: Final = 1.0
"""The same, at least."""


class Days:
    """Knows the sessions, and waits for the next one where an exit does."""

    def __init__(self, context: OrdersContext) -> None:
        """Begin with nothing that waits."""
        self._context: Final = context
        self._timer: Timer | None = None

    def takes_orders(self, symbol: str) -> bool:
        """Say whether the broker takes an order now, as far as it has sessions."""
        if self._context.settings.session == "none":
            return True
        session = self._session(symbol)
        return session is not None and session.takes_orders(self._context.now_ns())

    def began_ns(self, symbol: str) -> int:
        """Return when the day began, in India, on which exits of days before may be placed now; 0: not now.

        Its session is open, and the broker's positions were looked at: what is held by our book may have been sold
        meanwhile. Where they cannot be had for a minute, our book counts: a stop goes before.
        """
        context, session = self._context, self._session(symbol)
        now_ns = context.now_ns()
        if session is None or not session.has(now_ns):
            return 0
        open_s = (now_ns - session.open_ns) / SECOND_NS
        is_known = context.is_compared or not context.settings.is_compared or open_s >= COMPARED_S
        return day_start_ns(day_of(now_ns)) if is_known and open_s >= OPENED_S else 0

    def wait(self, symbol: str) -> None:
        """Look again (`DayDue`) once its session has begun."""
        if self._timer is not None:
            return
        context, session = self._context, self._session(symbol)
        now_ns, wait_s = context.now_ns(), DAY_LOOK_MIN_S
        if session is None or not session.has(now_ns) or self.began_ns(symbol):
            opens_ns = next_open(now_ns, *venue_of_symbol(symbol, self._exchange))
            wait_s = max((opens_ns - now_ns) / SECOND_NS + OPENED_S, DAY_LOOK_MIN_S)
        self._timer = context.after(wait_s if context.market_rules else min(wait_s, DAY_LOOK_MAX_S), DayDue())

    def looked(self) -> None:
        """Wait no more: all brackets are looked at."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _session(self, symbol: str) -> Session | None:
        return session_of_symbol(symbol, self._context.now_ns(), self._exchange)

    @property
    def _exchange(self) -> Exchange:
        named = self._context.settings.session
        return "NSE" if named == "none" else named
