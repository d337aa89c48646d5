"""When the exchanges trade."""

from collections import Counter
from datetime import date, datetime, time, timedelta

import pytest

from natya.domain.calendar import (
    covered_years,
    day_order_ends_ns,
    is_open,
    minutes_to_close,
    next_open,
    next_turn,
    open_spans,
    reached_close_ns,
    session,
    session_at,
    trading_days,
    unusual_openings,
)
from natya.domain.time import IST, SECOND_NS, day_start_ns

MINUTE_NS = 60 * SECOND_NS

MISSED_BY_OTHERS = {
    date(2015, 2, 28): "Union Budget",
    date(2016, 10, 30): "Muhurat",
    date(2019, 10, 27): "Muhurat",
    date(2020, 2, 1): "Union Budget",
    date(2020, 11, 14): "Muhurat",
    date(2023, 11, 12): "Muhurat",
    date(2024, 1, 20): "Saturday for the Monday after it",
    date(2024, 3, 2): "disaster recovery",
    date(2024, 5, 18): "disaster recovery",
    date(2025, 2, 1): "Union Budget",
    date(2026, 2, 1): "Union Budget",
    date(2026, 11, 8): "Muhurat",
}
"""Sessions at weekends, which pandas_market_calendars 5.5.0 does not know."""


def at(text):
    return int(datetime.fromisoformat(text).replace(tzinfo=IST).timestamp()) * SECOND_NS


def hours_of(day, exchange="NSE"):
    return [
        tuple(datetime.fromtimestamp(edge // SECOND_NS, IST).strftime("%H:%M") for edge in span)
        for span in session(date.fromisoformat(day), exchange).spans
    ]


class TestASession:
    @pytest.mark.parametrize("exchange", ["NSE", "BSE"])
    def test_of_an_ordinary_day_is_from_0915_to_1530(self, exchange):
        found = session(date(2025, 12, 29), exchange)

        assert (found.open_ns, found.close_ns) == (at("2025-12-29T09:15"), at("2025-12-29T15:30"))
        assert (found.pre_open_ns, found.pre_open_ends_ns) == (at("2025-12-29T09:00"), at("2025-12-29T09:08"))
        assert (found.name, found.known) == ("", True)

    @pytest.mark.parametrize(
        "day", ["2025-12-27", "2025-12-28", "2025-12-25", "2026-01-15", "2024-01-22", "2020-04-10", "2015-01-26"]
    )
    def test_there_is_none_at_weekends_and_on_holidays(self, day):
        assert session(date.fromisoformat(day)) is None
        assert session(date.fromisoformat(day), "BSE") is None

    @pytest.mark.parametrize(
        ("day", "hours"),
        [
            ("2025-10-21", [("13:45", "14:45")]),
            ("2024-11-01", [("18:00", "19:00")]),
            ("2020-11-14", [("18:15", "19:15")]),
            ("2025-02-01", [("09:15", "15:30")]),
            ("2026-02-01", [("09:15", "15:30")]),
            ("2024-03-02", [("09:15", "10:00"), ("11:30", "12:30")]),
            ("2021-02-24", [("09:15", "11:40"), ("15:45", "17:00")]),
        ],
    )
    def test_may_have_hours_of_its_own(self, day, hours):
        assert hours_of(day) == hours

    def test_may_be_of_one_exchange_alone(self):
        assert hours_of("2021-02-24", "BSE") == [("09:15", "17:00")]

    def test_whose_hours_are_assumed_says_so(self):
        assert not session(date(2026, 11, 8)).known

    @pytest.mark.parametrize("day", [date(2014, 12, 31), date(2031, 1, 1)])
    def test_outside_of_the_years_that_are_known_is_assumed_on_weekdays(self, day):
        assert day.year not in covered_years()
        assert session(day).known is False
        assert "assumed" in session(day).name
        assert session(day + timedelta(days=(5 - day.weekday()) % 7)) is None

    def test_within_them_is_known_from_the_first_year_to_the_last(self):
        for year in (covered_years()[0], covered_years()[-1]):
            weekdays = (date(year, month, day) for month in (1, 12) for day in range(5, 12))
            found = [each for each in map(session, weekdays) if each is not None]

            assert {(each.known, each.name) for each in found} == {(True, "")}

    def test_is_found_by_a_time_of_its_day_in_india(self):
        assert session_at(at("2025-12-29T00:00")).day == date(2025, 12, 29)
        assert session_at(at("2025-12-29T00:00") - 1) is None


class TestDerivatives:
    @pytest.mark.parametrize(
        ("day", "close"),
        [(date(2026, 7, 31), time(15, 30)), (date(2026, 8, 3), time(15, 40)), (date(2026, 12, 24), time(15, 40))],
    )
    def test_trade_ten_minutes_longer_than_shares_since_august_2026(self, day, close):
        found = session(day, "NSE", "DERIVATIVES")

        assert datetime.fromtimestamp(found.close_ns / 1e9, tz=IST).time() == close
        assert datetime.fromtimestamp(session(day).close_ns / 1e9, tz=IST).time() == time(15, 30)
        assert found.open_ns == session(day).open_ns

    def test_have_the_hours_of_shares_on_special_days(self):
        assert session(date(2021, 2, 24), "NSE", "DERIVATIVES").spans == session(date(2021, 2, 24), "NSE").spans

    def test_have_hours_of_their_own_on_one_of_them(self):
        day = "2024-05-18"
        spans = session(date.fromisoformat(day), "NSE", "DERIVATIVES").spans

        assert spans == ((at(f"{day}T09:15"), at(f"{day}T10:00")), (at(f"{day}T11:45"), at(f"{day}T12:40")))
        assert session(date.fromisoformat(day)).spans[1] == (at(f"{day}T11:30"), at(f"{day}T12:30"))

    @pytest.mark.parametrize(("day", "minutes"), [(date(2025, 12, 5), 0), (date(2025, 12, 8), 15)])
    def test_have_a_pre_open_session_since_december_2025(self, day, minutes):
        found = session(day, "NSE", "DERIVATIVES")

        assert found.open_ns - found.pre_open_ns == minutes * MINUTE_NS
        assert found.opens_by_auction(found.open_ns - 1) is bool(minutes)


class TestShares:
    @pytest.mark.parametrize("market", ["CASH", "UNDERLYING"])
    @pytest.mark.parametrize("day", ["2019-12-30", "2025-12-05", "2026-12-04"])
    def test_open_by_an_auction_from_nine_up_to_the_opening(self, day, market):
        found = session(date.fromisoformat(day), "NSE", market)
        clocks = ("08:59:59", "09:00", "09:14:59", "09:15")

        assert [found.opens_by_auction(at(f"{day}T{clock}")) for clock in clocks] == [False, True, True, False]

    def test_take_no_order_outside_of_trading_where_no_auction_closes_it(self):
        found = session(date(2025, 12, 5))
        clocks = ("09:14:59", "09:15", "15:29:59", "15:30")

        assert [found.takes_orders(at(f"2025-12-05T{clock}")) for clock in clocks] == [False, True, True, False]


class TestSharesThatDerivativesAreOf:
    @pytest.mark.parametrize("exchange", ["NSE", "BSE"])
    def test_end_by_an_auction_since_august_2026(self, exchange):
        found = session(date(2026, 8, 3), exchange, "UNDERLYING")
        closing = found.closing
        clocks = closing.reference_ns, closing.starts_ns, closing.entry_ns, closing.limits_ns, closing.entry_ends_ns

        assert clocks == tuple(at(f"2026-08-03T{clock}") for clock in ("15:00", "15:15", "15:20", "15:25", "15:28"))
        assert (found.close_ns, found.ends_ns) == (at("2026-08-03T15:15"), at("2026-08-03T15:35"))
        assert (found.open_ns, found.pre_open_ns) == (at("2026-08-03T09:15"), at("2026-08-03T09:00"))

    def test_have_the_sessions_of_all_shares_before_and_on_days_of_other_hours(self):
        days = [date(2015, 1, 1) + timedelta(days=number) for number in range(4232)]  # to 2 August 2026
        for day in (*days, date(2026, 11, 8)):
            assert session(day, "NSE", "UNDERLYING") == session(day)

    @pytest.mark.parametrize(
        ("clock", "taken"),
        [
            *(("15:14:59", True), ("15:15", False), ("15:19:59", False), ("15:20", True), ("15:27:59", True)),
            *(("15:28", False), ("15:34:59", False), ("15:35", False)),
        ],
    )
    def test_take_orders_in_continuous_trading_and_in_the_entry_of_the_auction(self, clock, taken):
        assert session(date(2026, 8, 3), "NSE", "UNDERLYING").takes_orders(at(f"2026-08-03T{clock}")) is taken

    @pytest.mark.parametrize(("clock", "end"), [("15:34:59", "2026-08-04"), ("15:35", "2026-08-05")])
    def test_have_orders_that_end_with_the_day_whose_auction_they_meet(self, clock, end):
        assert day_order_ends_ns(at(f"2026-08-03T{clock}"), "NSE", "UNDERLYING") == at(f"{end}T00:00")


class TestAnExchange:
    def test_is_open_from_the_opening_up_to_the_close(self):
        opening, close = at("2025-12-29T09:15"), at("2025-12-29T15:30")

        assert [is_open(moment) for moment in (opening - 1, opening, close - 1, close)] == [False, True, True, False]
        assert not is_open(at("2025-12-28T12:00")), "a Sunday"

    def test_is_shut_in_a_pause(self):
        assert not is_open(at("2024-03-02T10:30"))
        assert is_open(at("2024-03-02T11:30"))

    @pytest.mark.parametrize(
        ("moment", "opening"),
        [
            ("2025-12-29T09:14", "2025-12-29T09:15"),
            ("2025-12-29T09:15", "2025-12-30T09:15"),
            ("2025-12-24T16:00", "2025-12-26T09:15"),
            ("2025-10-20T16:00", "2025-10-21T13:45"),
            ("2025-01-31T16:00", "2025-02-01T09:15"),
        ],
    )
    def test_opens_next_after_a_time(self, moment, opening):
        assert next_open(at(moment)) == at(opening)

    @pytest.mark.parametrize(
        ("moment", "end"),
        [
            ("2025-12-29T08:00", "2025-12-30"),
            ("2025-12-29T10:00", "2025-12-30"),
            ("2025-12-29T15:29:59", "2025-12-30"),
            ("2025-12-29T15:30", "2025-12-31"),
            ("2025-12-30T00:00", "2025-12-31"),
            ("2025-12-24T16:00", "2025-12-27"),
            ("2025-12-27T11:00", "2025-12-30"),
        ],
    )
    def test_ends_an_order_of_a_day_with_the_day_whose_session_it_meets(self, moment, end):
        assert day_order_ends_ns(at(moment)) == at(f"{end}T00:00")

    @pytest.mark.parametrize(
        ("moment", "turn"),
        [
            ("2025-12-29T09:14", "2025-12-29T09:15"),
            ("2025-12-29T09:15", "2025-12-29T15:30"),
            ("2025-12-29T15:30", "2025-12-30T09:15"),
            ("2025-12-24T16:00", "2025-12-26T09:15"),
            ("2025-10-21T13:45", "2025-10-21T14:45"),
        ],
    )
    def test_turns_next_when_it_opens_or_closes(self, moment, turn):
        assert next_turn(at(moment)) == at(turn)

    def test_closes_in_so_many_minutes(self):
        assert minutes_to_close(at("2025-12-29T15:20")) == 10
        assert minutes_to_close(at("2025-10-21T13:45")) == 60
        assert minutes_to_close(at("2024-03-02T10:30")) == 120
        assert minutes_to_close(at("2025-12-29T15:30")) == 0.0
        assert minutes_to_close(at("2025-12-28T12:00")) == 0.0

    @pytest.mark.parametrize(
        ("last", "close"),
        [
            ("2025-12-29T15:29", None),
            ("2025-12-29T15:29:01", "2025-12-29T15:30"),
            ("2025-12-29T15:29:59", "2025-12-29T15:30"),
            ("2025-12-29T15:30", "2025-12-29T15:30"),
            ("2025-12-29T15:30:01", None),
            ("2025-10-21T14:44:30", "2025-10-21T14:45"),
            ("2025-12-28T15:29:30", None),
            ("2026-12-01T15:30", "2026-12-01T15:30"),
            ("2026-12-01T15:39", None),
            ("2026-12-01T15:39:01", "2026-12-01T15:40"),
            ("2026-12-01T15:40", "2026-12-01T15:40"),
            ("2026-12-01T15:40:01", None),
            ("2025-12-29T15:40", None),
        ],
    )
    def test_is_closed_by_a_recording_that_ends_in_its_last_minute(self, last, close):
        assert reached_close_ns(at(last)) == (at(close) if close else None)

    def test_is_open_at_some_times_of_an_interval(self):
        assert open_spans(at("2025-12-29T09:00"), at("2025-12-29T10:00")) == (
            (at("2025-12-29T09:15"), at("2025-12-29T10:00")),
        )
        assert open_spans(at("2025-12-29T15:15"), at("2025-12-29T16:15")) == (
            (at("2025-12-29T15:15"), at("2025-12-29T15:30")),
        )
        assert open_spans(at("2025-12-29T15:30"), at("2025-12-29T16:30")) == ()
        assert len(open_spans(at("2025-12-22T00:00"), at("2025-12-29T00:00"))) == 4


class TestTradingDays:
    @pytest.mark.parametrize(
        ("first", "last", "exchange", "days"),
        [
            ("2025-01-01T00:00", "2025-12-31T15:30", "NSE", 249),
            ("2025-12-26T15:29", "2025-12-29T09:15", "NSE", 2),
            ("2025-12-27T00:00", "2025-12-28T23:59", "NSE", 0),
            ("2003-01-01T00:00", "2012-12-31T23:59", "NSE", 2_520),
            ("2014-12-01T00:00", "2015-01-09T23:59", "NSE", 28),
            ("2025-01-01T00:00", "2025-12-31T23:59", None, 252),
        ],
    )
    def test_are_counted_by_the_calendar_and_where_there_is_none_by_the_year(self, first, last, exchange, days):
        assert trading_days(at(first), at(last), exchange) == days


class TestTheData:
    def test_agrees_with_the_collection_of_others(self):
        """`make calendar` installs it: it brings thirteen packages, too many for every run."""
        others = pytest.importorskip("pandas_market_calendars")
        years = covered_years()
        table = others.get_calendar("NSE").schedule(f"{years[0]}-01-01", f"{years[-1]}-12-31", tz="Asia/Kolkata")
        theirs = {
            opening.date(): (opening.strftime("%H:%M"), close.strftime("%H:%M"))
            for opening, close in zip(table["market_open"], table["market_close"], strict=True)
        }
        days = [date(years[0], 1, 1) + timedelta(days=count) for count in range(366 * len(years))]
        ours = {
            day: (hours_of(day.isoformat())[0][0], hours_of(day.isoformat())[-1][1])
            for day in days
            if day.year in years and session(day)
        }

        assert {day: hours for day, hours in ours.items() if day not in MISSED_BY_OTHERS} == theirs

    def test_has_the_sessions_that_others_miss(self):
        assert {day: session(day).name for day in MISSED_BY_OTHERS} == MISSED_BY_OTHERS


@pytest.mark.parametrize("exchange", ["NSE", "BSE"])
def test_unusual_openings_are_those_of_all_days_that_begin_at_another_time_than_most(exchange):
    years, openings = covered_years(), {}
    day = date(years.start, 1, 1)
    while day.year < years.stop:
        if (found := session(day, exchange)) is not None:
            number = (day - date(1970, 1, 1)).days
            openings[number] = found.open_ns - day_start_ns(number)
        day += timedelta(days=1)
    usual_ns = (9 * 60 + 15) * MINUTE_NS

    assert Counter(openings.values()).most_common(1)[0][0] == usual_ns
    assert dict(unusual_openings(exchange)) == {day: each for day, each in openings.items() if each != usual_ns}
