"""What is known of an order that has ended: the book has it, and nothing else, or each order would cost for ever."""

from collections import deque

import msgspec
import pytest
from natya_orders_stage import Stage

from natya.actors.orders import OrdersActor
from natya.actors.orders.book import Book
from natya.actors.runtime import InProcessSystem, RuntimeActor, handles
from natya.actors.runtime.simulation import SimulatedSystemBase
from natya.messages.broker import (
    OrderFound,
    OrderInDoubt,
    OrderNotFound,
    OrderNotPlaced,
    OrderPlaced,
    OrderReplaced,
    ReplaceInDoubt,
)
from natya.messages.kill_switch import HaltTrading
from natya.messages.orders import CancelOrder, ModifyOrder, OrderIntended, SubmitOrder

ROOM = "natya.actors.orders."
COLLECTIONS = dict | list | set | frozenset | tuple | deque


class WhoRemembers(msgspec.Struct, frozen=True):
    """Ask which collections of the room still have this order."""

    client_order_id: str


class HowMany(msgspec.Struct, frozen=True):
    """Ask how many orders the book keeps as objects, and how many as bytes."""


class Remembering(OrdersActor):
    """Orders, that tells what it remembers."""

    @handles(HowMany)
    def tell_counts(self, _question, sender):
        self.send(sender, (self._context.ledger.book.objects, self._context.ledger.book.ended))

    @handles(WhoRemembers)
    def tell_memory(self, question, sender):
        self.send(sender, tuple(places_of(question.client_order_id, vars(self), "", set())))


def places_of(client_order_id, fields, path, seen):
    """Name the collections below these fields that have the order; the book of record is to have it."""
    for name, value in fields.items():
        if isinstance(value, Book) or id(value) in seen:
            continue
        seen.add(id(value))
        if type(value).__module__.startswith(ROOM) and hasattr(value, "__dict__"):
            yield from places_of(client_order_id, vars(value), f"{path}{name}.", seen)
        elif isinstance(value, COLLECTIONS) and client_order_id in words_of(value):
            yield path + name


def words_of(value):
    """Everything in a collection that may be an id."""
    if isinstance(value, dict):
        return words_of((tuple(value), tuple(value.values())))
    if isinstance(value, COLLECTIONS):
        return {word for each in value for word in words_of(each)}
    return {getattr(value, "client_order_id", value if isinstance(value, str) else "")}


@pytest.fixture
def stage(make):
    with InProcessSystem(SimulatedSystemBase(seed=1)) as system:
        yield Stage(system, make, Remembering)


def filled(stage, make):
    stage.place(make.order())
    stage.tell(make.report(quantity=10))


def filled_before_the_answer(stage, make):
    stage.submit(make.order())
    stage.settle()
    stage.tell(make.report(quantity=10))
    stage.tell(OrderPlaced(client_order_id="A-1", broker_order_id="B-1"))


def submitted_twice(stage, make):
    stage.submit(make.order())
    filled(stage, make)


def refused_by_the_gate(stage, make):
    stage.submit(make.order(quantity=1_000_000))


def refused_by_the_journal(stage, make):
    stage.disk.mode = "refuse"
    stage.submit(make.order())
    stage.tell(CancelOrder(client_order_id="A-1"), stage.strategy)
    stage.settle()
    stage.disk.mode = "write"


def refused_by_the_broker(stage, make):
    stage.submit(make.order())
    stage.settle()
    stage.tell(OrderNotPlaced(client_order_id="A-1", reason="no margin"))


def cancelled(stage, make):
    stage.submit(make.order())
    stage.tell(CancelOrder(client_order_id="A-1"), stage.strategy)
    stage.settle()
    stage.tell(OrderPlaced(client_order_id="A-1", broker_order_id="B-1"))
    stage.settle()
    stage.tell(make.report("CANCELLED"))


def refused_when_it_was_to_be_cancelled(stage, make):
    stage.submit(make.order())
    stage.settle()
    stage.tell(CancelOrder(client_order_id="A-1"), stage.strategy)
    stage.settle()
    stage.tell(OrderNotPlaced(client_order_id="A-1", reason="no margin"))


def absent(stage, make):
    stage.submit(make.order())
    stage.settle()
    stage.tell(OrderInDoubt(client_order_id="A-1", reason="time-out"))
    stage.settle()
    stage.tell(OrderNotFound(client_order_id="A-1"))


def found_filled(stage, make):
    stage.submit(make.order())
    stage.settle()
    stage.tell(OrderInDoubt(client_order_id="A-1", reason="time-out"))
    stage.settle()
    reports = (make.report(quantity=10),)
    stage.tell(OrderFound(client_order_id="A-1", broker_order_id="B-1", state="FILLED", reports=reports))


def changed(stage, make):
    stage.place(make.order(order_type="LIMIT", limit_price=100.0))
    stage.settle()
    stage.tell(ModifyOrder(client_order_id="A-1", quantity=8), stage.strategy)
    stage.settle()
    stage.tell(OrderReplaced(client_order_id="A-1", number=1))
    stage.tell(ModifyOrder(client_order_id="A-1", quantity=7), stage.strategy)
    stage.settle()
    stage.tell(ReplaceInDoubt(client_order_id="A-1", number=2, reason="time-out"))
    stage.tell(make.report("CANCELLED"))


def change_refused_by_the_gate(stage, make):
    stage.place(make.order(order_type="LIMIT", limit_price=100.0))
    stage.settle()
    stage.tell(ModifyOrder(client_order_id="A-1", quantity=1_000_000), stage.strategy)
    stage.settle()
    stage.tell(make.report("CANCELLED"))


def change_refused_by_the_journal(stage, make):
    stage.place(make.order(order_type="LIMIT", limit_price=100.0))
    stage.settle()
    stage.disk.mode = "refuse"
    stage.tell(ModifyOrder(client_order_id="A-1", quantity=8), stage.strategy)
    stage.settle()
    stage.disk.mode = "write"
    stage.tell(make.report("CANCELLED"))


LIVES = (
    *(filled, filled_before_the_answer, submitted_twice, refused_by_the_gate, refused_by_the_journal, cancelled),
    *(refused_by_the_broker, absent, found_filled, changed, change_refused_by_the_gate, change_refused_by_the_journal),
    refused_when_it_was_to_be_cancelled,
)


@pytest.mark.parametrize("live", LIVES, ids=lambda live: live.__name__)
def test_an_order_that_has_ended_is_remembered_by_the_book_alone(stage, make, live):
    stage.open(absence_horizon_s=1e-9, lookup_interval_s=60.0)
    live(stage, make)
    stage.settle()

    assert stage.system.request("orders", WhoRemembers("A-1")) == ()


def test_the_book_has_those_as_bytes_that_ended_long_ago(stage, make, monkeypatch):
    monkeypatch.setattr("natya.actors.orders.book.all_orders.ENDED_MAX", 2)
    monkeypatch.setattr("natya.actors.orders.book.all_orders.PACKED_AT_ONCE", 1)
    stage.open()
    for number in range(6):
        stage.place(make.order(f"A-{number}"))
        stage.tell(make.report(client_order_id=f"A-{number}", quantity=10))
        stage.settle()
    stage.place(make.order("A-6"))
    stage.tell(make.report(client_order_id="A-0", execution_id="late", quantity=10))
    stage.submit(make.order("A-0"))
    stage.settle()

    assert stage.system.request("orders", HowMany()) == (3, 4)
    assert stage.disk.kinds("A-0").count(OrderIntended) == 1


class Closer(RuntimeActor):
    """The system's own: it is of this package."""

    @handles(SubmitOrder)
    def submit(self, order, _sender):
        self.send("orders", order)


Closer.__module__ = "natya.actors.kill_switch.flattener"


@pytest.mark.parametrize("mode", ["write", "refuse"])
def test_an_order_that_closed_in_a_halt_is_remembered_by_the_book_alone(stage, make, mode):
    stage.open(make.intent("A-0"), make.filled("A-0"), lookup_interval_s=60.0)
    stage.tell(HaltTrading(cause="enough", person="asha"), stage.system.probe("kill-switch"))
    stage.settle()
    stage.disk.mode = mode
    stage.system.start("flattener", Closer)
    stage.system.tell("flattener", make.order("A-1", side="SELL", order_type="LIMIT", limit_price=99.0))
    stage.settle()
    stage.tell(OrderPlaced(client_order_id="A-1", broker_order_id="B-1"))
    stage.tell(make.report(quantity=10, side="SELL"))
    stage.settle()

    assert stage.system.request("orders", WhoRemembers("A-1")) == ()


def test_an_order_that_is_open_is_found_where_it_is_kept(stage, make):
    stage.open(lookup_interval_s=60.0)
    stage.submit(make.order())
    stage.tell(CancelOrder(client_order_id="A-1"), stage.strategy)
    stage.settle()

    kept = stage.system.request("orders", WhoRemembers("A-1"))
    assert {place.rpartition(".")[2] for place in kept} >= {"_placing", "_sent", "_asked"}
