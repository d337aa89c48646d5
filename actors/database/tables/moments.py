"""Moments and days as people write them, as nanoseconds since 1970-01-01 UTC."""

from __future__ import annotations

import datetime as dt
import operator
from typing import TypeAlias

import numpy as np

from ....domain.time import DAY_NS, IST, IST_OFFSET_NS, day_start_ns, duration_ns, number_of_day

Moment: TypeAlias = int | str | dt.date | np.datetime64
"""Nanoseconds UTC, a date, a datetime (pandas' and numpy's, too), or either in ISO 8601.

Without an offset it is the exchange's wall clock.
"""

_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_FIRST_NS, _LAST_NS = -(2**63), 2**63 - 1
_DAYS_OF_NUMPY = frozenset({"Y", "M", "W", "D"})
_MICROSECOND = dt.timedelta(microseconds=1)


def start_ns(moment: Moment) -> int:
    """Return the moment itself, or the start of the day, ns since 1970-01-01 UTC."""
    return _bounds(moment)[0]


def end_ns(moment: Moment) -> int:
    """Return the moment itself, or the end of the day, exclusive: a range of days includes its last one."""
    return _bounds(moment)[1]


def last_ns(moment: Moment) -> int:
    """Return the moment itself, or the last nanosecond of the day."""
    start, end = _bounds(moment)
    return max(start, end - 1)


def interval_ns(interval: int | str | dt.timedelta) -> int:
    """Read the length of a candle: nanoseconds, a timedelta, or a count and a unit such as `30s`, `5m`, `1h`, `1d`.

    Raises:
        ValueError: it is none of these, or not above 0.
    """
    match interval:
        case dt.timedelta():
            length = interval // _MICROSECOND * 1000
        case str():
            length = duration_ns(interval)
        case int():
            length = interval
        case _:
            raise ValueError(f"an interval such as 30s, 5m, 1h or 1d wanted, found {interval!r}")
    if length <= 0:
        raise ValueError(f"an interval must be above 0, was {interval!r}")
    return length


def _bounds(moment: Moment) -> tuple[int, int]:
    """Return start and end of a moment: equal for an instant, a day apart for a date.

    Raises:
        ValueError: it is no moment.
    """
    match moment:
        case str():
            day_only = len(moment) <= len("2026-01-31")
            return _bounds(dt.date.fromisoformat(moment) if day_only else dt.datetime.fromisoformat(moment))
        case dt.datetime() if str(moment) != "NaT":  # which is a datetime to pandas
            aware = moment if moment.tzinfo else moment.replace(tzinfo=IST)
            # A pandas Timestamp counts nanoseconds beyond its microseconds.
            exact = int((aware - _EPOCH) // _MICROSECOND) * 1000 + getattr(moment, "nanosecond", 0)
            return _within(exact, exact)
        case dt.date() if not isinstance(moment, dt.datetime):
            return _day(moment)
        case np.datetime64() if not np.isnat(moment):
            if np.datetime_data(moment.dtype)[0] in _DAYS_OF_NUMPY:
                return _day(moment.astype("datetime64[D]").item())
            exact = int(moment.astype("datetime64[ns]").astype(np.int64)) - IST_OFFSET_NS
            return _within(exact, exact)
    try:
        exact = operator.index(moment)  # type: ignore[arg-type]  # what else there may be
    except TypeError:
        raise ValueError(f"a moment wanted (date, datetime, ISO 8601 or nanoseconds), found {moment!r}") from None
    return _within(exact, exact)


def _day(day: dt.date) -> tuple[int, int]:
    start = day_start_ns(number_of_day(day))
    return _within(start, start + DAY_NS)


def _within(start: int, end: int) -> tuple[int, int]:
    """Clip to the database's range: a moment after the year 2262 counts as its last."""
    return max(_FIRST_NS, min(start, _LAST_NS)), max(_FIRST_NS, min(end, _LAST_NS))
