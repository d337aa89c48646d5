"""When NSE, BSE and MCX trade: their sessions, from dated data (`sessions.toml`), on the exchanges' clock.

NSE and BSE have the same days. Equity derivatives have the hours of shares until August 2026, and then ten minutes
more; shares that derivatives are of (`UNDERLYING`) since then end by an auction (`closing_auction.py`). Commodities
have their own (`commodity_sessions.py`), on NSE, too, and MCX has nothing else. For years that the data does not cover,
holidays are unknown: each weekday is assumed to be a trading day, and its session has `known=False`.
"""

from __future__ import annotations

import functools
import tomllib
from datetime import date, time
from importlib import resources
from typing import Any, Final, Literal, TypeAlias

import msgspec

from .closing_auction import ClosingAuction
from .commodity_sessions import COMMODITIES, Commodity, hours_on, special_hours
from .time import SECOND_NS, day_of, day_of_number, day_start_ns, number_of_day

Exchange: TypeAlias = Literal["NSE", "BSE", "MCX"]

Market: TypeAlias = Literal["CASH", "UNDERLYING", "DERIVATIVES", "CURRENCY", Commodity]
"""Shares and indices; shares that derivatives are of; those derivatives; and what else is traded."""

Span: TypeAlias = tuple[int, int]
"""Start, and end (exclusive): nanoseconds since 1970-01-01 UTC."""

MINUTE_NS: Final = 60 * SECOND_NS

TRADING_DAYS_A_YEAR: Final = 252
"""As everywhere in this trade."""

REACHES_NS: Final = MINUTE_NS
"""A recording with a price so shortly before a close reaches it."""

_CLOSES: Final[dict[Exchange, tuple[Market, ...]]] = {
    "NSE": ("CASH", "DERIVATIVES"),
    "BSE": ("CASH", "DERIVATIVES"),
    "MCX": ("CASH",),
}
_SATURDAY: Final = 5
_MUHURAT: Final = "Muhurat"
_CLOSED_DAYS_MAX: Final = 60
"""Days after which a search for the next session gives up; the longest pause so far was five days."""


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """One day of trading."""

    day: date

    spans: tuple[Span, ...]
    """The hours of continuous trading, in order; two where there is a pause."""

    pre_open_ns: int
    """Start of order entry for the opening auction: nanoseconds since 1970-01-01 UTC; of none, the opening."""

    pre_open_ends_ns: int
    """End of order entry for it, at the latest."""

    name: str = ""
    """Why the day has other hours, or trades at all; empty for an ordinary one."""

    known: bool = True
    """False where the day or its hours are assumed: the data does not cover it."""

    closing: ClosingAuction | None = None
    """The auction after continuous trading; None: there is none."""

    @property
    def open_ns(self) -> int:
        """When trading begins: nanoseconds since 1970-01-01 UTC."""
        return self.spans[0][0]

    @property
    def close_ns(self) -> int:
        """When continuous trading ends (exclusive): nanoseconds since 1970-01-01 UTC."""
        return self.spans[-1][1]

    @property
    def ends_ns(self) -> int:
        """When all is over, the closing auction included (exclusive): nanoseconds since 1970-01-01 UTC."""
        return self.closing.ends_ns if self.closing is not None else self.spans[-1][1]

    def takes_orders(self, time_ns: int) -> bool:
        """Say whether an order is taken at a time: in continuous trading, or in the entry of the closing auction."""
        return self.has(time_ns) or (self.closing is not None and self.closing.takes_orders(time_ns))

    def opens_by_auction(self, time_ns: int) -> bool:
        """Say whether the opening auction goes on at a time: nothing trades before the opening."""
        return self.pre_open_ns <= time_ns < self.open_ns

    def has(self, time_ns: int) -> bool:
        """Say whether there is continuous trading at a time."""
        for start_ns, end_ns in self.spans:  # noqa: SIM110 - a generator would cost more than all of it
            if start_ns <= time_ns < end_ns:
                return True
        return False


class Sessions(msgspec.Struct, frozen=True, kw_only=True):
    """The content of `sessions.toml`; its comments name the circulars of the exchanges."""

    first_year: int
    last_year: int
    normal: dict[str, time]
    holidays: frozenset[date]
    special: dict[tuple[date, str], dict[str, Any]]
    derivatives: tuple[tuple[date, time], ...]
    """Since when they end when, the oldest first; before the first, with shares."""

    currency: dict[str, time]
    futures_pre_open_since: date
    closing_auction: dict[str, Any]


def session(day: date, exchange: Exchange = "NSE", market: Market = "CASH") -> Session | None:
    """Return the session of a day; None if the exchange does not trade on it."""
    return _session(number_of_day(day), exchange, market)


def session_at(time_ns: int, exchange: Exchange = "NSE", market: Market = "CASH") -> Session | None:
    """Return the session of the day in India that a time falls on (nanoseconds since 1970-01-01 UTC); None if none."""
    return _session(day_of(time_ns), exchange, market)


def is_open(time_ns: int, exchange: Exchange = "NSE") -> bool:
    """Tell whether an exchange trades at this time."""
    found = session_at(time_ns, exchange)
    return found is not None and found.has(time_ns)


def trading_days(first_ns: int, last_ns: int, exchange: Exchange | None = "NSE") -> int:
    """Count the days on which an exchange trades, from the day of one time to that of another, both included.

    Where holidays are not known, since the data does not cover the year or there is no exchange, a year has 252.
    """
    known = others = 0
    for day in range(day_of(first_ns), day_of(last_ns) + 1):
        if exchange is None or day_of_number(day).year not in covered_years():
            others += 1
        else:
            known += _session(day, exchange) is not None
    return known + round(others * TRADING_DAYS_A_YEAR / 365.25)


def next_open(time_ns: int, exchange: Exchange = "NSE", market: Market = "CASH") -> int:
    """Return the start of the next session after a time; both in nanoseconds since 1970-01-01 UTC."""
    today = day_of(time_ns)
    for day in range(today, today + _CLOSED_DAYS_MAX):
        found = _session(day, exchange, market)
        if found is not None and found.open_ns > time_ns:
            return found.open_ns
    raise AssertionError(f"a session within {_CLOSED_DAYS_MAX} days is wanted, found none after {time_ns} ns")


def next_turn(time_ns: int, exchange: Exchange = "NSE", market: Market = "CASH") -> int:
    """Return when an exchange next opens or closes after a time; both in nanoseconds since 1970-01-01 UTC."""
    found = session_at(time_ns, exchange, market)
    turns = (turn_ns for span in (found.spans if found is not None else ()) for turn_ns in span)
    return next((turn_ns for turn_ns in turns if turn_ns > time_ns), 0) or next_open(time_ns, exchange, market)


def day_order_ends_ns(time_ns: int, exchange: Exchange = "NSE", market: Market = "CASH") -> int:
    """Return when an order for the day ends that comes at this time: at the end of its day in India.

    That is the day whose session it meets: this one until the close, then the next one that has a session.
    """
    today = session_at(time_ns, exchange, market)
    is_over = today is None or time_ns >= today.ends_ns
    return day_start_ns(day_of(next_open(time_ns, exchange, market) if is_over else time_ns) + 1)


def reached_close_ns(time_ns: int, exchange: Exchange = "NSE") -> int | None:
    """Return the close that a recording reaches which ends at this time; None: it ends at another time of the day.

    It reaches it with a tick in the last minute, or with a candle that ends at the close: of shares, or of derivatives,
    which trade on for some minutes.
    """
    for market in _CLOSES[exchange]:
        found = session_at(time_ns, exchange, market)
        if found is not None and found.close_ns - REACHES_NS < time_ns <= found.close_ns:
            return found.close_ns
    return None


def minutes_to_close(time_ns: int, exchange: Exchange = "NSE", market: Market = "CASH") -> float:
    """Return the minutes until continuous trading ends, a pause included; 0.0 before the open and after the close."""
    found = session_at(time_ns, exchange, market)
    if found is None or not found.open_ns <= time_ns < found.close_ns:
        return 0.0
    return (found.close_ns - time_ns) / MINUTE_NS


def open_spans(start_ns: int, end_ns: int, exchange: Exchange = "NSE", market: Market = "CASH") -> tuple[Span, ...]:
    """List the trading hours between two times (the end exclusive; nanoseconds since 1970-01-01 UTC), in order."""
    found = []
    for day in range(day_of(start_ns), day_of(end_ns) + 1):
        that_day = _session(day, exchange, market)
        for open_ns, close_ns in that_day.spans if that_day is not None else ():
            span = max(open_ns, start_ns), min(close_ns, end_ns)
            if span[0] < span[1]:
                found.append(span)
    return tuple(found)


@functools.cache
def unusual_openings(exchange: Exchange = "NSE") -> tuple[tuple[int, int], ...]:
    """Return the days (since 1970-01-01) whose session begins at another time than most, and when that is.

    In nanoseconds after midnight in India, in order of days.
    """
    data = _sessions()
    usual_ns = _at(0, data.normal["open"]) - day_start_ns(0)
    days = sorted(number_of_day(day) for day, whose in data.special if whose == exchange)
    found = [(day, _session(day, exchange)) for day in days]
    openings = [(day, each.open_ns - day_start_ns(day)) for day, each in found if each is not None]
    return tuple((day, opening_ns) for day, opening_ns in openings if opening_ns != usual_ns)


def covered_years() -> range:
    """Return the years whose holidays and special sessions are known."""
    data = _sessions()
    return range(data.first_year, data.last_year + 1)


@functools.lru_cache(maxsize=10_000)
def _session(day_number: int, exchange: Exchange, market: Market = "CASH") -> Session | None:
    data = _sessions()
    day = day_of_number(day_number)
    known = data.first_year <= day.year <= data.last_year
    if exchange == "MCX" or market in COMMODITIES:
        return _commodity_session(day_number, market if market in COMMODITIES else "COMMODITY")  # type: ignore[arg-type]
    special = data.special.get((day, exchange), {})
    if not special and (day.weekday() >= _SATURDAY or day in data.holidays):
        return None
    if market == "CURRENCY":
        return _currency_session(day_number, special)
    normal = data.normal
    close = normal["close"]
    closing = None
    if market == "UNDERLYING" and not special.get("spans") and day >= data.closing_auction["since"]:
        closing = _closing(day_number, data.closing_auction)
        close = data.closing_auction["starts"]
    if market == "DERIVATIVES":
        close = next((later for since, later in reversed(data.derivatives) if since <= day), close)
    spans = special.get("spans", [[normal["open"], close]])
    if market == "DERIVATIVES":
        spans = special.get("derivatives", spans)
    begins = tuple((_at(day_number, start), _at(day_number, end)) for start, end in spans)
    opens_ns = begins[0][0]
    has_auction = market in {"CASH", "UNDERLYING"} or day >= data.futures_pre_open_since
    entry_ns, entry_ends_ns = (_at(0, normal["open"]) - _at(0, normal[name]) for name in ("pre_open", "pre_open_ends"))
    return Session(
        day=day,
        spans=begins,
        pre_open_ns=opens_ns - entry_ns if has_auction else opens_ns,
        pre_open_ends_ns=opens_ns - entry_ends_ns if has_auction else opens_ns,
        name=special.get("name", "" if known else "assumed: a weekday of a year without data"),
        known=known and not special.get("assumed", False),
        closing=closing,
    )


def _closing(day_number: int, clocks: dict[str, Any]) -> ClosingAuction:
    return ClosingAuction(
        reference_ns=_at(day_number, clocks["reference"]),
        starts_ns=_at(day_number, clocks["starts"]),
        entry_ns=_at(day_number, clocks["entry"]),
        limits_ns=_at(day_number, clocks["limits_alone"]),
        entry_ends_ns=_at(day_number, clocks["entry_ends"]),
        ends_ns=_at(day_number, clocks["ends"]),
    )


def _currency_session(day_number: int, special: dict[str, Any]) -> Session:
    """Return a session of currencies: of a special day of shares they have the hours."""
    hours = _sessions().currency
    spans = tuple(
        (_at(day_number, start), _at(day_number, end))
        for start, end in special.get("spans", [[hours["open"], hours["close"]]])
    )
    day = day_of_number(day_number)
    name = special.get("name", "assumed: a day on which shares trade")
    opens_ns = spans[0][0]
    return Session(day=day, spans=spans, pre_open_ns=opens_ns, pre_open_ends_ns=opens_ns, name=name, known=False)


def _commodity_session(day_number: int, market: Commodity) -> Session | None:
    data, day = _sessions(), day_of_number(day_number)
    special = data.special.get((day, "NSE"), {})
    if special.get("name") == _MUHURAT:
        return _hour_of_muhurat(day_number, special)
    hours = special_hours(day)
    if hours is None and day.weekday() < _SATURDAY:
        hours = hours_on(day, market, is_holiday=day in data.holidays)
    if hours is None:
        return None
    opens_ns = _at(day_number, hours.start)
    return Session(
        day=day,
        spans=((opens_ns, _at(day_number, hours.end)),),
        pre_open_ns=opens_ns,
        pre_open_ends_ns=opens_ns,
        name="" if hours.known else "assumed: by the holidays of shares",
        known=hours.known,
    )


def _hour_of_muhurat(day_number: int, special: dict[str, Any]) -> Session:
    """Return a session of commodities on a day of Muhurat: they have the hour of shares, at weekends, too."""
    spans = tuple((_at(day_number, start), _at(day_number, end)) for start, end in special["spans"])
    opens_ns, day = spans[0][0], day_of_number(day_number)
    name = f"assumed: {_MUHURAT}, as shares"
    return Session(day=day, spans=spans, pre_open_ns=opens_ns, pre_open_ends_ns=opens_ns, name=name, known=False)


def _at(day_number: int, clock: time) -> int:
    return day_start_ns(day_number) + ((clock.hour * 60 + clock.minute) * 60 + clock.second) * SECOND_NS


@functools.cache
def _sessions() -> Sessions:
    data = tomllib.loads(resources.files(__package__).joinpath("sessions.toml").read_text(encoding="utf-8"))
    return Sessions(
        first_year=data["first_year"],
        last_year=data["last_year"],
        normal=data["normal"],
        holidays=frozenset(day for days in data["holidays"].values() for day in days),
        derivatives=tuple((each["since"], each["close"]) for each in data["derivatives"]),
        currency=data["currency"],
        closing_auction=data["closing_auction"],
        futures_pre_open_since=data["futures"]["pre_open_since"],
        special={
            (special["day"], exchange): special
            for special in data["special"]
            for exchange in special.get("exchanges", data["exchanges"])
        },
    )
