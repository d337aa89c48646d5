"""A strategy is swapped in a market that waits for nobody: its successor goes on at the next tick."""

import sys
from types import SimpleNamespace

import msgspec
import pytest
from natya_builders import a_tick

from natya.actors.events import EventsActor, EventsSettings
from natya.actors.runtime import InProcessSystem, RuntimeActor, handles
from natya.actors.runtime.simulation import SimulatedSystemBase
from natya.actors.strategy import StrategySupervisor
from natya.actors.strategy.changes import checked
from natya.actors.supervision import SupervisorSettings
from natya.config.sections.strategy import StrategySettings
from natya.config.sections.supervision import SupervisionSettings
from natya.messages.holdings import HoldingsRead, ReadHoldings
from natya.messages.journal import JournalPage, ReadJournal
from natya.messages.strategies import (
    ListStrategies,
    ReloadStrategy,
    StrategyChanged,
    StrategyNotChanged,
    SwapStrategy,
)
from natya.messages.strategy_state import ReadState, SaveState, StateRead

TICK_S = 0.00005


class Go(msgspec.Struct, frozen=True):
    """To the market itself: the next tick."""


class Market(RuntimeActor):
    """Sends a tick every twentieth of a millisecond, whatever else goes on."""

    def on_start(self):
        self.send(self.myAddress, Go())

    @handles(Go)
    def go_on(self, go, _sender):
        self.settings.ticks += 1
        self.send("events", a_tick(sequence=self.settings.ticks))
        self.after(TICK_S, go)


class PlayedJournal(RuntimeActor):
    @handles(ReadJournal)
    def read(self, _request, sender):
        self.send(sender, JournalPage(records=(), last_sequence=0))


class PlayedOrders(RuntimeActor):
    """Keeps states, and has no orders."""

    @handles(ReadHoldings)
    def tell_holdings(self, request, sender):
        self.settings.lives += 1
        self.send(sender, HoldingsRead(strategy=request.strategy, shares={}, filled={}, life=self.settings.lives))

    @handles(ReadState)
    def tell_state(self, request, sender):
        self.send(sender, StateRead(strategy=request.strategy, sequence=0, saved=self.settings.saved))

    @handles(SaveState)
    def save(self, request, _sender):
        self.settings.saved = request


class World:
    """A strategy, its supervisor and the router, on virtual time."""

    def __init__(self, system, strategy="natya_swapped:Listening"):
        self.system = system
        self.kept = SimpleNamespace(ticks=0, saved=None, lives=0)
        system.start("journal", PlayedJournal)
        system.start("orders", PlayedOrders, self.kept)
        system.start("events", EventsActor, EventsSettings())
        self.start(strategy)
        self.rest()
        system.start("market", Market, self.kept)
        self.rest()

    def start(self, strategy, *others):
        named = zip(("mine", "others"), (strategy, *others), strict=False)
        children = tuple(checked(StrategySettings(name=name, strategy=kind)) for name, kind in named)
        policy = SupervisionSettings.default()
        supervisor = SupervisorSettings(children=children, policy=policy, journal="")
        self.system.start("strategies", StrategySupervisor, supervisor)

    def rest(self):
        self.system.base.run_for(0.005)

    def swap(self, strategy):
        self.rest()
        return self.system.request("strategies", SwapStrategy(name="mine", strategy=strategy), timeout_s=30)

    @property
    def heard(self):
        """What the strategy has heard when it ends."""
        self.rest()
        self.system.stop("market")
        return self.known["heard"]

    @property
    def known(self):
        """The state of the strategy, with which it ends."""
        self.rest()
        self.system.stop("strategies")
        self.rest()
        return msgspec.msgpack.decode(self.kept.saved.state)


@pytest.fixture(params=range(2))
def world(request):
    with InProcessSystem(SimulatedSystemBase(seed=request.param)) as system:
        yield World(system)


class TestASwap:
    def test_has_each_tick_heard_once_and_in_order_by_the_old_or_the_new_one(self, world):
        answers = [world.swap(f"natya_swapped:{kind}") for kind in ("ListeningToo", "Listening", "ListeningToo")]

        assert all(isinstance(each, StrategyChanged) for each in answers)
        heard = world.heard
        assert heard == list(range(1, world.kept.ticks + 1))
        assert sum(each.handed_over for each in answers) > 0, "nothing came between: the test shows nothing"

    def test_that_is_taken_back_loses_no_tick_either(self, world):
        answer = world.swap("natya_swapped:ListeningNever")

        assert isinstance(answer, StrategyNotChanged)
        assert "the one of before runs again: RuntimeError: stillborn" in answer.reason
        assert world.heard == list(range(1, world.kept.ticks + 1))


class TestAReload:
    @pytest.fixture
    def system(self):
        with InProcessSystem(SimulatedSystemBase(seed=0)) as system:
            yield system

    def test_imports_a_file_that_has_not_changed_anew_too(self, system, tmp_path, monkeypatch):
        """What the module itself had come to hold may be what the person wants to be rid of."""
        (tmp_path / "mine_held.py").write_text("import natya\n\nclass Mine(natya.StrategyActor):\n    pass\n")
        monkeypatch.syspath_prepend(tmp_path)
        World(system, "mine_held:Mine")
        before = sys.modules["mine_held"]
        answer = system.request("strategies", ReloadStrategy(name="mine"), timeout_s=30)
        after = sys.modules.pop("mine_held")

        assert isinstance(answer, StrategyChanged), answer
        assert after is not before

    def test_of_what_is_no_file_of_the_user_s_is_refused(self, system):
        World(system, "natya.actors.strategy.bodies.crossover:MovingAverageCrossover")
        answer = system.request("strategies", ReloadStrategy(name="mine"), timeout_s=30)

        assert isinstance(answer, StrategyNotChanged)
        assert answer.reason.startswith("a strategy of a file of your own wanted")


class TestASystemThatIsStartedAnewBehindASwap:
    def test_goes_on_with_the_state_of_the_new_class_in_the_one_of_its_settings(self, world):
        world.swap("natya_swapped:ListeningToo")
        until = world.known["heard"]
        world.start("natya_swapped:Listening")
        heard = world.heard

        assert until == list(range(1, len(until) + 1))
        assert heard[: len(until)] == until
        assert len(heard) > len(until)

    def test_leaves_a_state_as_it_is_that_the_class_of_its_settings_cannot_read_and_its_neighbours_run(self, world):
        """Nobody has changed the settings between a swap and a crash: what else is there starts."""
        world.swap("natya_swapped:ListeningMore")
        lives, saved = world.known["lives"], world.kept.saved
        world.start("natya_swapped:Listening", "natya_swapped:Stateless")
        world.rest()
        mine, others = world.system.request("strategies", ListStrategies()).strategies
        world.system.stop("strategies")
        world.rest()
        left = world.kept.saved
        world.start("natya_swapped:ListeningMore")

        assert (mine.state, others.state) == ("PARKED", "RUNNING")
        assert "does not fit its State, whose fields are heard: no field for lives" in mine.error

        assert left == saved
        assert world.known["lives"] == lives + 1
