"""Candles of ticks as they come."""

from collections import defaultdict

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from natya_builders import a_tick

from natya.actors.exchange.wire.market import MarketShown
from natya.domain.calendar import session_at
from natya.domain.candle_making import NEVER_NS, CandleMaker, intervals_of
from natya.domain.candles import start_of
from natya.domain.time import DAY_NS, SECOND_NS, day_start_ns

MINUTE_NS = 60 * SECOND_NS
OPENING_NS = day_start_ns(20_451) + (9 * 60 + 15) * MINUTE_NS  # Monday, 2025-12-29
INTERVALS_NS = tuple(minutes * MINUTE_NS for minutes in (1, 3, 5, 15, 30, 60, 24 * 60))
FOREVER_NS = OPENING_NS + 1_000 * DAY_NS

trades = st.lists(
    st.tuples(st.integers(0, 3 * 3_600), st.integers(1, 400), st.integers(1, 50), st.integers(0, 30)),
    min_size=1,
    max_size=40,
)
"""Second, price in twentieths of a rupee, shares since the trade before, shares of the last of them."""


def ticks_of(drawn, *, tells_volume):
    """In order of time, of one day; where the volume is told, each stands for several trades."""
    ticks, volume = [], 0
    for second, price, shares, last in sorted(drawn):
        volume += shares
        ticks.append(
            a_tick(
                sequence=len(ticks) + 1,
                price=price / 20,
                quantity=min(last, shares) if tells_volume and ticks else shares,
                volume=volume if tells_volume else 0,
                exchange_ns=OPENING_NS + second * SECOND_NS,
            )
        )
    return ticks


def a_maker(*intervals_ns, symbol="INFY", since_ns=0, exchange=None):
    maker = CandleMaker(exchange=exchange)
    return maker, maker.of(symbol, dict.fromkeys(intervals_ns, since_ns))


def candles_of(ticks, *intervals_ns):
    maker, candles = a_maker(*intervals_ns)
    closed = [candle for tick in ticks for candle in candles.add(tick)]
    return closed + maker.close_until(FOREVER_NS)


def values(candle):
    return (candle.start_ns, candle.open, candle.high, candle.low, candle.close, candle.volume)


@given(drawn=trades, minutes=st.sampled_from([1, 3, 5, 15, 60]), tells_volume=st.booleans())
def test_candles_of_ticks_are_those_of_pandas(drawn, minutes, tells_volume):
    ticks = ticks_of(drawn, tells_volume=tells_volume)
    rows = [(tick.exchange_ns, tick.price, each[2]) for tick, each in zip(ticks, sorted(drawn), strict=True)]
    frame = pd.DataFrame(rows, columns=["t", "p", "q"])
    frame.index = pd.to_datetime(frame["t"])
    groups = frame.resample(f"{minutes}min", origin=pd.Timestamp(OPENING_NS))
    expected, volumes = groups["p"].ohlc().dropna(), groups["q"].sum()

    assert [values(each) for each in candles_of(ticks, minutes * MINUTE_NS)] == [
        (row.Index.value, row.open, row.high, row.low, row.close, volumes[row.Index]) for row in expected.itertuples()
    ]


@given(drawn=trades, tells_volume=st.booleans(), order=st.randoms())
def test_candles_of_ticks_are_those_of_the_exchange(drawn, tells_volume, order):
    """In any order of those within a minute: later minutes are not told before."""
    ticks = ticks_of(drawn, tells_volume=tells_volume)
    ticks = [ticks[0], *sorted(ticks[1:], key=lambda tick: (start_of(tick.exchange_ns, MINUTE_NS), order.random()))]
    shown = MarketShown((), tick_size_rupees=0.05)
    shown.list_unknown("INFY")
    for tick in ticks:
        shown.move(tick)
    key = shown.listings.of_symbol("INFY").instrument
    made = defaultdict(list)
    for candle in candles_of(ticks, *INTERVALS_NS):
        made[candle.interval_ns].append(values(candle))

    for interval_ns in INTERVALS_NS:
        chart = shown.chart(key, interval_ns, 0, FOREVER_NS)
        starts = (second * SECOND_NS for second in chart.timestamp)
        assert made[interval_ns] == [
            *zip(starts, chart.open, chart.high, chart.low, chart.close, chart.volume, strict=True)
        ]


@given(drawn=trades, order=st.randoms(), closing=st.lists(st.integers(0, 4 * 3_600), max_size=10))
def test_whatever_comes_late_and_whenever_time_closes_them_each_is_told_once_and_their_volumes_are_the_days(
    drawn, order, closing
):
    ticks = ticks_of(drawn, tells_volume=True)
    first, *others = ticks
    order.shuffle(others)
    maker, candles = a_maker(MINUTE_NS, 60 * MINUTE_NS)
    told = [*candles.add(first)]
    for tick in others:
        told += candles.add(tick)
        if closing and order.random() < 0.3:
            told += maker.close_until(OPENING_NS + closing.pop() * SECOND_NS)
    told += maker.close_until(FOREVER_NS)
    # One more day takes what was late into its first candle.
    told += candles.add(a_tick(exchange_ns=OPENING_NS + DAY_NS, quantity=0, volume=0))
    told += maker.close_until(FOREVER_NS)

    for interval_ns in (MINUTE_NS, 60 * MINUTE_NS):
        mine = [candle for candle in told if candle.interval_ns == interval_ns]
        starts = [candle.start_ns for candle in mine]
        assert starts == sorted(set(starts))
        assert sum(candle.volume for candle in mine) == ticks[-1].volume
    assert maker.made == len(told)
    assert maker.next_close_ns == NEVER_NS


class TestACandle:
    def test_is_told_when_a_tick_of_its_symbol_begins_another(self):
        maker, candles = a_maker(MINUTE_NS)

        assert candles.add(a_tick(exchange_ns=OPENING_NS)) == []
        assert candles.add(a_tick(exchange_ns=OPENING_NS + MINUTE_NS - 1)) == []
        assert [candle.start_ns for candle in candles.add(a_tick(exchange_ns=OPENING_NS + MINUTE_NS))] == [OPENING_NS]
        assert maker.made == 1

    def test_is_told_when_its_time_is_over_in_order_of_symbols(self):
        maker = CandleMaker()
        for symbol in ("TCS", "INFY"):
            maker.of(symbol, {MINUTE_NS: 0, 3 * MINUTE_NS: 0}).add(a_tick(symbol=symbol, exchange_ns=OPENING_NS))

        assert maker.next_close_ns == OPENING_NS + MINUTE_NS
        assert maker.close_until(OPENING_NS + MINUTE_NS - 1) == []
        told = maker.close_until(OPENING_NS + 3 * MINUTE_NS)
        assert [(each.interval_ns // MINUTE_NS, each.symbol) for each in told] == [
            (1, "INFY"),
            (1, "TCS"),
            (3, "INFY"),
            (3, "TCS"),
        ]
        assert maker.next_close_ns == NEVER_NS

    def test_takes_no_late_tick_but_its_shares_and_counts_it(self):
        maker, candles = a_maker(MINUTE_NS)
        candles.add(a_tick(exchange_ns=OPENING_NS, price=100.0, quantity=1))
        maker.close_until(OPENING_NS + MINUTE_NS)

        assert candles.add(a_tick(exchange_ns=OPENING_NS + 5, price=500.0, quantity=7)) == []
        candles.add(a_tick(exchange_ns=OPENING_NS + MINUTE_NS, price=101.0, quantity=2))

        [candle] = maker.close_until(OPENING_NS + 2 * MINUTE_NS)
        assert (candle.high, candle.volume, maker.late) == (101.0, 9, 1)
        candles.add(a_tick(exchange_ns=OPENING_NS + 2 * MINUTE_NS, price=102.0, quantity=3))
        [candle] = maker.close_until(FOREVER_NS)
        assert candle.volume == 3, "they are of one candle"

    def test_that_is_open_takes_of_a_late_tick_its_shares_alone(self):
        maker, candles = a_maker(MINUTE_NS)
        candles.add(a_tick(exchange_ns=OPENING_NS, price=100.0, quantity=1))
        candles.add(a_tick(exchange_ns=OPENING_NS + MINUTE_NS, price=101.0, quantity=2))

        assert candles.add(a_tick(exchange_ns=OPENING_NS + 5, price=500.0, quantity=7)) == []
        [candle] = maker.close_until(FOREVER_NS)
        assert values(candle) == (OPENING_NS + MINUTE_NS, 101.0, 101.0, 101.0, 101.0, 9)
        assert maker.late == 1

    @pytest.mark.parametrize("volume", [900, 0], ids=["of its day", "that a new day has set to 0"])
    def test_is_over_and_what_tells_its_last_trade_again_is_not_late(self, volume):
        maker, candles = a_maker(MINUTE_NS, DAY_NS)
        told = {"exchange_ns": OPENING_NS + 5, "price": 100.0, "quantity": 75}
        candles.add(a_tick(**told, volume=900))
        maker.close_until(FOREVER_NS)

        for _ in range(3):
            assert candles.add(a_tick(**told, volume=volume)) == []
        assert maker.late == 0
        candles.add(a_tick(exchange_ns=OPENING_NS + DAY_NS, quantity=2, volume=2))
        assert [candle.volume for candle in maker.close_until(FOREVER_NS)] == [2, 2]

    def test_is_over_and_another_trade_of_its_last_second_is_late(self):
        maker, candles = a_maker(MINUTE_NS)
        candles.add(a_tick(exchange_ns=OPENING_NS, price=100.0, quantity=5, volume=5))
        maker.close_until(OPENING_NS + MINUTE_NS)
        candles.add(a_tick(exchange_ns=OPENING_NS, price=100.0, quantity=5, volume=10))
        candles.add(a_tick(exchange_ns=OPENING_NS, price=100.0, quantity=5, volume=10))
        candles.add(a_tick(exchange_ns=OPENING_NS + MINUTE_NS, price=100.0, quantity=1, volume=11))

        assert maker.late == 1
        assert [candle.volume for candle in maker.close_until(FOREVER_NS)] == [6]

    @pytest.mark.parametrize(
        ("fields", "is_told_again"),
        [({}, True), ({"price": 101.0}, False), ({"quantity": 6}, False), ({"exchange_ns": OPENING_NS + 1}, False)],
    )
    def test_is_over_and_a_tick_that_differs_in_anything_from_the_last_one_is_late(self, fields, is_told_again):
        """Of a source that tells no volume: the second of the last trade had others."""
        maker, candles = a_maker(MINUTE_NS, 3 * MINUTE_NS)
        told = {"exchange_ns": OPENING_NS, "price": 100.0, "quantity": 5}
        candles.add(a_tick(**told))
        maker.close_until(FOREVER_NS)

        assert candles.add(a_tick(**told | fields)) == []
        assert maker.late == (not is_told_again)

    def test_has_all_that_was_traded_in_the_instant_in_which_it_begins(self):
        maker, candles = a_maker(MINUTE_NS)
        for price in (100.0, 102.0, 101.0):
            assert candles.add(a_tick(exchange_ns=OPENING_NS, price=price, quantity=2)) == []

        [candle] = maker.close_until(FOREVER_NS)
        assert (*values(candle), maker.late) == (OPENING_NS, 100.0, 102.0, 100.0, 101.0, 6, 0)

    def test_is_whole_that_begins_where_a_gap_ends(self):
        maker, candles = a_maker(MINUTE_NS, 3 * MINUTE_NS)
        candles.add(a_tick(exchange_ns=OPENING_NS))
        candles.add(a_tick(exchange_ns=OPENING_NS + MINUTE_NS))
        maker.gapped(("INFY",), OPENING_NS + MINUTE_NS)
        maker.close_until(OPENING_NS + 2 * MINUTE_NS)
        assert (maker.made, maker.partial) == (2, 0)
        maker.gapped(("INFY",), OPENING_NS + 2 * MINUTE_NS)
        maker.close_until(FOREVER_NS)

        assert (maker.made, maker.partial) == (2, 1), "that of three minutes; of the other one none was open"

    def test_of_a_day_that_begins_with_a_trade_at_the_close_goes_on_after_it(self):
        session = session_at(OPENING_NS)
        maker, candles = a_maker(DAY_NS, exchange="NSE")
        candles.add(a_tick(exchange_ns=session.close_ns, price=100.0))

        assert maker.close_until(session.close_ns) == []
        assert maker.next_close_ns == start_of(OPENING_NS, DAY_NS) + DAY_NS

    def test_opens_with_the_earliest_and_closes_with_the_latest_of_its_ticks(self):
        _, candles = a_maker(MINUTE_NS)
        for second, price in ((10, 100.0), (30, 101.0), (20, 99.0), (5, 98.0), (30, 102.0)):
            candles.add(a_tick(exchange_ns=OPENING_NS + second * SECOND_NS, price=price))

        [candle] = candles.add(a_tick(exchange_ns=OPENING_NS + MINUTE_NS))
        assert (candle.open, candle.high, candle.low, candle.close) == (98.0, 102.0, 98.0, 102.0)

    def test_is_not_told_if_a_part_of_it_was_not_listened_to(self):
        maker, candles = a_maker(MINUTE_NS, since_ns=OPENING_NS + SECOND_NS)
        candles.add(a_tick(exchange_ns=OPENING_NS + 2 * SECOND_NS))

        assert candles.add(a_tick(exchange_ns=OPENING_NS + MINUTE_NS)) == []
        assert maker.partial == 1
        assert len(candles.add(a_tick(exchange_ns=OPENING_NS + 2 * MINUTE_NS))) == 1

    def test_is_not_told_if_a_part_of_it_fell_into_a_gap(self):
        maker, candles = a_maker(MINUTE_NS)
        candles.add(a_tick(exchange_ns=OPENING_NS))
        maker.gapped(("INFY", "TCS"), OPENING_NS + 70 * SECOND_NS)

        assert candles.add(a_tick(exchange_ns=OPENING_NS + 75 * SECOND_NS)) == []
        assert candles.add(a_tick(exchange_ns=OPENING_NS + 120 * SECOND_NS)) == []
        assert maker.partial == 2
        assert len(candles.add(a_tick(exchange_ns=OPENING_NS + 180 * SECOND_NS))) == 1
        tcs = maker.of("TCS", {MINUTE_NS: 0})
        tcs.add(a_tick(symbol="TCS", exchange_ns=OPENING_NS + 65 * SECOND_NS))
        assert tcs.add(a_tick(symbol="TCS", exchange_ns=OPENING_NS + 120 * SECOND_NS)) == []

    def test_is_not_told_if_a_part_of_it_fell_into_a_gap_though_an_older_one_is_told_later(self):
        maker, candles = a_maker(MINUTE_NS)
        for until_s in (70, 30):
            maker.gapped(("INFY",), OPENING_NS + until_s * SECOND_NS)
        candles.add(a_tick(exchange_ns=OPENING_NS + 75 * SECOND_NS))

        assert maker.close_until(OPENING_NS + 2 * MINUTE_NS) == []
        assert maker.partial == 1

    def test_of_a_day_is_whole_if_listened_to_since_before_the_market_and_told_at_its_close(self):
        session = session_at(OPENING_NS)
        maker, candles = a_maker(DAY_NS, since_ns=session.pre_open_ns, exchange="NSE")
        candles.add(a_tick(exchange_ns=OPENING_NS))

        assert maker.close_until(session.close_ns - 1) == []
        [candle] = maker.close_until(session.close_ns)
        assert candle.start_ns == start_of(OPENING_NS, DAY_NS)
        assert candles.add(a_tick(exchange_ns=session.close_ns + 1)) == []
        assert maker.late == 1

    def test_is_told_where_somebody_wants_it_since_before_it_began(self):
        maker, candles = a_maker(MINUTE_NS, since_ns=OPENING_NS + SECOND_NS)
        maker.of("INFY", {MINUTE_NS: OPENING_NS})
        maker.of("INFY", {MINUTE_NS: OPENING_NS + MINUTE_NS})
        candles.add(a_tick(exchange_ns=OPENING_NS + 2 * SECOND_NS))

        assert len(candles.add(a_tick(exchange_ns=OPENING_NS + MINUTE_NS))) == 1

    def test_is_closed_when_the_earliest_of_those_that_are_open_is_over(self):
        maker, candles = a_maker(MINUTE_NS, 3 * MINUTE_NS, 5 * MINUTE_NS)
        candles.add(a_tick(exchange_ns=OPENING_NS))
        maker.close_until(OPENING_NS + MINUTE_NS)

        assert maker.next_close_ns == OPENING_NS + 3 * MINUTE_NS

    def test_of_an_interval_that_nobody_wants_any_more_is_not_told(self):
        maker, candles = a_maker(MINUTE_NS, 5 * MINUTE_NS)
        candles.add(a_tick(exchange_ns=OPENING_NS, price=90.0))

        assert maker.of("INFY", {5 * MINUTE_NS: 0}) is candles
        assert candles.add(a_tick(exchange_ns=OPENING_NS + MINUTE_NS, price=100.0)) == []
        [candle] = maker.close_until(FOREVER_NS)
        assert (candle.interval_ns, candle.low, candle.high) == (5 * MINUTE_NS, 90.0, 100.0)
        assert maker.of("INFY", {}) is None

    def test_of_an_interval_that_the_recording_has_is_not_made(self):
        maker, candles = a_maker(MINUTE_NS)
        candles.add(a_tick(exchange_ns=OPENING_NS))

        assert maker.leave_to_recording("INFY", MINUTE_NS)
        assert not maker.leave_to_recording("INFY", MINUTE_NS)
        assert maker.of("INFY", {MINUTE_NS: 0}) is None
        assert maker.close_until(FOREVER_NS) == []


def test_what_several_want_is_made_once_since_the_earliest_of_them():
    assert intervals_of([((60, 300), 7), ((60,), 3), ((), 1)]) == {60: 3, 300: 7}
