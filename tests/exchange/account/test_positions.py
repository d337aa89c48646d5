"""A position of the day: what holds of a long one holds of a short one, the other way round."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from natya.actors.exchange.account.positions import Owned, Traded

STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("trade"), st.integers(-20, 20).filter(bool), st.integers(100, 110)),
        st.tuples(st.just("leave"), st.integers(1, 20), st.just(0)),
        st.tuples(st.just("come"), st.integers(1, 20), st.integers(100, 110)),
        st.tuples(st.just("carry"), st.just(0), st.just(0)),
    ),
    max_size=12,
)


def take(traded, step, sign):
    kind, quantity, price = step
    if kind == "trade":
        traded.trade(sign * quantity, float(price))
    elif kind == "leave" and traded.net:
        leaving = min(quantity, abs(traded.net)) * (1 if traded.net > 0 else -1)
        traded.shift(-leaving, -traded.cost_of(leaving))
    elif kind == "come":
        way = 1 if traded.net > 0 or (traded.net == 0 and sign > 0) else -1
        traded.shift(way * quantity, Fraction(way * quantity * price))
    elif kind == "carry":
        traded.carry()


@given(STEPS)
def test_a_short_position_is_the_mirror_image_of_a_long_one(steps):
    ours, theirs = Traded("INFY"), Traded("INFY")
    for step in steps:
        take(ours, step, 1)
        take(theirs, step, -1)

        assert (ours.net, ours.cost) == (-theirs.net, -theirs.cost)
        assert (ours.buy_quantity, ours.buy_rupees) == (theirs.sell_quantity, theirs.sell_rupees)
        assert (ours.sell_quantity, ours.sell_rupees) == (theirs.buy_quantity, theirs.buy_rupees)
        assert (ours.carried_quantity, ours.carried_cost) == (-theirs.carried_quantity, -theirs.carried_cost)


@given(STEPS)
def test_what_is_open_is_what_was_carried_and_what_the_day_bought_less_what_it_sold(steps):
    traded = Traded("INFY")
    for step in steps:
        take(traded, step, 1)

        assert traded.net == traded.carried_quantity + traded.buy_quantity - traded.sell_quantity
        assert min(traded.buy_quantity, traded.sell_quantity) >= 0


@pytest.mark.parametrize(
    ("net", "unsettled", "quantity", "cost"), [(5, 5, 15, 1_500), (-4, 0, 6, 600), (0, 0, 10, 1_000)]
)
def test_what_is_owned_grows_by_what_was_bought_and_sells_at_its_average(net, unsettled, quantity, cost):
    owned = Owned("INFY")
    owned.settle(10, Fraction(1_000))
    owned.unsettled = 0
    owned.settle(net, Fraction(100 * net))

    assert (owned.quantity, owned.unsettled, owned.cost) == (quantity, unsettled, cost)
