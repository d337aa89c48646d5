"""The whole system at a Dhan that fails in every way; `make sim-dhan` plays two thousand seeds of it."""

import pytest
from natya_dhan_model import NO_FAULTS
from natya_dhan_world import DhanWorld
from natya_seeds import a_scenario, without_faults


@pytest.mark.parametrize("seed", [2, 27])
def test_each_order_is_sent_once_and_ends_in_a_known_state(seed):
    world = DhanWorld(seed).run()

    assert world.violations() == []
    assert [kind for kind in world.injected if kind.startswith("dhan ")]


def test_without_faults_orders_are_placed_filled_and_cancelled():
    world = DhanWorld(3, without_faults(a_scenario(3)), NO_FAULTS).run()
    orders = world.statistics["orders"]

    assert world.violations() == []
    assert orders.fills > 0
    assert world.statistics["broker-updates"].updates > orders.fills
    assert {order.status for order in world.matching.orders.values()} >= {"TRADED", "CANCELLED"}
