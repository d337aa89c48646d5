"""Time as everything here counts it: nanoseconds since 1970-01-01 UTC; and the day of the Indian exchanges."""

from __future__ import annotations

from datetime import timedelta, timezone
from typing import Final

SECOND_NS: Final = 1_000_000_000
DAY_NS: Final = 86_400 * SECOND_NS

IST: Final = timezone(timedelta(hours=5, minutes=30), "IST")
"""The clock of the Indian exchanges. India has had no summer time since 1945, so a fixed offset is exact."""

IST_OFFSET_NS: Final = 19_800 * SECOND_NS


def day_of(time_ns: int) -> int:
    """Tell the day in India that a time falls on, as a number of days since 1970-01-01."""
    return (time_ns + IST_OFFSET_NS) // DAY_NS


def day_start_ns(day: int) -> int:
    """Tell when a day in India begins, given as a number of days since 1970-01-01."""
    return day * DAY_NS - IST_OFFSET_NS
