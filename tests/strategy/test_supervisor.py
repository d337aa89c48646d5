"""Strategies listed, started, stopped and swapped while the others run; orders and events are played by the test."""

import functools
import sys
from types import SimpleNamespace

import msgspec
import natya_swapped
import pytest
from natya_builders import a_tick
from natya_swapped import Answering, Resting, Stateless, Stillborn, Successor
from thespian.actors import ActorExitRequest

from natya.actors.runtime import InProcessSystem, RuntimeActor, handles, lifecycle
from natya.actors.runtime.simulation import SimulatedSystemBase
from natya.actors.strategy import StrategySupervisor, supervisor
from natya.actors.strategy.changes import spec_of
from natya.actors.strategy.deputy import Deputy
from natya.actors.strategy.errors import StateUnreadableError
from natya.actors.supervision import ChildSpec, Supervisor, SupervisorSettings
from natya.config.sections.strategy import StrategySettings
from natya.config.sections.supervision import SupervisionSettings
from natya.messages.codec import decode, encode
from natya.messages.events import (
    HoldSubscription,
    ResumeSubscription,
    Subscribe,
    Subscribed,
    SubscriptionHeld,
    SubscriptionResumed,
    Unsubscribe,
    Unsubscribed,
)
from natya.messages.holdings import HoldingsRead, ReadHoldings
from natya.messages.journal import JournalPage, ReadJournal
from natya.messages.nodes import ClaimAccepted, ClaimStrategy, DeputyBegan, Said, Told
from natya.messages.order_listing import CancelOrders, OrdersCancelling
from natya.messages.strategies import (
    ListStrategies,
    ReloadStrategy,
    StartStrategy,
    StopStrategy,
    StrategyChanged,
    StrategyNotChanged,
    StrategyShown,
    SwapStrategy,
)
from natya.messages.strategy_state import ReadState, SaveState, StateRead
from natya.messages.supervision import DescribeTree, Unavailable

pytestmark = pytest.mark.usefixtures("forked_starts")

POLICY = SupervisionSettings.default(backoff_first_s=0.001, backoff_max_s=0.01, fail_max=2, escalate_after=2)
CROSSOVER = "natya.actors.strategy.bodies.crossover:MovingAverageCrossover"
BREAK = "a supervisor breaks at it"


class PlayedOrders(RuntimeActor):
    @handles(ReadHoldings)
    def holdings(self, request, sender):
        self.send(sender, HoldingsRead(strategy=request.strategy, shares={}, filled={}))

    @handles(ReadState)
    def state(self, request, sender):
        self.settings.looks.append((request.strategy, request.only_looks))
        self.settings.reader = sender
        if self.settings.reads and (request.only_looks or self.settings.begins):
            saved = self.settings.saved.get(request.strategy)
            self.send(sender, StateRead(strategy=request.strategy, sequence=0, saved=saved))

    @handles(SaveState)
    def save(self, state, _sender):
        self.settings.saved[state.strategy] = state

    @handles(CancelOrders)
    def cancel(self, request, sender):
        self.settings.cancelled.append(request)
        self.send(sender, OrdersCancelling(client_order_ids=self.settings.open))


class PlayedEvents(RuntimeActor):
    @handles(Subscribe)
    def subscribe(self, request, sender):
        self.send(sender, Subscribed(subscriber=request.subscriber))

    @handles(Unsubscribe)
    def unsubscribe(self, request, sender):
        self.settings.unsubscribed.append(request.subscriber)
        self.send(sender, Unsubscribed(subscriber=request.subscriber))

    @handles(HoldSubscription)
    def hold(self, request, sender):
        self.settings.held.append(request.subscriber)
        if self.settings.holds:
            self.send(sender, SubscriptionHeld(subscriber=request.subscriber))

    @handles(ResumeSubscription)
    def resume(self, request, sender):
        if self.settings.resumes_not:
            self.settings.resumes_not -= 1
            if self.settings.instead is not None:
                self.send(sender, self.settings.instead)
            return
        self.settings.held = [name for name in self.settings.held if name != request.subscriber]
        self.send(sender, SubscriptionResumed(subscriber=request.subscriber, sent=7, conflated=2))


class PlayedJournal(RuntimeActor):
    @handles(ReadJournal)
    def read(self, _request, sender):
        self.send(sender, JournalPage(records=(), last_sequence=0))


def a_state(**fields):
    return SaveState(strategy="a", number=1, covers=0, state=msgspec.msgpack.encode(fields))


class Breaking(StrategySupervisor):
    def on_unhandled(self, message, sender):
        if message == BREAK:
            raise RuntimeError("of its own")
        super().on_unhandled(message, sender)


def settings_of(kind, name, **fields):
    return StrategySettings(name=name, strategy=f"natya_swapped:{kind.__name__}", **fields)


class Stage:
    def __init__(self, system, *strategies, host="loop", nodes=None, orders="orders"):
        self.system, self.base = system, system.base
        self.looks, self.saved, self.cancelled, self.unsubscribed = [], {}, [], []
        self.held, self.holds, self.resumes_not, self.instead = [], True, 0, None
        self.reads, self.begins, self.breaks = True, True, False
        self.open = ()
        system.start("orders", PlayedOrders, self)
        system.start("events", PlayedEvents, self)
        system.start("journal", PlayedJournal)
        if nodes is not None:
            system.start("nodes", PlayedNodes, nodes)
        specs = tuple(spec_of(settings_of(kind, name, host=host), kind) for kind, name in strategies)
        below = SupervisorSettings(children=specs, policy=POLICY, orders=orders, journal="")
        above = SupervisorSettings(
            children=(ChildSpec("strategies", Breaking, below),), policy=POLICY, journal="", root=True
        )
        system.start("system", Supervisor, above)

    def break_it(self):
        self.breaks = True
        self.system.tell("strategies", BREAK)

    def ask(self, request):
        return self.system.request("strategies", request)

    def swap(self, strategy):
        """Have "a" changed, and return who is told what came of it."""
        asker = self.system.probe("asker")
        request = SwapStrategy(name="a", strategy=f"natya_swapped:{strategy}")
        self.system.tell("strategies", request, sender=asker)
        return asker

    def start(self, kind, name, **fields):
        written = msgspec.json.encode(settings_of(kind, name, **fields)).decode()
        return self.ask(StartStrategy(name=name, settings=written))

    def shown(self):
        return [
            (each.name, each.strategy.partition(":")[2], each.state) for each in self.ask(ListStrategies()).strategies
        ]


@pytest.fixture
def stage():
    with InProcessSystem(SimulatedSystemBase(seed=1)) as system:
        opened = []
        yield lambda *strategies, **how: opened.append(Stage(system, *strategies, **how)) or opened[0]
        if "system" in system.base.names and not opened[0].breaks:  # nothing that is asked makes it fail
            (node, *_) = system.request("system", DescribeTree()).children
            assert (node.path, node.restarts, node.last_error) == ("system/strategies", 0, "")


class TestTheSpec:
    @pytest.mark.parametrize(("host", "cancels"), [("loop", False), ("process", True)])
    def test_has_what_the_settings_and_the_class_say(self, host, cancels):
        kind = type("Kind", (Stateless,), {"cancel_on_failure": cancels})
        settings = settings_of(Stateless, "a", host=host, turn_limit_s=3.0, memory_limit_mb=512)

        assert spec_of(settings, kind) == ChildSpec(
            "a",
            kind,
            settings,
            host="process" if host == "process" else None,
            when_exhausted="park",
            cancels_orders=cancels,
            turn_limit_s=3.0,
            memory_limit_mb=512,
        )


class TestTheList:
    def test_shows_each_in_order_with_all_there_is_to_know_and_those_stopped_last(self, stage):
        opened = stage((Resting, "resting"), (Stateless, "plain"), (Answering, "keeping"))
        opened.ask(StopStrategy(name="resting"))
        plain = {"host": "loop", "restarts": 0, "has_state": False, "error": ""}

        found = opened.ask(ListStrategies()).strategies

        assert found == (
            StrategyShown(name="plain", strategy="natya_swapped:Stateless", state="RUNNING", **plain),
            StrategyShown(
                name="keeping", strategy="natya_swapped:Answering", state="RUNNING", **(plain | {"has_state": True})
            ),
            StrategyShown(name="resting", strategy="natya_swapped:Resting", state="STOPPED", **plain),
        )

    def test_tells_of_failures(self, stage, monkeypatch):
        monkeypatch.setattr(Stateless, "on_tick", lambda _self, _tick: 1 / 0)
        opened = stage((Stateless, "a"), (Stateless, "b"))
        opened.system.tell("a", a_tick())
        opened.base.run_for(1)
        found = opened.ask(ListStrategies()).strategies

        assert [(each.restarts, each.error) for each in found] == [(1, "ZeroDivisionError: division by zero"), (0, "")]


class TestAStop:
    def test_is_answered_when_it_has_ended_and_nothing_comes_to_it_any_more(self, stage):
        opened = stage((Stateless, "a"), (Stateless, "b"))

        assert opened.ask(StopStrategy(name="a")) == StrategyChanged(name="a", strategy="natya_swapped:Stateless")
        assert "a" not in opened.base.names
        opened.base.run_for(1)
        assert opened.unsubscribed == ["a"]
        assert opened.shown() == [("b", "Stateless", "RUNNING"), ("a", "Stateless", "STOPPED")]

    def test_has_the_orders_cancelled_of_a_class_that_says_so_and_of_no_other(self, stage):
        opened = stage((Resting, "a"), (Stateless, "b"))
        for name in ("a", "b"):
            opened.ask(StopStrategy(name=name))
        opened.base.run_for(60)

        assert set(opened.cancelled) == {CancelOrders(everything=True, strategy="a", person="strategies")}

    def test_of_the_system_has_them_cancelled_too(self, stage):
        opened = stage((Resting, "a"), (Stateless, "b"), (Resting, "c"), (Stateless, "d"))
        opened.ask(StopStrategy(name="c"))
        opened.base.run_for(60)
        opened.cancelled.clear()
        opened.system.stop("system")

        assert opened.cancelled == [CancelOrders(everything=True, strategy="a", person="strategies")]

    def test_where_there_are_no_orders_cancels_none(self, stage, caplog):
        opened = stage((Resting, "a"), (Resting, "b"), orders="")
        opened.ask(StopStrategy(name="a"))
        opened.base.run_for(60)
        opened.system.stop("system")

        assert opened.cancelled == []
        assert "child.orders_not_cancelled" not in caplog.messages

    def test_is_no_end_that_it_comes_to_by_itself_whose_orders_stay(self, stage, monkeypatch):
        monkeypatch.setattr(Resting, "on_tick", lambda _self, _tick: sys.exit(3))
        opened = stage((Resting, "a"))
        opened.system.tell("a", a_tick())
        opened.base.run_for(60)

        assert opened.shown() == [("a", "Resting", "RUNNING")]
        assert opened.cancelled == []

    def test_of_the_system_is_amid_no_change_and_of_no_stranger_s_business(self, stage, monkeypatch):
        def on_stop(_self):
            report = lifecycle.Stopped(name="a", address=asker)
            opened.system.tell("strategies", report, sender=asker)
            opened.system.tell("strategies", StartStrategy(name="b"), sender=asker)

        opened = stage((Resting, "a"), (Stateless, "b"))
        asker = opened.system.probe("asker")
        monkeypatch.setattr(Stateless, "on_stop", on_stop)
        opened.system.stop("system")

        assert (asker.receive().is_busy, asker.is_empty()) == (True, True)
        assert [each.strategy for each in opened.cancelled] == ["a"]


class TestAStart:
    @pytest.mark.parametrize("after_s", [0.0, 5.0])
    def test_of_one_whose_orders_were_cancelled_leaves_its_new_ones_alone(self, stage, after_s):
        """Open orders of one that has ended are looked for again and again: of one that runs they are its own."""
        opened = stage((Resting, "a"))
        opened.open = ("a-1",)
        opened.ask(StopStrategy(name="a"))
        opened.base.run_for(after_s)
        assert isinstance(opened.ask(StartStrategy(name="a")), StrategyChanged)
        opened.cancelled.clear()
        opened.base.run_for(120)

        assert opened.cancelled == []
        opened.ask(StopStrategy(name="a"))
        opened.base.run_for(10)
        assert len(opened.cancelled) == 3, "at once, after 2 s and after 6"

    def test_that_fails_has_them_looked_for_as_before(self, stage, monkeypatch):
        opened = stage((Resting, "a"))
        opened.ask(StopStrategy(name="a"))
        monkeypatch.setattr(Resting, "on_begin", lambda _self: 1 / 0)
        assert isinstance(opened.ask(StartStrategy(name="a")), StrategyNotChanged)
        opened.cancelled.clear()
        opened.base.run_for(60)

        assert {each.strategy for each in opened.cancelled} == {"a"}

    def test_of_one_that_was_parked_leaves_its_new_orders_alone(self, stage, monkeypatch):
        with monkeypatch.context() as broken:
            broken.setattr(Stateless, "cancel_on_failure", True)
            broken.setattr(Stateless, "on_tick", lambda _self, _tick: 1 / 0)
            opened = stage((Stateless, "a"))
            opened.open = ("a-1",)
            for _ in range(10):
                opened.system.tell("a", a_tick())
                opened.base.run_for(6)
            assert opened.shown() == [("a", "Stateless", "PARKED")]
            assert opened.cancelled
        assert isinstance(opened.ask(StartStrategy(name="a")), StrategyChanged)
        opened.cancelled.clear()
        opened.base.run_for(120)

        assert opened.cancelled == []

    def test_of_one_that_was_stopped_lets_it_run_again(self, stage):
        opened = stage((Stateless, "a"))
        opened.ask(StopStrategy(name="a"))

        assert opened.ask(StartStrategy(name="a")) == StrategyChanged(name="a", strategy="natya_swapped:Stateless")
        assert opened.shown() == [("a", "Stateless", "RUNNING")]
        assert opened.ask(StopStrategy(name="a")) == StrategyChanged(name="a", strategy="natya_swapped:Stateless")

    def test_of_a_new_one_has_its_own_settings(self, stage):
        opened = stage((Stateless, "a"))

        assert opened.start(Answering, "b", symbols=("TCS",)) == StrategyChanged(
            name="b", strategy="natya_swapped:Answering"
        )
        assert opened.shown() == [("a", "Stateless", "RUNNING"), ("b", "Answering", "RUNNING")]
        assert opened.looks == [("b", True), ("b", False)]

    def test_of_one_that_was_stopped_may_have_other_settings(self, stage):
        opened = stage((Stateless, "a"))
        opened.ask(StopStrategy(name="a"))
        opened.start(Resting, "a")

        assert opened.shown() == [("a", "Resting", "RUNNING")]

    @pytest.mark.parametrize(
        ("name", "fields", "why"),
        [
            ("a", {}, "it runs already"),
            *((name, {}, "a free name, and at most 1000 strategies, are wanted") for name in ("orders", "flat", "")),
            ("c", {"position_max": 5}, "limits of its own are in force for strategies of the settings alone"),
            ("c", {"orders_in_flight_max": 5}, "limits of its own are in force for strategies of the settings alone"),
        ],
    )
    def test_is_refused_with_its_reason_and_nothing_is_changed(self, stage, name, fields, why):
        opened = stage((Stateless, "a"))

        refused = opened.start(Stateless, name, **fields)

        assert (type(refused), refused.name) == (StrategyNotChanged, name)
        assert why in refused.reason
        assert opened.shown() == [("a", "Stateless", "RUNNING")]
        assert opened.start(Stateless, "b").name == "b"  # nothing is left of it that could be in the way

    @pytest.mark.parametrize(
        ("written", "why"),
        [
            ("{", "settings of a strategy wanted: "),
            ('{"name":"c"}', "settings of a strategy wanted: .*strategy"),
            ('{"name":"d","strategy":"natya_swapped:Stateless"}', "settings of 'c' wanted, found those of 'd'"),
            ('{"name":"c","strategy":"natya_swapped:Nobody"}', "has no class 'Nobody'"),
            (f'{{"name":"c","strategy":"{CROSSOVER}","parameters":{{"fast":-1}}}}', "fast"),
        ],
    )
    def test_with_settings_that_are_none_says_what_is_wrong(self, stage, written, why):
        opened = stage((Stateless, "a"))

        with pytest.raises(AssertionError, match=why):
            raise AssertionError(opened.ask(StartStrategy(name="c", settings=written)).reason)
        assert opened.start(Stateless, "c").strategy == "natya_swapped:Stateless"

    def test_of_more_than_there_may_be_is_refused_those_that_are_stopped_included(self, stage, monkeypatch):
        monkeypatch.setattr(supervisor, "STRATEGIES_MAX", 3)
        opened = stage((Stateless, "a"), (Stateless, "b"))
        opened.ask(StopStrategy(name="a"))

        assert isinstance(opened.start(Stateless, "c"), StrategyChanged)
        assert opened.start(Stateless, "d").reason == "a free name, and at most 3 strategies, are wanted"

    def test_that_fails_leaves_nothing_behind(self, stage):
        opened = stage((Stateless, "a"))
        refused = opened.start(Stillborn, "b")
        opened.base.run_for(1)

        assert refused == StrategyNotChanged(name="b", reason="RuntimeError: stillborn")
        assert opened.shown() == [("a", "Stateless", "RUNNING")]
        assert opened.unsubscribed == ["b"]
        assert "b" not in opened.base.names
        refused = opened.ask(StartStrategy(name="b"))
        assert refused.reason == "a strategy that is stopped or parked is wanted; there are a"


class TestOneThatIsNotThere:
    @pytest.mark.parametrize(
        ("request_of", "wanted"),
        [
            (StopStrategy, "runs"),
            (StartStrategy, "is stopped or parked"),
            (functools.partial(SwapStrategy, strategy="x:Y"), "runs"),
        ],
    )
    def test_is_refused_with_those_that_are(self, stage, request_of, wanted):
        opened = stage((Stateless, "first"), (Stateless, "second"))
        opened.ask(StopStrategy(name="second"))

        assert [opened.ask(request_of(name=name)) for name in ("frst", "nobody")] == [
            StrategyNotChanged(name="frst", reason=f"a strategy that {wanted} is wanted; did you mean 'first'?"),
            StrategyNotChanged(name="nobody", reason=f"a strategy that {wanted} is wanted; there are first, second"),
        ]

    def test_is_refused_where_there_are_none(self, stage):
        assert stage().ask(StopStrategy(name="a")).reason == "a strategy that runs is wanted; there are none"

    @pytest.mark.parametrize("request_of", [StopStrategy, functools.partial(SwapStrategy, strategy="x:Y")])
    def test_since_it_is_stopped_says_so(self, stage, request_of):
        opened = stage((Stateless, "a"))
        opened.ask(StopStrategy(name="a"))

        assert opened.ask(request_of(name="a")).reason == "it is stopped; start it, and it goes on as its file is now"


class TestASwap:
    def test_lets_the_other_class_run_in_its_place(self, stage):
        opened = stage((Stateless, "a"), (Stateless, "b"))

        assert opened.ask(SwapStrategy(name="a", strategy="natya_swapped:Resting")) == StrategyChanged(
            name="a", strategy="natya_swapped:Resting", handed_over=7, conflated=2
        )
        assert opened.held == []
        assert opened.shown() == [("b", "Stateless", "RUNNING"), ("a", "Resting", "RUNNING")]
        assert opened.unsubscribed == []
        assert opened.cancelled == []

    def test_may_name_a_file(self, stage):
        opened = stage((Stateless, "a"))
        done = opened.ask(SwapStrategy(name="a", strategy=f"{natya_swapped.__file__}:Resting"))
        refused = opened.ask(SwapStrategy(name="a", strategy="nowhere.py"))

        assert (done.strategy, opened.shown()) == ("natya_swapped:Resting", [("a", "Resting", "RUNNING")])
        assert "a strategy is module:Class or a file, found no file " in refused.reason

    def test_whose_new_class_cannot_begin_lets_the_old_one_run_again(self, stage):
        opened = stage((Stateless, "a"))

        refused = opened.ask(SwapStrategy(name="a", strategy="natya_swapped:Stillborn"))

        assert refused.reason == "the one of before runs again: RuntimeError: stillborn"
        assert opened.held == []
        assert opened.shown() == [("a", "Stateless", "RUNNING")]
        assert isinstance(opened.ask(StopStrategy(name="a")), StrategyChanged)

    def test_of_which_the_old_one_cannot_begin_again_either_ends_and_so_it_may_be_stopped(self, stage, monkeypatch):
        opened = stage((Stateless, "a"))
        monkeypatch.setattr(Stateless, "on_begin", Stillborn.on_begin)

        refused = opened.ask(SwapStrategy(name="a", strategy="natya_swapped:Stillborn"))

        again = "nor does the one of before begin yet: RuntimeError: stillborn"
        assert refused.reason == f"RuntimeError: stillborn; {again}"
        assert opened.held == []
        assert isinstance(opened.ask(StopStrategy(name="a")), StrategyChanged)
        assert opened.shown() == [("a", "Stateless", "STOPPED")]

    @pytest.mark.parametrize(
        ("kind", "why"),
        [
            ("Stateless", "a class with a State wanted, since one is saved of a, found natya_swapped:Stateless"),
            ("Forgetful", "does not fit its State"),
        ],
    )
    def test_to_a_class_that_cannot_read_the_state_stops_nothing(self, stage, kind, why):
        opened = stage((Answering, "a"))
        opened.saved["a"] = a_state(trades={}, ordered={}, ticks=3)

        assert why in opened.ask(SwapStrategy(name="a", strategy=f"natya_swapped:{kind}")).reason
        assert opened.shown() == [("a", "Answering", "RUNNING")]
        assert isinstance(opened.ask(SwapStrategy(name="a", strategy="natya_swapped:Successor")), StrategyChanged)

    def test_while_orders_does_not_answer_stops_nothing(self, stage):
        opened = stage((Stateless, "a"))
        opened.reads = False
        asker = opened.system.probe("asker")
        opened.system.tell("strategies", SwapStrategy(name="a", strategy="natya_swapped:Resting"), sender=asker)
        opened.base.run_for(11)

        assert asker.receive().reason.startswith("its state, of orders, wanted, found ")
        assert opened.shown() == [("a", "Stateless", "RUNNING")]

    def test_while_events_does_not_hold_its_prices_stops_nothing(self, stage):
        opened = stage((Stateless, "a"))
        opened.holds = False
        asker = opened.system.probe("asker")
        opened.system.tell("strategies", SwapStrategy(name="a", strategy="natya_swapped:Resting"), sender=asker)
        opened.base.run_for(11)

        assert asker.receive().reason.startswith("its market data, of events, wanted, found ")
        assert opened.shown() == [("a", "Stateless", "RUNNING")]
        assert opened.held == []

    def test_during_which_the_old_one_breaks_is_not_done_by_that(self, stage, monkeypatch):
        monkeypatch.setattr(Stateless, "on_tick", lambda _self, _tick: 1 / 0)
        opened = stage((Stateless, "a"))
        opened.reads = False
        asker = opened.swap("Resting")
        opened.base.run_for(1)
        opened.system.tell("a", a_tick())
        opened.base.run_for(11)

        assert opened.ask(ListStrategies()).strategies[0].restarts == 1
        assert asker.receive().reason.startswith("its state, of orders, wanted, found ")

    def park(self, opened):
        """Let "a" raise until it is parked."""
        for _ in range(9):
            opened.system.tell("a", a_tick())
            opened.base.run_for(1)
        ((_, kind, state),) = opened.shown()
        assert (kind, state) == ("Stateless", "PARKED")

    def test_during_which_the_old_one_is_parked_goes_on_and_is_answered_once(self, stage, monkeypatch):
        """Before it is known whether the new one can read the state, and before its prices are held."""
        monkeypatch.setattr(Stateless, "on_tick", lambda _self, _tick: 1 / 0)
        opened = stage((Stateless, "a"))
        opened.reads = False
        asker = opened.swap("Resting")
        opened.base.run_for(0.1)
        self.park(opened)
        assert asker.is_empty()
        assert opened.ask(StopStrategy(name="a")).is_busy
        opened.system.tell(opened.reader, StateRead(strategy="a", sequence=0))
        opened.base.run_for(20)

        assert isinstance(asker.receive(), StrategyChanged)
        assert (opened.shown(), asker.is_empty()) == ([("a", "Resting", "RUNNING")], True)

    def test_that_is_refused_when_the_old_one_has_been_parked_is_answered_once(self, stage, monkeypatch):
        monkeypatch.setattr(Stateless, "on_tick", lambda _self, _tick: 1 / 0)
        opened = stage((Stateless, "a"))
        opened.holds = False
        asker = opened.swap("Resting")
        opened.base.run_for(0.1)
        self.park(opened)
        opened.base.run_for(20)

        assert asker.receive().reason.startswith("its market data, of events, wanted, found ")
        assert (opened.shown(), asker.is_empty()) == ([("a", "Stateless", "PARKED")], True)

    @pytest.mark.parametrize(
        ("method", "does", "why"),
        [
            ("on_begin", lambda _self: sys.exit(3), "SystemExit: 3"),
            ("_begin", lambda self, _: self.send(self.myAddress, ActorExitRequest()), "it ended by itself"),
            ("_begin", lambda *_: None, "StartOverranError: a did not start within 30 s"),
        ],
        ids=["SystemExit", "an exit request", "too long"],
    )
    def test_whose_new_one_ends_before_it_has_begun_is_taken_back(self, stage, monkeypatch, method, does, why):
        monkeypatch.setattr(Resting, method, does)
        opened = stage((Stateless, "a"))
        asker = opened.swap("Resting")
        opened.base.run_for(60)

        assert asker.receive().reason == f"the one of before runs again: {why}"
        assert (opened.shown(), asker.is_empty()) == ([("a", "Stateless", "RUNNING")], True)
        assert opened.held == []

    def test_of_which_neither_begins_is_told_both_reasons(self, stage, monkeypatch):
        opened = stage((Stateless, "a"))
        for kind, code in ((Resting, 3), (Stateless, 4)):
            monkeypatch.setattr(kind, "on_begin", lambda _self, code=code: sys.exit(code))
        asker = opened.swap("Resting")
        opened.base.run_for(60)

        assert asker.receive().reason == "SystemExit: 3; nor does the one of before begin yet: SystemExit: 4"
        assert (opened.shown(), asker.is_empty()) == ([("a", "Stateless", "PARKED")], True)

    def test_begins_one_again_that_is_parked_by_its_own_settings_alone(self, stage, monkeypatch):
        with monkeypatch.context() as broken:
            broken.setattr(Stateless, "on_tick", lambda _self, _tick: 1 / 0)
            opened = stage((Stateless, "a"))
            self.park(opened)

        refused = opened.start(Resting, "a")
        assert refused.reason == "it is parked: other settings are for one that is stopped"
        assert isinstance(opened.ask(StartStrategy(name="a")), StrategyChanged)
        assert opened.shown() == [("a", "Stateless", "RUNNING")]
        assert opened.ask(StartStrategy(name="a")).reason == "it runs already"

    def test_is_not_taken_back_by_a_report_of_somebody_else(self, stage):
        opened = stage((Stateless, "a"))
        opened.begins = False
        asker = opened.swap("Answering")
        opened.base.run_for(1)
        for kind in (lifecycle.StartFailed, lifecycle.ChildHandlerFailed):
            opened.system.tell("strategies", kind(name="a", address=asker, error=ValueError("forged")), sender=asker)
        opened.base.run_for(15)

        assert asker.receive().reason.startswith("the one of before runs again: StateUnknownError: ")
        assert opened.shown() == [("a", "Stateless", "RUNNING")]

    def test_that_is_done_stays_so_though_the_new_one_is_parked_before_it_is_told(self, stage, monkeypatch):
        monkeypatch.setattr(Resting, "on_tick", lambda _self, _tick: 1 / 0)
        opened = stage((Stateless, "a"))
        opened.resumes_not = 2
        asker = opened.swap("Resting")
        opened.base.run_for(1)
        for _ in range(9):
            opened.system.tell("a", a_tick())
            opened.base.run_for(1)
        parked = opened.shown()
        opened.base.run_for(30)

        assert parked == [("a", "Resting", "PARKED")]
        assert asker.receive() == StrategyChanged(
            name="a", strategy="natya_swapped:Resting", handed_over=7, conflated=2
        )

    @pytest.mark.parametrize(
        ("instead", "why"),
        [
            (None, "no answer in 10 s from events to ResumeSubscription"),
            (Unavailable(actor="events", reason="breaker open", retry_after_s=5.0), "breaker open"),
        ],
    )
    def test_has_events_asked_again_until_it_sends_what_it_kept(self, stage, caplog, instead, why):
        opened = stage((Stateless, "a"))
        opened.resumes_not, opened.instead = 2, instead
        asker = opened.swap("Resting")
        opened.base.run_for(15 if instead is None else 1.5)
        assert (asker.is_empty(), opened.held) == (True, ["a"])
        opened.base.run_for(15)

        assert asker.receive().handed_over == 7
        assert opened.held == []
        told = [record.fields["found"] for record in caplog.records if record.message == "strategy.not_resumed"]
        assert [why in str(found) for found in told] == [True, True]


class PlayedNodes(RuntimeActor):
    """The other node: it begins with whatever is claimed, and says what the test wants of a change."""

    @handles(DeputyBegan)
    def claim(self, began, _sender):
        self.settings.ended += 1
        if self.settings.runs:
            self.send(began.strategy, ClaimStrategy(strategy=began.strategy, fence=1))

    @handles(ClaimAccepted)
    def begin(self, accepted, _sender):
        self.settings.kinds.append(accepted.kind)

    @handles(Told)
    def change(self, told, _sender):
        self.settings.told.append(decode(told.message))
        if self.settings.says is not None:
            message = encode(self.settings.says)
            self.send(told.strategy, Said(strategy="a", fence=1, actor="strategies", message=message))


class TestASwapOfOneThatRunsOnAnotherNode:
    """It is loaded here, and done there; see `test_deputy.py` for what lies between."""

    TOO = f"natya_swapped:{Successor.__name__}"
    DONE = StrategyChanged(name="a", strategy=TOO, modules=("there",), handed_over=3)

    @pytest.fixture
    def opened(self, stage):
        def opened(*, says=self.DONE, runs=True):
            node = SimpleNamespace(ended=0, kinds=[], told=[], says=says, runs=runs)
            opened = stage((Answering, "a"), host="node", nodes=node)
            opened.base.run_for(0.1)
            return opened, node

        return opened

    def test_is_answered_as_that_node_does_and_then_it_is_the_class_here_too(self, opened):
        opened, node = opened()
        answer = opened.ask(SwapStrategy(name="a", strategy=self.TOO))

        assert answer == self.DONE
        assert node.told == [SwapStrategy(name="a", strategy=self.TOO)]
        assert (opened.shown(), node.ended) == ([("a", "Successor", "RUNNING")], 1)
        assert opened.held == []

    def test_may_be_a_reload(self, opened):
        opened, node = opened()

        assert opened.ask(ReloadStrategy(name="a")) == self.DONE
        assert node.told == [ReloadStrategy(name="a")]

    def test_that_is_not_done_there_leaves_the_class_of_before_here_too(self, opened):
        opened, _ = opened(says=StrategyNotChanged(name="a", reason="stillborn"))
        answer = opened.ask(SwapStrategy(name="a", strategy=self.TOO))

        assert answer == StrategyNotChanged(name="a", reason="stillborn")
        assert opened.shown() == [("a", "Answering", "RUNNING")]

    @pytest.mark.parametrize(("kind", "why"), [("Forgetful", "trades"), ("Nobody", "has no class 'Nobody'")])
    def test_that_cannot_be_done_here_is_not_asked_for_there(self, opened, kind, why):
        opened, node = opened()
        opened.saved["a"] = a_state(trades={}, ordered={}, ticks=3)
        answer = opened.ask(SwapStrategy(name="a", strategy=f"natya_swapped:{kind}"))

        assert why in answer.reason
        assert node.told == []
        assert opened.shown() == [("a", "Answering", "RUNNING")]

    def test_that_its_deputy_does_not_answer_leaves_the_class_of_before(self, opened, monkeypatch):
        monkeypatch.setattr(supervisor, "DEPUTY_TIMEOUT_S", 1.0)
        opened, _ = opened(says=None)
        asker = opened.swap("Successor")
        opened.base.run_for(2)

        assert asker.receive().reason.startswith("an answer of its deputy wanted, found ")
        assert opened.shown() == [("a", "Answering", "RUNNING")]

    def test_whose_deputy_is_parked_is_told_so(self, opened, monkeypatch):
        def fail(_self, _message, _sender):
            raise StateUnreadableError("nothing mends it")

        monkeypatch.setattr(Deputy, "on_unhandled", fail)
        opened, _ = opened(says=None)
        asker = opened.swap("Successor")
        opened.base.run_for(0.1)
        opened.system.tell("a", "a word that it does not know")
        opened.base.run_for(60)

        assert asker.receive().reason == "it is parked: StateUnreadableError: nothing mends it"
        assert (opened.shown(), asker.is_empty()) == ([("a", "Answering", "PARKED")], True)

    def test_is_no_start_of_one_that_was_stopped(self, opened):
        opened, node = opened()
        opened.ask(StopStrategy(name="a"))
        node.kinds.clear()

        assert opened.ask(StartStrategy(name="a")) == StrategyChanged(name="a", strategy="natya_swapped:Answering")
        opened.base.run_for(0.1)
        assert (node.told, node.kinds) == ([], ["natya_swapped:Answering"])

    def test_while_it_runs_nowhere_is_of_who_claims_it_next(self, opened):
        opened, node = opened(runs=False)
        answer = opened.ask(SwapStrategy(name="a", strategy=self.TOO))
        opened.system.tell("a", ClaimStrategy(strategy="a", fence=1))
        opened.base.run_for(0.1)

        assert answer == StrategyChanged(name="a", strategy=self.TOO)
        assert (node.told, node.kinds) == ([], [self.TOO])

    def test_amid_which_the_supervisor_fails_is_done_all_the_same(self, opened):
        """That node may have done it already."""
        opened, node = opened(says=None)
        opened.system.tell("strategies", SwapStrategy(name="a", strategy=self.TOO))
        opened.base.run_for(1)
        opened.break_it()
        opened.base.run_for(1)

        assert opened.shown() == [("a", "Successor", "RUNNING")]
        assert node.kinds[-1] == self.TOO


class TestAChangeOfOneThatIsBeingChanged:
    @pytest.mark.parametrize(
        "second",
        [
            StopStrategy(name="a"),
            StartStrategy(name="a"),
            SwapStrategy(name="a", strategy="natya_swapped:Resting"),
            ReloadStrategy(name="a"),
        ],
    )
    def test_is_refused_and_that_of_another_is_not(self, stage, second):
        opened = stage((Stateless, "a"), (Stateless, "b"))
        opened.reads = False
        asker = opened.system.probe("asker")
        opened.system.tell("strategies", SwapStrategy(name="a", strategy="natya_swapped:Resting"), sender=asker)

        assert opened.ask(second).reason == "it is being changed already, or the system stops"
        assert isinstance(opened.ask(StopStrategy(name="b")), StrategyChanged)
        opened.base.run_for(11)
        assert opened.looks == [("a", True)], "the second does not begin"
        opened.reads = True
        assert isinstance(opened.ask(StopStrategy(name="a")), StrategyChanged)


class TestASupervisorOfStrategiesThatFails:
    def test_has_those_again_that_there_were_and_those_stopped_stay_so(self, stage):
        opened = stage((Stateless, "a"), (Stateless, "b"))
        opened.ask(StopStrategy(name="a"))
        opened.start(Resting, "c")
        opened.break_it()
        opened.base.run_for(5)

        assert opened.shown() == [
            ("b", "Stateless", "RUNNING"),
            ("c", "Resting", "RUNNING"),
            ("a", "Stateless", "STOPPED"),
        ]
        assert isinstance(opened.ask(StartStrategy(name="a")), StrategyChanged)

    def test_amid_a_change_has_the_one_of_before(self, stage):
        opened = stage((Stateless, "a"), (Stateless, "b"))
        opened.reads = False
        asker = opened.system.probe("asker")
        opened.system.tell("strategies", SwapStrategy(name="a", strategy="natya_swapped:Answering"), sender=asker)
        opened.base.run_for(1)
        opened.reads = True
        opened.break_it()
        opened.base.run_for(5)

        assert sorted(opened.shown()) == [("a", "Stateless", "RUNNING"), ("b", "Stateless", "RUNNING")]
        tree = opened.system.request("system", DescribeTree())
        assert {node.path: node.state for node in tree.children}["system/strategies"] == "RUNNING"

    def test_behind_a_change_that_is_not_told_yet_has_the_new_one(self, stage):
        opened = stage((Stateless, "a"))
        opened.resumes_not = 1
        asker = opened.swap("Resting")
        opened.base.run_for(1)
        opened.break_it()
        opened.base.run_for(5)

        assert opened.shown() == [("a", "Resting", "RUNNING")]
        assert opened.held == []
        assert asker.receive().handed_over == 7

    @pytest.mark.parametrize("resumes_not", [0, 2])
    def test_amid_a_change_that_was_held_has_what_was_kept_sent_however_often_that_has_to_be_asked_for(
        self, stage, resumes_not
    ):
        opened = stage((Stateless, "a"))
        opened.holds, opened.resumes_not = False, resumes_not
        asker = opened.swap("Resting")
        opened.base.run_for(1)
        assert opened.held == ["a"]
        opened.break_it()
        opened.base.run_for(5 + 11 * resumes_not)

        assert opened.held == []
        assert opened.shown() == [("a", "Stateless", "RUNNING")]
        assert asker.receive() == StrategyNotChanged(
            name="a", reason="the one of before runs again: their supervisor failed meanwhile"
        )
        assert asker.is_empty()
        opened.holds = True
        assert isinstance(opened.ask(SwapStrategy(name="a", strategy="natya_swapped:Resting")), StrategyChanged)
