"""How many shares a tick adds to what was traded."""

from hypothesis import given
from hypothesis import strategies as st

from natya.domain.time import DAY_NS, SECOND_NS, day_start_ns
from natya.domain.volumes import DayVolume

MINUTE_NS = 60 * SECOND_NS
MONDAY_NS = day_start_ns(20_451)  # 2025-12-29
OPENING_NS = MONDAY_NS + (9 * 60 + 15) * MINUTE_NS


class TestTheSharesThatATickAdds:
    def test_are_the_rise_of_the_volume_where_the_source_tells_it(self):
        day = DayVolume()

        assert [day.add(OPENING_NS, 10, 500), day.add(OPENING_NS + 1, 1, 530), day.add(OPENING_NS + 2, 1, 530)] == [
            10,
            30,
            0,
        ]

    def test_are_its_own_quantity_where_it_does_not(self):
        day = DayVolume()

        assert [day.add(OPENING_NS, 10, 0), day.add(OPENING_NS + 1, 7, 0)] == [10, 7]

    def test_are_all_of_the_volume_after_a_tick_of_the_day_before_any_trade(self):
        day = DayVolume()

        assert [day.add(OPENING_NS - MINUTE_NS, 0, 0), day.add(OPENING_NS, 5, 5_000)] == [0, 5_000]

    def test_begin_anew_with_each_day(self):
        day = DayVolume()

        assert [day.add(OPENING_NS, 10, 500), day.add(OPENING_NS + DAY_NS, 20, 90), day.add(OPENING_NS, 5, 510)] == [
            10,
            20,
            0,
        ]

    def test_are_those_of_the_day_that_begins_at_midnight(self):
        day = DayVolume()

        assert [day.add(MONDAY_NS - 1, 10, 500), day.add(MONDAY_NS, 3, 7), day.add(MONDAY_NS + 1, 3, 9)] == [10, 3, 2]
        late = DayVolume()
        assert [late.add(OPENING_NS, 5, 100), late.add(MONDAY_NS, 1, 110), late.add(MONDAY_NS - 1, 1, 120)] == [
            5,
            10,
            0,
        ]

    @given(st.lists(st.tuples(st.integers(1, 50), st.integers(1, 50)), min_size=1, max_size=30), st.randoms())
    def test_sum_to_the_volume_of_the_day_in_whatever_order_they_come(self, trades, random):
        told, so_far = [], 0
        for traded, last in trades:
            so_far += traded
            told.append((OPENING_NS + len(told), min(last, traded), so_far))
        first, *others = told
        random.shuffle(others)
        day = DayVolume()

        assert sum(day.add(*each) for each in (first, *others)) == so_far - first[2] + first[1]
