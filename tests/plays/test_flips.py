"""A strategy that orders for each of its fills: the market moves on all the same."""

import pytest

from natya.actors.strategy import trading

pytestmark = pytest.mark.usefixtures("engines")

LIMIT = 5


def a_flipper(**parameters):
    return {"name": "flipper", "strategy": "natya_players:Flipping", "parameters": parameters}


class TestAStrategyThatOrdersForEachOfItsFills:
    def test_is_refused_by_a_rule_of_its_own_and_the_market_goes_on(self, tmp_path, mornings, plays):
        played = plays(tmp_path / "data", mornings(1), a_flipper(), orders__orders_a_moment_max=LIMIT)

        assert played.summary.ticks == 48
        assert played.summary.orders == LIMIT + 1
        assert played.summary.fills == LIMIT
        assert played.summary.refused == {"orders_a_moment_max": 1}

    def test_and_for_each_refusal_fails_of_it_and_the_market_goes_on(self, tmp_path, mornings, plays, monkeypatch):
        monkeypatch.setattr(trading, "ORDERS_A_MOMENT_MAX", 2 * LIMIT)
        flipper = a_flipper(stubborn=True)

        played = plays(tmp_path / "data", mornings(1), flipper, orders__orders_a_moment_max=LIMIT)

        assert played.summary.ticks == 48
        assert played.summary.restarts >= 1
