"""The world: the whole paper system in a simulation, from its first start to its orderly stop, power cuts included."""

from __future__ import annotations

import contextlib
import hashlib
from collections import Counter
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, ClassVar, Final

import msgspec

from ..actors.events import EventsActor, EventsSettings
from ..actors.exchange import ExchangeActor, ExchangeActorSettings
from ..actors.journal import JournalActor, PowerCutError, SimulatedDisk, Trouble
from ..actors.journal.tools import tail
from ..actors.orders import book_of
from ..actors.orders.parts.bracketing.telling import NOT_TAKEN
from ..actors.runtime import InProcessSystem, RequestTimedOut, handles
from ..actors.runtime.simulation import SimulatedSystemBase, VirtualClock
from ..actors.supervision import ChildSpec, StopChildren, Supervisor, SupervisorSettings
from ..composition import children, subscriptions
from ..domain.brackets.next_steps import next_steps
from ..domain.clock_jumps import CAUSE
from ..messages.addresses import DATABASE, EVENTS, EXCHANGE, FEED, JOURNAL
from ..messages.addresses import SYSTEM as ROOT
from ..messages.broker import NewOrder, ReplaceRequest
from ..messages.events import Subscribe
from ..messages.journal import Journaled, JournalRecord
from ..messages.market import AwaitMarketEnd, MarketEnded
from ..messages.orders import CancellationIntended, ModificationIntended, OrderIntended
from ..messages.supervision import DescribeTree, SupervisionTree
from ..messages.system import ActorStatistics, Ping, Pong
from .checkpoints import checkpoint_on
from .database import DatabaseFiles, InlineDatabase
from .invariants import brackets_of, violations
from .market import FeedOfSimulation, lasting_s
from .order_path import KillableSystemBase, KillingInjector
from .person import Person

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..actors.exchange.matching import Matching
    from ..actors.runtime import ActorAddress
    from ..config.settings import Settings
    from ..messages.market import MarketMessage
    from ..messages.order_listing import OrdersStatistics
    from .scenario import Scenario

WITNESS: Final = "witness"
START_S: Final = 600.0
END_S: Final = 500.0
"""So long a market may take to end once its time is over: faults go on."""

SETTLE_S: Final = 900.0
LOOK_EVERY_S: Final = 5.0
HALT_LOOK_S: Final = 3_600.0
SETTLE_AGAIN_MAX: Final = 3
"""How often those who still ask something of orders when the rest has settled are waited for: a strategy that orders by
a timer, for ever, never comes to rest."""

STEP_S: Final = 30.0
"""After the market's end: so long a step may be waited for, since answers and look-ups come late."""

IN_MEMORY: Final = Path("/dev/shm")  # noqa: S108  a directory of its own is made there
"""Where DuckDB's files lie, if there is such a thing: a sync costs nothing, and what it promises is not tested here."""


class NotSettledError(RuntimeError):
    """The faults have stopped, and the system is not what it should be."""


class WatchedExchange(ExchangeActor):
    """Counts what arrives; may go on with the book of an exchange before it."""

    world: ClassVar[World]

    def _take_book(self, matching: Matching) -> None:
        if self.world.matching is None:
            self.world.matching = matching
        else:
            self._owners = Owners()
        super()._take_book(self.world.matching)

    def restore(self, state: Any) -> None:
        """Take the book over; it is the world's."""
        super().restore(state)
        self.world.matching = self._matching or self.world.matching

    @handles(NewOrder)
    def place(self, request: NewOrder, sender: ActorAddress) -> None:
        """Count it, and place it."""
        self.world.arrivals[request.client_order_id] += 1
        super().place(request, sender)

    @handles(ReplaceRequest)
    def replace(self, request: ReplaceRequest, sender: ActorAddress) -> None:
        """Count it, and pass it on."""
        self.world.changes[request.client_order_id] += 1
        super().replace(request, sender)


class Owners(dict[str, "ActorAddress | str"]):
    """An exchange that outlives its clients reports to whoever has the session now."""

    def __missing__(self, client_order_id: str) -> str:
        return "broker"

    def __delitem__(self, client_order_id: str) -> None:
        self.pop(client_order_id, None)


class World:
    """One seed's run. `run` plays it; what is left of it is looked at afterwards."""

    def __init__(
        self,
        seed: int,
        scenario: Scenario,
        *,
        market: Sequence[MarketMessage] | None = None,
        actors: Sequence[ChildSpec] = (),
        clock: VirtualClock | None = None,
    ) -> None:
        """Play nothing yet.

        Args:
            seed: decides the order of everything.
            scenario: settings, and what goes wrong.
            market: ticks and candles in the order of time; None: that of the settings.
            actors: of a user, beside ours.
            clock: where time begins; None: 2024-01-01 09:15 in India.
        """
        self.seed = seed
        self.scenario = scenario
        self.market = market
        self.actors = tuple(actors)
        self.chance = Random(f"{seed}/world")  # noqa: S311  so that it can be repeated
        self.clock = clock or VirtualClock()
        self.disk = SimulatedDisk()
        self.disk.troubles = [Trouble(action="sync", after=after) for after in self.scenario.sync_failures]
        self.files: DatabaseFiles | None = None
        self.matching: Any = None
        """The book of the exchange."""

        self.arrivals: Counter[str] = Counter()
        """Requests for each order that reached the exchange."""

        self.changes: Counter[str] = Counter()
        """Requests to change it that did."""

        self.witnessed: list[list[JournalRecord]] = []
        """Records as a subscriber of the journal heard them, life by life."""

        self.injected: Counter[str] = Counter()
        self.lives = 0
        self.statistics: dict[str, Any] = {}
        self._settling = self._asked_before = 0

    def base_class(self, seed: Any, **options: Any) -> SimulatedSystemBase:
        """Make the base of one life."""
        return KillableSystemBase(seed, **options)

    def run(self) -> World:
        """Play it to the end.

        Raises:
            NotSettledError: it does not come to rest, or does not stop.
        """
        place = IN_MEMORY if IN_MEMORY.is_dir() else None
        with TemporaryDirectory(prefix="natya-world-", dir=place) as directory:
            self.files = DatabaseFiles(Path(directory))
            with contextlib.closing(self.files):
                for cut_s in self.scenario.power_cuts:
                    self._live(cut_s)
                    self._cut_power()
                self._live(None)
        return self

    @property
    def journal_path(self) -> Path:
        """On the simulated disk."""
        return Path(self.scenario.settings.journal.path)

    def records(self) -> tuple[JournalRecord, ...]:
        """Return everything in the journal."""
        return tail(self.journal_path, records_max=1_000_000, disk=self.disk)

    def violations(self) -> list[str]:
        """List what the run should not have done; empty after a good one."""
        return violations(self, self.records())

    def digest(self) -> str:
        """Return the SHA-256 of every byte of the journal's directory."""
        sums = hashlib.sha256()
        for name in self.disk.names(self.journal_path):
            sums.update(name.encode() + b"\0" + self.disk.content(self.journal_path / name))
        return sums.hexdigest()

    def _live(self, cut_s: float | None) -> None:
        self.lives += 1
        if checkpoint_on(self.disk, self.journal_path).sequence:
            self.injected["start with a checkpoint"] += 1
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
    def _records(batch: Any) -> Sequence[JournalRecord]:
        assert isinstance(batch, Journaled), "subscribed to these alone"
        return batch.records

    def _play_until(self, system: InProcessSystem, cut_s: float) -> None:
        until_ns = self.clock.monotonic_ns() + int(cut_s * 1e9)
        try:
            base = self._base_of(system)
            system.tell(base.start_actor(ROOT, Supervisor, self._root()), Ping())
            Person(system, self.injected).halt(self.scenario.halts)
            if self.scenario.cut_at_step:
                self._cut_at_step(base)
                return
            base.run_for((until_ns - self.clock.monotonic_ns()) / 1e9)
            if self.scenario.cut_at_disk_action:
                self.disk.actions_left = self.chance.randrange(4)
                base.run_for(1.0)
        except PowerCutError:
            return

    def _cut_at_step(self, base: SimulatedSystemBase) -> None:
        """Wait for the step while there is a market, and a little longer."""
        injector = base.injector
        assert isinstance(injector, KillingInjector), "made so"
        injector.kill_in(self.scenario.cut_at_step, self.chance)
        try:
            base.run_for(self.scenario.settings.feed.duration_s + STEP_S)
        finally:
            if injector.killed_in:
                self.injected[f"killed in {injector.killed_in}"] += 1

    @staticmethod
    def _base_of(system: InProcessSystem) -> SimulatedSystemBase:
        assert isinstance(system.base, SimulatedSystemBase), "made so"
        return system.base

    def _cut_power(self) -> None:
        assert self.files is not None, "made by `run`"
        troubles = self.disk.troubles
        self.disk = self.disk.crash(self.chance)
        self.disk.troubles = troubles
        self.files.cut_power(lost=self.scenario.database_is_lost)
        if not self.scenario.exchange_lasts:
            self.matching = None

    def _play_to_the_end(self, system: InProcessSystem) -> None:
        assert self.files is not None, "made by `run`"
        system.start(ROOT, Supervisor, self._root(), timeout_s=START_S)
        Person(system, self.injected).halt(self.scenario.halts)
        self._await_market_end(system)
        self._base_of(system).injector.active = False
        self.disk.troubles = []
        self.calm()
        self._settle(system)
        self.files.at_end = True
        system.request(ROOT, StopChildren(), timeout_s=200.0)
        system.stop(ROOT)

    def _await_market_end(self, system: InProcessSystem) -> None:
        """Wait, and ask again: a feed that crashed, or is down, may have dropped the question."""
        lasts_s = lasting_s(self.market or ()) + self.scenario.settings.feed.duration_s
        for _ in range(int((END_S + lasts_s) / LOOK_EVERY_S)):
            if isinstance(self._ask(system, FEED, AwaitMarketEnd()), MarketEnded):
                return
            self._base_of(system).run_for(LOOK_EVERY_S)
        raise NotSettledError("the market did not end")

    def calm(self) -> None:
        """Let no more go wrong outside of the system."""

    def _settle(self, system: InProcessSystem) -> None:
        wanted, base = "", self._base_of(system)
        for _ in range(int(SETTLE_S / LOOK_EVERY_S)):
            base.run_for(LOOK_EVERY_S)
            wanted = self._unsettled(system)
            if not wanted:
                return
        raise NotSettledError(wanted)

    def _let_settle(self, system: InProcessSystem) -> None:
        """Let so much time pass that everything about an order is known that was asked for until now."""
        self._settling, self._asked_before = self._settling + 1, len(self.records())
        orders = self.scenario.settings.orders
        self._base_of(system).run_for(orders.absence_horizon_s + orders.reconcile_interval_s)

    def _unsettled(self, system: InProcessSystem) -> str:
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
        return self._behind(system)

    def _is_given_up(self, orders: OrdersStatistics) -> bool:
        """Say whether orders is REDUCING alone because the exchange took no order that was to close a bracket.

        One that has begun anew when the market has ended has no price to trade at.
        """
        if orders.risk_state != "REDUCING" or NOT_TAKEN not in orders.risk_cause:
            return False
        return not any(map(next_steps, brackets_of(book_of(self.records()))))

    def _behind(self, system: InProcessSystem) -> str:
        """Name the actors that have not yet handled all of the journal, or of the broker."""
        names = ("orders", "events", "journal", "database")
        orders, events, journal, database = (self.statistics[name] for name in names)
        if isinstance(orders, ActorStatistics):
            return "orders reads the journal back"
        if self.scenario.halts and orders.risk_state == "HALTED":
            Person(system, self.injected).lift()
            self._let_settle(system)  # what was held back in the halt is placed now
        if orders.risk_state == "REDUCING" and CAUSE in orders.risk_cause:
            Person(system, self.injected).resume()  # which day it is only a person knows
        if orders.uncertain_orders or (orders.risk_state != "NORMAL" and not self._is_given_up(orders)):
            return f"orders: {orders.risk_state}, {orders.uncertain_orders} in doubt"
        if events.last_sequence not in {0, journal.records}:  # 0: nothing new since its start
            return f"events has delivered up to {events.last_sequence} of {journal.records}"
        if database.projected_sequence != journal.records:
            return f"database has projected up to {database.projected_sequence} of {journal.records}"
        if self._settling <= SETTLE_AGAIN_MAX and self._is_asked_since():
            self._let_settle(system)
            return "something was asked of orders a moment ago"
        return ""

    def _is_asked_since(self) -> bool:
        """Tell whether somebody has begun late, and ordered on what had waited for it."""
        newer = self.records()[self._asked_before :]
        return any(
            isinstance(record.fact, OrderIntended | ModificationIntended | CancellationIntended) for record in newer
        )

    @staticmethod
    def _ask(system: InProcessSystem, name: str, question: Any) -> Any:
        try:
            return system.request(name, question, timeout_s=LOOK_EVERY_S)
        except RequestTimedOut as fault:
            return fault

    def children_of(self, settings: Settings) -> Sequence[ChildSpec]:
        """Return all children of the root, before those that need the world are put in their places."""
        return children(settings, self.actors)

    def _root(self) -> SupervisorSettings:
        assert self.files is not None, "made by `run`"
        settings = self.scenario.settings
        halt = msgspec.structs.replace(settings.kill_switch, path=str(self.files.halt), look_interval_s=HALT_LOOK_S)
        own = msgspec.structs.replace(settings.system, data_dir=str(self.files.halt.parent))  # nothing halts it there
        settings = msgspec.structs.replace(settings, kill_switch=halt, system=own)
        journal = type("SimulatedJournal", (JournalActor,), {"disk": self.disk})
        exchange = type("TheExchange", (WatchedExchange,), {"world": self})
        database = type("TheDatabase", (InlineDatabase,), {"files": self.files})
        feed = type("TheFeed", (FeedOfSimulation,), {"given": self.market})
        heard = (*subscriptions(settings), Subscribe(subscriber=WITNESS, topics=("journal",)))
        database_settings = msgspec.structs.replace(settings.database, path=str(self.files.path))
        others = {
            DATABASE: ChildSpec(DATABASE, database, database_settings),
            JOURNAL: ChildSpec(JOURNAL, journal, settings.journal),
            EXCHANGE: ChildSpec(EXCHANGE, exchange, ExchangeActorSettings(limits=settings.exchange)),
            EVENTS: ChildSpec(EVENTS, EventsActor, EventsSettings(subscriptions=heard)),
            FEED: ChildSpec(FEED, feed, settings.feed),
        }
        specs = tuple(others.get(each.name, each) for each in self.children_of(settings))
        return SupervisorSettings(
            children=specs, policy=settings.supervision, root=True, shutdown_s=settings.system.shutdown_s
        )
