"""Whether a clock was set ahead, by one that nobody can set."""

import pytest

from natya.domain.clock_jumps import Look, set_ahead
from natya.domain.time import SECOND_NS

NOON_NS = 1_791_181_800 * SECOND_NS
"""12:00 in India on Monday, 5 October 2026."""

HOUR_S, DAY_S = 3_600, 86_400


def told(passed_s, by_s):
    """What is told when so many seconds have passed, and the clock was set ahead by so many, between two looks."""
    before = Look(NOON_NS, 5 * SECOND_NS)
    return set_ahead(before, Look(NOON_NS + (passed_s + by_s) * SECOND_NS, before.elapsed_ns + passed_s * SECOND_NS))


@pytest.mark.parametrize(
    ("passed_s", "by_s"),
    [(1, 0), (1, -2), (1, -HOUR_S), (1, -DAY_S), (1, 2), (1, 60), (600, 0), (2 * DAY_S, 60)],
    ids=["no step", "-2 s", "-1 h", "-1 d", "+2 s", "the most", "a suspend of ten minutes", "of two days"],
)
def test_is_not_told_of_a_correction_a_step_back_or_a_suspend(passed_s, by_s):
    assert told(passed_s, by_s) == ""


@pytest.mark.parametrize(("passed_s", "by_s"), [(0, 61), (1, HOUR_S), (600, HOUR_S), (1, DAY_S)], ids=str)
def test_is_told_by_how_much_and_from_when_to_when(passed_s, by_s):
    assert told(passed_s, by_s).startswith(f"the clock was set ahead by {by_s} s: from 2026-10-05 12:")


def test_names_both_times():
    assert told(1, DAY_S) == (
        "the clock was set ahead by 86400 s: from 2026-10-05 12:00:01 IST to 2026-10-06 12:00:01 IST"
    )
