"""The orders actor between a fake journal and a broker played by the test."""

import time
from concurrent.futures import ThreadPoolExecutor, wait

import msgspec
from natya_processes import WAIT_S

from natya.actors.orders import OrdersActor
from natya.actors.runtime import RuntimeActor, handles
from natya.messages import codec
from natya.messages.broker import (
    FindOrder,
    LookupFailed,
    OrderPlaced,
    OrdersSentBefore,
    PlaceOrder,
    ReplaceOrder,
    WithdrawOrder,
)
from natya.messages.journal import Append, JournalPage, JournalRecord, ReadJournal, append_refused, appended
from natya.messages.supervision import Unavailable
from natya.messages.system import Ping


class Disk:
    """What the fake journal holds, and how it behaves."""

    def __init__(self, facts=()):
        self.facts = list(facts)
        self.mode = "write"
        self.refuses = ()  # facts of these types, whatever the mode
        self.reads = 0
        self.recorded_ns = {}  # by place, from 1; of all others 1970

    def kinds(self, client_order_id="A-1"):
        return [type(fact) for fact in self.facts if getattr(fact, "client_order_id", "") == client_order_id]


class Release(msgspec.Struct, frozen=True):
    """Commit what was held back, and answer what was not; the commits perhaps without their answers."""

    answers: bool = True


class FakeJournal(RuntimeActor):
    """Keeps facts in a list; holds, refuses or fails when told to."""

    def on_start(self):
        self._held = []
        self._unread = []

    @handles(Append)
    def append(self, request, sender):
        if self.settings.mode == "fail":
            raise OSError("the file is gone")
        for fact in request.facts:
            codec.checked(fact)
        if self.settings.mode == "refuse" or isinstance(request.facts[0], self.settings.refuses):
            self.send(sender, append_refused(request, "disk full"))
        elif self.settings.mode == "hold":
            self._held.append((request, sender))
        else:
            self._commit(request, sender)

    @handles(Release)
    def release(self, message, _sender):
        held, self._held = self._held, []
        for request, sender in held:
            if message.answers:
                self._commit(request, sender)
            else:
                self.settings.facts.extend(request.facts)
        unread, self._unread = self._unread, []
        for request, sender in unread:
            self.read(request, sender)

    @handles(ReadJournal)
    def read(self, request, sender):
        if self.settings.mode == "silent":
            self._unread.append((request, sender))
            return
        self.settings.reads += 1
        if self.settings.mode == "first page":
            self.settings.mode = "silent"
        if self.settings.mode == "unreadable":
            self.send(sender, Unavailable(actor="journal", reason="breaker open", retry_after_s=1))
            self.settings.mode = "write"
            return
        facts = list(enumerate(self.settings.facts, 1))[request.after_sequence :][:2]
        records = tuple(
            JournalRecord(
                sequence=sequence,
                recorded_ns=self.settings.recorded_ns.get(sequence, 1),
                correlation_id="",
                fact=fact,
            )
            for sequence, fact in facts
        )
        self.send(sender, JournalPage(records=records, last_sequence=len(self.settings.facts)))

    def _commit(self, request, sender):
        first = len(self.settings.facts) + 1
        self.settings.facts.extend(request.facts)
        self.send(sender, appended(request, first))


class Stage:
    """The orders actor between a fake journal and a broker played by the test."""

    def __init__(self, system, make, actor=OrdersActor):
        self.system = system
        self.actor = actor
        self.make = make
        self.disk = Disk()
        self.asked_at_start = []
        self.placed_at_start, self.changed_at_start = [], []
        self.broker = system.probe("broker")
        self.strategy = system.probe("crossover")

    def open(self, *facts, **limits):
        self.disk.facts.extend(facts)
        self.system.start("journal", FakeJournal, self.disk)
        limits = {"lookup_interval_s": 0.02} | limits
        with ThreadPoolExecutor(1) as pool:
            starting = pool.submit(self.system.start, "orders", self.actor, self.make.limits(**limits))
            self._answer_lookups(starting)
            starting.result(timeout=WAIT_S)
        return self

    def _answer_lookups(self, starting):
        """Tell, until it has started, that nothing can be looked up."""
        while not wait([starting], timeout=0.001).done:
            if self.broker.is_empty():
                continue
            question = self.broker.receive()
            self.asked_at_start.append(question)
            if isinstance(question, OrdersSentBefore | WithdrawOrder):
                continue
            if isinstance(question, PlaceOrder):  # an exit of a bracket
                self.placed_at_start.append(question)
                continue
            if isinstance(question, ReplaceOrder):
                self.changed_at_start.append(question)
                continue
            assert isinstance(question, FindOrder)
            self.tell(LookupFailed(client_order_id=question.client_order_id, reason="not yet"))

    def tell(self, message, sender=None):
        self.system.tell("orders", message, sender=sender or self.broker)

    def submit(self, order):
        self.tell(order, self.strategy)

    def settle(self):
        """Let everything that is under way arrive."""
        for _ in range(3):
            for name in ("orders", "journal"):
                self.statistics = self.system.request(name, Ping()).statistics
            self.statistics = self.system.request("orders", Ping()).statistics

    def heard(self):
        """Return the types of all messages that have reached the broker."""
        self.settle()
        types = []
        while not self.broker.is_empty():
            types.append(type(self.broker.receive()))
        return types

    def wait_until(self, is_so):
        """Let the actors work until something is so."""
        by = time.monotonic() + WAIT_S
        while not is_so():
            assert time.monotonic() < by, "it never was so"
            self.settle()

    def place(self, order, broker_order_id="B-1"):
        self.submit(order)
        assert isinstance(self.broker.receive(), PlaceOrder)
        self.tell(OrderPlaced(client_order_id=order.client_order_id, broker_order_id=broker_order_id))

    def asked_next(self, kind):
        """Return the next message of a kind that reaches the broker; look-ups are skipped."""
        if kind is PlaceOrder and self.placed_at_start:
            return self.placed_at_start.pop(0)
        while True:
            message = self.broker.receive(timeout_s=WAIT_S)
            if isinstance(message, kind):
                return message
            assert isinstance(message, FindOrder), message
