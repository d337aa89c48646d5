"""Which days of candles are asked for, what an answer is worth, and what is missing."""

from datetime import date
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from natya.domain.calendar import MINUTE_NS, session
from natya.domain.chart_candles import candles_of
from natya.domain.history import (
    INTERVALS,
    Hours,
    Missing,
    adjusted_by,
    missing,
    pieces,
)
from natya.domain.time import DAY_NS, SECOND_NS, day_of, day_of_number, day_start_ns, duration_ns, number_of_day
from natya.messages.history import ChartRead

SHARES = Hours()
NO_HOURS = Hours.of("MCX_COMM")
MONDAY = number_of_day(date(2026, 1, 5))
FRIDAY = MONDAY + 4
ANY_DAYS = st.tuples(st.integers(MONDAY, MONDAY + 400), st.integers(1, 120)).map(lambda each: (each[0], sum(each)))


def days_of(ranges):
    return {day for first, end in ranges for day in range(first, end)}


def sessions_of(days, hours=SHARES):
    return {day for day in days_of([days]) if hours.trades_on(day)}


def test_every_candle_is_as_long_as_its_name_says():
    assert {name: duration_ns(name) for name in INTERVALS} == INTERVALS


class TestWhatIsAskedFor:
    def test_is_all_of_it_where_nothing_is_had_in_pieces_of_ninety_days(self):
        found = pieces((MONDAY, MONDAY + 200), [], SHARES, days_max=90)

        assert found == ((MONDAY, MONDAY + 90), (MONDAY + 90, MONDAY + 180), (MONDAY + 180, MONDAY + 200))

    def test_does_not_begin_or_end_with_days_without_a_session(self):
        assert pieces((MONDAY - 2, FRIDAY + 3), [], SHARES, days_max=90) == ((MONDAY, FRIDAY + 1),)
        assert pieces((FRIDAY + 1, FRIDAY + 3), [], SHARES, days_max=90) == ()
        assert pieces((FRIDAY + 1, FRIDAY + 3), [], NO_HOURS, days_max=90) == ((FRIDAY + 1, FRIDAY + 3),)

    def test_continues_what_is_had_by_its_last_session(self):
        found = pieces((MONDAY, FRIDAY + 8), [(MONDAY, FRIDAY + 3)], SHARES, days_max=90)

        assert found == ((FRIDAY, FRIDAY + 8),)

    def test_continues_a_single_session_that_is_had(self):
        assert pieces((MONDAY + 1, FRIDAY), [(MONDAY, MONDAY + 1)], SHARES, days_max=90) == ((MONDAY, FRIDAY),)
        assert pieces((MONDAY, FRIDAY), [(FRIDAY, FRIDAY + 1)], SHARES, days_max=90) == ((MONDAY, FRIDAY + 1),)

    def test_precedes_what_is_had_by_its_first_session(self):
        assert pieces((MONDAY, FRIDAY + 8), [(FRIDAY, FRIDAY + 8)], SHARES, days_max=90) == ((MONDAY, FRIDAY + 1),)
        assert pieces((MONDAY, FRIDAY), [(FRIDAY + 3, FRIDAY + 8)], SHARES, days_max=90) == (
            (MONDAY, FRIDAY),
            (FRIDAY + 3, FRIDAY + 4),
        )

    def test_goes_on_to_the_session_that_is_had_behind_a_weekend(self):
        tuesday, next_week = FRIDAY + 4, (FRIDAY + 3, FRIDAY + 8)

        assert pieces((MONDAY, FRIDAY + 3), [next_week], SHARES, days_max=90) == ((MONDAY, tuesday),)
        assert pieces(next_week, [(MONDAY, FRIDAY + 1)], SHARES, days_max=90) == ((FRIDAY, FRIDAY + 8),)

    @pytest.mark.parametrize("had", [FRIDAY + 1, FRIDAY + 2, FRIDAY + 3])
    def test_is_besides_the_very_last_session_that_is_had(self, had):
        late = (MONDAY + 28, MONDAY + 33)

        assert pieces(late, [(MONDAY, had)], SHARES, days_max=90) == ((FRIDAY, FRIDAY + 1), late)

    def test_continues_nothing_over_a_session_that_is_not_had(self):
        tuesday, wednesday, monday_after = MONDAY + 1, MONDAY + 2, FRIDAY + 3
        weekend, next_week = (FRIDAY + 1, monday_after), (FRIDAY + 4, FRIDAY + 8)

        assert pieces((wednesday, FRIDAY), [(MONDAY, tuesday)], SHARES, days_max=90) == (
            (MONDAY, tuesday),
            (wednesday, FRIDAY),
        )
        assert pieces((MONDAY, FRIDAY + 1), [weekend, next_week], SHARES, days_max=90) == (
            (MONDAY, FRIDAY + 1),
            (FRIDAY + 4, FRIDAY + 5),
        )

    def test_is_besides_the_first_day_of_what_is_had_where_that_alone_has_a_session(self):
        late = (MONDAY + 28, MONDAY + 33)

        assert pieces(late, [(FRIDAY, FRIDAY + 3)], SHARES, days_max=90) == ((FRIDAY, FRIDAY + 1), late)

    def test_is_besides_no_day_that_is_not_had(self):
        late, weekend = (MONDAY + 28, MONDAY + 33), (FRIDAY + 1, FRIDAY + 3)

        assert pieces(late, [weekend], SHARES, days_max=90) == (late,)
        assert pieces((MONDAY, MONDAY + 1), [weekend], SHARES, days_max=90) == ((MONDAY, MONDAY + 1),)

    def test_is_besides_the_nearest_session_that_is_had_where_nothing_touches(self):
        late = (MONDAY + 28, MONDAY + 33)
        before, after = (MONDAY, FRIDAY + 3), (MONDAY + 56, MONDAY + 61)

        assert pieces(late, [before], SHARES, days_max=90) == ((FRIDAY, FRIDAY + 1), late)
        assert pieces(late, [after], SHARES, days_max=90) == (late, (MONDAY + 56, MONDAY + 57))
        assert pieces(late, [after, before], SHARES, days_max=90) == ((FRIDAY, FRIDAY + 1), late)
        assert pieces(late, [before], SHARES, days_max=90, overlaps=False) == (late,)

    def test_overlaps_no_session_that_is_further_than_any_pause_and_is_besides_the_nearest_all_the_same(self):
        class Rare(Hours, frozen=True):
            def trades_on(self, day):
                return day in {MONDAY, MONDAY + 50, MONDAY + 100}

        had = [(MONDAY, MONDAY + 50), (MONDAY + 51, MONDAY + 101)]
        found = pieces((MONDAY + 20, MONDAY + 80), had, Rare(), days_max=90)

        assert found == ((MONDAY, MONDAY + 1), (MONDAY + 50, MONDAY + 51))

    @given(
        wanted=ANY_DAYS,
        had=st.lists(ANY_DAYS, max_size=4),
        days_max=st.integers(3, 90),
        hours=st.sampled_from([SHARES, NO_HOURS]),
    )
    def test_is_every_session_that_is_not_had_and_nothing_twice(self, wanted, had, days_max, hours):
        found = pieces(wanted, had, hours, days_max=days_max)
        fresh = pieces(wanted, had, hours, days_max=days_max, overlaps=False)

        assert sessions_of(wanted, hours) <= days_of(found) | days_of(had)
        assert all(0 < end - first <= days_max for first, end in found)
        assert all(earlier[0] < later[0] for earlier, later in pairwise(found))
        assert days_of(fresh) <= days_of([wanted]) - days_of(had)
        assert sum(end - first for first, end in fresh) == len(days_of(fresh))
        assert pieces(wanted, [*had, *found], hours, days_max=days_max) == ()


@pytest.mark.parametrize(
    ("segment", "known"), [("NSE_EQ", True), ("BSE_FNO", True), ("MCX_COMM", False), ("NSE_CURRENCY", False)]
)
def test_hours_are_known_of_shares_and_what_derives_of_them(segment, known):
    hours = Hours.of(segment)

    assert hours.are_known == known
    assert bool(hours.spans(MONDAY)) == known
    assert [hours.trades_on(day) for day in (MONDAY, MONDAY - 1)] == [True, not known]


@pytest.mark.parametrize(
    ("symbol", "says", "minutes"),
    [("INFY", None, 360), ("BSE:INFY", None, 360), ("IDBI", None, 375), ("INFY", False, 375), ("IDBI", True, 360)],
)
def test_shares_that_end_by_an_auction_lack_no_minute_of_it(symbol, says, minutes):
    hours = Hours.of("NSE_EQ", symbol, is_underlying=says)
    day = number_of_day(date(2026, 8, 3))
    bounds = {"since_ns": day_start_ns(day), "until_ns": day_start_ns(day + 1)}

    assert [each.candles for each in missing((), MINUTE_NS, hours, **bounds)] == [minutes]


@pytest.mark.parametrize(("until", "candles"), [("15:29", 6), ("15:30", 7), ("15:31", 7)])
def test_a_candle_that_the_close_cuts_short_has_ended_with_the_session(until, candles):
    hour, minute = map(int, until.split(":"))
    until_ns = day_start_ns(MONDAY) + (hour * 60 + minute) * MINUTE_NS

    found = missing((), 60 * MINUTE_NS, SHARES, since_ns=day_start_ns(MONDAY), until_ns=until_ns)
    assert [each.candles for each in found] == [candles]


class TestAdjustment:
    def test_is_the_factor_of_prices_that_overlap(self):
        assert adjusted_by({1: 100.0, 2: 102.0, 3: 9.0}, {1: 50.0, 2: 51.0}) == 0.5

    @pytest.mark.parametrize(
        ("before", "now"),
        [({}, {1: 50.0}), ({1: 100.0}, {2: 50.0}), ({1: 100.0}, {1: 100.05}), ({1: 0.0}, {1: 50.0})],
        ids=["nothing before", "nothing in common", "a correction", "no price"],
    )
    def test_is_none_where_nothing_shows_one(self, before, now):
        assert adjusted_by(before, now) is None

    @given(
        closes=st.lists(st.floats(10, 5_000), min_size=5, max_size=20),
        factor=st.sampled_from([0.2, 0.5, 0.9, 2.0]),
        wrong=st.floats(1, 9_000),
    )
    def test_is_found_though_one_candle_was_corrected_besides(self, closes, factor, wrong):
        before = dict(enumerate(closes))
        now = {start: close * factor for start, close in before.items()} | {0: wrong}

        assert adjusted_by(before, now) == pytest.approx(factor)


def starts_expected(first_day, end_day, interval_ns):
    """By walking over each minute that the exchange trades."""
    found = []
    for number in range(first_day, end_day):
        day = session(day_of_number(number))
        if day is None:
            continue
        if interval_ns == DAY_NS:
            found.append(day_start_ns(number))
            continue
        for open_ns, close_ns in day.spans:
            minutes = range(open_ns, close_ns, MINUTE_NS)
            found += sorted({day.open_ns + (minute - day.open_ns) // interval_ns * interval_ns for minute in minutes})
    return found


def runs_of(starts, interval_ns):
    runs = []
    for start in starts:
        if runs and start == runs[-1][1] + interval_ns:
            runs[-1] = runs[-1][0], start
        else:
            runs.append((start, start))
    return runs


def starts_missing(found, expected):
    return [start for start in expected if any(each.start_ns <= start < each.end_ns for each in found)]


class TestWhatIsMissing:
    def test_is_nothing_where_all_is_there(self):
        starts = starts_expected(MONDAY, FRIDAY + 8, MINUTE_NS)
        bounds = {"since_ns": day_start_ns(MONDAY), "until_ns": day_start_ns(FRIDAY + 8)}

        assert missing(runs_of(starts, MINUTE_NS), MINUTE_NS, SHARES, **bounds) == ()

    def test_is_told_over_a_weekend_as_one(self):
        starts = [s for s in starts_expected(MONDAY, MONDAY + 14, DAY_NS) if s != day_start_ns(MONDAY + 2)]
        without = [s for s in starts if s not in {day_start_ns(FRIDAY), day_start_ns(MONDAY + 7)}]
        bounds = {"since_ns": day_start_ns(MONDAY), "until_ns": day_start_ns(MONDAY + 14)}

        assert missing(runs_of(without, DAY_NS), DAY_NS, SHARES, **bounds) == (
            Missing(start_ns=day_start_ns(MONDAY + 2), end_ns=day_start_ns(MONDAY + 3), candles=1, sessions=1),
            Missing(start_ns=day_start_ns(FRIDAY), end_ns=day_start_ns(MONDAY + 8), candles=2, sessions=2),
        )

    def test_is_nothing_of_a_market_whose_hours_are_not_known(self):
        assert missing([], MINUTE_NS, NO_HOURS, since_ns=day_start_ns(MONDAY), until_ns=day_start_ns(FRIDAY)) == ()

    @pytest.mark.parametrize(("after_ns", "candles"), [(0, 75), (1, 74), (5 * MINUTE_NS, 74), (400 * MINUTE_NS, 0)])
    def test_is_not_a_candle_that_begins_before(self, after_ns, candles):
        opening_ns = day_start_ns(MONDAY) + (9 * 60 + 15) * MINUTE_NS
        bounds = {"since_ns": opening_ns + after_ns, "until_ns": day_start_ns(MONDAY + 1)}

        assert sum(each.candles for each in missing([], 5 * MINUTE_NS, SHARES, **bounds)) == candles

    def test_is_not_a_day_that_had_begun_before(self):
        bounds = {"since_ns": day_start_ns(MONDAY) + 1, "until_ns": day_start_ns(MONDAY + 2)}

        assert [each.start_ns for each in missing([], DAY_NS, SHARES, **bounds)] == [day_start_ns(MONDAY + 1)]

    def test_is_not_a_candle_that_has_not_ended(self):
        opening_ns = day_start_ns(MONDAY) + (9 * 60 + 15) * MINUTE_NS
        bounds = {"since_ns": day_start_ns(MONDAY), "until_ns": opening_ns + 7 * MINUTE_NS}

        assert [each.candles for each in missing([], 5 * MINUTE_NS, SHARES, **bounds)] == [1]

    @given(
        data=st.data(),
        interval=st.sampled_from(["5m", "15m", "1h", "1d"]),
        first=st.sampled_from([date(2026, 1, 5), date(2026, 11, 6), date(2024, 3, 1)]),
    )
    def test_is_exactly_what_is_not_there(self, data, interval, first):
        first_day = number_of_day(first)
        interval_ns, end_day = INTERVALS[interval], first_day + 5
        expected = starts_expected(first_day, end_day, interval_ns)
        gone = data.draw(st.sets(st.sampled_from(expected), max_size=60))
        there = [start for start in expected if start not in gone]
        bounds = {"since_ns": day_start_ns(first_day), "until_ns": day_start_ns(end_day)}

        found = missing(runs_of(there, interval_ns), interval_ns, SHARES, **bounds)

        assert starts_missing(found, expected) == sorted(gone)
        assert sum(each.candles for each in found) == len(gone)
        days = [{start for start in expected if day_of(start) == day} for day in {day_of(start) for start in expected}]
        assert sum(each.sessions for each in found) == sum(day <= gone for day in days)
        assert len(found) == sum(
            start in gone and (place == 0 or expected[place - 1] not in gone) for place, start in enumerate(expected)
        )


def a_chart(*rows):
    columns = zip(*rows, strict=True) if rows else [()] * 6
    starts, opens, highs, lows, closes, volumes = (tuple(each) for each in columns)
    return ChartRead(starts_s=starts, opens=opens, highs=highs, lows=lows, closes=closes, volumes=volumes)


MONDAY_S = day_start_ns(MONDAY) // SECOND_NS
BOUNDS = {"since_ns": day_start_ns(MONDAY), "until_ns": day_start_ns(FRIDAY)}


class TestCandlesOfAChart:
    def test_are_its_rows_without_the_noise_of_floats(self):
        chart = a_chart((MONDAY_S, 1499.4 - 0.05, 1500.0, 1499.0, 1499.5, 10))
        (candle,), left_out = candles_of(chart, symbol="INFY", interval_ns=MINUTE_NS, **BOUNDS)

        assert (candle.open, candle.high, candle.low, candle.close) == (1499.35, 1500.0, 1499.0, 1499.5)
        assert (candle.symbol, candle.volume, candle.source, left_out) == ("INFY", 10, "charts", {})
        assert (candle.start_ns, candle.interval_ns) == (MONDAY_S * SECOND_NS, MINUTE_NS)

    @pytest.mark.parametrize(
        ("row", "reason"),
        [
            ((MONDAY_S - 60, 1.0, 1.0, 1.0, 1.0, 1), "outside of what was asked for"),
            ((MONDAY_S + 4 * 86_400, 1.0, 1.0, 1.0, 1.0, 1), "outside of what was asked for"),
            ((MONDAY_S, 1.0, 1.0, 0.0, 1.0, 1), "prices that contradict each other"),
            ((MONDAY_S, 1.0, 0.9, 0.8, 0.85, 1), "prices that contradict each other"),
            ((MONDAY_S, 1.0, 1.0, 1.0, 1.0, 0), "a day without a trade"),
        ],
        ids=["too early", "too late", "no price", "open above high", "made up"],
    )
    def test_are_not_made_of_a_row_that_cannot_be_one(self, row, reason):
        assert candles_of(a_chart(row), symbol="INFY", interval_ns=DAY_NS, **BOUNDS) == ((), {reason: 1})

    def test_are_made_of_a_day_with_a_trade_and_of_a_minute_without_one(self):
        day, minute = ((MONDAY_S, 1.0, 1.0, 1.0, 1.0, volume) for volume in (1, 0))

        assert len(candles_of(a_chart(day), symbol="INFY", interval_ns=DAY_NS, **BOUNDS)[0]) == 1
        assert len(candles_of(a_chart(minute), symbol="INFY", interval_ns=DAY_NS - 1, **BOUNDS)[0]) == 1

    def test_are_counted_by_the_reason_for_which_they_are_left_out(self):
        early = (MONDAY_S - 60, 1.0, 1.0, 1.0, 1.0, 1)

        assert candles_of(a_chart(early, early), symbol="INFY", interval_ns=DAY_NS, **BOUNDS)[1] == {
            "outside of what was asked for": 2
        }

    def test_are_all_that_lie_within_what_was_asked_for(self):
        ends = [(MONDAY_S, 1.0, 1.0, 1.0, 1.0, 1), (MONDAY_S + 3 * 86_400, 1.0, 1.0, 1.0, 1.0, 1)]

        assert len(candles_of(a_chart(*ends), symbol="INFY", interval_ns=DAY_NS, **BOUNDS)[0]) == 2

    def test_of_an_index_have_no_volume(self):
        chart = a_chart((MONDAY_S, 1.0, 1.0, 1.0, 1.0, 0))

        assert len(candles_of(chart, symbol="NIFTY", interval_ns=DAY_NS, is_index=True, **BOUNDS)[0]) == 1

    def test_are_none_that_has_not_ended(self):
        chart = a_chart((MONDAY_S + 4 * 86_400 - 30, 1.0, 1.0, 1.0, 1.0, 1))

        assert candles_of(chart, symbol="INFY", interval_ns=MINUTE_NS, **BOUNDS)[0] == ()

    @given(
        rows=st.lists(
            st.tuples(
                st.integers(MONDAY_S - 600, MONDAY_S + 600),
                *[st.floats(0, 1e12)] * 4,
                st.integers(0, 10**9),
            ),
            max_size=20,
        )
    )
    def test_are_as_many_as_the_rows_less_those_left_out(self, rows):
        found, left_out = candles_of(a_chart(*rows), symbol="INFY", interval_ns=MINUTE_NS, **BOUNDS)

        assert len(found) + sum(left_out.values()) == len(rows)
        assert all(0 < each.low <= min(each.open, each.close) for each in found)
        assert all(each.high >= max(each.open, each.close) for each in found)
