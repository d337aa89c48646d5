"""The orders actor while it reads the journal back: nobody is told what half a book says, and no day begins with it."""

import pytest
from natya_orders_stage import FakeJournal, Release

from natya.actors.orders import OrdersActor
from natya.domain.time import DAY_NS
from natya.messages.broker import PlaceOrder, WithdrawOrder
from natya.messages.order_listing import (
    OrdersRead,
    OrdersStatistics,
    PositionsRead,
    ReadOrders,
    ReadPositions,
    SettleOrder,
)
from natya.messages.orders import CancelOrder, ModifyOrder, SquaringOffEnded
from natya.messages.presence import ReportPresence
from natya.messages.reconciliation import PositionsDiffer, SquaredOff
from natya.messages.risk import ChangeLimits, FundsTold, LimitsKept, ReadRisk, RiskRead
from natya.messages.risk_state import Resume, RiskStateChanged
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


def test_no_order_is_changed_nor_limit_either(half_read):
    asha = half_read.system.probe("asha")
    half_read.tell(ModifyOrder(client_order_id="A-2", quantity=3), asha)
    half_read.tell(ModifyOrder(client_order_id="A-1", quantity=3), asha)
    half_read.tell(ChangeLimits(values={"quantity_max": "3"}, reason="calm", person="asha", confirmed={}), asha)
    half_read.settle()
    assert [asha.receive().rule for _ in range(2)] == ["identity", "identity"]
    assert asha.receive() == LimitsKept(problems=("the journal is being read: ask again",))
    read_on(half_read)

    assert len(half_read.disk.facts) == 4


def test_no_halt_is_over_either_which_may_not_be_the_last(stage, make):
    first, over, last = make.change("HALTED"), make.change("NORMAL", "HALTED"), make.change("HALTED")
    stage.disk.facts += [first, make.intent(), over, last]
    stage.disk.mode = "first page"
    stage.system.start("journal", FakeJournal, stage.disk)
    stage.system.base.start_actor("orders", OrdersActor, make.limits(lookup_interval_s=0.02))
    stage.settle()
    assert isinstance(stage.system.request("orders", Resume(reason="seen", person="asha")), Unavailable)
    read_on(stage)

    assert [fact for fact in stage.disk.facts if isinstance(fact, RiskStateChanged)] == [first, over, last]
    assert stage.statistics.risk_state == "HALTED"


def test_what_the_broker_has_squared_off_is_not_taken_over_either(half_read):
    half_read.tell(PositionsDiffer(positions=(), squared_off=(SquaredOff(symbol="INFY", shares=10, price=99.5),)))
    half_read.settle()
    read_on(half_read)

    assert len(half_read.disk.facts) == 4


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


@pytest.fixture
def half_read_bracket(stage, make):
    """Ten are held; that the broker has their stop is behind in the journal."""

    def read(*more):
        exit_ = make.intent("A-1S", side="SELL"), make.accepted("A-1S", "B-S")
        stage.disk.facts += [make.intent(stop_loss_price=95.0), make.filled(), *exit_, *more]
        stage.disk.mode = "first page"
        stage.system.start("journal", FakeJournal, stage.disk)
        stage.system.base.start_actor("orders", OrdersActor, make.limits(lookup_interval_s=0.02))
        stage.settle()
        stage.tell(CancelOrder(client_order_id="A-1S", squares_off=True), stage.strategy)
        stage.settle()
        read_on(stage)
        return stage

    return read


def test_a_strategy_that_squares_off_and_then_cannot_has_it_closed_as_at_any_other_time(half_read_bracket, make):
    stage = half_read_bracket()
    assert stage.asked_next(WithdrawOrder).client_order_id == "A-1S"
    stage.tell(make.report("CANCELLED", "A-1S", broker_order_id="B-S"))
    assert PlaceOrder not in stage.heard(), "the strategy does it itself"
    stage.tell(SquaringOffEnded(strategy="crossover", symbol="INFY", reason="it was refused"), stage.strategy)

    request = stage.asked_next(PlaceOrder)
    assert (request.client_order_id, request.side, request.quantity) == ("A-1X", "SELL", 10)


def test_a_strategy_that_squares_off_in_a_halt_is_refused_and_the_stop_stays(half_read_bracket, make):
    stage = half_read_bracket(make.change("HALTED"))

    assert WithdrawOrder not in stage.heard()
    assert stage.strategy.receive().rule == "risk_state"


def test_what_a_strategy_could_not_close_is_told_when_it_is_known_what_is_held(stage, make):
    stage.disk.facts += [make.intent(), make.filled()]
    stage.disk.mode = "silent"
    stage.system.start("journal", FakeJournal, stage.disk)
    stage.system.base.start_actor("orders", OrdersActor, make.limits(lookup_interval_s=0.02))
    stage.tell(SquaringOffEnded(strategy="crossover", symbol="INFY", reason="it could not"), stage.strategy)
    stage.settle()
    read_on(stage)

    assert stage.statistics.unprotected == ("crossover: 10 INFY held that it wanted closed: it could not",)


@pytest.mark.parametrize("ended", [False, True], ids=["an open order", "one that has ended"])
def test_what_somebody_has_changed_at_the_broker_is_looked_up_of_open_orders_of_the_whole_book(stage, make, ended):
    """Before it is complete a round of look-ups would tell that the start is."""
    stage.disk.facts += [make.intent(), make.accepted(), *([make.filled()] if ended else []), make.refusal("A-2")]
    stage.disk.mode = "first page"
    stage.system.start("journal", FakeJournal, stage.disk)
    stage.system.base.start_actor("orders", OrdersActor, make.limits(lookup_interval_s=60.0))
    stage.settle()
    lookups = stage.system.base.find("orders").instance._resolving.lookups
    told = PositionsDiffer(positions=(), orders=("A-1",))
    stage.tell(told)
    stage.settle()
    assert not lookups.is_needed
    read_on(stage)
    lookups.prove("A-1")
    lookups.settle("A-1")
    stage.tell(told)
    stage.settle()

    assert lookups.is_needed is not ended


def test_the_day_does_not_begin_with_what_was_read_so_far(half_read):
    half_read.tell(FundsTold(available_rupees=1_000.0, as_of_ns=half_read.system.base.clock.now_ns()))
    half_read.settle()
    read_on(half_read)
    book = half_read.system.base.find("orders").instance._ledger.book
    realized, _, _ = book.profit_today(half_read.system.base.clock.now_ns(), {})

    assert realized == 0
    assert book.today(half_read.system.base.clock.now_ns()).orders == 0
