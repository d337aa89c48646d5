"""What a strategy may know of the past at a moment, and what was asked of a broker to know it."""

import datetime as dt

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from natya_examples import QUARTER
from natya_market import emptied

from natya.actors.database import DuckDBAdapter, MarketDataRepositoryImpl
from natya.actors.database.repositories.market_data import OPEN_SHARE, PAUSE_NS
from natya.actors.database.tables.moments import start_ns
from natya.actors.database.writing.market import MarketStore
from natya.domain.time import DAY_NS, IST
from natya.messages.history import Fetched

pytestmark = pytest.mark.usefixtures("engines")

MINUTE_NS = 60 * 10**9
HOUR_NS = 60 * MINUTE_NS
FRIDAY, MONDAY = dt.date(2026, 1, 2), dt.date(2026, 1, 5)
OPEN_NS = start_ns(dt.datetime(2026, 1, 2, 9, 15, tzinfo=IST))


def at(day, hour, minute=0):
    return start_ns(dt.datetime.combine(day, dt.time(hour, minute), IST))


def minutes(build, *starts):
    return [build.candle(start, interval_ns=MINUTE_NS) for start in starts]


class TestHistory:
    def test_is_the_newest_candles_that_had_ended_the_oldest_first(self, market, build):
        market.save_candles(minutes(build, *(OPEN_NS + n * MINUTE_NS for n in range(10)))).result()

        found = market.history("RELIANCE", "1m", 3, at(FRIDAY, 9, 20)).data

        assert [(c.start_ns - OPEN_NS) // MINUTE_NS for c in found] == [2, 3, 4]

    def test_does_not_know_the_minute_that_goes_on(self, market, build):
        market.save_candles(minutes(build, OPEN_NS)).result()

        assert market.history("RELIANCE", "1m", 1, OPEN_NS + MINUTE_NS - 1).data == ()
        assert len(market.history("RELIANCE", "1m", 1, OPEN_NS + MINUTE_NS).data) == 1

    def test_does_not_know_the_day_that_goes_on_though_its_candle_is_stored(self, market, build):
        market.save_candles([build.candle(start_ns(day), interval_ns=DAY_NS) for day in (FRIDAY, MONDAY)]).result()

        assert [c.start_ns for c in market.history("RELIANCE", "1d", 5, at(MONDAY, 15, 40)).data] == [start_ns(FRIDAY)]

    def test_is_made_of_minutes_where_only_those_are_stored(self, market, build):
        market.save_candles(minutes(build, *(OPEN_NS + n * MINUTE_NS for n in range(60)))).result()

        found = market.history("RELIANCE", "15m", 2, at(FRIDAY, 10, 10)).data

        assert [(c.start_ns - OPEN_NS) // MINUTE_NS for c in found] == [15, 30]
        assert [c.volume for c in found] == [1500, 1500]

    def test_looks_back_over_nights_and_as_far_as_there_is_anything(self, market, build):
        far = at(dt.date(2025, 3, 3), 9, 15)
        market.save_candles(minutes(build, far, OPEN_NS)).result()

        assert [c.start_ns for c in market.history("RELIANCE", "1m", 2, at(MONDAY, 9, 15)).data] == [far, OPEN_NS]
        assert [c.start_ns for c in market.history("RELIANCE", "1m", 9, at(MONDAY, 9, 15)).data] == [far, OPEN_NS]

    @pytest.mark.parametrize(("interval", "length", "minute"), [("1m", 1, 0), ("5m", 5, 0), ("5m", 5, 3)])
    def test_looks_further_for_what_begins_just_before_the_first_look(self, memory, build, interval, length, minute):
        length_ns = length * MINUTE_NS
        newest = OPEN_NS + 60 * MINUTE_NS
        before = newest - 2 * length_ns * OPEN_SHARE - PAUSE_NS
        with emptied(memory) as market:
            market.save_candles(minutes(build, before + minute * MINUTE_NS, newest)).result()

            found = market.history("RELIANCE", interval, 2, newest + length_ns).data

        assert [candle.start_ns for candle in found] == [before, newest]

    def test_of_a_symbol_that_is_not_known_is_empty(self, market):
        assert market.history("NOBODY", "1m", 100, MONDAY).data == ()

    @pytest.mark.parametrize("bars", [0, -1, 100_001, 1.5, "many"])
    def test_of_no_sensible_length_is_refused(self, market, bars):
        assert not market.history("RELIANCE", "1m", bars, MONDAY).result().success

    @settings(max_examples=QUARTER)
    @given(
        starts=st.lists(st.integers(0, 5 * 24 * 60), max_size=30, unique=True),
        ticks=st.lists(st.integers(0, 5 * 24 * 3600), max_size=20, unique=True),
        interval=st.sampled_from(["1m", "5m", "1h", "1d"]),
        bars=st.integers(1, 12),
        until=st.integers(0, 6 * 24 * 60),
    )
    def test_is_what_the_candles_say_and_not_changed_by_what_comes_after(  # noqa: PLR0913, PLR0917  hypothesis
        self, memory, build, starts, ticks, interval, bars, until
    ):
        until_ns = OPEN_NS + until * MINUTE_NS
        candles = minutes(build, *(OPEN_NS + start * MINUTE_NS for start in starts))
        heard = [
            build.tick(n, symbol="RELIANCE", exchange_ns=OPEN_NS + second * 10**9)
            for n, second in enumerate(sorted(ticks), start=1)
        ]
        with emptied(memory) as market:
            market.save_candles([c for c in candles if c.start_ns + MINUTE_NS <= until_ns]).result()
            market.save_ticks([t for t in heard if t.exchange_ns < until_ns]).result()
            known_then = market.history("RELIANCE", interval, bars, until_ns).data
            market.save_candles(candles).result()
            market.save_ticks(heard).result()
            all_of_it = market.candles("RELIANCE", interval, FRIDAY, FRIDAY + dt.timedelta(days=9)).data

            found = market.history("RELIANCE", interval, bars, until_ns).data

        assert found == known_then
        assert found == tuple(c for c in all_of_it if c.start_ns + c.interval_ns <= until_ns)[-bars:]


def fetched(**changes):
    fields = {"symbol": "RELIANCE", "interval_ns": MINUTE_NS, "start_ns": OPEN_NS, "end_ns": OPEN_NS + DAY_NS}
    return Fetched(**fields | {"asked_ns": OPEN_NS + DAY_NS, "requests": 2, "candles": 1} | changes)


class TestWhatWasAskedFor:
    def test_is_kept_with_the_candles(self, path, build):
        with DuckDBAdapter(path, max_connections=3) as database:
            MarketStore(database).write((), minutes(build, OPEN_NS), fetches=(fetched(),))
        with DuckDBAdapter(path, max_connections=3) as database:
            rows = database.query("select * from fetches").rows

        assert rows == (("RELIANCE", MINUTE_NS, OPEN_NS, OPEN_NS + DAY_NS, OPEN_NS + DAY_NS, 2, 1),)

    def test_is_kept_without_any_when_there_are_none(self, memory):
        with emptied(memory):
            MarketStore(memory).write((), (), fetches=(fetched(candles=0),))

            assert memory.query("select candles from fetches").rows == ((0,),)

    def test_is_not_kept_when_a_candle_is_not(self, memory, build):
        bad = build.candle(OPEN_NS, open=float("nan"))
        with emptied(memory), MarketDataRepositoryImpl(memory):
            with pytest.raises(Exception, match="fit into no row"):
                MarketStore(memory).write((), (bad,), all_or_none=True, fetches=(fetched(),))

            assert memory.query("select count(*) from fetches").rows == ((0,),)
