"""When commodities and currencies trade, and when Dhan closes intraday positions of them."""

from datetime import date, datetime, timedelta
from typing import get_args
from zoneinfo import ZoneInfo

import pytest

from natya.domain.calendar import Exchange, Market, day_order_ends_ns, next_open, session
from natya.domain.commodity_sessions import is_summer_in_new_york
from natya.domain.dhan.square_off import square_off_ns
from natya.domain.time import IST, SECOND_NS
from natya.domain.venues import Venue

METALS, WORLD, FARM = Venue("MCX", "COMMODITY"), Venue("MCX", "WORLD_AGRI"), Venue("MCX", "AGRI")
CURRENCY = Venue("NSE", "CURRENCY")


def clock(time_ns):
    return None if time_ns is None else datetime.fromtimestamp(time_ns / SECOND_NS, IST).strftime("%H:%M")


def at(text):
    return int(datetime.fromisoformat(text).replace(tzinfo=IST).timestamp()) * SECOND_NS


def hours(day, venue=METALS):
    found = session(date.fromisoformat(day), *venue)
    return None if found is None else (clock(found.open_ns), clock(found.close_ns))


class TestCommodities:
    @pytest.mark.parametrize(
        ("day", "close"),
        [  # of New York's second Sunday of March and first of November: MCX told 11 March to 1 November of 2024
            ("2024-03-07", "23:55"), ("2024-03-11", "23:30"), ("2024-10-31", "23:30"), ("2024-11-04", "23:55"),
            ("2025-03-07", "23:55"), ("2025-03-10", "23:30"), ("2026-10-30", "23:30"), ("2026-11-02", "23:55"),
        ],
    )  # fmt: skip
    def test_trade_longer_in_new_york_s_winter(self, day, close):
        assert hours(day)[1] == close

    @pytest.mark.parametrize(
        ("day", "opens"),
        [("1970-01-01", "10:00"), ("2010-03-02", "10:00"), ("2018-12-28", "10:00"), ("2018-12-31", "09:00")],
    )
    def test_open_at_nine_from_a_day_on(self, day, opens):
        assert hours(day)[0] == opens

    def test_of_farms_end_earlier(self):
        assert (hours("2026-12-04"), hours("2026-12-04", WORLD)) == (("09:00", "23:55"), ("09:00", "21:00"))
        assert hours("2026-12-04", FARM) == ("09:00", "17:00")

    @pytest.mark.parametrize(
        "day", ["2026-01-26", "2026-04-03", "2026-10-02", "2026-12-25", "2025-08-15", "2026-12-05"]
    )
    def test_rest_on_the_holidays_of_all_and_at_weekends(self, day):
        assert [hours(day, venue) for venue in (METALS, WORLD, FARM)] == [None, None, None]

    @pytest.mark.parametrize("day", ["2026-03-03", "2026-03-26", "2026-11-24", "2024-11-15"])
    def test_trade_in_the_evening_alone_on_those_of_shares(self, day):
        assert hours(day)[0] == "17:00"
        assert hours(day, WORLD) == ("17:00", "21:00")
        assert hours(day, FARM) is None

    @pytest.mark.parametrize(
        ("day", "hour"),
        [
            ("2021-11-04", ("18:15", "19:15")),
            ("2023-11-12", ("18:15", "19:15")),  # a Sunday
            ("2024-11-01", ("18:00", "19:00")),
            ("2025-10-21", ("13:45", "14:45")),
            ("2026-11-08", ("18:00", "19:00")),
        ],
    )
    def test_trade_in_the_hour_of_muhurat_alone_as_shares_do(self, day, hour):
        assert [hours(day, venue) for venue in (METALS, WORLD, FARM)] == [hour] * 3
        assert not session(date.fromisoformat(day), *METALS).known

    @pytest.mark.parametrize("day", ["2025-02-01", "2026-02-01"])
    def test_trade_until_five_on_a_weekend_of_the_budget(self, day):
        assert [hours(day, venue) for venue in (METALS, WORLD, FARM)] == [("09:00", "17:00")] * 3

    def test_trade_in_the_morning_alone_on_new_year_s_day(self):
        assert (hours("2026-01-01"), hours("2026-01-01", FARM)) == (("09:00", "17:00"), ("09:00", "17:00"))

    def test_have_these_hours_whichever_exchange_trades_them_and_mcx_no_others(self):
        day = date(2026, 12, 4)
        assert session(day, "NSE", "AGRI") == session(day, *FARM)
        assert session(day, "MCX") == session(day, "MCX", "DERIVATIVES") == session(day, *METALS) != session(day)

    @pytest.mark.parametrize(
        ("venue", "day"), [(METALS, "2026-12-04"), (METALS, "2025-10-21"), (CURRENCY, "2026-12-04")]
    )
    def test_are_of_that_day(self, venue, day):
        assert session(date.fromisoformat(day), *venue).day == date.fromisoformat(day)

    def test_are_known_of_2026_and_assumed_of_other_years(self):
        assert session(date(2026, 12, 4), *METALS).known
        assert not session(date(2025, 12, 4), *METALS).known
        assert not session(date(2031, 12, 4), *METALS).known

    def test_have_orders_for_the_day_that_end_with_theirs(self):
        assert day_order_ends_ns(at("2026-12-04T18:00"), *METALS) == at("2026-12-05T00:00")
        assert day_order_ends_ns(at("2026-12-04T18:00")) == at("2026-12-08T00:00")
        assert next_open(at("2026-11-23T23:56"), *METALS) == at("2026-11-24T17:00")


@pytest.mark.parametrize("exchange", get_args(Exchange))
@pytest.mark.parametrize("market", get_args(Market))
def test_every_market_has_its_hours_on_a_weekday_of_any_year_or_rests(exchange, market):
    for year in range(1970, 2100):
        days = [session(date(year, month, 2), exchange, market) for month in range(1, 13)]

        assert sum(each is not None for each in days) >= 6
        assert all(each is None or each.open_ns < each.close_ns for each in days)


def test_the_summer_of_new_york_is_that_of_its_clock():
    zone, first = ZoneInfo("America/New_York"), date(2007, 4, 1)
    for number in range(366 * 20):
        day = first + timedelta(days=number)
        noon = datetime(day.year, day.month, day.day, 12, tzinfo=zone)
        assert is_summer_in_new_york(day) is bool(noon.dst()), day


class TestCurrencies:
    def test_trade_from_nine_to_five_and_every_day_is_assumed(self):
        assert hours("2026-12-04", CURRENCY) == ("09:00", "17:00")
        assert not session(date(2026, 12, 4), *CURRENCY).known

    def test_rest_with_shares_and_have_their_hours_on_special_days(self):
        assert hours("2026-11-24", CURRENCY) is None
        assert hours("2025-10-21", CURRENCY) == ("13:45", "14:45")


class TestIntradayPositions:
    @pytest.mark.parametrize(
        ("venue", "day", "closed"),
        [
            (("NSE", "CASH"), "2026-12-04", "15:20"),
            (("NSE", "DERIVATIVES"), "2026-12-04", "15:20"),
            (("BSE", "DERIVATIVES"), "2026-07-31", "15:20"),
            (CURRENCY, "2026-12-04", "16:45"),
            (METALS, "2026-10-30", "23:15"),
            (METALS, "2026-12-04", "23:45"),
            (WORLD, "2026-12-04", "20:45"),
            (FARM, "2026-12-04", "16:45"),
            (FARM, "2026-11-24", None),
        ],
    )
    def test_are_closed_before_the_end_of_their_market(self, venue, day, closed):
        assert clock(square_off_ns(date.fromisoformat(day), Venue(*venue))) == closed
