"""Whether what another clock has timed is fresh: a price of the exchange, an order of another process. Pure.

The problem: an age below zero is no age. A price of a time that has not come would be the newest until then, whatever
the market does, and would never be too old. That is so when this machine's clock is set back, and when a packet has a
wrong time. The idea: two clocks differ by some seconds; what is further ahead is of no known age.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from .time import SECOND_NS

AHEAD_MAX_S: Final = 3.0
"""Two clocks may differ so much: an alarm of this machine's comes from 2 s on."""

AHEAD_MAX_NS: Final = round(AHEAD_MAX_S * SECOND_NS)


class Moment(NamedTuple):
    """One moment by both clocks of this machine."""

    wall_ns: int
    """Nanoseconds since 1970-01-01 UTC; somebody may set it."""

    monotonic_ns: int
    """Nanoseconds of the monotonic clock, which may stand still while the machine sleeps."""


def elapsed_ns(then: Moment, now: Moment) -> int:
    """Return how long ago a moment was, by the clock that says longer: an age that is told is never flattering."""
    return max(now.wall_ns - then.wall_ns, now.monotonic_ns - then.monotonic_ns)


def is_ahead(then_ns: int, now_ns: int) -> bool:
    """Say whether a time is further ahead than clocks may differ; both nanoseconds since 1970-01-01 UTC."""
    return then_ns > now_ns + AHEAD_MAX_NS


def age_fault(what: str, then_ns: int, now_ns: int, *, age_max_s: float) -> str:
    """Say what is wrong with the age of something; empty: it is fresh.

    Args:
        what: it is, with its article.
        then_ns: its time: nanoseconds since 1970-01-01 UTC.
        now_ns: this machine's.
        age_max_s: seconds.
    """
    age_ns = now_ns - then_ns
    age_s = age_ns / SECOND_NS
    if age_s <= age_max_s and age_ns >= -AHEAD_MAX_NS:
        return ""
    found = f"{age_s:.3f} s" if age_s > 0 else f"one of a time {-age_s:.3f} s ahead of this machine's clock"
    return f"{what} of at most {age_max_s:g} s of age wanted, found {found}"
