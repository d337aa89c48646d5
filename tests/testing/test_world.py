"""A world plays its lives to their ends, and rests only when nothing asked for is left open."""

from collections import Counter
from types import SimpleNamespace

import pytest
from msgspec.structs import replace
from natya_builders import BUILDERS

from natya.actors.journal import PowerCutError
from natya.actors.runtime.simulation import Faults
from natya.config.loader import load_settings
from natya.messages.addresses import KILL_SWITCH, ORDERS
from natya.messages.kill_switch import ReleaseKillSwitch
from natya.messages.system import ActorStatistics
from natya.testing.order_path import KillableSystemBase
from natya.testing.person import RESUME, Person
from natya.testing.scenario import Scenario
from natya.testing.world import World

RESTING = {
    "orders": SimpleNamespace(risk_state="NORMAL", uncertain_orders=0),
    "events": SimpleNamespace(last_sequence=1),
    "journal": SimpleNamespace(records=1),
    "database": SimpleNamespace(projected_sequence=1),
}


@pytest.fixture
def world():
    settings = load_settings("paper", environment={}, overrides={"feed.duration_s": 1.0})
    return World(1, Scenario(settings=settings, faults=Faults(), power_cuts=(0.5,)))


class TestALife:
    @pytest.fixture
    def fails_with(self, monkeypatch):
        """Have the first of two lives fail, and nothing happen in the last."""

        def made(fault):
            def fail(*_):
                raise fault

            monkeypatch.setattr(KillableSystemBase, "run_for", fail)
            monkeypatch.setattr(World, "_play_to_the_end", lambda *_: None)

        return made

    def test_that_fails_of_anything_but_the_power_ends_the_run_and_tells(self, world, fails_with):
        fails_with(ValueError("a fault of ours"))

        with pytest.raises(ValueError, match="a fault of ours"):
            world.run()
        assert world.lives == 1

    def test_that_ends_with_the_power_is_followed_by_another(self, world, fails_with):
        fails_with(PowerCutError("cut"))

        assert world.run().lives == 2


class TestAWorldThatRests:
    def test_has_waited_once_more_for_whatever_was_ordered_since_it_waited_last(self, world, monkeypatch):
        """Else an order on what had waited for a late start is looked at before it has ended."""
        waits = []
        monkeypatch.setattr(World, "records", lambda _: (SimpleNamespace(fact=BUILDERS.intent("A-1")),))
        monkeypatch.setattr(KillableSystemBase, "run_for", lambda _, seconds: waits.append(seconds))
        world.statistics = RESTING
        system = SimpleNamespace(base=world.base_class(1))

        assert [world._behind(system) for _ in range(2)] == ["something was asked of orders a moment ago", ""]
        orders = world.scenario.settings.orders
        assert waits == [orders.absence_horizon_s + orders.reconcile_interval_s]

    @pytest.mark.parametrize("halts", [(), ((1.0, 2.0),)])
    @pytest.mark.parametrize("state", ["NORMAL", "REDUCING", "HALTED"])
    def test_has_a_person_lift_the_halts_that_persons_made_and_no_others(self, world, monkeypatch, halts, state):
        lifted = []
        monkeypatch.setattr(Person, "lift", lambda _: lifted.append("lifted"))
        monkeypatch.setattr(World, "_let_settle", lambda *_: None)
        world.scenario = replace(world.scenario, halts=halts)
        orders = SimpleNamespace(risk_state=state, risk_cause="", uncertain_orders=1)
        world.statistics = RESTING | {"orders": orders}
        world._behind(SimpleNamespace(base=world.base_class(1)))

        assert lifted == ["lifted"] * (bool(halts) and state == "HALTED")

    def test_waits_until_orders_has_read_the_journal_back(self, world):
        world.statistics = RESTING | {"orders": ActorStatistics(handled=1, failures=0)}

        assert world._behind(SimpleNamespace(base=world.base_class(1))) == "orders reads the journal back"


class TestAPerson:
    def test_who_lifts_the_switch_resumes_as_well(self):
        told, said = [], Counter()
        Person(SimpleNamespace(tell=lambda *what: told.append(what)), said).lift()

        assert told == [(KILL_SWITCH, ReleaseKillSwitch()), (ORDERS, RESUME)]
        assert said == {"ReleaseKillSwitch": 1, "Resume": 1}
