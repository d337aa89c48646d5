"""A strategy is swapped on another machine while its lease moves: one broker node and two others in virtual time.

Each has a time of its own, which go together; the server between them, the journal and orders are played.
"""

import itertools
from random import Random
from types import SimpleNamespace

import msgspec
import pytest
from natya_builders import a_tick

from natya.actors.events import EventsActor, EventsSettings
from natya.actors.external.streams import ServerDownError
from natya.actors.nodes import Door, Gate, Keeper, PlaySettings, meeting
from natya.actors.nodes.server import Board, Came
from natya.actors.runtime import InProcessSystem, RuntimeActor, handles
from natya.actors.runtime.simulation import SimulatedSystemBase
from natya.actors.strategy import StrategySupervisor
from natya.actors.strategy.changes import checked
from natya.actors.supervision import SupervisorSettings
from natya.config.sections.nodes import NodesSettings
from natya.config.sections.redis import RedisSettings
from natya.config.sections.strategy import StrategySettings
from natya.config.sections.supervision import SupervisionSettings
from natya.domain.nodes.lease import Seen
from natya.domain.time import SECOND_NS
from natya.messages.events import Subscribe
from natya.messages.holdings import HoldingsRead, ReadHoldings
from natya.messages.journal import Append, Appended, JournalPage, ReadJournal
from natya.messages.nodes import ASKED_ELSEWHERE
from natya.messages.strategies import StartStrategy, StopStrategy, StrategyChanged, StrategyNotChanged, SwapStrategy
from natya.messages.strategy_state import ReadState, SaveState, StateRead

LEASE_S = 1.0
STEP_S = 0.005
TICK_S = 0.002
LISTENING = StrategySettings(name="march", strategy="natya_swapped:Listening", host="node")
POLICY = SupervisionSettings.default(backoff_first_s=0.01, backoff_max_s=0.05)


class Go(msgspec.Struct, frozen=True):
    """To the market itself: the next tick."""


class Market(RuntimeActor):
    def on_start(self):
        self.send(self.myAddress, Go())

    @handles(Go)
    def go_on(self, go, _sender):
        self.settings.ticks += 1
        at_ns = self.settings.ticks * SECOND_NS  # so that a state is saved at each
        self.send("events", a_tick(sequence=self.settings.ticks, exchange_ns=at_ns))
        self.after(TICK_S, go)


class PlayedJournal(RuntimeActor):
    @handles(ReadJournal)
    def read(self, _request, sender):
        self.send(sender, JournalPage(records=(), last_sequence=0))

    @handles(Append)
    def append(self, _request, sender):
        self.send(sender, Appended(first_sequence=1, last_sequence=1))


class PlayedOrders(RuntimeActor):
    """Keeps states; of a life that has ended it takes none."""

    @handles(ReadHoldings)
    def tell_holdings(self, request, sender):
        self.send(sender, HoldingsRead(strategy=request.strategy, shares={}, filled={}))

    @handles(ReadState)
    def tell_state(self, request, sender):
        self.settings.lives += not request.only_looks
        answer = StateRead(strategy=request.strategy, sequence=0, saved=self.settings.saved, life=self.settings.lives)
        self.send(sender, answer)

    @handles(SaveState)
    def save(self, request, _sender):
        if request.life == self.settings.lives:
            self.settings.saved = request


class Server:
    """What all lives meet at."""

    def __init__(self):
        self.broker, self.leases, self.clients = "", {}, {}


class Client:
    """One life's connection, in the place of `PlayServer`."""

    def __init__(self, server, life):
        self.server, self.life, self.is_cut = server, life, False
        self.frames, self.batches = [], []
        server.clients[life] = self

    def expect_up(self):
        if self.is_cut:
            raise ServerDownError("it is cut off")

    def look(self, strategies):
        self.expect_up()
        return Board(self.server.broker, {name: Seen(self.server.leases.get(name), "data") for name in strategies})

    def swap(self, strategy, seen, lease):
        self.expect_up()
        if Seen(self.server.leases.get(strategy), "data") != seen:
            return False
        self.server.leases[strategy] = lease
        return True

    def take(self, *, with_ticks):
        self.expect_up()
        came = Came(self.frames, self.batches if with_ticks else [])
        self.frames, self.batches = [], []
        return came

    def post(self, frames):
        self.expect_up()
        for life, frame in frames:
            self.server.clients[life].frames.append(frame)

    def spread(self, batch):
        self.expect_up()
        for each in self.server.clients.values():
            each.batches.append(batch)

    def announce(self):
        self.expect_up()
        before, self.server.broker = self.server.broker, self.life
        return before

    def close(self):
        pass


def a_machine(seed):
    return InProcessSystem(SimulatedSystemBase(seed=seed))


class World:
    def __init__(self, broker, nodes, server):
        self.broker, self.nodes, self.server = broker, nodes, server
        self.kept = SimpleNamespace(ticks=0, saved=None, lives=0)
        self.asker = broker.probe("asker")
        broker.start("journal", PlayedJournal)
        broker.start("orders", PlayedOrders, self.kept)
        heard = (Subscribe(subscriber="nodes", topics=("Tick",)),)
        broker.start("events", EventsActor, EventsSettings(subscriptions=heard))
        broker.start("nodes", Gate, self.play("mumbai"))
        self.start_strategies(broker, checked(LISTENING))
        for name, node in zip(("pune", "delhi"), nodes, strict=True):
            node.start("events", EventsActor, EventsSettings())
            node.start("nodes", Keeper, self.play(name))
            for door in ASKED_ELSEWHERE:
                node.start(door, Door)
            self.start_strategies(node)
        broker.start("market", Market, self.kept)

    def play(self, name):
        limits = NodesSettings.default(play="p", name=name, lease_s=LEASE_S)
        redis = RedisSettings.default()
        return PlaySettings(server=redis, limits=limits, strategies=(LISTENING,), retry_s=0.05, again_s=0.1)

    def start_strategies(self, machine, *children):
        settings = SupervisorSettings(children=children, policy=POLICY, journal="", orders="orders" * bool(children))
        machine.start("strategies", StrategySupervisor, settings)

    def running(self):
        """The machines with an instance that may say something."""
        running = []
        for node in self.nodes:
            keeper = node.base.find("nodes").instance
            if "march" in node.base.names and keeper._hosted["march"].may_speak(node.base.clock.monotonic_ns()):
                running.append(node)
        return running

    def run_until(self, is_so, *, seconds=20):
        for _ in range(round(seconds / STEP_S)):
            if is_so():
                return
            for machine in (self.broker, *self.nodes):
                machine.base.run_for(STEP_S)
            assert len(self.running()) <= 1
        raise AssertionError(f"not within {seconds} s")

    def run_for(self, seconds):
        steps = itertools.count(1)
        self.run_until(lambda: next(steps) > seconds / STEP_S)

    def swap(self, kind):
        self.broker.tell("strategies", SwapStrategy(name="march", strategy=f"natya_swapped:{kind}"), sender=self.asker)

    def cut(self, node):
        client = node.base.find("nodes").instance._server
        client.is_cut = not client.is_cut

    def kind_on(self, node):
        return type(node.base.find("march").instance).__name__

    def heard(self):
        return msgspec.msgpack.decode(self.kept.saved.state)["heard"]

    def goes_on(self):
        """Run until something that is heard from now on is saved."""
        newest = self.kept.ticks
        self.run_until(lambda: self.kept.saved is not None and self.heard()[-1:] > [newest])


@pytest.fixture
def world(monkeypatch, request):
    server = Server()
    monkeypatch.setattr(meeting, "PlayServer", lambda _settings, life: Client(server, life))
    with (
        a_machine(request.param) as broker,
        a_machine(request.param + 1) as pune,
        a_machine(request.param + 2) as delhi,
    ):
        world = World(broker, (pune, delhi), server)
        world.run_until(world.running)
        world.goes_on()
        yield world
        for machine in (broker, pune, delhi):
            assert machine.base.find("nodes").failures == 0


@pytest.mark.parametrize("world", [1, 2], indirect=True)
def test_each_tick_is_heard_once_by_the_old_or_the_new_one(world):
    (node,) = world.running()
    for kind in ("ListeningToo", "ListeningMore"):
        world.swap(kind)
        world.run_until(lambda: not world.asker.is_empty())
        answer = world.asker.receive()
        world.goes_on()

        assert isinstance(answer, StrategyChanged)
        assert (world.running(), world.kind_on(node)) == ([node], kind)
    heard = world.heard()
    assert heard == list(range(heard[0], heard[0] + len(heard)))


@pytest.mark.parametrize("world", [1], indirect=True)
def test_one_that_cannot_begin_there_lets_the_old_one_run_on(world):
    (node,) = world.running()
    world.swap("ListeningNever")
    world.run_until(lambda: not world.asker.is_empty())
    answer = world.asker.receive()
    world.goes_on()

    assert isinstance(answer, StrategyNotChanged)
    assert "the one of before runs again: RuntimeError: stillborn" in answer.reason
    assert (world.running(), world.kind_on(node)) == ([node], "Listening")


@pytest.mark.parametrize("world", [1], indirect=True)
def test_one_that_is_stopped_ends_there_and_goes_on_with_its_state_when_it_is_started(world):
    """By a node that hears it no more its strategy would run on, unheard."""
    world.broker.tell("strategies", StopStrategy(name="march"), sender=world.asker)
    world.run_until(lambda: not any("march" in node.base.names for node in world.nodes))
    world.run_for(2 * LEASE_S)
    ran, heard = world.running(), world.heard()
    world.broker.tell("strategies", StartStrategy(name="march"), sender=world.asker)
    world.run_until(world.running)
    world.goes_on()

    assert ran == []
    assert [type(world.asker.receive()) for _ in range(2)] == [StrategyChanged, StrategyChanged]
    assert world.heard()[: len(heard)] == heard


@pytest.mark.parametrize("world", range(8), indirect=True)
def test_whenever_the_lease_moves_the_next_node_runs_what_was_answered_and_goes_on_with_the_state(world, request):
    """`ListeningMore` leaves a state that `Listening` cannot read: a doubt about which is to run would end both."""
    chance = Random(request.node.callspec.params["world"])
    (node,) = world.running()
    world.swap("ListeningMore")
    world.run_for(chance.uniform(0.0, 0.08))
    world.cut(node)
    world.run_until(lambda: world.running() not in ([], [node]))
    world.run_until(lambda: not world.asker.is_empty())
    answer = world.asker.receive()
    world.goes_on()
    (after,) = world.running()
    world.cut(node)
    world.run_for(LEASE_S)

    assert isinstance(answer, StrategyChanged)
    assert world.kind_on(after) == "ListeningMore"
    assert world.running() == [after]
    assert "march" not in node.base.names
    heard = world.heard()
    assert heard == sorted(set(heard))
