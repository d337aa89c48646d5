"""Candles of ticks, and ticks of a candle."""

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from natya.domain.calendar import open_spans
from natya.domain.candles import BarMaker, path_of, split, start_of, times_of
from natya.domain.time import DAY_NS, SECOND_NS, day_start_ns

MINUTE_NS = 60 * SECOND_NS
MONDAY_NS = day_start_ns(20_451)  # 2025-12-29
OPENING_NS = MONDAY_NS + (9 * 60 + 15) * MINUTE_NS


def bars_of(trades, interval_ns):
    maker = BarMaker(interval_ns)
    bars = [maker.add(*trade) for trade in trades]
    return [bar for bar in [*bars, maker.end()] if bar is not None]


@given(
    trades=st.lists(
        st.tuples(st.integers(0, 6 * 3_600), st.integers(1, 10_000), st.integers(0, 500)), min_size=1, max_size=60
    ),
    minutes=st.sampled_from([1, 3, 5, 15, 60]),
)
def test_candles_of_ticks_are_those_of_pandas(trades, minutes):
    trades = [(OPENING_NS + second * SECOND_NS, price, quantity) for second, price, quantity in sorted(trades)]
    frame = pd.DataFrame(trades, columns=["time", "price", "quantity"])
    frame.index = pd.to_datetime(frame["time"])
    groups = frame.resample(f"{minutes}min", origin=pd.Timestamp(OPENING_NS))
    expected = groups["price"].ohlc().dropna().astype("int64")
    volumes = groups["quantity"].sum()

    assert [
        (bar.start_ns, bar.open, bar.high, bar.low, bar.close, bar.volume)
        for bar in bars_of(trades, minutes * MINUTE_NS)
    ] == [
        (row.Index.value, row.open, row.high, row.low, row.close, volumes[row.Index]) for row in expected.itertuples()
    ]


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

    def test_is_not_before_the_one_that_grows(self):
        maker = BarMaker(MINUTE_NS)
        maker.add(OPENING_NS + MINUTE_NS, 100, 1)

        with pytest.raises(ValueError, match="a trade not before"):
            maker.add(OPENING_NS, 100, 1)


class TestThePathOfACandle:
    def test_goes_to_the_nearer_extreme_first(self):
        assert path_of(100, 101, 95, 96) == (100, 101, 95, 96)
        assert path_of(100, 105, 99, 96) == (100, 99, 105, 96)

    def test_goes_the_shorter_way_to_the_close_where_both_are_as_near(self):
        assert path_of(100, 102, 98, 101) == (100, 98, 102, 101)
        assert path_of(100, 102, 98, 99) == (100, 102, 98, 99)
        assert path_of(100, 102, 98, 100) == (100, 98, 102, 100)

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
