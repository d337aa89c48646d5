"""Which orders stay where all are cancelled: never one that would open, nor more than is held."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from natya.domain.closing import closable
from natya.domain.protection import RestingStop, that_stay

POSITIONS = ("A's", "the account's", "the broker's")

stops = st.lists(
    st.builds(
        RestingStop,
        order_id=st.integers(1, 10**9).map(str),
        side=st.sampled_from(["BUY", "SELL"]),
        shares=st.integers(0, 3),
        draws_on=st.sets(st.sampled_from(POSITIONS), min_size=1).map(tuple),
    ),
    max_size=8,
    unique_by=lambda each: each.order_id,
)


@given(stops, st.dictionaries(st.sampled_from(POSITIONS), st.integers(-6, 6)))
def test_those_that_stay_close_together_no_more_than_is_held_and_the_first_go_first(stops, held):
    staying = that_stay(stops, held)

    free = {(of, side): closable(side, held.get(of, 0)) for of in POSITIONS for side in ("BUY", "SELL")}
    for stop in stops:
        fits = stop.shares > 0 and all(free[of, stop.side] >= stop.shares for of in stop.draws_on)
        assert (stop.order_id in staying) == fits
        for of in stop.draws_on:
            free[of, stop.side] -= stop.shares * fits
    assert min(free.values()) >= 0


@pytest.mark.parametrize(
    ("shares", "held", "stay"),
    [
        ([10], 10, {0}),
        ([10], 9, set()),
        ([10], -10, set()),
        ([0], 10, set()),
        ([6, 4], 10, {0, 1}),
        ([6, 5], 10, {0}),
        ([11, 5, 5, 1], 10, {1, 2}),
    ],
)
def test_those_stay_that_together_sell_no_more_than_is_held(shares, held, stay):
    of = "A's", "the account's"
    stops = [
        RestingStop(order_id=str(number), side="SELL", shares=each, draws_on=of) for number, each in enumerate(shares)
    ]

    assert that_stay(stops, {"A's": held, "the account's": 100}) == {str(number) for number in stay}


def test_those_of_two_strategies_stay_that_together_sell_no_more_than_the_account_holds():
    stops = [
        RestingStop(order_id=of, side="SELL", shares=6, draws_on=(of, "the account's")) for of in ("A's", "B's", "C's")
    ]

    assert that_stay(stops, {"A's": 6, "B's": 6, "C's": 6, "the account's": 12}) == {"A's", "B's"}


def test_one_that_draws_on_nothing_known_is_none_of_them():
    assert that_stay([RestingStop(order_id="1", side="SELL", shares=1, draws_on=())], {}) == frozenset()
