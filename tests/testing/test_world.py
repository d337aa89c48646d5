"""A world plays its lives to their ends, and rests only when nothing asked for is left open."""

from collections import Counter
from pathlib import Path
from types import SimpleNamespace

import pytest
from msgspec.structs import replace
from natya_builders import BUILDERS

from natya.actors.journal import PowerCutError
from natya.actors.runtime.simulation import Faults
from natya.config.loader import load_settings
from natya.messages.addresses import FEED, KILL_SWITCH, ORDERS
from natya.messages.kill_switch import ReleaseKillSwitch
from natya.messages.market import AwaitMarketEnd
from natya.messages.supervision import ChildStatus, SupervisionTree
from natya.messages.system import ActorStatistics, Pong
from natya.testing.builders import ticks
from natya.testing.order_path import KillableSystemBase
from natya.testing.person import RESUME, Person
from natya.testing.scenario import Scenario
from natya.testing.world import HALT_LOOK_S, LOOK_EVERY_S, SETTLE_AGAIN_MAX, WITNESS, NotSettledError, World

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

    def test_waits_again_so_often_and_no_more_for_who_orders_again_and_again(self, world, monkeypatch):
        waits, records = [], []
        monkeypatch.setattr(World, "records", lambda _: tuple(records))
        monkeypatch.setattr(KillableSystemBase, "run_for", lambda _, seconds: waits.append(seconds))
        world.statistics = RESTING
        system, told = SimpleNamespace(base=world.base_class(1)), []
        while not told or told[-1]:
            records.append(SimpleNamespace(fact=BUILDERS.intent(f"A-{len(records)}")))
            told.append(world._behind(system))

        assert told == [*["something was asked of orders a moment ago"] * (1 + SETTLE_AGAIN_MAX), ""]
        assert len(waits) == 1 + SETTLE_AGAIN_MAX

    @pytest.mark.parametrize(
        ("name", "changes", "said"),
        [
            ("orders", {"uncertain_orders": 2}, "orders: NORMAL, 2 in doubt"),
            ("orders", {"risk_state": "REDUCING", "risk_cause": "why"}, "orders: REDUCING, 0 in doubt"),
            ("orders", {"risk_state": "HALTED", "risk_cause": "why"}, "orders: HALTED, 0 in doubt"),
            ("events", {"last_sequence": 7}, "events has delivered up to 7 of 9"),
            ("events", {"last_sequence": 0}, ""),
            ("database", {"projected_sequence": 8}, "database has projected up to 8 of 9"),
            ("database", {}, ""),
        ],
    )
    def test_waits_for_whoever_is_behind_and_says_so(self, world, monkeypatch, name, changes, said):
        monkeypatch.setattr(World, "records", lambda _: ())
        known = {
            "orders": {"risk_state": "NORMAL", "risk_cause": "", "uncertain_orders": 0},
            "events": {"last_sequence": 9},
            "journal": {"records": 9},
            "database": {"projected_sequence": 9},
        }
        known[name] |= changes
        world.statistics = {each: SimpleNamespace(**fields) for each, fields in known.items()}

        assert world._behind(SimpleNamespace(base=world.base_class(1))) == said

    def test_waits_for_an_actor_that_is_down_or_says_nothing(self, world, monkeypatch):
        child = ChildStatus(
            path="system/feed", state="RUNNING", host="loop", restarts=0, breaker="closed", mailbox_depth=0,
            last_error="KeyError: x",
        )  # fmt: skip
        answers = {"system": None, "feed": None}
        monkeypatch.setattr(World, "_ask", lambda _self, _system, name, _question: answers[name])
        monkeypatch.setattr(World, "_behind", lambda *_: "behind")
        said = []
        for tree, pong in (
            (None, None),
            (replace(child, state="PARKED"), None),
            (replace(child, breaker="open"), None),
            (child, None),
            (child, Pong(actor="feed", statistics=ActorStatistics(handled=1, failures=0))),
        ):
            answers["system"] = tree and SupervisionTree(children=(tree,))
            answers["feed"] = pong
            said.append(world._unsettled(None))

        assert said == [
            "the tree does not answer: None",
            "system/feed is PARKED, its breaker closed: KeyError: x",
            "system/feed is RUNNING, its breaker open: KeyError: x",
            "feed does not answer: None",
            "behind",
        ]
        assert world.statistics == {"feed": ActorStatistics(handled=1, failures=0)}

    def test_is_awaited_for_as_long_as_its_market_lasts_and_a_good_while_more(self, world, monkeypatch):
        asked, waits = [], []
        monkeypatch.setattr(World, "_ask", lambda _self, _system, *question: asked.append(question))
        monkeypatch.setattr(KillableSystemBase, "run_for", lambda _, seconds: waits.append(seconds))
        feed = replace(world.scenario.settings.feed, duration_s=100.0)
        world.scenario = replace(world.scenario, settings=replace(world.scenario.settings, feed=feed))
        world.market = ticks("TCS", [1.0] * 51)

        with pytest.raises(NotSettledError, match="the market did not end"):
            world._await_market_end(SimpleNamespace(base=world.base_class(1)))
        assert asked == [(FEED, AwaitMarketEnd())] * ((500 + 50 + 100) // 5)
        assert waits == [LOOK_EVERY_S] * len(asked)

    def test_waits_until_orders_has_read_the_journal_back(self, world):
        world.statistics = RESTING | {"orders": ActorStatistics(handled=1, failures=0)}

        assert world._behind(SimpleNamespace(base=world.base_class(1))) == "orders reads the journal back"


class TestTheActorsOfAWorld:
    def test_have_the_world_s_own_disk_files_and_market_and_no_halt_of_this_machine(self, world):
        world.files = SimpleNamespace(halt=Path("/world/HALT"), path=Path("/world/natya.duckdb"))
        world.market = ticks("TCS", [1.0])
        settings = world.scenario.settings
        root = world._root()
        acting = {each.name: each for each in root.children}

        assert (root.root, root.policy, root.shutdown_s) == (True, settings.supervision, settings.system.shutdown_s)
        assert acting[KILL_SWITCH].settings.paths == ("/world/HALT",)
        assert acting[KILL_SWITCH].settings.look_interval_s == HALT_LOOK_S
        assert acting[ORDERS].settings.halt_paths == ("/world/HALT",)
        assert acting["journal"].actor.disk is world.disk
        assert acting["exchange"].actor.world is world
        assert acting["database"].actor.files is world.files
        assert acting["database"].settings.path == "/world/natya.duckdb"
        assert (acting[FEED].actor.given, acting[FEED].settings) == (world.market, settings.feed)
        heard = {each.subscriber: each.topics for each in acting["events"].settings.subscriptions}
        assert heard[WITNESS] == ("journal",)


class TestAPerson:
    def test_who_lifts_the_switch_resumes_as_well(self):
        told, said = [], Counter()
        Person(SimpleNamespace(tell=lambda *what: told.append(what)), said).lift()

        assert told == [(KILL_SWITCH, ReleaseKillSwitch()), (ORDERS, RESUME)]
        assert said == {"ReleaseKillSwitch": 1, "Resume": 1}
