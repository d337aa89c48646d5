"""What another clock has timed: fresh, too old, or of no known age."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from natya_builders import a_tick

from natya.domain.freshness import AHEAD_MAX_NS, Moment, age_fault, elapsed_ns, is_ahead, is_late, newest_of_each
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


@pytest.mark.parametrize(
    ("told_s", "newest_s", "late"),
    [
        (0, 0, False),
        (0, -1, False),
        (-1, 0, True),
        (-60, 3, True),
        (0, 4, False),  # the newest is of a time that has not come
        (-60, 3_600, False),
    ],
)
def test_a_price_of_an_earlier_time_is_late_unless_the_newest_is_ahead_of_the_clock(told_s, newest_s, late):
    assert is_late(NOW_NS + told_s * SECOND_NS, NOW_NS + newest_s * SECOND_NS, NOW_NS) is late


@given(st.lists(st.tuples(st.sampled_from("AB"), st.integers(-9, 3)), max_size=12))
def test_of_each_symbol_the_newest_has_the_latest_time_and_of_those_came_last(told):
    ticks = [
        a_tick(number, symbol, exchange_ns=NOW_NS + seconds * SECOND_NS, received_ns=NOW_NS)
        for number, (symbol, seconds) in enumerate(told, 1)
    ]
    found = newest_of_each(ticks)

    assert list(found) == list(dict.fromkeys(tick.symbol for tick in ticks))
    for symbol, newest in found.items():
        assert newest is max(
            (each for each in ticks if each.symbol == symbol), key=lambda each: (each.exchange_ns, each.sequence)
        )


def test_of_ticks_that_do_not_say_when_they_came_the_last_is_the_newest():
    ticks = [a_tick(1, exchange_ns=2), a_tick(2, exchange_ns=1)]
    assert newest_of_each(ticks) == {"INFY": ticks[1]}
