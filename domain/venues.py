"""The venue of an instrument, and so its trading hours: by its segment, or by its symbol alone."""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING, Final, NamedTuple

from .calendar import Exchange, Market, Session, day_order_ends_ns, open_spans, session_at
from .closing_auction import built_in_underlyings
from .commodity_sessions import market_of
from .instruments import is_contract
from .time import day_of, day_start_ns

if TYPE_CHECKING:
    from collections.abc import Iterable

_PREFIXES: Final[dict[str, Exchange]] = {"MCX": "MCX", "NSE_COMM": "NSE", "BSE": "BSE", "NSE": "NSE"}
_UNDERLYING: Final = re.compile(r"(?:[A-Z_]+:)?([A-Za-z]+)", re.ASCII)
_CURRENCIES: Final = frozenset({"USDINR", "EURINR", "GBPINR", "JPYINR", "EURUSD", "GBPUSD", "USDJPY"})


class Venue(NamedTuple):
    """Whose sessions hold; `session(day, *venue)`."""

    exchange: Exchange
    market: Market


SHARES: Final = Venue("NSE", "CASH")
VENUES_KEPT: Final = 10_000
"""Instruments whose venue is remembered: each order asks for it several times."""


@functools.lru_cache(maxsize=VENUES_KEPT)
def venue_of(segment: str, symbol: str, *, is_underlying: bool | None = None) -> Venue:
    """Return it by the segment; of commodities the symbol says whether they are farm products.

    Args:
        segment: an exchange and what is traded there.
        symbol: natya's own name.
        is_underlying: whether derivatives are of this share, where a list of instruments says so; None: by the symbol.
    """
    exchange: Exchange = "BSE" if segment.startswith("BSE") else "MCX" if segment.startswith("MCX") else "NSE"
    if segment.endswith("_COMM"):
        return Venue(exchange, market_of(underlying_of(symbol)))
    if segment.endswith("_CURRENCY"):
        return Venue(exchange, "CURRENCY")
    if segment.endswith("_EQ"):
        return _of_share(exchange, symbol, is_underlying=is_underlying)
    return Venue(exchange, "CASH" if segment == "IDX_I" else "DERIVATIVES")


@functools.lru_cache(maxsize=VENUES_KEPT)
def venue_of_symbol(symbol: str, exchange: Exchange = "NSE") -> Venue:
    """Return it by the symbol alone, as `natya instruments` names it: `MCX:CRUDEOIL-19Oct2026-FUT`.

    Args:
        symbol: natya's own name.
        exchange: of what names none.
    """
    prefix, colon, _ = symbol.partition(":")
    if colon and prefix in _PREFIXES:
        exchange = _PREFIXES[prefix]
        if prefix in {"MCX", "NSE_COMM"}:
            return Venue(exchange, market_of(underlying_of(symbol)))
    if not is_contract(symbol):
        return _of_share(exchange, symbol)
    return Venue(exchange, "CURRENCY" if underlying_of(symbol) in _CURRENCIES else "DERIVATIVES")


def session_of_symbol(symbol: str, time_ns: int, exchange: Exchange = "NSE") -> Session | None:
    """Return the session of the day in India that a time falls on (nanoseconds since 1970-01-01 UTC); None if none."""
    return _session_of_symbol(symbol, day_of(time_ns), exchange)


@functools.lru_cache(maxsize=VENUES_KEPT)
def _session_of_symbol(symbol: str, day: int, exchange: Exchange) -> Session | None:
    return session_at(day_start_ns(day), *venue_of_symbol(symbol, exchange))


def traded_between(symbols: Iterable[str], start_ns: int, end_ns: int, exchange: Exchange = "NSE") -> tuple[str, ...]:
    """Return the symbols whose market had a session between two times: nanoseconds since 1970-01-01 UTC."""
    venues = {symbol: venue_of_symbol(symbol, exchange) for symbol in symbols}
    open_ = {venue for venue in set(venues.values()) if open_spans(start_ns, end_ns, *venue)}
    return tuple(symbol for symbol, venue in venues.items() if venue in open_)


def day_order_ends_ns_of(symbol: str, time_ns: int) -> int:
    """Return when an order of a symbol for the day ends that comes at this time, as `calendar.day_order_ends_ns`."""
    return day_order_ends_ns(time_ns, *venue_of_symbol(symbol))


def aged_at_ns(symbol: str, priced_ns: int, now_ns: int, exchange: Exchange = "NSE") -> int:
    """Return the time at which the age of a price counts: all in nanoseconds since 1970-01-01 UTC.

    That is now; and while a closing auction goes on, the end of continuous trading, since no price has come after it.
    """
    found = session_of_symbol(symbol, now_ns, exchange)
    if found is None or found.closing is None or priced_ns > now_ns:
        return now_ns
    return max(priced_ns, found.closing.priced_ns(now_ns))


def _of_share(exchange: Exchange, symbol: str, *, is_underlying: bool | None = None) -> Venue:
    if is_underlying is None:
        is_underlying = symbol.rpartition(":")[2] in built_in_underlyings()
    return Venue(exchange, "UNDERLYING" if is_underlying else "CASH")


def underlying_of(symbol: str) -> str:
    """Return the name before the expiry in the symbol of a contract; without any, the symbol."""
    found = _UNDERLYING.match(symbol)
    return found[1] if found else symbol
