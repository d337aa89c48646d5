"""The orders actor while it reads the journal back: nobody is told what half a book says, and no day begins with it."""

import pytest
from natya_orders_stage import FakeJournal, Release

from natya.actors.orders import OrdersActor
from natya.domain.time import DAY_NS
from natya.messages.broker import PlaceOrder
from natya.messages.order_listing import (
    OrdersRead,
    OrdersStatistics,
    PositionsRead,
    ReadOrders,
    ReadPositions,
    SettleOrder,
)
from natya.messages.orders import SquaringOffEnded
from natya.messages.presence import ReportPresence
from natya.messages.risk import FundsTold, ReadRisk, RiskRead
from natya.messages.supervision import Unavailable
from natya.messages.system import ActorStatistics, Ping

ASKED = {ReadPositions: PositionsRead, ReadOrders: OrdersRead, ReadRisk: RiskRead}


@pytest.fixture
def half_read(stage, make):
    """Yesterday 10 were bought at 100, which is read; that 5 of them were sold at 160 is not."""
    yesterday_ns = stage.system.base.clock.now_ns() - DAY_NS
    bought, sold = ({"occurred_ns": yesterday_ns}, {"occurred_ns": yesterday_ns, "side": "SELL", "quantity": 5})
    stage.disk.facts += [make.intent("A-1", **bought | {"quantity": 10})]
    stage.disk.facts += [make.filled("A-1", trade_id="T-1", price=100, **bought | {"quantity": 10})]
    stage.disk.facts += [make.intent("A-2", **sold), make.filled("A-2", trade_id="T-2", price=160, **sold)]
    stage.disk.mode = "first page"
    stage.system.start("journal", FakeJournal, stage.disk)
    stage.system.base.start_actor("orders", OrdersActor, make.limits(lookup_interval_s=0.02))
    stage.settle()
    return stage


def read_on(stage):
    stage.disk.mode = "write"
    stage.system.tell("journal", Release())
    stage.settle()


@pytest.mark.parametrize("asked", ASKED)
def test_who_asks_is_told_to_ask_again_and_then_of_all(half_read, asked):
    told = half_read.system.request("orders", asked())
    assert isinstance(told, Unavailable)
    assert (told.actor, told.reason) == ("orders", "the journal is still read back")
    read_on(half_read)

    assert isinstance(half_read.system.request("orders", asked()), ASKED[asked])


@pytest.mark.parametrize("asked", [*ASKED, ReportPresence])
def test_who_asks_is_answered_once(half_read, asked):
    asha, feed = half_read.system.probe("asha"), half_read.system.probe("feed")
    half_read.tell(asked(), asha)
    assert isinstance(asha.receive(), Unavailable)
    half_read.settle()
    read_on(half_read)

    assert (asha.is_empty(), feed.is_empty()) == (True, True)


def test_a_person_who_says_that_he_is_there_is_to_say_it_again(half_read):
    assert isinstance(half_read.system.request("orders", ReportPresence()), Unavailable)


def test_no_order_is_settled_either(half_read):
    word = SettleOrder(client_order_id="A-1", filled=0, reason="seen", person="asha")

    assert isinstance(half_read.system.request("orders", word), Unavailable)


def test_what_it_counts_is_not_told_either(half_read):
    assert isinstance(half_read.system.request("orders", Ping()).statistics, ActorStatistics)
    read_on(half_read)
    told = half_read.system.request("orders", Ping()).statistics

    assert isinstance(told, OrdersStatistics)
    assert [each.quantity for each in told.positions] == [5]


def test_no_exit_is_placed_of_a_bracket_whose_other_facts_may_not_be_read_yet(stage, make):
    """Its exits are behind in the journal: placed by half a book they would leave a second time."""
    entry = make.intent(target_price=110.0, stop_loss_price=95.0)
    exits = [make.intent(name, side="SELL") for name in ("A-1S", "A-1T")]
    stage.disk.facts += [entry, make.filled(), *exits, *(make.accepted(name, f"B-{name}") for name in ("A-1S", "A-1T"))]
    stage.disk.mode = "first page"
    stage.system.start("journal", FakeJournal, stage.disk)
    stage.system.base.start_actor("orders", OrdersActor, make.limits(lookup_interval_s=0.02))
    stage.settle()
    stage.tell(SquaringOffEnded(strategy="crossover", symbol="INFY", reason="it could not"), stage.strategy)
    stage.settle()
    assert len(stage.disk.facts) == 6
    read_on(stage)

    assert PlaceOrder not in stage.heard()


def test_the_day_does_not_begin_with_what_was_read_so_far(half_read):
    half_read.tell(FundsTold(available_rupees=1_000.0, as_of_ns=half_read.system.base.clock.now_ns()))
    half_read.settle()
    read_on(half_read)
    book = half_read.system.base.find("orders").instance._ledger.book
    realized, _, _ = book.profit_today(half_read.system.base.clock.now_ns(), {})

    assert realized == 0
    assert book.today(half_read.system.base.clock.now_ns()).orders == 0
