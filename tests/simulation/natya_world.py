"""The world: the whole paper system in a simulation, from its first start to its orderly stop, power cuts included."""

import contextlib
import hashlib
from collections import Counter
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from unittest.mock import patch

import msgspec
from natya_database import DatabaseFiles, InlineDatabase
from natya_invariants import violations
from natya_scenario import Scenario, a_scenario

from natya.actors.events import EventsActor, EventsSettings
from natya.actors.exchange import ExchangeActor, ExchangeActorSettings
from natya.actors.feed.bodies import synthetic
from natya.actors.journal import JournalActor, PowerCutError, SimulatedDisk, Trouble
from natya.actors.journal.tools import tail
from natya.actors.runtime import InProcessSystem, RequestTimedOut, handles
from natya.actors.runtime.simulation import Faults, SimulatedSystemBase, VirtualClock
from natya.actors.supervision import ChildSpec, StopChildren, Supervisor, SupervisorSettings
from natya.composition import children, subscriptions
from natya.messages.broker import NewOrder
from natya.messages.events import Subscribe
from natya.messages.journal import Journaled
from natya.messages.market import AwaitMarketEnd, MarketEnded
from natya.messages.supervision import DescribeTree, SupervisionTree
from natya.messages.system import Ping, Pong

ROOT = "system"
WITNESS = "witness"
START_S = 600.0
SETTLE_S = 900.0
LOOK_EVERY_S = 5.0

TICKS_A_CHUNK = 20
"""The market is read ahead in chunks; one of the usual size would be longer than all of it."""

IN_MEMORY = Path("/dev/shm")  # noqa: S108  a directory of its own is made there
"""Where DuckDB's files lie, if there is such a thing: a sync costs nothing, and what it promises is not tested here."""


class NotSettledError(Exception):
    """The faults have stopped, and the system is not what it should be."""


class WatchedExchange(ExchangeActor):
    """Counts what arrives; may go on with the book of an exchange before it."""

    world: "World"

    def _take_book(self, matching):
        if self.world.matching is None:
            self.world.matching = matching
        else:
            self._owners = Owners()
        super()._take_book(self.world.matching)

    def restore(self, state):
        super().restore(state)
        self.world.matching = self._matching or self.world.matching

    @handles(NewOrder)
    def place(self, request, sender):
        self.world.arrivals[request.client_order_id] += 1
        super().place(request, sender)


class Owners(dict):
    """An exchange that outlives its clients reports to whoever has the session now."""

    def __missing__(self, client_order_id):
        return "broker"

    def __delitem__(self, client_order_id):
        self.pop(client_order_id, None)


class World:
    """One seed's run. `run` plays it; what is left of it is looked at afterwards."""

    base_class = SimulatedSystemBase

    def __init__(self, seed: int, scenario: Scenario | None = None):
        self.seed = seed
        self.scenario = scenario or a_scenario(seed)
        self.chance = Random(f"{seed}/world")
        self.clock = VirtualClock()
        self.disk = SimulatedDisk()
        self.disk.troubles = [Trouble(action="sync", after=after) for after in self.scenario.sync_failures]
        self.files: DatabaseFiles | None = None
        self.matching = None
        self.arrivals: Counter[str] = Counter()
        """Requests for each order that reached the exchange."""

        self.witnessed: list[list] = []
        """Records as a subscriber of the journal heard them, life by life."""

        self.injected: Counter[str] = Counter()
        self.lives = 0
        self.statistics = {}

    def run(self) -> "World":
        """Play it to the end.

        Raises:
            NotSettledError: it does not come to rest, or does not stop.
        """
        place = IN_MEMORY if IN_MEMORY.is_dir() else None
        smaller_chunks = patch.object(synthetic, "MESSAGES_A_CHUNK", TICKS_A_CHUNK)
        with TemporaryDirectory(prefix="natya-world-", dir=place) as directory, smaller_chunks:
            self.files = DatabaseFiles(Path(directory))
            with contextlib.closing(self.files):
                for cut_s in self.scenario.power_cuts:
                    self._live(cut_s)
                    self._cut_power()
                self._live(None)
        return self

    @property
    def journal_path(self) -> Path:
        return Path(self.scenario.settings.journal.path)

    def records(self):
        """Everything in the journal."""
        return tail(self.journal_path, records_max=1_000_000, disk=self.disk)

    def violations(self) -> list[str]:
        """What the run should not have done; empty after a good one."""
        return violations(self, self.records())

    def digest(self) -> str:
        """Of every byte of the journal's directory."""
        sums = hashlib.sha256()
        for name in self.disk.names(self.journal_path):
            sums.update(name.encode() + b"\0" + self.disk.content(self.journal_path / name))
        return sums.hexdigest()

    def _live(self, cut_s: float | None) -> None:
        self.lives += 1
        base = self.base_class(
            f"{self.seed}/{self.lives}", faults=self.scenario.faults, fatal=(PowerCutError,), clock=self.clock
        )
        system = InProcessSystem(base)
        witness = system.probe(WITNESS)
        try:
            if cut_s is None:
                self._play_to_the_end(system)
            else:
                self._play_until(system, cut_s)
        finally:
            self.injected += base.injector.injected
            self.witnessed.append([])
            while not witness.is_empty():
                self.witnessed[-1].extend(self._records(witness.receive()))
            base.abandon()

    @staticmethod
    def _records(batch):
        assert isinstance(batch, Journaled)
        return batch.records

    def _play_until(self, system, cut_s):
        until_ns = self.clock.monotonic_ns() + int(cut_s * 1e9)
        try:
            system.tell(system.base.start_actor(ROOT, Supervisor, self._root()), Ping())
            system.base.run_for((until_ns - self.clock.monotonic_ns()) / 1e9)
            if self.scenario.cut_at_disk_action:
                self.disk.actions_left = self.chance.randrange(4)
                system.base.run_for(1.0)
        except PowerCutError:
            return

    def _cut_power(self):
        troubles = self.disk.troubles
        self.disk = self.disk.crash(self.chance)
        self.disk.troubles = troubles
        self.files.cut_power(lost=self.scenario.database_is_lost)
        if not self.scenario.exchange_lasts:
            self.matching = None

    def _play_to_the_end(self, system):
        system.start(ROOT, Supervisor, self._root(), timeout_s=START_S)
        self._await_market_end(system)
        system.base.injector.active = False
        self.disk.troubles = []
        self.calm()
        self._settle(system)
        self.files.at_end = True
        system.request(ROOT, StopChildren(), timeout_s=200.0)
        system.stop(ROOT)

    def _await_market_end(self, system):
        """Wait, and ask again: a feed that crashed, or is down, may have dropped the question."""
        for _ in range(100):
            if isinstance(self._ask(system, "feed", AwaitMarketEnd()), MarketEnded):
                return
            system.base.run_for(LOOK_EVERY_S)
        raise NotSettledError("the market did not end")

    def calm(self):
        """Let no more go wrong outside of the system."""

    def _settle(self, system):
        wanted = ""
        orders = self.scenario.settings.orders
        system.base.run_for(orders.absence_horizon_s + orders.reconcile_interval_s)
        for _ in range(int(SETTLE_S / LOOK_EVERY_S)):
            system.base.run_for(LOOK_EVERY_S)
            wanted = self._unsettled(system)
            if not wanted:
                return
        raise NotSettledError(wanted)

    def _unsettled(self, system) -> str:
        """Say what is still missing; empty: nothing."""
        tree = self._ask(system, ROOT, DescribeTree())
        if not isinstance(tree, SupervisionTree):
            return f"the tree does not answer: {tree}"
        for node in tree.children:
            if node.state != "RUNNING" or node.breaker != "closed":
                return f"{node.path} is {node.state}, its breaker {node.breaker}: {node.last_error}"
        names = [node.path.rsplit("/", 1)[-1] for node in tree.children]
        answers = {name: self._ask(system, name, Ping()) for name in names}
        for name, answer in answers.items():
            if not isinstance(answer, Pong):
                return f"{name} does not answer: {answer}"
        self.statistics = {name: answer.statistics for name, answer in answers.items()}
        return self._behind()

    def _behind(self) -> str:
        """Say who has not yet dealt with what is in the journal, or at the broker."""
        names = ("orders", "events", "journal", "database")
        orders, events, journal, database = (self.statistics[name] for name in names)
        if orders.risk_state != "NORMAL" or orders.uncertain_orders:
            return f"orders: {orders.risk_state}, {orders.uncertain_orders} in doubt"
        if events.last_sequence not in {0, journal.records}:  # 0: nothing new since its start
            return f"events has delivered up to {events.last_sequence} of {journal.records}"
        if database.projected_sequence != journal.records:
            return f"database has projected up to {database.projected_sequence} of {journal.records}"
        return ""

    @staticmethod
    def _ask(system, name, question):
        try:
            return system.request(name, question, timeout_s=LOOK_EVERY_S)
        except RequestTimedOut as fault:
            return fault

    def children_of(self, settings):
        """Return all children of the root, before those that need the world are put in their places."""
        return children(settings)

    def _root(self) -> SupervisorSettings:
        settings = self.scenario.settings
        disk, world = self.disk, self
        journal = type("SimulatedJournal", (JournalActor,), {"disk": disk})
        exchange = type("TheExchange", (WatchedExchange,), {"world": world})
        database = type("TheDatabase", (InlineDatabase,), {"files": self.files})
        heard = (*subscriptions(settings), Subscribe(subscriber=WITNESS, topics=("journal",)))
        database_settings = msgspec.structs.replace(settings.database, path=str(self.files.path))
        others = {
            "database": ChildSpec("database", database, database_settings),
            "journal": ChildSpec("journal", journal, settings.journal),
            "exchange": ChildSpec("exchange", exchange, ExchangeActorSettings(limits=settings.exchange)),
            "events": ChildSpec("events", EventsActor, EventsSettings(subscriptions=heard)),
        }
        specs = tuple(others.get(each.name, each) for each in self.children_of(settings))
        return SupervisorSettings(
            children=specs, policy=settings.supervision, root=True, shutdown_s=settings.system.shutdown_s
        )


def without_faults(scenario: Scenario) -> Scenario:
    return msgspec.structs.replace(scenario, faults=Faults(), power_cuts=(), sync_failures=())
