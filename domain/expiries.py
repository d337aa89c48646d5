"""What becomes of a contract at its end: when its market has closed for the last time, and what it is worth (pure).

The problem: no order closes what is held then, and no trade is told. The exchange pays out, and on the next day the
contract is nowhere: a book that went by orders alone would hold it for ever.

The rule of the exchange: an option is worth what its strike is better than the underlying's closing price, or nothing;
a future is settled at that price, the average of the last half hour. Where the underlying's price of that half hour is
not known, the contract's own stands for it; an older one may be far from what was paid, and then nobody here knows it.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Final, TypeAlias

from .instruments import expiry_of, strike_of, underlying_symbol
from .money import PRICE_PLACES
from .time import SECOND_NS, day_of, day_start_ns, number_of_day
from .venues import session_of_symbol

CLOSING_NS: Final = 1_800 * SECOND_NS
"""The half hour whose prices tell the closing price."""

SETTLES_NS: Final = 600 * SECOND_NS
"""After its end both books settle a contract, each in its own time."""

PriceOf: TypeAlias = Callable[[str], "tuple[float, int] | None"]
"""The last price of a symbol, and its time: rupees, and nanoseconds since 1970-01-01 UTC. None: not known."""


def last_day(symbol: str) -> int | None:
    """Return the last day of a contract in India, where its symbol tells it: days since 1970-01-01."""
    expiry = expiry_of(symbol)
    return None if expiry is None else number_of_day(expiry)


@functools.lru_cache(maxsize=10_000)
def expired_ns(symbol: str) -> int | None:
    """Return when the market of a contract has closed for the last time: nanoseconds since 1970-01-01 UTC.

    Where its exchange does not trade on the day that its symbol names, that is the end of the day. None: the symbol
    names no such day.
    """
    day = last_day(symbol)
    if day is None:
        return None
    session = session_of_symbol(symbol, day_start_ns(day))
    return day_start_ns(day + 1) if session is None else session.ends_ns


def has_expired(symbol: str, now_ns: int) -> bool:
    """Say whether a contract trades no more; never of what names no last day."""
    end_ns = expired_ns(symbol)
    return end_ns is not None and end_ns <= now_ns


def is_settling(symbol: str, ours: int, now_ns: int) -> bool:
    """Say whether a contract is none that two books must agree on: ours has closed it, or is about to."""
    end_ns = expired_ns(symbol)
    return end_ns is not None and end_ns <= now_ns and (not ours or now_ns < end_ns + SETTLES_NS)


def settled_at(symbol: str, day: int | None, price_of: PriceOf) -> float | None:
    """Return the price that settles a contract: rupees, from 0; None: no price of the last half hour tells it.

    Args:
        symbol: of the contract.
        day: its last one, in India: days since 1970-01-01.
        price_of: the market's last prices.
    """

    def at_the_close(name: str) -> float | None:
        known = price_of(name)
        if known is None or day_of(known[1]) != day:
            return None
        session = session_of_symbol(name, known[1])
        return known[0] if session is None or known[1] >= session.ends_ns - CLOSING_NS else None

    name, strike = underlying_symbol(symbol), strike_of(symbol)
    underlying = at_the_close(name) if name else None
    if underlying is None or strike == 0:
        return at_the_close(symbol)
    if strike is None:
        return underlying
    worth = underlying - strike if symbol.endswith("CE") else strike - underlying
    return round(max(worth, 0.0), PRICE_PLACES)
