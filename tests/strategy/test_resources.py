"""Latency samples, holdings and averages."""

from fractions import Fraction
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from natya.actors.strategy import holdings as holdings_room
from natya.actors.strategy.bodies.averages import CrossingAverages
from natya.actors.strategy.holdings import TRADED_REMEMBERED_MAX, Holdings
from natya.actors.strategy.latency import LatencySample
from natya.messages.holdings import HoldingsRead
from natya.messages.orders import OrderFilled


def a_sample(size=1024):
    return LatencySample(Random(1), size=size)


class TestALatencySample:
    def test_tells_the_percentiles_of_what_it_saw(self):
        sample = a_sample()
        for duration_us in range(1, 101):
            sample.add(duration_us * 1000)

        assert (sample.percentile_us(0.5), sample.percentile_us(0.99)) == (51.0, 100.0)

    def test_is_0_when_empty_and_for_a_clock_that_stepped_back(self):
        sample = a_sample()
        assert sample.percentile_us(0.99) == 0.0
        sample.add(-5)

        assert sample.percentile_us(0.99) == 0.0

    def test_stays_as_small_as_it_was_made_and_takes_from_everywhere(self):
        sample = a_sample(size=100)
        for duration_us in range(10_000):
            sample.add(duration_us * 1000)

        assert len(sample._kept_ns) == 100
        assert 3_500 < sample.percentile_us(0.5) < 6_500


def a_fill(order, cumulative, quantity, side="BUY"):
    return OrderFilled(
        client_order_id=order,
        trade_id="T",
        strategy="s",
        symbol="INFY",
        side=side,
        quantity=quantity,
        price=1.0,
        cumulative_quantity=cumulative,
        occurred_ns=1,
    )


def holdings_of(shares=None, filled=None, sequence=0):
    return Holdings(HoldingsRead(strategy="mine", shares=shares or {}, filled=filled or {}, sequence=sequence))


class TestHoldings:
    def test_are_the_sum_of_the_fills(self):
        holdings = holdings_of()
        holdings.add(a_fill("A", 10, 10), 1)
        holdings.add(a_fill("B", 15, 15, side="SELL"), 2)

        assert holdings.shares("INFY") == -5
        assert holdings.shares("TCS") == 0

    def test_begin_with_the_book_and_go_on_with_what_is_newer_whatever_the_order(self):
        holdings = holdings_of({"INFY": 11}, {"A": 4}, sequence=20)
        counted = [
            holdings.add(a_fill("A", 4, 4), 18),
            holdings.add(a_fill("ended", 7, 7), 19),
            holdings.add(a_fill("the last of the book", 2, 2), 20),
            holdings.add(a_fill("A", 9, 2), 21),
            holdings.add(a_fill("ended", 10, 3), 22),
            holdings.add(a_fill("of a life before", 1, 1), 23),
        ]

        assert counted == [False, False, False, True, True, True]
        assert holdings.shares("INFY") == 11 + 5 + 3 + 1

    @given(sizes=st.lists(st.integers(1, 9), max_size=8), repeats=st.lists(st.integers(0, 7), max_size=8))
    def test_count_each_fill_once_however_often_a_part_is_delivered_again(self, sizes, repeats):
        fills = [a_fill("A", sum(sizes[: place + 1]), size) for place, size in enumerate(sizes)]
        holdings = holdings_of()
        for place, fill in enumerate(fills):
            holdings.add(fill, place + 1)
            for again in repeats:
                holdings.add(fills[min(again, place)], place + 1)

        assert holdings.shares("INFY") == sum(sizes)

    def test_know_so_many_orders_whose_trades_may_be_told_again_and_forget_the_oldest_first(self, monkeypatch):
        monkeypatch.setattr(holdings_room, "TRADED_REMEMBERED_MAX", 2)
        holdings = holdings_of()
        told = ["A", "B", "A", "B", "C", "C", "B", "A"]

        counted = [holdings.add(a_fill(name, 1, 1), place) for place, name in enumerate(told, start=1)]

        assert counted == [True, True, False, False, True, False, False, True]

    def test_count_an_order_that_fills_after_any_number_of_later_ones(self):
        holdings = holdings_of({"INFY": 3}, {"BOOKED": 3})
        holdings.add(a_fill("RESTING", 20, 20), 1)
        for number in range(TRADED_REMEMBERED_MAX + 10):
            holdings.add(a_fill(f"A-{number}", 1, 1), 2 + number)
        late = [
            holdings.add(a_fill(name, *filled), 90_000) for name, filled in (("RESTING", (50, 30)), ("BOOKED", (4, 1)))
        ]

        assert late == [True, True]
        assert holdings.shares("INFY") == 3 + 20 + TRADED_REMEMBERED_MAX + 10 + 30 + 1


class TestAveragesThatCross:
    def test_tell_the_crossing_once(self):
        averages = CrossingAverages(fast=1, slow=3)
        told = [averages.add(price) for price in (3.0, 2.0, 1.0, 4.0, 5.0, 1.0, 0.5)]

        assert told == ["", "", "", "ABOVE", "", "BELOW", ""]

    def test_tell_nothing_by_the_side_where_the_market_started(self):
        averages = CrossingAverages(fast=1, slow=2)

        assert [averages.add(price) for price in (1.0, 2.0, 3.0, 4.0)] == [""] * 4

    def test_stay_on_their_side_when_equal(self):
        averages = CrossingAverages(fast=1, slow=2)

        assert [averages.add(price) for price in (1.0, 2.0, 2.0, 3.0)] == [""] * 4

    @pytest.mark.parametrize(("fast", "slow"), [(0, 5), (5, 5), (6, 5)])
    def test_must_be_a_fast_and_a_slow_one(self, fast, slow):
        with pytest.raises(ValueError, match=f"found fast={fast}, slow={slow}"):
            CrossingAverages(fast=fast, slow=slow)

    @given(
        prices=st.lists(st.integers(1, 100_000).map(lambda grid: round(grid * 0.05, 2)), max_size=60),
        fast=st.integers(1, 5),
        more=st.integers(1, 8),
    )
    def test_agree_with_averages_taken_anew(self, prices, fast, more):
        slow = fast + more
        averages = CrossingAverages(fast=fast, slow=slow)
        side = ""
        for count, price in enumerate(prices, 1):
            exact = [Fraction(round(each * 100), 100) for each in prices[:count]]
            expected = ""
            if count >= slow:
                difference = sum(exact[-fast:]) / fast - sum(exact[-slow:]) / slow
                now = "ABOVE" if difference > 0 else "BELOW" if difference < 0 else side
                expected, side = (now if side and now != side else ""), now

            assert averages.add(price) == expected
