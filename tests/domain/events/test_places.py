"""Where a durable subscription is."""

from hypothesis import given
from hypothesis import strategies as st

from natya.domain.events.places import Passed, Place

NEWS = st.lists(st.tuples(st.integers(0, 20), st.frozensets(st.integers(1, 25))), max_size=8)


@given(news=NEWS, order=st.randoms())
def test_a_place_is_the_same_in_whatever_order_its_news_come_and_unsettles_nothing(news, order):
    place, other = Place(0), Place(0)
    settled = set()
    for position, done in news:
        place.settle(position, done)
        now = {*range(1, place.position + 1), *place.done}
        assert settled <= now
        settled = now
    shuffled = list(news)
    order.shuffle(shuffled)
    for position, done in shuffled:
        other.settle(position, done)

    assert (place.position, place.done) == (other.position, other.done)
    assert all(sequence > place.position for sequence in place.done)


class TestRecordsThatNobodyWants:
    def test_are_behind_whoever_is_at_one_of_them_and_at_no_other(self):
        passed = Passed()
        passed.add(10, 12)
        passed.add(12, 15)

        assert [passed.from_(each) for each in (9, 10, 11, 14, 15, 16)] == [9, 15, 15, 15, 15, 16]

    def test_behind_a_gap_take_the_place_of_those_before(self):
        passed = Passed()
        passed.add(10, 12)
        passed.add(20, 21)

        assert [passed.from_(each) for each in (10, 12, 19, 20)] == [10, 12, 19, 21]
