"""Whether something timed by another clock is fresh: a price of the exchange, an order of another process. Pure.

The problem: an age below zero is no age. A price of a time that has not come would be the newest until then, whatever
the market does, and would never be too old. That is so when this machine's clock is set back, and when a packet has a
wrong time. The idea: two clocks differ by some seconds; what is further ahead is of no known age.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from .time import SECOND_NS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..messages.market import Tick

AHEAD_MAX_S: Final = 3.0
"""Seconds that two clocks may differ; the alarm on this machine's clock is raised from 2 s on."""

AHEAD_MAX_NS: Final = round(AHEAD_MAX_S * SECOND_NS)


class Moment(NamedTuple):
    """One moment by both clocks of this machine."""

    wall_ns: int
    """Nanoseconds since 1970-01-01 UTC; somebody may set it."""

    monotonic_ns: int
    """Nanoseconds of the monotonic clock, which may stand still while the machine sleeps."""


def elapsed_ns(then: Moment, now: Moment) -> int:
    """Return how long ago a moment was, by the clock that says longer: an age is never understated."""
    return max(now.wall_ns - then.wall_ns, now.monotonic_ns - then.monotonic_ns)


def is_ahead(then_ns: int, now_ns: int) -> bool:
    """Say whether a time is further ahead than clocks may differ; both nanoseconds since 1970-01-01 UTC."""
    return then_ns > now_ns + AHEAD_MAX_NS


def is_late(told_ns: int, newest_ns: int, now_ns: int) -> bool:
    """Say whether a price is of an earlier time than the newest that is known, and so does not replace it.

    A newest price whose own time has not come replaces nothing: else it would be the newest until then.

    Args:
        told_ns: time of the price that is told: nanoseconds since 1970-01-01 UTC.
        newest_ns: of the newest one that is known.
        now_ns: this machine's, or when the price came here. 0 where nobody knows: what comes last is the newest then.
    """
    return told_ns < newest_ns and now_ns > 0 and not is_ahead(newest_ns, now_ns)


def newest_of_each(ticks: Iterable[Tick]) -> dict[str, Tick]:
    """Return the newest tick of each symbol, in the order in which the symbols came; a late one is not it."""
    newest: dict[str, Tick] = {}
    for tick in ticks:
        known = newest.get(tick.symbol)
        if known is None or not is_late(tick.exchange_ns, known.exchange_ns, tick.received_ns):
            newest[tick.symbol] = tick
    return newest


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
