"""In which product shares are held, and in which one an order closes them."""

import pytest

from natya.domain.products import closable_at_once, held_by_product, product_to_close


@pytest.mark.parametrize(
    ("shares", "named", "held"),
    [
        (0, {}, {"INTRADAY": 0}),
        (7, {"CNC": 5}, {"CNC": 5, "INTRADAY": 2}),
        (-7, {"CNC": 5, "INTRADAY": -4}, {"CNC": 5, "INTRADAY": -12}),
    ],
)
def test_what_no_order_has_named_is_held_in_the_default(shares, named, held):
    assert held_by_product(shares, named, "INTRADAY") == held


@pytest.mark.parametrize(
    ("held", "side", "quantity", "product"),
    [
        ({"CNC": 5, "INTRADAY": 0}, "SELL", 5, "CNC"),
        ({"CNC": 5, "INTRADAY": 0}, "SELL", 6, "INTRADAY"),
        ({"CNC": 5, "INTRADAY": 0}, "BUY", 5, "INTRADAY"),
        ({"CNC": 5, "INTRADAY": 5}, "SELL", 5, "INTRADAY"),
        ({"CNC": 5, "INTRADAY": 4}, "SELL", 5, "CNC"),
        ({"INTRADAY": 0, "MARGIN": -75}, "BUY", 75, "MARGIN"),
        ({}, "SELL", 1, "INTRADAY"),
        ({"CNC": 1}, "SELL", 1, "CNC"),
    ],
)
def test_an_order_that_names_none_is_of_the_one_that_it_closes(held, side, quantity, product):
    assert product_to_close(held, side, quantity, "INTRADAY") == product


@pytest.mark.parametrize(
    ("held", "at_once"),
    [({"INTRADAY": 9}, 9), ({"CNC": 5, "INTRADAY": 4}, 5), ({"CNC": 12, "INTRADAY": -3}, 9), ({"CNC": -9}, 9), ({}, 0)],
)
def test_one_order_closes_what_is_held_in_one(held, at_once):
    shares = sum(held.values())

    assert closable_at_once(held, shares) == at_once
