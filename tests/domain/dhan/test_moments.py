"""Times as Dhan writes them: the face of a clock in India, and nanoseconds since 1970 UTC."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from natya.domain.dhan.moments import TEXT_MAX, day, moment, moment_of, time_ns
from natya.domain.time import IST

A_TIME = datetime(2026, 9, 28, 9, 15, 30)  # noqa: DTZ001  the face of a clock


@given(st.datetimes(datetime(1980, 1, 1), datetime(2100, 1, 1)))  # noqa: DTZ001  as above
def test_a_moment_is_the_time_that_a_clock_in_india_shows(shown):
    found = time_ns(shown)

    assert found == (shown.replace(tzinfo=IST) - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1) * 1_000
    assert moment_of(found) == shown


@pytest.mark.parametrize(
    "text", ["2026-09-28 09:15:30", "2026-09-28T09:15:30+05:30", "2026-09-28T03:45:30Z", " 28/09/2026 09:15:30 "]
)
def test_a_moment_is_read_in_each_form(text):
    assert (moment(text), day(text)) == (A_TIME, A_TIME.date())


@pytest.mark.parametrize(
    ("text", "hour", "minute"), [("28/09/2026 09:15", 9, 15), ("28/09/2026", 0, 0), ("2026-09-28", 0, 0)]
)
def test_a_moment_may_be_told_to_the_minute_or_the_day(text, hour, minute):
    assert moment(text) == datetime(2026, 9, 28, hour, minute)  # noqa: DTZ001  as above


@pytest.mark.parametrize("text", ["Sep 28, 2026", "28/09/2026", "28-09-2026", "28 Sep 2026", "2026-09-28"])
def test_a_day_is_read_in_each_form(text):
    assert day(text) == A_TIME.date()


@pytest.mark.parametrize("found", ["", "yesterday", None, 7, "2026-13-01", "9" * (TEXT_MAX + 1)])
def test_what_is_no_time_is_none(found):
    assert (moment(found), day(found)) == (None, None)


def test_a_text_may_be_so_long():
    text = "2026-09-28 09:15:30".ljust(TEXT_MAX)

    assert (moment(text), day(text)) == (A_TIME, A_TIME.date())
    assert (moment(f"{text} "), day(f"{text} "), time_ns(None)) == (None, None, None)
    assert day("Sep 28, 2026".ljust(TEXT_MAX)) == A_TIME.date()
    assert day("Sep 28, 2026".ljust(TEXT_MAX + 1)) is None
