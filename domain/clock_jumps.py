"""Whether the machine's wall clock was set ahead (pure): nobody gets a second day of limits by it.

The problem: the counts of a day begin anew at midnight, by the wall clock. The idea: between two looks that must not go
on by much more than a clock that nobody can set, and that goes on while the machine sleeps.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from .time import SECOND_NS, second_text

AHEAD_MAX_S: Final = 60
"""An ordinary correction is of seconds; one by more than this could be meant to be the next day."""


CAUSE: Final = "the clock was set ahead"
"""Beginning of the cause that is reported."""


class Look(NamedTuple):
    """One moment by both clocks of this machine."""

    wall_ns: int
    """Nanoseconds since 1970-01-01 UTC; somebody may set it."""

    elapsed_ns: int
    """Nanoseconds since some moment, those among them in which the machine slept; nobody can set it."""


def set_ahead(before: Look, now: Look) -> str:
    """Say from when to when the clock was set ahead between two looks; empty: it was not, or was set back."""
    expected_ns = before.wall_ns + now.elapsed_ns - before.elapsed_ns
    ahead_ns = now.wall_ns - expected_ns
    if ahead_ns <= AHEAD_MAX_S * SECOND_NS:
        return ""
    since, until = second_text(expected_ns), second_text(now.wall_ns)
    return f"{CAUSE} by {ahead_ns // SECOND_NS} s: from {since} to {until}"
