"""What is in a candle and where it begins, and ticks of a candle."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from natya.domain.calendar import open_spans, session
from natya.domain.candles import (
    Bar,
    can_be_made,
    end_of,
    fault_of_interval,
    in_order_of_path,
    interval_of,
    path_of,
    split,
    start_of,
    times_of,
)
from natya.domain.time import DAY_NS, SECOND_NS, day_start_ns

MINUTE_NS = 60 * SECOND_NS
MONDAY_NS = day_start_ns(20_451)  # 2025-12-29
OPENING_NS = MONDAY_NS + (9 * 60 + 15) * MINUTE_NS


class TestWhereACandleBegins:
    @pytest.mark.parametrize(
        ("time", "interval", "start"),
        [
            ("09:15", 60, "09:15"),
            ("10:14", 60, "09:15"),
            ("15:29", 60, "15:15"),
            ("09:14", 60, "08:15"),
            ("00:10", 60, "00:00"),
            ("09:59", 5, "09:55"),
        ],
    )
    def test_is_counted_from_the_opening_within_a_day(self, time, interval, start):
        def of(clock):
            hours, minutes = map(int, clock.split(":"))
            return MONDAY_NS + (60 * hours + minutes) * MINUTE_NS

        assert start_of(of(time), interval * MINUTE_NS) == of(start)

    def test_is_midnight_for_a_day_and_monday_for_a_week(self):
        friday_ns = OPENING_NS + 4 * DAY_NS

        assert start_of(friday_ns, DAY_NS) == MONDAY_NS + 4 * DAY_NS
        assert start_of(friday_ns, 7 * DAY_NS) == start_of(MONDAY_NS, 7 * DAY_NS) == MONDAY_NS

    def test_is_counted_from_the_opening_of_that_day(self):
        opening_ns = session(date(2025, 10, 21)).open_ns  # an hour in the afternoon, for Diwali

        assert start_of(opening_ns, 60 * MINUTE_NS) == opening_ns
        assert start_of(opening_ns + 50 * MINUTE_NS, 60 * MINUTE_NS) == opening_ns
        assert [start_of(opening_ns, minutes * MINUTE_NS) for minutes in (7, 120, 180)] == [opening_ns] * 3

    @given(
        since_s=st.integers(0, 10 * 86_400),
        interval=st.sampled_from([1, 7, 60, 3 * 60, 15 * 60, 3_600, 86_400, 7 * 86_400, 5_000]),
    )
    def test_is_where_the_one_before_ends(self, since_s, interval):
        interval_ns, time_ns = interval * SECOND_NS, MONDAY_NS + since_s * SECOND_NS
        start_ns = start_of(time_ns, interval_ns)
        end_ns = end_of(start_ns, interval_ns)

        assert start_ns <= time_ns < end_ns <= start_ns + interval_ns
        assert start_of(end_ns - 1, interval_ns) == start_ns
        assert start_of(end_ns, interval_ns) == end_ns

    @pytest.mark.parametrize(("text", "interval_ns"), [("30s", 30 * SECOND_NS), ("2d", 2 * DAY_NS)])
    def test_is_read_as_it_is_written(self, text, interval_ns):
        assert interval_of(text) == interval_ns

    @pytest.mark.parametrize(
        ("text", "wanted"),
        [("0s", "interval|whole seconds"), ("36h", "whole days, found"), ("soon", "an interval such as")],
    )
    def test_that_is_none_is_refused(self, text, wanted):
        with pytest.raises(ValueError, match=wanted):
            interval_of(text)

    def test_is_told_of_whole_seconds_and_above_a_day_of_whole_days(self):
        assert not any(fault_of_interval(seconds * SECOND_NS) for seconds in (1, 90, 86_400, 7 * 86_400))
        assert all(fault_of_interval(wrong) for wrong in (0, -SECOND_NS, SECOND_NS // 2, DAY_NS + SECOND_NS))
        assert fault_of_interval(3 * SECOND_NS // 2)


class TestACandle:
    def test_opens_with_the_first_that_was_told_of_one_time_and_closes_with_the_last(self):
        bar = Bar.of(0, 2, 100.0, 1)
        for time_ns, price in ((5, 103.0), (2, 90.0), (5, 101.0), (1, 95.0), (1, 96.0), (4, 107.0)):
            bar.add(time_ns, price, 1)

        assert (bar.open, bar.high, bar.low, bar.close, bar.volume) == (95.0, 107.0, 90.0, 101.0, 7)

    @pytest.mark.parametrize(
        ("interval_s", "of_s", "is_so"),
        [
            (300, 60, True),
            (60, 60, True),
            (300, 120, False),
            (60, 300, False),
            (86_400, 7_000, True),
            (7 * 86_400, 86_400, True),
            (7 * 86_400, 2 * 86_400, False),
            (86_400, 2 * 86_400, False),
            (50_000, 7_000, False),
        ],
    )
    def test_is_made_of_those_that_it_holds_whole(self, interval_s, of_s, is_so):
        assert can_be_made(interval_s * SECOND_NS, of_s * SECOND_NS) is is_so

    @given(
        trades=st.lists(st.tuples(st.integers(1, 20), st.integers(0, 5)), min_size=2, max_size=12),
        first=st.integers(1, 11),
    )
    def test_is_the_same_of_its_trades_as_of_two_parts_that_are_joined(self, trades, first):
        def bar_of(numbered):
            (begin_ns, (price, shares)), *more = numbered
            bar = Bar.of(0, begin_ns, float(price), shares)
            for time_ns, (each, added) in more:
                bar.add(time_ns, float(each), added)
            return bar

        numbered = list(enumerate(trades))
        first = min(first, len(trades) - 1)
        joined = bar_of(numbered[:first])
        joined.join(bar_of(numbered[first:]))

        assert joined == bar_of(numbered)


class TestThePathOfACandle:
    def test_goes_to_the_nearer_extreme_first(self):
        assert path_of(100, 101, 95, 96) == (100, 101, 95, 96)
        assert path_of(100, 105, 99, 96) == (100, 99, 105, 96)

    def test_goes_the_shorter_way_to_the_close_where_both_are_as_near(self):
        assert path_of(100, 102, 98, 101) == (100, 98, 102, 101)
        assert path_of(100, 102, 98, 99) == (100, 102, 98, 99)
        assert path_of(100, 102, 98, 100) == (100, 98, 102, 100)

    @pytest.mark.parametrize("prices", [(10.0, 11.0, 8.0, 9.0), (10.0, 12.0, 9.0, 11.0), (5.0, 5.0, 5.0, 5.0)])
    def test_is_that_of_its_prices_as_it_is_that_of_their_ticks(self, prices):
        ticks = tuple(round(each * 20) for each in prices)

        assert in_order_of_path(prices, ticks) == tuple(each / 20 for each in path_of(*ticks))

    @given(st.lists(st.integers(1, 1000), min_size=4, max_size=4))
    def test_visits_all_four_prices_and_never_leaves_them(self, prices):
        low, one, other, high = sorted(prices)

        path = path_of(one, high, low, other)

        assert path[0] == one
        assert path[3] == other
        assert sorted(path) == sorted(prices)


class TestTheTimesOfACandle:
    def test_are_its_beginning_its_thirds_and_its_last_nanosecond(self):
        assert times_of(((0, 60),)) == (0, 20, 40, 59)

    def test_are_counted_over_the_breaks_of_its_market(self):
        assert times_of(((0, 30), (100, 130))) == (0, 20, 110, 129)
        assert times_of(((0, 10), (100, 110), (200, 240))) == (0, 200, 220, 239)

    def test_lie_where_its_market_was_open(self):
        week = open_spans(MONDAY_NS, MONDAY_NS + 7 * DAY_NS)

        times = times_of(week)

        assert times[0] == week[0][0]
        assert times[3] == week[-1][1] - 1
        assert all(any(start <= time < end for start, end in week) for time in times)

    @given(st.lists(st.integers(1, 50), min_size=2, max_size=12).filter(lambda lengths: len(lengths) % 2 == 0))
    def test_never_go_back_and_never_leave_the_hours(self, lengths):
        edges = [sum(lengths[: count + 1]) for count in range(len(lengths))]
        spans = tuple(zip(edges[::2], edges[1::2], strict=True))

        times = times_of(spans)

        assert list(times) == sorted(times)
        assert all(any(start <= time < end for start, end in spans) for time in times)


@given(st.integers(0, 10**12))
def test_the_volume_of_the_ticks_adds_up_in_nearly_equal_parts(volume):
    parts = split(volume)

    assert sum(parts) == volume
    assert max(parts) - min(parts) <= 1
