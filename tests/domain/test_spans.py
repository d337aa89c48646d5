"""Spans cover together what each covers, and what is left of some is what none of the others has."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from natya.domain.spans import united, without

SPANS = st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), max_size=8)


def covered(spans):
    return {each for first, end in spans for each in range(first, end)}


@given(spans=SPANS)
def test_spans_that_touch_are_one_in_their_order_and_cover_the_same(spans):
    found = united(spans)

    assert covered(found) == covered(spans)
    assert all(before[1] < after[0] for before, after in pairwise(found))
    assert all(first < end for first, end in found)


@given(spans=SPANS, taken=SPANS)
def test_what_is_left_is_what_none_of_those_taken_out_has(spans, taken):
    whole = united(spans)
    found = without(whole, taken)

    assert covered(found) == covered(whole) - covered(taken)
    assert united(found) == found, "in order, and none touches another"


def test_of_each_span_what_is_left_is_told_by_itself():
    assert without([(0, 5), (5, 9)], [(2, 3)]) == ((0, 2), (3, 5), (5, 9))
    assert without([(0, 5)], [(7, 9), (5, 6)]) == ((0, 5),)
    assert without([(0, 5)], [(0, 5)]) == without([], [(1, 2)]) == ()
