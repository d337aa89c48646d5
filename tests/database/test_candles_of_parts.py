"""Candles made of several stored things: each share once, and nothing left out, against pandas."""

import datetime as dt
import itertools

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from natya_examples import QUARTER
from natya_market import emptied

from natya.actors.database.repositories.resampling import (
    ALIKE,
    LOOK,
    NONE,
    SEVERAL,
    candle_parameters,
    candles_sql,
)
from natya.actors.database.tables.moments import start_ns
from natya.domain.time import IST

pytestmark = pytest.mark.usefixtures("engines")

SECOND_NS = 10**9
MINUTE_NS = 60 * SECOND_NS
FRIDAY = dt.date(2026, 1, 2)
OPENING_NS = start_ns(dt.datetime.combine(FRIDAY, dt.time(9, 15), IST))
MINUTES = 60


def at(minute, second=0):
    return OPENING_NS + minute * MINUTE_NS + second * SECOND_NS


def candle(build, minute, length=1, **fields):
    return build.candle(at(minute), symbol="NIFTY", interval_ns=length * MINUTE_NS, **fields)


def story(candles):
    return [(each.open, each.high, each.low, each.close, each.volume) for each in candles]


class TestACandleOfCandles:
    def test_joins_a_longer_one_with_the_minutes_around_it(self, market, build):
        minutes = [candle(build, n, open=n, high=n + 1, low=n - 1, close=n + 0.5, volume=10) for n in range(15)]
        market.save_candles([*minutes, candle(build, 5, 5, open=5, high=10, low=4, close=9.5, volume=50)]).result()

        assert story(market.candles("NIFTY", "15m", FRIDAY, FRIDAY).data) == [(0, 15, -1, 14.5, 150)]

    def test_is_of_the_finest_where_it_covers_as_much(self, market, build):
        minutes = [candle(build, n, volume=10) for n in range(15)]
        market.save_candles(
            [*minutes, candle(build, 5, 5, high=999.0, volume=1), candle(build, 0, 3, volume=9)]
        ).result()
        (made,) = market.candles("NIFTY", "15m", FRIDAY, FRIDAY).data

        assert (made.high, made.volume) == (2.0, 150)

    def test_is_of_the_longer_one_where_minutes_are_missing(self, market, build):
        minutes = [candle(build, n, volume=10) for n in range(15) if n != 7]
        market.save_candles([*minutes, candle(build, 5, 5, high=999.0, volume=50)]).result()
        (made,) = market.candles("NIFTY", "15m", FRIDAY, FRIDAY).data

        assert (made.high, made.volume) == (999.0, 150)

    def test_counts_no_share_twice_where_lengths_cross(self, market, build):
        threes = [candle(build, n, 3, volume=3) for n in range(0, 15, 3)]
        market.save_candles([*threes, candle(build, 0, 5, volume=5), candle(build, 7, 4, volume=4)]).result()

        assert market.candles("NIFTY", "15m", FRIDAY, FRIDAY).data[0].volume == 15

    def test_counts_no_share_twice_where_candles_of_one_length_overlap(self, market, build):
        shifted = build.candle(at(0, 30), symbol="NIFTY", volume=10)
        market.save_candles([candle(build, 0, volume=10), shifted, candle(build, 1, volume=10)]).result()

        assert market.candles("NIFTY", "5m", FRIDAY, FRIDAY).data[0].volume == 20

    def test_has_nothing_of_one_that_lies_across_its_edge(self, market, build):
        market.save_candles([candle(build, 13, 4, volume=99), candle(build, 0, volume=1), candle(build, 20, volume=2)])

        assert [each.volume for each in market.candles("NIFTY", "15m", FRIDAY, FRIDAY).data] == [1, 2]

    def test_is_the_same_whatever_the_range(self, market, build):
        market.save_candles([candle(build, 10, 15, volume=9), candle(build, 15, volume=1)]).result()  # one in its way

        assert [each.volume for each in market.candles("NIFTY", "15m", at(0), at(60)).data] == [9]
        assert market.candles("NIFTY", "15m", at(15), at(60)).data == ()


class TestACandleOfCandlesAndTicks:
    def test_joins_one_candle_and_the_ticks_around_it(self, market, build):
        ticks = [build.tick(n + 1, exchange_ns=at(n, 30), price=100.0 + n, quantity=10) for n in range(15)]
        market.save_ticks(ticks).result()
        market.save_candles([candle(build, 5, 5, open=105, high=120, low=90, close=109, volume=50)]).result()

        assert story(market.candles("NIFTY", "15m", FRIDAY, FRIDAY).data) == [(100, 120, 90, 114, 150)]

    def test_does_not_count_again_what_the_day_s_volume_tells_of_the_time_of_the_candle(self, market, build):
        volumes = {0: 10, 1: 20, 10: 110, 11: 115}  # nothing was heard in between, where the candle is
        market.save_ticks(
            [
                build.tick(n, exchange_ns=at(minute, 5), quantity=10, volume=volume)
                for n, (minute, volume) in enumerate(volumes.items(), start=1)
            ]
        ).result()
        market.save_candles([candle(build, 5, 5, volume=60)]).result()

        assert market.candles("NIFTY", "15m", FRIDAY, FRIDAY).data[0].volume == 115
        assert [each.volume for each in market.candles("NIFTY", "5m", FRIDAY, FRIDAY).data] == [20, 60, 35]


class TestSourcesThatOverlap:
    def test_count_once_where_a_file_has_grown(self, market, build):
        for source, count in (("first", 198), ("grown", 258)):
            market.save_ticks(
                [
                    build.tick(n, source=source, exchange_ns=at(0, n), price=float(n), quantity=2)
                    for n in range(1, count + 1)
                ]
            ).result()

        assert story(market.candles("NIFTY", "1h", FRIDAY, FRIDAY).data) == [(1.0, 258.0, 1.0, 258.0, 516)]
        assert sum(each.volume for each in market.candles("NIFTY", "1m", FRIDAY, FRIDAY).data) == 516

    def test_count_once_in_whatever_order_they_came(self, market, build):
        for source, minutes in (("b", range(5, 20)), ("a", range(10))):
            market.save_ticks(
                [build.tick(n + 1, source=source, exchange_ns=at(n), quantity=1) for n in minutes]
            ).result()

        assert [each.volume for each in market.candles("NIFTY", "5m", FRIDAY, FRIDAY).data] == [5, 5, 5, 5]

    def test_fill_each_other_s_holes(self, market, build):
        live = [minute for minute in range(60) if not 20 <= minute < 40]
        for source, minutes in (("live", live), ("file", range(18, 42))):
            market.save_ticks(
                [
                    build.tick(n, source=source, exchange_ns=at(minute), quantity=1, volume=minute + 1)
                    for n, minute in enumerate(minutes, start=1)
                ]
            ).result()

        assert [each.volume for each in market.candles("NIFTY", "10m", FRIDAY, FRIDAY).data] == [10] * 6

    def test_do_not_mix_their_volumes_of_the_day(self, market, build):
        for source in "ab":
            market.save_ticks(
                [
                    build.tick(n, source=source, exchange_ns=at(0, n), volume=volume, quantity=1)
                    for n, volume in enumerate((100, 110), start=1)
                ]
            ).result()

        assert [each.volume for each in market.candles("NIFTY", "1d", FRIDAY, FRIDAY).data] == [11]

    def test_of_other_days_stand_beside_each_other(self, market, build):
        for source, day in (("a", 0), ("b", 1)):
            market.save_ticks([build.tick(1, source=source, exchange_ns=at(day * 1440), quantity=3)]).result()

        assert [each.volume for each in market.candles("NIFTY", "1d", FRIDAY, "2026-01-03").data] == [3, 3]


TRADES = st.lists(
    st.tuples(st.integers(0, MINUTES - 1), st.integers(0, 59), st.integers(1, 200), st.integers(1, 50)),
    min_size=1,
    max_size=60,
)
FORMS = st.lists(
    st.sampled_from(["ticks", "other ticks", "1m", "5m", "1m and 5m", "5m and ticks"]), min_size=12, max_size=12
)


class TestAMixtureOfParts:
    @settings(max_examples=QUARTER)
    @given(drawn=st.tuples(TRADES, FORMS, st.sampled_from([5, 15, 30, 60]), st.booleans()))
    def test_makes_what_pandas_makes_of_all_trades(self, memory, build, drawn):
        """Five minutes at a time are stored in one form or two, which tell the same."""
        trades, forms, interval, cumulative = drawn
        trades = sorted({(minute, second): (price, shares) for minute, second, price, shares in trades}.items())
        told, ticks, pieces = 0, [], []
        for n, ((minute, second), (price, shares)) in enumerate(trades, start=1):
            told += shares
            form = forms[minute // 5]
            if "ticks" in form:
                ticks.append(
                    build.tick(
                        n,
                        source="one" if form != "other ticks" else f"two-{minute // 5}",
                        exchange_ns=at(minute, second),
                        price=float(price),
                        quantity=shares,
                        volume=told if cumulative and "other ticks" not in forms else 0,
                    )
                )
        frame = pd.DataFrame(
            {"price": [float(price) for _, (price, _) in trades], "volume": [shares for _, (_, shares) in trades]},
            index=pd.to_datetime([at(minute, second) for (minute, second), _ in trades]),
        )
        for length in (1, 5):
            for moment, bar in resampled(frame, length).iterrows():
                if f"{length}m" in forms[(moment.value - OPENING_NS) // (5 * MINUTE_NS)]:
                    fields = {name: bar[name] for name in ("open", "high", "low", "close")}
                    minute = (moment.value - OPENING_NS) // MINUTE_NS
                    pieces.append(candle(build, minute, length, volume=int(bar["volume"]), **fields))
        with emptied(memory) as market:
            market.save_ticks(ticks).result()
            market.save_candles(pieces).result()
            made = market.candles("NIFTY", f"{interval}m", FRIDAY, FRIDAY).data

        wanted = resampled(frame, interval)
        assert [each.start_ns for each in made] == [moment.value for moment in wanted.index]
        assert story(made) == [tuple(bar) for bar in wanted.itertuples(index=False)]


def resampled(frame, minutes):
    of = frame.resample(f"{minutes}min", origin=pd.Timestamp(OPENING_NS))
    bars = of["price"].ohlc()
    bars["volume"] = of["volume"].sum()
    return bars.dropna()


class TestThroughTheQueriesOfASystem:
    def test_every_form_is_one_that_may_be_asked(self, memory):
        parameters = candle_parameters("NIFTY", length_ns=MINUTE_NS, start_ns=0, end_ns=1)
        for candles, sources in itertools.product((NONE, ALIKE, SEVERAL), repeat=2):
            assert memory.query(candles_sql(candles=candles, sources=sources), parameters).rows == ()
        assert memory.query(LOOK, parameters).columns == ("sources", "candles")


class TestTheOpening:
    def test_counts_to_the_microsecond(self):
        opening = dt.time(9, 15, 20, 7)
        *_, begin_ns = candle_parameters("NIFTY", length_ns=24 * 60 * MINUTE_NS, start_ns=0, end_ns=1, opening=opening)

        assert begin_ns == (9 * 60 + 15) * MINUTE_NS + 20 * SECOND_NS + 7_000
