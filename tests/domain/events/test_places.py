"""Where a durable subscription is."""

from hypothesis import given
from hypothesis import strategies as st

from natya.domain.events.places import Passed, Place, Settled

SEQUENCES = range(31)
SETTLED = st.builds(
    lambda upto, opened, beyond: Settled(
        upto, frozenset(each for each in opened if each <= upto), frozenset(each for each in beyond if each > upto)
    ),
    st.integers(0, 20),
    st.frozensets(st.integers(1, 20)),
    st.frozensets(st.integers(1, 30)),
)


def all_of(settled):
    return {sequence for sequence in SEQUENCES if settled.has(sequence)}


@given(news=st.lists(SETTLED, max_size=6), order=st.randoms())
def test_a_place_has_what_any_of_its_news_has_in_whatever_order_they_come(news, order):
    place, other = Place(Settled(0)), Place(Settled(0))
    for each in news:
        place.settle(each)
    shuffled = list(news)
    order.shuffle(shuffled)
    for each in shuffled:
        other.settle(each)

    assert all_of(place.settled) == {0}.union(*map(all_of, news))
    assert place.settled == other.settled
    position = place.settled.position
    assert {*range(position + 1)} <= all_of(place.settled)
    assert not place.settled.open or position + 1 in place.settled.open


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


def test_what_is_settled_up_to_a_sequence_is_not_kept_as_one_behind_it():
    assert Settled(3).with_(Settled(0, beyond=frozenset((3, 5)))) == Settled(3, beyond=frozenset((5,)))
