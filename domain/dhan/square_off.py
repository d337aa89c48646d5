"""When Dhan closes intraday positions. Source: its help page on the square-off, older than the closing auction.

No other time is known of shares that end by that auction; its entry begins at 15:20.

Shares and their derivatives at 15:20, currencies at 16:45, commodities at 23:15 in New York's summer and at 23:45 in
its winter. Of farm products it names no time: they are taken to be closed as currencies are, 15 minutes before the end.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Final

from ..calendar import MINUTE_NS, session
from ..commodity_sessions import is_summer_in_new_york

if TYPE_CHECKING:
    from datetime import date

    from ..venues import Venue

_AS_SHARES: Final = frozenset({"CASH", "UNDERLYING", "DERIVATIVES"})
_MINUTES: Final = {"CASH": 10, "COMMODITY": 10}
_OTHERS_MINUTES: Final = 15


@functools.lru_cache(maxsize=100)
def square_off_ns(day: date, venue: Venue) -> int | None:
    """Return when intraday positions are closed on a day: nanoseconds since 1970-01-01 UTC; None: it has no session.

    Those of derivatives, and of shares that end by an auction, are closed with those of all shares.
    """
    exchange, market = venue
    market = "CASH" if market in _AS_SHARES else market
    found = session(day, exchange, market)
    if found is None:
        return None
    minutes = _MINUTES.get(market, _OTHERS_MINUTES)
    if market == "COMMODITY" and is_summer_in_new_york(day):
        minutes = _OTHERS_MINUTES
    return found.close_ns - minutes * MINUTE_NS
