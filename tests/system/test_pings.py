"""Every owner tells what it counts whenever it is asked: before it is open, after a failure, and at its end."""

import msgspec
import pytest

import natya
from natya.actors.runtime import InProcessSystem, handles
from natya.actors.runtime.lifecycle import Kill
from natya.actors.runtime.simulation import SimulatedSystemBase
from natya.composition import children
from natya.messages.system import Ping, Pong

OWNERS = ("journal", "database", "events", "exchange", "broker", "orders", "strategies", "control", "feed")
STRATEGY = "natya.actors.strategy.bodies.crossover:MovingAverageCrossover"


@pytest.fixture
def start(tmp_path):
    """Start one child of the paper system, or a strategy of it, while all others are silent.

    In a simulation: nothing happens between two lines.
    """
    strategies = [{"name": "crossing", "strategy": STRATEGY}]
    overrides = {"system.data_dir": str(tmp_path), "strategies": strategies}
    of_all = children(natya.load_settings("paper", environment={}, overrides=overrides))
    specs = {spec.name: spec for spec in of_all}
    specs["crossing"] = specs["strategies"].settings.children[0]
    with InProcessSystem(SimulatedSystemBase(seed=1)) as system:

        def begin(name, change=lambda actor_class: actor_class):
            for neighbour in specs.keys() - {name}:
                system.probe(neighbour)  # there, and silent
            system.base.start_actor(name, change(specs[name].actor), specs[name].settings)
            return system

        yield begin


def fragile(actor_class):
    """Have it fail at a string."""

    class Fragile(actor_class):
        @handles(str)
        def fail(self, reason, _sender):
            raise ValueError(reason)

    return Fragile


@pytest.mark.parametrize("name", [*OWNERS, "crossing"])
class TestAnOwner:
    def test_answers_while_it_starts(self, start, name):
        answer = start(name).request(name, Ping(), timeout_s=10)

        assert (type(answer), answer.actor) == (Pong, name)
        assert isinstance(answer.statistics, msgspec.Struct)

    def test_answers_after_a_restart_while_it_starts(self, start, name):
        system = start(name, fragile)
        system.request(name, "on purpose", timeout_s=10)

        assert type(system.request(name, Ping(), timeout_s=10)) is Pong

    def test_tells_when_it_ends_although_it_never_opened(self, start, name):
        system = start(name)
        counted = system.request(name, Ping(), timeout_s=10).statistics
        hears = system.base.new_reply()
        system.base.find(name).control(Kill(), hears)

        assert type(hears.wait(10).statistics) is type(counted)
