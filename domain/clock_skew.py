"""How far our clock is off, by the time in a server's answer; pure."""

from __future__ import annotations

import math
from email.utils import parsedate_to_datetime
from typing import Final, Literal, TypeAlias

from .time import SECOND_NS

SKEW_ALARM_S: Final = 2.0
SKEW_MAX_S: Final = 15.0
"""A one-time code lasts 30 seconds: by a clock that is further off it may be the code of another interval."""

Skew: TypeAlias = Literal["unknown", "well", "alarm", "too_far"]


def skew_s(date: str | None, *, sent_ns: int, received_ns: int) -> float | None:
    """Tell how far our clock is ahead of a server's: seconds, as little as it can be; None where it is not known.

    Args:
        date: the header `Date` of an answer, whole seconds.
        sent_ns: by our clock, when it was asked.
        received_ns: when the answer was here.
    """
    if date is None:
        return None
    try:
        told_s = parsedate_to_datetime(date).timestamp()
    except (ValueError, OverflowError, TypeError):
        return None
    earliest, latest = sent_ns / SECOND_NS - told_s - 1, received_ns / SECOND_NS - told_s
    return 0.0 if earliest <= 0 <= latest else min(earliest, latest, key=abs)


def judge_skew(found_s: float | None) -> Skew:
    """Return the verdict on a skew."""
    if found_s is None or not math.isfinite(found_s):
        return "unknown"
    if abs(found_s) > SKEW_MAX_S:
        return "too_far"
    return "alarm" if abs(found_s) > SKEW_ALARM_S else "well"
