"""A position as a strategy has it: a number of shares, and what is known of its cost."""

import pytest
from natya_builders import a_tick

from natya.actors.strategy.held import HeldPosition

PRICED = {"TCS": a_tick(symbol="TCS", price=110.0)}


def a_position(shares=10, *, cost=1_000.0, realized=5.0, newest=PRICED):
    return HeldPosition.of(shares, symbol="TCS", average=100.0, realized=realized, cost=cost, newest=newest)


class TestAPosition:
    def test_is_its_number_of_shares(self):
        held = a_position(-3)

        assert (held == -3, held + 1, held.shares, f"{held}") == (True, -2, -3, "-3")
        assert (held.symbol, held.average, held.realized) == ("TCS", 100.0, 5.0)

    @pytest.mark.parametrize(
        ("given", "unrealized", "pnl"),
        [
            ({}, 100.0, 105.0),
            ({"shares": -10, "cost": -1_000.0}, -100.0, -95.0),
            ({"shares": 0, "cost": None, "newest": {}}, 0.0, 5.0),
            ({"shares": 0, "realized": None}, 0.0, None),
            ({"newest": {}}, None, None),
            ({"newest": {"INFY": a_tick(symbol="INFY")}}, None, None),
            ({"cost": None}, None, None),
            ({"realized": None}, 100.0, None),
        ],
        ids=["long", "short", "flat", "flat and not known", "no price", "another's price", "no cost", "not realized"],
    )
    def test_has_a_profit_where_all_of_it_is_known_and_none_where_a_part_is_not(self, given, unrealized, pnl):
        held = a_position(**given)

        assert (held.unrealized, held.pnl) == (unrealized, pnl)
        assert repr(held) == f"<{held.shares} of TCS, average 100.0, pnl {pnl}>"

    def test_follows_the_newest_price(self):
        newest = dict(PRICED)
        held = a_position(newest=newest)
        newest["TCS"] = a_tick(symbol="TCS", price=90.0)

        assert held.unrealized == -100.0
