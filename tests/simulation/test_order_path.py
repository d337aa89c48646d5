"""The steps of an order's path: all of them are known, and the process is killed in each."""

import pytest
from natya_dhan_world import DhanWorld
from natya_seeds import a_world

from natya.actors.broker import BrokerActor, UpdatesActor
from natya.actors.exchange import ExchangeActor
from natya.actors.external import ExternalActor
from natya.actors.journal import JournalActor
from natya.actors.kill_switch import KillSwitchActor
from natya.actors.orders import OrdersActor
from natya.actors.runtime import RuntimeActor
from natya.actors.runtime.dispatch import HandlerTable
from natya.testing.order_path import BESIDE, DHAN_PATH, PAPER_PATH

ON_THE_PATH = {
    "orders": OrdersActor,
    "journal": JournalActor,
    "broker": BrokerActor,
    "broker-service": ExternalActor,
    "broker-updates": UpdatesActor,
    "exchange": ExchangeActor,
    "kill-switch": KillSwitchActor,
}


def handled(actor_class):
    """Names of the messages that it handles, beyond those of every actor."""
    known = {kind: HandlerTable(kind, print) for kind in (actor_class, RuntimeActor)}
    return {each.__name__ for each in known[actor_class].keys() - known[RuntimeActor].keys()}


@pytest.mark.parametrize("name", ON_THE_PATH)
def test_whatever_an_actor_on_the_path_handles_is_a_step_or_stands_beside_it_for_a_reason(name):
    steps = {step for step in {*PAPER_PATH, *DHAN_PATH} if not step.endswith(" OutcomeArrived")}
    listed = [each.split()[1] for each in (*steps, *BESIDE) if each.split()[0] == name]

    assert sorted(listed) == sorted(handled(ON_THE_PATH[name]))
    assert all(BESIDE.values())


@pytest.mark.parametrize(
    ("world", "seed", "step"), [(a_world, 8, "orders Appended"), (DhanWorld, 56, "broker-service Ask")]
)
def test_a_process_is_killed_in_the_step_of_its_seed_and_nothing_is_lost(world, seed, step):
    played = world(seed).run()

    assert played.violations() == []
    assert played.injected[f"killed in {step}"]
