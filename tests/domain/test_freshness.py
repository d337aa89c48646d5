"""What another clock has timed: fresh, too old, or of no known age."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from natya.domain.freshness import AHEAD_MAX_NS, Moment, age_fault, elapsed_ns, is_ahead
from natya.domain.time import SECOND_NS

NOW_NS = 1_790_000_000 * SECOND_NS


@pytest.mark.parametrize(
    ("age_ns", "found"),
    [
        (0, None),
        (2 * SECOND_NS, None),
        (2 * SECOND_NS + 1, "found 2.000 s"),
        (-AHEAD_MAX_NS, None),
        (-AHEAD_MAX_NS - 1, "found one of a time 3.000 s ahead of this machine's clock"),
        (-3_600 * SECOND_NS, "found one of a time 3600.000 s ahead of this machine's clock"),
    ],
)
def test_what_is_too_old_or_too_far_ahead_is_told(age_ns, found):
    told = age_fault("a price", NOW_NS - age_ns, NOW_NS, age_max_s=2.0)

    assert told == (f"a price of at most 2 s of age wanted, {found}" if found else "")


@given(then_ns=st.integers(0, 2**62), now_ns=st.integers(0, 2**62), age_max_s=st.floats(0.001, 3_600))
def test_nothing_is_fresh_whose_time_has_not_come(then_ns, now_ns, age_max_s):
    if is_ahead(then_ns, now_ns):
        assert age_fault("it", then_ns, now_ns, age_max_s=age_max_s)
        assert not is_ahead(now_ns, then_ns)


@pytest.mark.parametrize(
    ("now", "elapsed"),
    [
        (Moment(NOW_NS + 5, 105), 5),
        (Moment(NOW_NS - 3_600, 105), 5),  # set back
        (Moment(NOW_NS + 3_600, 105), 3_600),  # set forward, or asleep meanwhile
    ],
)
def test_how_long_ago_it_was_is_told_by_the_clock_that_says_longer(now, elapsed):
    assert elapsed_ns(Moment(NOW_NS, 100), now) == elapsed
