"""When timers are due, by the exchange's clock and calendar."""

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from natya.actors.strategy.schedule import AtEdge, AtTime, next_due_ns, next_edge, schedule_of, text_of
from natya.domain import calendar
from natya.domain.time import IST, SECOND_NS, time_text

MINUTE_NS = 60 * SECOND_NS


def at(text):
    return int(datetime.fromisoformat(text).replace(tzinfo=IST).timestamp()) * SECOND_NS


def due(text, after):
    return time_text(next_due_ns(schedule_of(text), at(after))).removesuffix(" IST")


class TestATimeOfDay:
    def test_is_due_today_if_it_is_yet_to_come(self):
        assert due("15:20", "2026-01-02 09:15") == "2026-01-02 15:20:00"

    def test_is_due_on_the_next_day_of_trading_if_it_is_now_or_over(self):
        assert due("15:20", "2026-01-02 15:20") == "2026-01-05 15:20:00"

    def test_is_not_due_on_a_holiday(self):
        assert due("9:30:05", "2026-01-23 12:00") == "2026-01-27 09:30:05"


class TestATimeOfASession:
    def test_follows_the_hours_of_a_special_one(self):
        opening = calendar.session_at(at("2025-10-21 12:00")).open_ns

        assert next_due_ns(schedule_of("open+5m"), at("2025-10-20 16:00")) == opening + 5 * MINUTE_NS

    def test_counts_back_from_the_close(self):
        assert due("close-10m", "2026-01-02 12:00") == "2026-01-02 15:20:00"

    def test_may_be_in_the_day_after(self):
        assert due("close+20h", "2026-01-02 23:00") == "2026-01-03 11:30:00"

    def test_may_be_days_after(self):
        assert due("close+40h", "2026-01-07 01:00") == "2026-01-07 07:30:00"  # Monday's


class TestAnInterval:
    def test_is_counted_from_the_opening_as_candles_are(self):
        assert due("30m", "2026-01-02 10:00") == "2026-01-02 10:15:00"

    def test_has_its_last_time_at_the_close_and_goes_on_at_the_next_session(self):
        assert due("5m", "2026-01-02 15:27") == "2026-01-02 15:30:00"
        assert due("5m", "2026-01-02 15:30") == "2026-01-05 09:20:00"

    def test_longer_than_any_session_is_refused(self):
        with pytest.raises(ValueError, match="a time in the next 60 days wanted"):
            next_due_ns(schedule_of("9h"), at("2026-01-02 10:00"))


class TestAText:
    @pytest.mark.parametrize(
        "text", ["15:20", "09:15:01", "23:59:59", "00:00", "open", "close", "open+5m", "close-90s", "5m", "1h"]
    )
    def test_is_read_as_it_is_written(self, text):
        assert text_of(schedule_of(text)) == text

    @pytest.mark.parametrize("text", ["24:00", "09:60", "09:15:60", "9:60", "", "noon", "5", "open+", "open5m"])
    def test_beyond_a_clock_or_of_no_form_is_refused_with_what_is_wanted(self, text):
        with pytest.raises(ValueError, match="wanted, found"):
            schedule_of(text)

    @pytest.mark.parametrize("text", ["-5m", "0m", "१५:२०"])
    def test_that_is_none_is_refused_with_what_is_wanted(self, text):
        with pytest.raises(ValueError, match="wanted, found"):
            schedule_of(text)


OFFSETS = [
    "open+5m",
    "close-10m",
    "open-3h",
    "open-12h",
    "close+20h",
    "close+30h",
    "close+40h",
    "open+26h",
    "open+3d",
    "close-3d",
    "close",
]


@given(
    text=st.sampled_from(["15:20", "23:59:59", "00:00:01", *OFFSETS, "7m", "30m", "375m", "2h"]),
    after_ns=st.integers(at("2025-10-15 00:00"), at("2025-11-12 00:00"))
    | st.integers(at("2024-01-01 00:00"), at("2026-11-01 00:00")),
)
def test_the_next_time_is_the_first_of_all_there_are(text, after_ns):
    schedule, found = schedule_of(text), set()
    today = datetime.fromtimestamp(after_ns / SECOND_NS, IST).date()
    for days in range(-9, 16):
        day = today + timedelta(days=days)
        hours = calendar.session(day)
        if hours is None:
            continue
        if isinstance(schedule, AtTime):
            found.add(at(f"{day} 00:00") + schedule.since_midnight_ns)
        elif isinstance(schedule, AtEdge):
            found.add((hours.open_ns if schedule.edge == "open" else hours.close_ns) + schedule.offset_ns)
        else:
            step_ns = schedule.interval_ns
            found.update(range(hours.open_ns + step_ns, hours.close_ns + 1, step_ns))

    assert next_due_ns(schedule, after_ns) == min(due_ns for due_ns in found if due_ns > after_ns)


@given(
    text=st.sampled_from(["15:20", "open", "close", "open+5m", "close-10m", "7m", "30m"]),
    first=st.integers(at("2024-01-01 00:00"), at("2026-12-01 00:00")),
    later=st.integers(0, 3 * 86_400 * SECOND_NS),
)
def test_the_next_time_is_later_and_never_before_an_earlier_ones(text, first, later):
    schedule = schedule_of(text)
    due_ns = next_due_ns(schedule, first)

    assert due_ns > first
    assert next_due_ns(schedule, first + later) >= due_ns
    assert next_due_ns(schedule, due_ns - 1) == due_ns
    assert next_edge(first)[0] >= first
