"""A strategy node whose server hangs: what it runs is stopped, begins again after that, and is swapped."""

import pytest
from natya_processes import await_that
from natya_redis import Server

import natya
from natya.actors.control import AskRefusedError
from natya.messages.order_listing import CancelOrders, ReadOrders
from natya.messages.strategies import ListStrategies, ReloadStrategy
from natya.messages.supervision import DescribeTree
from natya.messages.system import Ping
from natya.node_system import NodeSystem

pytestmark = pytest.mark.systems

LEASE_S = 1.0
CROSSOVER = "natya.actors.strategy.bodies.crossover:MovingAverageCrossover"


@pytest.fixture
def server(tmp_path):
    server = Server(tmp_path / "server").start()
    yield server
    server.kill()


@pytest.fixture
def play(tmp_path, server):
    """A broker node and a strategy node in one process."""
    common = {
        "redis.host": "127.0.0.1",
        "redis.port": server.port,
        "nodes.play": "p",
        "nodes.lease_s": LEASE_S,
        "strategies": [
            {
                "name": "cross",
                "strategy": "natya.actors.strategy.bodies.crossover:MovingAverageCrossover",
                "host": "node",
            }
        ],
    }
    broker, node = (
        natya.load_settings(profile, overrides={**common, "system.data_dir": str(tmp_path / profile)}, environment={})
        for profile in ("paper", "node")
    )
    with natya.TradingSystem(broker) as broker_node, NodeSystem(node) as strategy_node:
        yield broker_node, strategy_node


def runs(node):
    """Whether the strategy is there."""
    tree = node.runtime.request("system", DescribeTree())
    return any(child.path.endswith("/cross") for child in tree.children)


def listed(looking):
    """What the node says of its strategies."""
    return [(each.strategy, each.state) for each in looking.request("strategies", ListStrategies()).strategies]


@pytest.mark.timeout(200)
def test_stops_its_strategies_when_their_leases_cannot_be_renewed_runs_them_again_later_and_swaps_them(play, server):
    broker, node = play
    await_that(lambda: runs(node))
    await_that(lambda: node.look().ticks > 0)
    with server.hanging():
        await_that(lambda: not runs(node) and not node.look().is_connected)
        stopped = node.runtime.request("nodes", Ping()).statistics
    await_that(lambda: runs(node))
    changed = broker.swap_strategy("cross", "natya_swapped:Stateless")

    with natya.connect(node.settings.system.data_dir) as looking:
        # Answered at once where the claim had ended: whoever claims it next begins so, a moment later.
        await_that(lambda: listed(looking) == [("natya_swapped:Stateless", "RUNNING")])
        with pytest.raises(AskRefusedError, match="to be asked of the broker node"):
            looking.request("strategies", ReloadStrategy(name="cross"))
        shown = {child.path.rpartition("/")[2] for child in looking.tree().children}
        health = looking.health()
        with pytest.raises(AskRefusedError, match="to be asked of the broker node"):
            looking.request("orders", CancelOrders(client_order_ids=("cross-1",)))
        with pytest.raises(AskRefusedError, match="to be asked of the broker node"):
            looking.request("orders", ReadOrders())

    assert changed.strategy == broker.strategies()[0].strategy == "natya_swapped:Stateless"
    assert {"cross", "nodes", "strategies", "control"} <= shown
    assert (health.ready, health.reason) == (True, "")
    assert not stopped.is_connected
    assert "no way to the other nodes" in stopped.reason
    assert broker.request("nodes", Ping(), timeout_s=10).statistics.strategies.keys() == {"cross"}
