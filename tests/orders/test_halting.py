"""Orders while the kill switch is on: nothing passes, and everything that is open is cancelled until nothing is."""

import pytest
from msgspec.structs import replace
from natya_orders_stage import FakeJournal, Release

from natya.actors.orders import OrdersActor
from natya.actors.orders.halting import Halting
from natya.actors.orders.parts import cancelling, limiting
from natya.actors.orders.parts.due import ChangeDue
from natya.actors.runtime import RuntimeActor, handles
from natya.config.halt_file import HaltFile, HaltNote
from natya.domain.orders import Order
from natya.messages.broker import FindOrder, OrderFound, OrderPlaced, PlaceOrder, WithdrawOrder
from natya.messages.kill_switch import HaltTrading, TradingHalted
from natya.messages.order_listing import ReadOrders
from natya.messages.orders import (
    CancellationIntended,
    CancelOrder,
    OrderAccepted,
    OrderFilled,
    OrderIntended,
    OrderRefused,
    OrderRejected,
    SubmitOrder,
)
from natya.messages.reconciliation import PositionMismatch, PositionsDiffer
from natya.messages.risk import ReadRisk
from natya.messages.risk_state import Resume, Resumed, ResumeRefused, RiskStateChanged
from natya.messages.supervision import Failed

HALT = HaltTrading(cause="kill switch: enough", person="asha")


@pytest.fixture
def switch(actor_system):
    return actor_system.probe("kill-switch")


@pytest.fixture
def halt(stage, switch):
    def send(message=HALT):
        stage.tell(message, switch)

    return send


def changes(stage):
    return [(each.previous, each.state, each.cause, each.changed_by) for each in stage.disk.facts if is_change(each)]


def is_change(fact):
    return isinstance(fact, RiskStateChanged)


def withdrawn(stage):
    """The ids of the orders whose cancellation has reached the broker."""
    stage.settle()
    found = []
    while not stage.broker.is_empty():
        message = stage.broker.receive()
        if isinstance(message, WithdrawOrder):
            found.append(message.client_order_id)
    return found


def withdrawn_since_the_start(stage):
    early = [each.client_order_id for each in stage.asked_at_start if isinstance(each, WithdrawOrder)]
    return early + withdrawn(stage)


def an_open_one(make, name="A-1", number="B-1"):
    return make.intent(name), make.accepted(name, number)


class Poked(OrdersActor):
    """Is to write a halt again when it is sent a tuple."""

    @handles(tuple)
    def poke(self, _, __):
        self.send(self.myAddress, ChangeDue())


class TestAHaltByTheSwitch:
    def test_is_a_fact_with_cause_and_person_and_answered_when_it_is_durable(self, stage, switch, halt):
        stage.open()
        stage.disk.mode = "hold"
        halt()
        stage.settle()
        assert switch.is_empty()
        assert stage.statistics.risk_state == "HALTED"
        risk = stage.system.request("orders", ReadRisk())
        assert (risk.risk_state, risk.risk_cause) == ("HALTED", "kill switch: enough"), "also before it is durable"
        stage.system.tell("journal", Release())

        assert switch.receive() == TradingHalted(cancelling=0)
        assert changes(stage) == [("NORMAL", "HALTED", "kill switch: enough", "asha")]

    def test_that_is_on_its_way_to_the_journal_when_another_is_due_is_told_when_it_is_there(self, stage, switch, halt):
        stage.actor = Poked
        stage.open()
        stage.disk.mode = "hold"
        halt()
        stage.settle()
        stage.tell(())  # an earlier one was refused, and is to be written again
        stage.settle()
        early = switch.is_empty()
        stage.system.tell("journal", Release())

        assert early
        assert switch.receive() == TradingHalted(cancelling=0)

    def test_cancels_every_open_order_at_once_whoever_sent_it(self, stage, make, switch, halt):
        stage.open(*an_open_one(make), make.intent("A-2", strategy="other"), make.accepted("A-2", "B-2"))
        stage.disk.mode = "hold"
        halt()

        assert withdrawn(stage) == ["A-1", "A-2"]
        stage.system.tell("journal", Release())
        assert switch.receive() == TradingHalted(cancelling=2)

    def test_refuses_every_order_that_comes_later(self, stage, make, halt):
        stage.open()
        halt()
        stage.submit(make.order("A-1"))
        stage.settle()

        assert stage.disk.kinds("A-1") == [OrderRefused]

    def test_places_nothing_whose_intent_was_on_its_way(self, stage, make, halt):
        stage.open()
        stage.disk.mode = "hold"
        stage.submit(make.order("A-1"))
        stage.settle()
        stage.disk.mode = "write"
        halt()
        stage.system.tell("journal", Release())
        stage.settle()
        stage.wait_until(lambda: OrderRejected in stage.disk.kinds("A-1"))

        assert stage.disk.kinds("A-1") == [OrderIntended, OrderRejected]
        assert "halted, nothing was sent: kill switch: enough" in stage.disk.facts[-1].reason
        assert PlaceOrder not in stage.heard()

    def test_cancels_an_order_without_an_answer_now_and_when_it_has_one(self, stage, make, halt):
        stage.open()
        stage.submit(make.order("A-1"))
        assert isinstance(stage.broker.receive(), PlaceOrder)
        halt()
        assert stage.asked_next(WithdrawOrder) == WithdrawOrder(client_order_id="A-1")
        stage.tell(OrderPlaced(client_order_id="A-1", broker_order_id="B-1"))

        assert stage.asked_next(WithdrawOrder) == WithdrawOrder(client_order_id="A-1", broker_order_id="B-1")

    def test_cancels_again_what_is_open_still_and_then_no_more(self, stage, make, halt, monkeypatch):
        monkeypatch.setattr(cancelling, "CANCEL_AGAIN_S", 0.01)
        stage.open(*an_open_one(make))
        halt()
        for _ in range(3):
            assert stage.asked_next(WithdrawOrder).client_order_id == "A-1"
        stage.tell(make.report("CANCELLED"))
        stage.settle()
        stage.wait_until(lambda: stage.statistics.open_orders == 0)
        withdrawn(stage)

        assert withdrawn(stage) == []

    def test_is_not_written_twice_for_one_cause_and_once_more_for_another(self, stage, switch, halt):
        stage.open()
        for message in (HALT, HALT, HaltTrading(cause="kill switch: again", person="ravi")):
            halt(message)
            assert isinstance(switch.receive(), TradingHalted)

        assert changes(stage) == [
            ("NORMAL", "HALTED", "kill switch: enough", "asha"),
            ("HALTED", "HALTED", "kill switch: again", "ravi"),
        ]

    def test_holds_where_the_journal_takes_nothing_and_says_so(self, stage, make, switch, halt):
        stage.open(*an_open_one(make))
        stage.disk.mode = "refuse"
        halt()
        assert switch.receive() == TradingHalted(cancelling=1, not_written="disk full")
        assert withdrawn(stage)[0] == "A-1"
        assert stage.statistics.risk_state == "HALTED"
        stage.tell(CancelOrder(client_order_id="A-1", squares_off=True), stage.strategy)
        assert stage.strategy.receive().reason.endswith("found kill switch: enough"), "nothing is closed in it"
        stage.disk.mode = "write"
        stage.wait_until(lambda: changes(stage))

        assert changes(stage) == [("NORMAL", "HALTED", "kill switch: enough", "asha")]

    def test_of_nobody_is_by_the_switch(self, stage, switch, halt):
        stage.open()
        halt(HaltTrading(cause="kill switch: found the file HALT"))
        switch.receive()

        assert changes(stage)[0][3] == "kill-switch"

    def test_of_nobody_cancels_in_the_name_of_the_switch(self, stage, make, switch, halt):
        stage.open(*an_open_one(make))
        halt(HaltTrading(cause="kill switch: found the file HALT"))
        switch.receive()
        stage.settle()

        assert [each.asked_by for each in stage.disk.facts if isinstance(each, CancellationIntended)] == ["kill-switch"]


class TestAHaltWhileTheJournalIsReadBack:
    def test_holds_then_and_cancels_and_is_written_afterwards(self, stage, make, switch, halt):
        stage.disk.facts.extend(an_open_one(make))
        stage.disk.mode = "silent"
        stage.system.start("journal", FakeJournal, stage.disk)
        stage.system.base.start_actor("orders", OrdersActor, make.limits(lookup_interval_s=60))
        halt()
        stage.submit(make.order("A-2"))
        stage.settle()
        assert stage.broker.is_empty()
        stage.disk.mode = "write"
        stage.system.tell("journal", Release())
        assert switch.receive() == TradingHalted(cancelling=1)

        assert "A-1" in withdrawn(stage)
        assert changes(stage) == [("NORMAL", "HALTED", "kill switch: enough", "asha")]
        assert stage.statistics.risk_state == "HALTED"

    def test_is_for_the_cause_that_was_told_whatever_the_file_says(self, stage, make, switch, halt, tmp_path):
        file = HaltFile(tmp_path / "HALT")
        file.engage(HaltNote(reason="something else", person="ravi"))
        stage.disk.mode = "silent"
        stage.system.start("journal", FakeJournal, stage.disk)
        limits = make.limits(lookup_interval_s=60, halt_paths=(str(file.path),))
        stage.system.base.start_actor("orders", OrdersActor, limits)
        halt()
        stage.disk.mode = "write"
        stage.system.tell("journal", Release())
        assert isinstance(switch.receive(), TradingHalted)

        assert changes(stage) == [("NORMAL", "HALTED", "kill switch: enough", "asha")]

    def test_is_not_written_again_where_it_was_before_the_restart(self, stage, make, switch, halt):
        stage.disk.facts.append(make.change("HALTED", cause=HALT.cause))
        stage.disk.mode = "silent"
        stage.system.start("journal", FakeJournal, stage.disk)
        stage.system.base.start_actor("orders", OrdersActor, make.limits(lookup_interval_s=60))
        halt()
        stage.disk.mode = "write"
        stage.system.tell("journal", Release())
        assert isinstance(switch.receive(), TradingHalted)
        assert len(changes(stage)) == 1
        stage.tell(Resume(reason="looked into it", person="asha"), stage.strategy)

        assert isinstance(stage.strategy.receive(), Resumed)
        stage.settle()
        assert stage.statistics.risk_state == "NORMAL"


class TestTheNextLifeOfOrders:
    @pytest.mark.parametrize("cancels", [True, False], ids=["by a limit or the switch", "by an alarm"])
    def test_in_another_process_goes_on_cancelling_what_the_halt_was_to_cancel(self, stage, make, cancels):
        halted = replace(make.change("HALTED", cause="too much lost"), cancels_open=cancels)
        later = make.change("HALTED", previous="HALTED", cause="an order of nobody")
        stage.open(*an_open_one(make), halted, later)

        assert withdrawn_since_the_start(stage) == ["A-1"] * cancels
        assert stage.statistics.risk_state == "HALTED"

    def test_cancels_nothing_for_a_halt_that_is_over(self, stage, make):
        halted = replace(make.change("HALTED"), cancels_open=True)
        stage.open(*an_open_one(make), halted, make.change("NORMAL", previous="HALTED"))

        assert withdrawn_since_the_start(stage) == []

    def test_is_told_by_the_fact_of_the_halt_whether_all_is_to_be_cancelled(self, stage, make, switch, halt):
        stage.open()
        halt()
        stage.tell(Resume(reason="looked into it", person="asha"), stage.strategy)
        switch.receive()
        stage.settle()

        told = [(fact.state, fact.cancels_open) for fact in stage.disk.facts if isinstance(fact, RiskStateChanged)]
        assert told == [("HALTED", True), ("NORMAL", False)]

    def test_goes_on_cancelling(self, stage, make, halt, monkeypatch):
        monkeypatch.setattr(cancelling, "CANCEL_AGAIN_S", 0.01)
        stage.open(*an_open_one(make))
        halt()
        stage.asked_next(WithdrawOrder)
        stage.disk.mode = "hold"
        stage.tell(make.report(quantity=2))
        stage.settle()
        stage.tell(Failed(actor="journal", message_type="Append", error="OSError", reason="reset"))
        stage.disk.mode = "write"
        stage.settle()
        withdrawn(stage)

        assert stage.asked_next(WithdrawOrder).client_order_id == "A-1"


class TestResuming:
    @pytest.fixture
    def file(self, tmp_path):
        return HaltFile(tmp_path / "HALT")

    def resume(self, stage):
        stage.tell(Resume(reason="looked into it", person="asha"), stage.strategy)
        return stage.strategy.receive()

    def test_is_refused_while_the_file_is_there(self, stage, switch, halt, file):
        stage.open(halt_paths=(str(file.path),))
        file.engage(HaltNote())
        halt()
        switch.receive()
        refused = self.resume(stage)
        assert isinstance(refused, ResumeRefused)
        assert "the kill switch off wanted" in refused.reason
        file.release()

        assert self.resume(stage) == Resumed(halted_because="kill switch: enough")

    def test_is_not_answered_by_another_halt_that_is_written_meanwhile(self, stage, make, switch, halt):
        stage.open(make.change("HALTED", cause="a limit"), lookup_interval_s=3_600.0)
        stage.disk.mode = "hold"
        halt()
        stage.settle()
        stage.disk.mode = "silent"  # to the next append the journal says nothing
        stage.disk.refuses = RiskStateChanged
        stage.tell(Resume(reason="looked into it", person="asha"), stage.strategy)
        stage.settle()
        stage.system.tell("journal", Release())
        assert isinstance(switch.receive(), TradingHalted)
        stage.settle()

        assert stage.strategy.is_empty()

    def test_ends_the_cancelling(self, stage, make, switch, halt, monkeypatch):
        monkeypatch.setattr(cancelling, "CANCEL_AGAIN_S", 0.01)
        stage.open(*an_open_one(make))
        halt()
        switch.receive()
        stage.tell(OrderFound(client_order_id="A-1", broker_order_id="B-1", state="OPEN"))
        assert isinstance(self.resume(stage), Resumed)
        stage.settle()
        withdrawn(stage)
        for _ in range(3):  # rounds of look-ups, each longer than it would take to cancel again
            assert isinstance(stage.broker.receive(timeout_s=5), FindOrder)
        stage.submit(make.order("A-2"))
        assert stage.asked_next(PlaceOrder).client_order_id == "A-2"

        assert withdrawn(stage) == []

    def test_an_order_is_not_placed_while_the_file_is_there_though_nobody_told_orders(self, stage, make, file):
        stage.open(halt_paths=(str(file.path),))
        file.engage(HaltNote())
        stage.submit(make.order("A-1"))
        stage.wait_until(lambda: OrderRejected in stage.disk.kinds("A-1"))

        assert PlaceOrder not in stage.heard()

    def test_orders_that_starts_with_the_file_there_halts_though_nobody_told_it(self, stage, make, file):
        file.engage(HaltNote(reason="enough", person="asha"))
        stage.open(*an_open_one(make), halt_paths=(str(file.path),))

        assert withdrawn_since_the_start(stage) == ["A-1"]
        assert changes(stage) == [("NORMAL", "HALTED", "kill switch: enough", "asha")]
        assert stage.statistics.risk_state == "HALTED"

    def test_orders_that_starts_with_the_file_gone_does_not(self, stage, make, file):
        stage.open(*an_open_one(make), halt_paths=(str(file.path),))

        assert withdrawn(stage) == []
        assert changes(stage) == []

    def test_a_halt_that_is_durable_is_not_written_again_at_the_next_start(self, stage, make, file):
        file.engage(HaltNote(reason="enough", person="asha"))
        halted = RiskStateChanged(
            previous="NORMAL", state="HALTED", cause="kill switch: enough", changed_by="asha", occurred_ns=1
        )
        stage.open(*an_open_one(make), halted, halt_paths=(str(file.path),))

        assert withdrawn_since_the_start(stage) == ["A-1"]
        assert len(changes(stage)) == 1

    def test_a_cancellation_passes(self, stage, make, switch, halt, file):
        stage.open(*an_open_one(make), halt_paths=(str(file.path),))
        file.engage(HaltNote())
        stage.tell(CancelOrder(client_order_id="A-1"), stage.strategy)

        assert stage.asked_next(WithdrawOrder).client_order_id == "A-1"


def test_an_order_in_doubt_that_is_found_is_cancelled(stage, make, halt):
    stage.open(make.intent("A-1"), make.uncertain("A-1"))
    halt()
    stage.asked_next(WithdrawOrder)
    stage.tell(OrderFound(client_order_id="A-1", broker_order_id="B-1", state="OPEN"))

    assert stage.asked_next(WithdrawOrder) == WithdrawOrder(client_order_id="A-1", broker_order_id="B-1")


def test_a_stranger_by_the_name_of_the_flattener_closes_nothing_in_a_halt(stage, make, actor_system, switch, halt):
    stage.open(make.intent("A-1"), make.filled("A-1"))
    halt()
    switch.receive()
    stage.tell(make.order("A-2", side="SELL"), actor_system.probe("flattener"))
    stage.settle()

    assert stage.disk.kinds("A-2") == [OrderRefused]


class Stranger(RuntimeActor):
    """Not of this package, whatever its name."""

    @handles(SubmitOrder)
    def submit(self, order, _sender):
        self.send("orders", order)


def test_another_actor_by_the_name_of_the_flattener_closes_nothing_in_a_halt(stage, make, actor_system, switch, halt):
    stage.open(make.intent("A-1"), make.filled("A-1"))
    halt()
    switch.receive()
    actor_system.start("flattener", Stranger)
    actor_system.tell("flattener", make.order("A-2", side="SELL", order_type="LIMIT", limit_price=99.0))
    stage.wait_until(lambda: stage.disk.kinds("A-2"))

    assert stage.disk.kinds("A-2") == [OrderRefused]


class Closer(RuntimeActor):
    """The system's own: it is of this package."""

    @handles(SubmitOrder)
    def submit(self, order, _sender):
        self.send("orders", order)


Closer.__module__ = "natya.actors.kill_switch.flattener"


@pytest.fixture
def closing(stage, make, actor_system, switch, halt):
    """Orders in a halt, with ten shares held; returns what closes so many of them."""
    stage.open(make.intent("A-1"), make.filled("A-1"))
    halt()
    switch.receive()
    actor_system.start("flattener", Closer)

    def close(quantity):
        order = make.order("A-2", side="SELL", quantity=quantity, order_type="LIMIT", limit_price=99.0)
        actor_system.tell("flattener", order)
        stage.wait_until(lambda: stage.disk.kinds("A-2"))
        return stage.disk.kinds("A-2")

    return close


def test_the_flattener_closes_in_a_halt(stage, closing):
    assert closing(10) == [OrderIntended]
    assert stage.asked_next(PlaceOrder).flattens


def test_an_order_of_the_flattener_is_cancelled_by_no_halt_while_it_is_open(stage, closing, switch, halt):
    closing(10)
    stage.asked_next(PlaceOrder)
    stage.tell(OrderPlaced(client_order_id="A-2", broker_order_id="B-2"))
    stage.wait_until(lambda: OrderAccepted in stage.disk.kinds("A-2"))
    halt(HaltTrading(cause="kill switch: again", person="ravi"))

    assert switch.receive() == TradingHalted(cancelling=0)
    assert withdrawn(stage) == []


def test_another_actor_of_this_package_closes_nothing_in_a_halt(stage, make, actor_system, switch, halt):
    stage.open(make.intent("A-1"), make.filled("A-1"))
    halt()
    switch.receive()
    actor_system.start("other", Closer)
    actor_system.tell("other", make.order("A-2", strategy="other", side="SELL", order_type="LIMIT", limit_price=99.0))
    stage.wait_until(lambda: stage.disk.kinds("A-2"))

    assert stage.disk.kinds("A-2") == [OrderRefused]


def test_the_flattener_opens_nothing(stage, closing):
    assert closing(11) == [OrderRefused]
    assert PlaceOrder not in stage.heard()
    assert stage.system.base.find("orders").instance._halting.handover() == (True, frozenset())


class TestWhatIsToBeCancelled:
    def test_is_nothing_before_a_halt_nor_after_its_end(self, make):
        halting, orders = Halting(), [Order.from_intent(make.intent("A-1"))]
        asker = object()
        assert halting.to_cancel(orders) == ()
        halting.begin(HALT, asker)
        assert halting.to_cancel(orders) == ("A-1",)
        assert (halting.take_askers(), halting.take_askers()) == ([asker], [])
        halting.end()

        assert halting.to_cancel(orders) == ()

    def test_is_no_order_that_closes_for_this_halt_and_every_one_of_an_earlier_halt(self, make):
        halting, orders = Halting(), [Order.from_intent(make.intent(name)) for name in ("A-1", "F-1")]
        halting.begin(HALT, object())
        halting.closing.add("F-1")
        assert halting.to_cancel(orders) == ("A-1",)
        halting.end()
        halting.begin(HALT, object())

        assert halting.to_cancel(orders) == ("A-1", "F-1")


class TestStopsInAHalt:
    @pytest.fixture(autouse=True)
    def _often(self, monkeypatch):
        monkeypatch.setattr(limiting, "WATCH_S", 0.02)
        monkeypatch.setattr(cancelling, "CANCEL_AGAIN_S", 3_600.0)

    @pytest.fixture
    def facts(self, make):
        """A bracket of ten that is held, its exits, and an entry that rests."""
        exits = {"side": "SELL", "quantity": 10}
        return (
            *(make.intent(target_price=110.0, stop_loss_price=95.0), make.accepted(), make.filled()),
            make.intent("A-1S", order_type="STOP", trigger_price=95.0, **exits),
            make.accepted("A-1S", "B-1S"),
            make.intent("A-1T", order_type="LIMIT", limit_price=110.0, occurred_ns=1_001, **exits),
            make.accepted("A-1T", "B-1T"),
            make.intent("A-2"),
            make.accepted("A-2", "B-2"),
        )

    def test_stay_as_far_as_they_close_what_is_held_and_all_else_is_cancelled(self, stage, switch, halt, facts):
        stage.open(*facts)
        halt()

        assert withdrawn(stage) == ["A-1T", "A-2"]
        assert switch.receive() == TradingHalted(cancelling=2)

    def test_go_with_all_others_where_that_is_wanted(self, stage, halt, facts):
        stage.open(*facts, keeps_stops=False)
        halt()

        assert withdrawn(stage) == ["A-1S", "A-1T", "A-2"]

    @pytest.mark.parametrize(
        "doubt",
        [
            lambda make: (make.intent("A-9S", side="SELL", quantity=10, order_type="STOP", trigger_price=95.0),),
            lambda make: (
                *(make.intent("H"), make.filled("H")),
                make.intent("A-9S", side="SELL", quantity=10, order_type="STOP", trigger_price=95.0),
                make.uncertain("A-9S"),
            ),
            lambda make: (
                *(make.intent("H"), make.filled("H")),
                make.intent("A-9S", side="SELL", quantity=10, order_type="STOP", trigger_price=95.0),
                make.filled("A-9S", "T-9S", side="SELL", quantity=4),
            ),
            lambda make: (
                *(make.intent("H"), make.filled("H")),
                make.intent("A-9S", side="SELL", quantity=10, order_type="STOP", trigger_price=95.0),
                make.accepted("A-9S", "B-9S"),
                CancellationIntended(client_order_id="A-9S", number=1, asked_by="crossover", occurred_ns=4_000),
            ),
            lambda make: (
                make.intent("A-9S", side="SELL", quantity=1, order_type="STOP", trigger_price=95.0),
                make.accepted("A-9S", "B-9S"),
            ),
            lambda make: (
                make.intent("A-9S", side="BUY", quantity=1, order_type="STOP", trigger_price=105.0),
                make.accepted("A-9S", "B-9S"),
            ),
        ],
        ids=[
            *("not known to be there", "in doubt", "without its number there", "being cancelled"),
            *("for shares that are not held", "that opens"),
        ],
    )
    def test_that_do_anything_else_go(self, stage, make, halt, doubt):
        stage.open(*doubt(make))
        halt()

        assert "A-9S" in withdrawn(stage)

    @pytest.mark.parametrize("by", ["a report", "a look-up that also tells its end"])
    def test_go_when_what_they_were_for_is_closed_by_what_trades_in_the_flight_of_its_cancellation(
        self, stage, make, facts, by
    ):
        stage.open(*facts)
        stage.tell(HALT)
        withdrawn(stage)
        trade = make.report(client_order_id="A-1T", side="SELL", quantity=4, cumulative_quantity=4, price=110.0)
        found = {"broker_order_id": "B-1T", "state": "CANCELLED", "quantity": 10, "limit_price": 110.0}
        stage.tell(trade if by == "a report" else OrderFound(client_order_id="A-1T", reports=(trade,), **found))
        stage.wait_until(lambda: OrderFilled in stage.disk.kinds("A-1T"))

        assert withdrawn(stage) == ["A-1S"], "the others were asked for already"

    def test_that_are_missing_for_what_is_held_are_told_as_long_as_the_halt_lasts(self, stage, make, switch, facts):
        traded = make.filled("A-3", "T-3", 4, symbol="TCS", side="SELL")
        stage.open(*facts, make.intent("A-3", "SELL", 4, symbol="TCS"), traded, audited=True)
        stage.tell(HALT, switch)
        switch.receive()
        stage.wait_until(lambda: self.trouble(stage) == "halted, and held without a stop: 4 TCS of crossover")
        stage.tell(Resume(reason="looked into it", person="asha"), stage.strategy)

        stage.wait_until(lambda: not self.trouble(stage))

    def trouble(self, stage):
        stage.settle()
        return stage.system.base.find("orders").instance.trouble

    def test_go_when_the_broker_is_found_to_hold_less(self, stage, halt, facts):
        stage.open(*facts)
        halt()
        withdrawn(stage)
        mismatch = PositionMismatch(symbol="INFY", ours=10, theirs=9, is_ours=True, since_ns=1, occurred_ns=1)
        stage.tell(PositionsDiffer(positions=(mismatch,)))

        assert "A-1S" in withdrawn(stage)

    def test_go_are_asked_for_again_until_the_broker_has_cancelled_them(self, stage, make, halt, monkeypatch):
        monkeypatch.setattr(cancelling, "CANCEL_AGAIN_S", 0.02)
        stop = make.intent("A-1S", side="SELL", quantity=10, order_type="STOP", trigger_price=95.0)
        stage.open(
            *(make.intent(stop_loss_price=95.0), make.accepted(), make.filled()), stop, make.accepted("A-1S", "B-1S")
        )
        halt()
        assert withdrawn(stage) == [], "it closes what is held"
        mismatch = PositionMismatch(symbol="INFY", ours=10, theirs=9, is_ours=True, since_ns=1, occurred_ns=1)
        stage.tell(PositionsDiffer(positions=(mismatch,)))

        assert [stage.asked_next(WithdrawOrder).client_order_id for _ in range(3)] == ["A-1S"] * 3

    def test_are_still_there_when_a_person_resumes(self, stage, make, switch, halt, facts):
        stage.open(*facts)
        halt()
        switch.receive()
        for name in withdrawn(stage):
            side, number = ("SELL" if name == "A-1T" else "BUY"), name.replace("A", "B")
            stage.tell(make.report("CANCELLED", client_order_id=name, broker_order_id=number, side=side))
        stage.tell(Resume(reason="looked into it", person="asha"), stage.strategy)
        assert isinstance(stage.strategy.receive(), Resumed)
        stage.settle()

        assert withdrawn(stage) == []
        (left,) = stage.system.request("orders", ReadOrders(open_only=True)).orders
        assert left.client_order_id == "A-1S"
