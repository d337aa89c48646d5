"""When a list is fetched."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from natya.actors.instruments.schedule import due_in_s
from natya.domain.time import IST

AT = dt.time(8, 15)
HOUR = 3_600.0


def at(hour, minute=0):
    return dt.datetime(2026, 9, 28, hour, minute, tzinfo=IST)


class TestAList:
    @pytest.mark.parametrize(
        ("now", "day_of_list", "hours"),
        [
            (at(3), None, 0.0),
            (at(9), None, 0.0),
            (at(9), dt.date(2026, 9, 27), 0.0),
            (at(8, 15), dt.date(2026, 9, 25), 0.0),
            (at(7, 15), dt.date(2026, 9, 27), 1.0),
            (at(7, 15), dt.date(2026, 9, 28), 1.0),
            (at(9, 15), dt.date(2026, 9, 28), 23.0),
            (at(8, 15), dt.date(2026, 9, 28), 24.0),
        ],
        ids=str,
    )
    def test_is_fetched_each_day_at_its_time_and_at_once_if_that_was_missed(self, now, day_of_list, hours):
        assert due_in_s(now, AT, day_of_list) == hours * HOUR

    @given(
        now=st.integers(0, 86_400 * 800).map(lambda second: at(0) + dt.timedelta(seconds=second)),
        age=st.none() | st.integers(0, 9),
        when=st.times(),
    )
    def test_of_today_is_never_fetched_at_once_and_no_list_is_waited_for_more_than_a_day(self, now, age, when):
        day = None if age is None else now.date() - dt.timedelta(days=age)

        assert due_in_s(now, when, day) > 0 if age == 0 else True
        assert 0 <= due_in_s(now, when, day) <= 24 * HOUR
