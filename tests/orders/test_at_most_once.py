"""Orders among unreliable neighbours: whatever is repeated, refused or lost, each order leaves at most once."""

from random import Random
from threading import Event

import pytest

from natya.actors.orders import OrdersActor
from natya.actors.runtime import InProcessSystem, RuntimeActor, handles
from natya.messages.broker import (
    ExecutionReport,
    FindOrder,
    LookupFailed,
    OrderFound,
    OrderInDoubt,
    OrderNotFound,
    OrderNotPlaced,
    OrderPlaced,
    PlaceOrder,
)
from natya.messages.journal import Append, JournalPage, JournalRecord, ReadJournal, append_refused, appended
from natya.messages.order_listing import OrdersStatistics
from natya.messages.supervision import Failed, Unavailable
from natya.messages.system import Ping

ORDERS = 60
QUANTITY = 10


class World:
    """What is true, whatever anyone hears of it."""

    def __init__(self, seed):
        self.random = Random(seed)
        self.facts = []
        self.placed = []
        self.trades = {}
        self.is_calm = Event()

    def happens(self, chance):
        return not self.is_calm.is_set() and self.random.random() < chance

    def durable_kinds(self, client_order_id):
        return [type(fact).__name__ for fact in self.facts if fact.client_order_id == client_order_id]


class ShakyJournal(RuntimeActor):
    """Refuses now and then, or makes its writers believe that it broke."""

    @handles(Append)
    def append(self, request, sender):
        world = self.settings
        if world.happens(0.05):
            self.send(sender, append_refused(request, "disk full"))
            return
        first = len(world.facts) + 1
        world.facts.extend(request.facts)
        if world.happens(0.02):
            self.send(sender, Failed(actor="journal", message_type="Append", error="OSError", reason="reset"))
        self.send(sender, appended(request, first))

    @handles(ReadJournal)
    def read(self, request, sender):
        facts = list(enumerate(self.settings.facts, 1))[request.after_sequence :][:50]
        records = tuple(
            JournalRecord(sequence=sequence, recorded_ns=1, correlation_id="", fact=fact) for sequence, fact in facts
        )
        self.send(sender, JournalPage(records=records, last_sequence=len(self.settings.facts)))


class ShakyBroker(RuntimeActor):
    """Loses requests and answers, repeats reports, and fails to look things up."""

    @handles(PlaceOrder)
    def place(self, order, sender):
        world, name = self.settings, order.client_order_id
        world.placed.append(name)
        if world.happens(0.1):  # lost on the way
            self._doubt(name, sender)
            return
        if world.happens(0.1):
            self.send(sender, OrderNotPlaced(client_order_id=name, reason="no margin"))
            return
        world.trades[name] = self._trade(name)
        answer = OrderPlaced(client_order_id=name, broker_order_id=f"B-{name}")
        words = [answer, world.trades[name]] + [world.trades[name]] * world.happens(0.3)
        if world.happens(0.3):
            words.reverse()
        if world.happens(0.2):  # the answer is lost
            self._doubt(name, sender)
            return
        for word in words:
            self.send(sender, word)

    @handles(FindOrder)
    def find(self, request, sender):
        world, name = self.settings, request.client_order_id
        if world.happens(0.3):
            self.send(sender, LookupFailed(client_order_id=name, reason="time-out"))
        elif name in world.trades:
            reports = (world.trades[name],)
            found = OrderFound(client_order_id=name, broker_order_id=f"B-{name}", state="FILLED", reports=reports)
            self.send(sender, found)
        else:
            self.send(sender, OrderNotFound(client_order_id=name))

    def _doubt(self, name, sender):
        if self.settings.happens(0.3):
            self.send(sender, Unavailable(actor="broker", reason="breaker open", retry_after_s=1.0))
        elif not self.settings.happens(0.3):
            self.send(sender, OrderInDoubt(client_order_id=name, reason="time-out"))

    @staticmethod
    def _trade(name):
        return ExecutionReport(
            client_order_id=name,
            broker_order_id=f"B-{name}",
            execution_type="TRADE",
            execution_id=f"T-{name}",
            occurred_ns=1,
            quantity=QUANTITY,
            price=100.0,
            cumulative_quantity=QUANTITY,
        )


@pytest.mark.parametrize("seed", range(12))
def test_every_order_leaves_at_most_once_and_ends_as_the_broker_has_it(make, seed):
    world = World(seed)
    limits = make.limits(lookup_interval_s=0.01, absence_horizon_s=0.3, orders_in_flight_max=1_000, position_max=10_000)
    with InProcessSystem() as system:
        system.start("journal", ShakyJournal, world)
        system.start("broker", ShakyBroker, world)
        strategy = system.probe("crossover")
        system.start("orders", OrdersActor, limits)
        for number in range(ORDERS):
            for _ in range(1 + number % 4):
                system.tell("orders", make.order(f"A-{number}", quantity=QUANTITY), sender=strategy)
            system.request("orders", Ping())
        world.is_calm.set()
        settled = False
        while not settled:
            statistics = system.request("orders", Ping()).statistics
            if isinstance(statistics, OrdersStatistics):  # the journal is read back
                settled = statistics.open_orders == 0 and statistics.risk_state == "NORMAL"

    intended = [f"A-{number}" for number in range(ORDERS) if "OrderIntended" in world.durable_kinds(f"A-{number}")]
    assert len(world.placed) == len(set(world.placed))
    assert set(world.placed) <= set(intended)
    assert sum(position.quantity for position in statistics.positions) == QUANTITY * len(world.trades)
    assert statistics.fills == len(world.trades)
