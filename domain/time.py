"""Time: nanoseconds since 1970-01-01 UTC everywhere; and the calendar day of the Indian exchanges."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone
from typing import Final

SECOND_NS: Final = 1_000_000_000
DAY_NS: Final = 86_400 * SECOND_NS

IST: Final = timezone(timedelta(hours=5, minutes=30), "IST")
"""The clock of the Indian exchanges. India has had no summer time since 1945, so a fixed offset is exact."""

IST_OFFSET_NS: Final = 19_800 * SECOND_NS

EPOCH: Final = datetime.fromtimestamp(0, IST)
"""1970-01-01 00:00 UTC, by the clock of India: what nanoseconds are added to for a time of day there."""

_FIRST_DAY: Final = EPOCH.date()

_UNITS_NS: Final = {"s": SECOND_NS, "m": 60 * SECOND_NS, "h": 3_600 * SECOND_NS, "d": DAY_NS, "w": 7 * DAY_NS}


def day_of(time_ns: int) -> int:
    """Return the day in India that a time (nanoseconds since 1970-01-01 UTC) falls on: days since 1970-01-01."""
    return (time_ns + IST_OFFSET_NS) // DAY_NS


def date_of(time_ns: int) -> date:
    """Return the same day as a date."""
    return day_of_number(day_of(time_ns))


def number_of_day(day: date) -> int:
    """Return a date as its days since 1970-01-01."""
    return (day - _FIRST_DAY).days


def day_of_number(number: int) -> date:
    """Return the date that is so many days after 1970-01-01."""
    return _FIRST_DAY + timedelta(days=number)


def day_start_ns(day: int) -> int:
    """Return when a day in India (days since 1970-01-01) begins: nanoseconds since 1970-01-01 UTC."""
    return day * DAY_NS - IST_OFFSET_NS


def time_text(time_ns: int) -> str:
    """Format a time (nanoseconds since 1970-01-01 UTC) in Indian time: `2025-12-29 12:47:02.553384 IST`."""
    second, fraction = divmod(time_ns, SECOND_NS)
    text = f"{EPOCH + timedelta(seconds=second):%Y-%m-%d %H:%M:%S}"
    return f"{text}.{fraction:09}".rstrip("0") + " IST" if fraction else f"{text} IST"


def second_text(time_ns: int) -> str:
    """Format it as `time_text`, to the second: what is below one is left out."""
    return time_text(time_ns // SECOND_NS * SECOND_NS)


def duration_ns(text: str) -> int:
    """Parse a count and a unit, such as `30s`, `5m`, `1h`, `1d`, `1w`, to nanoseconds.

    Raises:
        ValueError: the text is no duration, or not above 0.
    """
    count, unit = text[:-1], text[-1:]
    if not (count.isascii() and count.isdecimal() and unit in _UNITS_NS and int(count)):
        raise ValueError(f"an interval such as 30s, 5m, 1h or 1d wanted, found {text!r}")
    return int(count) * _UNITS_NS[unit]


def duration_text(duration: int) -> str:
    """Format a duration in nanoseconds as `duration_ns` parses it, in the largest unit that divides it; else in ns."""
    for unit, unit_ns in reversed(_UNITS_NS.items()):
        if duration % unit_ns == 0:
            return f"{duration // unit_ns}{unit}"
    return f"{duration} ns"
