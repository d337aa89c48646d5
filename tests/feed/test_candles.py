"""Recordings of candles, and the ticks that they become."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from natya.actors.feed import RecordingError
from natya.actors.feed.candle_rows import INTERVAL_UNKNOWN_NS, interval_of, path_of, split
from natya.messages.market import Candle, Tick

HEADER = "date,open,high,low,close,volume"
MINUTE_NS = 60 * 10**9


class TestACandle:
    def test_becomes_four_ticks_and_then_itself(self, write, messages):
        first, second, third, fourth, candle, *_ = messages(
            write(HEADER, "2025-10-29T09:15:00+05:30,1490,1495,1488.1,1494.6,10", "2025-10-29T09:16:00+05:30,1,1,1,1,4")
        )

        assert [tick.price for tick in (first, second, third, fourth)] == [1490.0, 1488.1, 1495.0, 1494.6]
        assert [tick.quantity for tick in (first, second, third, fourth)] == [3, 3, 2, 2]
        assert [tick.volume for tick in (first, second, third, fourth)] == [3, 6, 8, 10]
        assert [tick.exchange_ns - candle.start_ns for tick in (first, second, third, fourth)] == [
            quarter * 15 * 10**9 for quarter in range(4)
        ]
        assert candle == Candle(
            symbol="TCS",
            interval_ns=MINUTE_NS,
            start_ns=1_761_709_500_000_000_000,
            open=1490.0,
            high=1495.0,
            low=1488.1,
            close=1494.6,
            volume=10,
            source=first.source,
        )

    def test_counts_volume_anew_each_day(self, write, messages):
        days = ["2025-10-29T15:29,1,1,1,1,4", "2025-10-29T15:30,1,1,1,1,4", "2025-10-30T09:15,1,1,1,1,4"]
        ticks = [message for message in messages(write(HEADER, *days)) if isinstance(message, Tick)]

        assert [tick.volume for tick in ticks[3::4]] == [4, 8, 4]

    def test_of_several_symbols_may_share_a_time(self, write, messages):
        rows = [f"2025-10-29T09:{minute},1,1,1,1,4,{symbol}" for minute in (15, 16) for symbol in ("A", "B")]
        candles = [message for message in messages(write(HEADER + ",symbol", *rows)) if isinstance(message, Candle)]

        assert [candle.symbol for candle in candles] == ["A", "B", "A", "B"]
        assert {candle.interval_ns for candle in candles} == {MINUTE_NS}

    @pytest.mark.parametrize(
        ("row", "reason"),
        [
            ("2025-10-29T09:17,10,9,8,9,1", "open and close between low and high"),
            ("2025-10-29T09:17,10,11,10.5,11,1", "open and close between low and high"),
            ("2025-10-29T09:17,10,8,11,10,1", "open and close between low and high"),
            ("2025-10-29T09:17,10,inf,8,9,1", "found 'inf'"),
            ("2025-10-29T09:17,10,11,,9,1", "found ''"),
            ("2025-10-29T09:17,10,11,9,9,-1", "found '-1'"),
            ("2025-10-29T09:16,10,11,9,9,1", "a start not before"),
            ("2025-10-29T09:14,10,11,9,9,1", "a start not before"),
        ],
    )
    def test_that_is_broken_ends_the_recording(self, write, messages, row, reason):
        path = write(HEADER, "2025-10-29T09:15,1,1,1,1,4", "2025-10-29T09:16,1,1,1,1,4", row)

        with pytest.raises(RecordingError, match=f"line 4: .*{reason}"):
            messages(path)


class TestThePathOfACandle:
    def test_goes_to_the_nearer_extreme_first(self):
        assert path_of(100.0, 101.0, 95.0, 96.0) == (100.0, 101.0, 95.0, 96.0)
        assert path_of(100.0, 105.0, 99.0, 96.0) == (100.0, 99.0, 105.0, 96.0)

    def test_goes_the_shorter_way_to_the_close_where_both_are_as_near(self):
        assert path_of(100.0, 102.0, 98.0, 101.0) == (100.0, 98.0, 102.0, 101.0)
        assert path_of(100.0, 102.0, 98.0, 99.0) == (100.0, 102.0, 98.0, 99.0)
        assert path_of(100.0, 102.0, 98.0, 100.0) == (100.0, 98.0, 102.0, 100.0)

    @given(st.lists(st.integers(1, 1000), min_size=4, max_size=4))
    def test_visits_all_four_prices_and_never_leaves_them(self, prices):
        low, one, other, high = sorted(map(float, prices))

        path = path_of(one, high, low, other)

        assert path[0] == one
        assert path[3] == other
        assert sorted(path) == sorted(map(float, prices))


@given(st.integers(0, 10**12))
def test_the_volume_of_the_ticks_adds_up_in_nearly_equal_parts(volume):
    parts = split(volume)

    assert sum(parts) == volume
    assert max(parts) - min(parts) <= 1


@given(st.lists(st.integers(1, 1000), min_size=1, max_size=20))
def test_the_interval_is_the_smallest_distance(distances):
    times = [sum(distances[:count]) for count in range(len(distances) + 1)]

    assert interval_of(times) == min(distances)


def test_the_interval_of_one_candle_is_a_minute():
    assert interval_of([5]) == interval_of([]) == INTERVAL_UNKNOWN_NS
