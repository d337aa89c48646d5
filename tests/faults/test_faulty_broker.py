"""Thousands of orders to a Dhan that fails in every way: none sent twice, none there twice, none lost, none unknown.

`make faulty-broker` sends 10,000 of them; FAULTY_ORDERS and FAULTY_SEED are how many, and from which seed. Time is
virtual: an answer that takes a minute takes none here.
"""

import os
from collections import Counter
from pathlib import Path
from random import Random

import msgspec
import pytest
from natya_blocking import sleep
from natya_builders import an_order, some_limits
from natya_dhan_model import FIRST_TOKEN, URL, DhanFaults, DhanModel, DhanSession, ListOfInstruments
from natya_dhan_world import BlockingBase

from natya.actors.broker import AccessToken, BrokerActor
from natya.actors.broker.bodies.dhan.service import service_of
from natya.actors.external import Allowance, ExternalActor
from natya.actors.journal import JournalActor, SimulatedDisk
from natya.actors.journal.tools import tail
from natya.actors.orders import OrdersActor
from natya.actors.orders.book import Book
from natya.actors.runtime import InProcessSystem
from natya.actors.runtime.simulation import Faults
from natya.config.secrets import Secret
from natya.config.sections.broker import BrokerSettings
from natya.config.sections.journal import JournalSettings
from natya.domain.quotas import Quota
from natya.messages.orders import CancelOrder, OrderFact, OrderIntended

ORDERS = int(os.environ.get("FAULTY_ORDERS", "25"))
SEED = int(os.environ.get("FAULTY_SEED", "1"))
A_BATCH = 250
"""Orders of one day, each day with a broker and a seed of its own."""

JOURNAL = Path("/journal")
NEW_TOKEN_S = 3.0
FREELY = Allowance(quotas=(Quota(1_000, 1_000_000_000),))

FAULTS = DhanFaults(
    refused=0.03,
    lost=0.03,
    reset_before=0.03,
    reset_after=0.05,
    error_before=0.03,
    error_after=0.05,
    late=0.05,
    garbled=0.03,
    throttled=0.01,
    token_dies=0.001,
    rejects=0.1,
)


class Day:
    """One batch of orders, from the first to the time at which every one has ended."""

    def __init__(self, seed, count):
        self.count = count
        self.chance = Random(f"{seed}/day")
        crashes = Faults(crash=0.002, spared=("journal", "instruments", "orders"))
        self.base = BlockingBase(seed, faults=crashes)
        self.model = DhanModel(self.base.clock, Random(f"{seed}/far end"), FAULTS)
        self.disk = SimulatedDisk()
        self.token = AccessToken(Secret(FIRST_TOKEN))
        self.token.when_dead(self._log_in_again)
        self.ids = [f"A-{number}" for number in range(count)]

    def run(self):
        system = InProcessSystem(self.base)
        try:
            self._start(system)
            strategy = system.probe("crossover")
            system.probe("events")
            for client_order_id in self.ids:
                system.tell("orders", self._order(client_order_id), sender=strategy)
                if self.chance.random() < 0.3:
                    system.tell("orders", CancelOrder(client_order_id=client_order_id), sender=strategy)
                self.base.run_for(self.chance.expovariate(2.0))
            self.base.run_for(60.0)
            self.model.active = self.base.injector.active = False
            self._end_all(system, strategy)
        finally:
            self.base.abandon()
        return self

    def _start(self, system):
        settings = BrokerSettings.default(
            name="dhan",
            client_id="1",
            access_token=Secret(FIRST_TOKEN),
            base_url=URL,
            live=True,
            answer_timeout_s=12.0,
        )
        service = msgspec.structs.replace(
            service_of(settings, self.token),
            new_session=lambda _: DhanSession(self.model, sleep),
            allowances={"orders": FREELY, "others": FREELY},
        )
        journal = type("SimulatedJournal", (JournalActor,), {"disk": self.disk})
        system.start("journal", journal, JournalSettings.default(path=str(JOURNAL), segment_bytes=1 << 20))
        system.start("instruments", ListOfInstruments)
        system.start("broker-service", ExternalActor, service)
        system.start("broker", BrokerActor, settings)
        limits = some_limits(orders_in_flight_max=100_000, position_max=10_000_000, reconcile_interval_s=60.0)
        system.start("orders", OrdersActor, limits)

    def _order(self, client_order_id):
        limit = self.chance.choice((None, 99.0, 101.5))
        return an_order(
            client_order_id,
            self.chance.choice(("BUY", "SELL")),
            self.chance.randint(1, 90),
            symbol=self.chance.choice(("INFY", "TCS", "SBIN")),
            order_type="MARKET" if limit is None else "LIMIT",
            limit_price=limit,
        )

    def _end_all(self, system, strategy):
        """Cancel what rests, until nothing is open: it must not take longer than the horizon of absence and a look."""
        for _ in range(30):
            for order in self.book().open_orders():
                system.tell("orders", CancelOrder(client_order_id=order.client_order_id), sender=strategy)
            self.base.run_for(10.0)
            if not self.book().has_open_orders:
                return

    def _log_in_again(self):
        token = self.token
        self.base.loop.call_after(int(NEW_TOKEN_S * 1e9), lambda: token.replace(Secret(self.model.token)))

    def book(self):
        book = Book()
        self.intended = 0
        for record in tail(JOURNAL, records_max=1_000_000, disk=self.disk):
            if isinstance(record.fact, OrderFact):
                book.apply(record.fact)
                self.intended += isinstance(record.fact, OrderIntended)
        return book

    def wrongs(self):
        book, model = self.book(), self.model
        placed = Counter(order.correlation_id for order in model.orders.values())
        for client_order_id in self.ids:
            order, found = book.order(client_order_id), model.find(client_order_id)
            if order is None or order.is_open:
                yield f"{client_order_id} is {order and order.state} in the end"
            elif placed[client_order_id] and (order.state, order.filled) != (
                found.state,
                sum(report.quantity for report in found.reports),
            ):
                yield f"{client_order_id} is {order.state} ({order.filled}), and {found.state} at the broker"
            elif not placed[client_order_id] and order.state not in {"REJECTED", "EXPIRED"}:
                yield f"{client_order_id} is {order.state}, and the broker never had it"
            if model.attempts[client_order_id] > 1 or model.arrivals[client_order_id] > 1:
                yield f"{client_order_id} was sent {model.attempts[client_order_id]} times"
        for client_order_id in placed.keys() - set(self.ids):
            yield f"{client_order_id} is at the broker, and nobody ordered it"
        if model.dead_calls:
            yield f"{model.dead_calls} requests with a token that was known to be dead"


@pytest.mark.timeout(3_600)
def test_every_order_is_sent_at_most_once_and_ends_as_the_broker_says():
    wrongs, injected, outcomes, left = [], Counter(), Counter(), ORDERS
    while left:
        seed, count = SEED + ORDERS - left, min(left, A_BATCH)
        day = Day(seed, count).run()
        wrongs += [f"seed {seed}: {wrong}" for wrong in day.wrongs()]
        injected += day.model.injected
        outcomes += Counter(day.book().order(each).state for each in day.ids)
        left -= count
    print(f"{ORDERS} orders: {dict(outcomes)}; injected: {dict(injected)}")  # noqa: T201  what was played

    assert not wrongs
    assert outcomes.total() == ORDERS
    assert len(injected) > 5
