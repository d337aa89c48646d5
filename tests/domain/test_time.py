"""Nanoseconds, days in India, and durations as a person writes them."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from natya.domain.time import (
    DAY_NS,
    IST,
    SECOND_NS,
    date_of,
    day_of,
    day_of_number,
    day_start_ns,
    duration_ns,
    duration_text,
    number_of_day,
    second_text,
    time_text,
)

TIMES_NS = st.integers(-(10**18), 4 * 10**18)


class TestADayInIndia:
    @given(time_ns=TIMES_NS)
    def test_begins_half_past_six_in_the_evening_of_the_day_before_in_utc(self, time_ns):
        day = day_of(time_ns)
        begins = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=day_start_ns(day) // 1_000)

        assert day_start_ns(day) <= time_ns < day_start_ns(day + 1)
        assert (begins.hour, begins.minute, begins.second) == (18, 30, 0)

    @given(time_ns=TIMES_NS)
    def test_is_the_date_that_a_clock_in_india_shows(self, time_ns):
        shown = (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=time_ns // 1_000)).astimezone(IST).date()

        assert date_of(time_ns) == shown

    @given(day=st.dates())
    def test_is_counted_from_the_first_of_1970(self, day):
        assert day_of_number(number_of_day(day)) == day
        assert number_of_day(day) == day.toordinal() - date(1970, 1, 1).toordinal()


class TestATime:
    @pytest.mark.parametrize(
        ("time_ns", "text"),
        [
            (0, "1970-01-01 05:30:00 IST"),
            (1_766_992_622_553_384_000, "2025-12-29 12:47:02.553384 IST"),
            (1_766_992_622_000_000_100, "2025-12-29 12:47:02.0000001 IST"),
            (1_766_992_620 * SECOND_NS, "2025-12-29 12:47:00 IST"),
        ],
    )
    def test_is_shown_on_the_clock_of_the_exchanges(self, time_ns, text):
        assert time_text(time_ns) == text

    def test_is_shown_to_the_second_without_what_is_below(self):
        assert second_text(1_766_992_622_999_999_999) == "2025-12-29 12:47:02 IST"


class TestADuration:
    @pytest.mark.parametrize(
        ("text", "seconds"),
        [("30s", 30), ("90s", 90), ("5m", 300), ("1h", 3_600), ("36h", 129_600), ("1d", 86_400), ("2w", 1_209_600)],
    )
    def test_is_a_count_and_the_largest_unit_that_divides_it(self, text, seconds):
        assert duration_ns(text) == seconds * SECOND_NS
        assert duration_text(seconds * SECOND_NS) == text

    @given(duration=st.integers(1, 10_000).map(lambda count: count * SECOND_NS) | st.integers(1, 400 * DAY_NS))
    def test_is_read_as_it_was_written(self, duration):
        text = duration_text(duration)

        if duration % SECOND_NS:
            assert text == f"{duration} ns"
        else:
            assert duration_ns(text) == duration

    @pytest.mark.parametrize(
        "text", ["", "5", "m", "0m", "-5m", "+5m", "1.5m", "5 m", "5x", "5M", "\u0665m", "\u00b2m"]
    )
    def test_of_another_form_is_none(self, text):
        with pytest.raises(ValueError, match="an interval such as 30s, 5m, 1h or 1d wanted, found"):
            duration_ns(text)
