"""Moments and days as people write them, as nanoseconds since 1970-01-01 UTC."""

from __future__ import annotations

import datetime as dt
from typing import TypeAlias

Moment: TypeAlias = int | str | dt.date
"""Nanoseconds UTC, a date, a datetime, or either in ISO 8601. Without an offset it is the exchange's wall clock."""

INDIA = dt.timezone(dt.timedelta(hours=5, minutes=30), "IST")
"""The clock of the Indian exchanges; it knows no summer time."""

INDIA_OFFSET_NS = 19_800_000_000_000
DAY_NS = 86_400_000_000_000
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_MICROSECOND = dt.timedelta(microseconds=1)
_UNITS_NS = {"s": 1_000_000_000, "m": 60_000_000_000, "h": 3_600_000_000_000, "d": DAY_NS}


def start_ns(moment: Moment) -> int:
    """Give the moment itself, or the start of the day."""
    return _bounds(moment)[0]


def end_ns(moment: Moment) -> int:
    """Give the moment itself, or the end of the day: a range of days includes its last one."""
    return _bounds(moment)[1]


def interval_ns(interval: int | str | dt.timedelta) -> int:
    """Read the length of a candle: nanoseconds, a timedelta, or a count and a unit such as `30s`, `5m`, `1h`, `1d`.

    Raises:
        ValueError: it is none of these, or not above 0.
    """
    match interval:
        case dt.timedelta():
            length = interval // _MICROSECOND * 1000
        case str() if interval[:-1].isdecimal() and interval[-1] in _UNITS_NS:
            length = int(interval[:-1]) * _UNITS_NS[interval[-1]]
        case int():
            length = interval
        case _:
            raise ValueError(f"an interval such as 30s, 5m, 1h or 1d wanted, found {interval!r}")
    if length <= 0:
        raise ValueError(f"an interval must be above 0, was {interval!r}")
    return length


def _bounds(moment: Moment) -> tuple[int, int]:
    match moment:
        case int():
            return moment, moment
        case str():
            day_only = len(moment) <= len("2026-01-31")
            return _bounds(dt.date.fromisoformat(moment) if day_only else dt.datetime.fromisoformat(moment))
        case dt.datetime():
            aware = moment if moment.tzinfo else moment.replace(tzinfo=INDIA)
            exact = (aware - _EPOCH) // _MICROSECOND * 1000
            return exact, exact
        case _:
            start, _ = _bounds(dt.datetime.combine(moment, dt.time(), INDIA))
            return start, start + DAY_NS
