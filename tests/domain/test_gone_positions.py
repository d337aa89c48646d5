"""Whose shares are gone, where the broker has fewer than our book."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from natya.domain.gone_positions import Gone, gone
from natya.messages.reconciliation import PositionMismatch

HELD = {"dip": {"INTRADAY": 10}, "crossover": {"INTRADAY": 4, "CNC": 3}}


def differs(ours=17, theirs=0, product="", symbol="INFY", **how):
    how = {"is_ours": True, "since_ns": 1, "occurred_ns": 2} | how
    return PositionMismatch(symbol=symbol, ours=ours, theirs=theirs, product=product, **how)


def found(*differing, held=HELD, theirs=0, symbol="INFY"):
    return gone(held, differing, symbol=symbol, theirs=theirs)


def test_are_all_of_everyone_where_the_broker_has_none():
    assert found(differs()) == (
        Gone("dip", "INTRADAY", 10),
        Gone("crossover", "INTRADAY", 4),
        Gone("crossover", "CNC", 3),
    )


def test_are_those_of_the_greatest_holding_first_where_it_has_some():
    assert found(differs(theirs=5), theirs=5) == (Gone("dip", "INTRADAY", 10), Gone("crossover", "INTRADAY", 2))


def test_are_those_of_the_products_that_differ():
    differing = (differs(theirs=3), differs(14, 0, "INTRADAY"), differs(40, 0, symbol="TCS"))

    assert found(*differing, theirs=3) == (Gone("dip", "INTRADAY", 10), Gone("crossover", "INTRADAY", 4))


def test_are_as_many_of_a_product_as_the_broker_has_less_of_it():
    assert found(differs(theirs=5), differs(14, 2, "INTRADAY"), theirs=5) == (
        Gone("dip", "INTRADAY", 10),
        Gone("crossover", "INTRADAY", 2),
    )


def test_of_a_short_position_are_short():
    held = {"dip": {"INTRADAY": -10}, "crossover": {"INTRADAY": 2}}

    assert found(differs(-8, -3), held=held, theirs=-3) == (Gone("dip", "INTRADAY", -5),)


@pytest.mark.parametrize(
    ("differing", "theirs", "why"),
    [
        ([], 0, "a position that differs from the broker's wanted, found none of INFY"),
        ([differs(symbol="TCS")], 0, "a position that differs from the broker's wanted, found none of INFY"),
        ([differs(is_ours=False)], 0, "a position that differs from the broker's wanted, found none of INFY"),
        ([differs(14, 0, "INTRADAY")], 0, "a position that differs from the broker's wanted, found none of INFY"),
        ([differs(theirs=5)], 4, "5 shares, as the broker has, wanted, found 4"),
        ([differs(theirs=20)], 20, "-3 shares that somebody holds here wanted, found fewer"),
        ([differs(theirs=-1)], -1, "18 shares that somebody holds here wanted, found fewer"),
        ([differs(), differs(17, 0, "CNC")], 0, "17 shares of CNC that somebody holds here wanted, found fewer"),
        (
            [differs(theirs=3), differs(14, 1, "INTRADAY")],
            3,
            "products that come to the 3 shares that the broker has wanted, found others: compare again",
        ),
    ],
)
def test_are_nobodys_where_that_cannot_be_said(differing, theirs, why):
    assert found(*differing, theirs=theirs) == why


@given(
    held=st.dictionaries(
        st.sampled_from("abc"),
        st.dictionaries(st.sampled_from(["INTRADAY", "CNC"]), st.integers(-20, 20), min_size=1),
        min_size=1,
    ),
    theirs=st.integers(-30, 30),
)
def test_come_to_the_difference_and_are_more_of_nobody_than_he_holds(held, theirs):
    ours = sum(shares for products in held.values() for shares in products.values())
    answer = found(differs(ours, theirs), held=held, theirs=theirs)
    missing = ours - theirs
    on_that_side = sum(max(0, s if missing > 0 else -s) for products in held.values() for s in products.values())

    assert isinstance(answer, str) is (abs(missing) > on_that_side)
    if not isinstance(answer, str):
        assert sum(each.shares for each in answer) == missing
        assert all(0 < each.shares / held[each.strategy][each.product] <= 1 for each in answer)
