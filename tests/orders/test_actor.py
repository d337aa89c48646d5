"""The orders actor: nothing sent before it is durable, nothing sent twice, nothing accepted lost."""

from concurrent.futures import ThreadPoolExecutor

import msgspec
import pytest
from natya_builders import a_tick
from natya_messages import distinct
from natya_orders_stage import FakeJournal, Release, Stage

from natya.actors.orders import FactWithoutIntentError, OrdersActor
from natya.actors.orders.parts import starting
from natya.actors.orders.rules import Band, Bands, Funds
from natya.actors.runtime import InProcessSystem, InProcessSystemBase, Outcome, RequestTimedOut, RuntimeActor, handles
from natya.actors.runtime.simulation import SimulatedSystemBase
from natya.cli.exit_codes import BAD_DATA, exit_code
from natya.domain.client_order_ids import DRAWS
from natya.domain.clock_jumps import Look
from natya.domain.time import DAY_NS, SECOND_NS
from natya.messages.accounts import AccountEntered
from natya.messages.broker import (
    ClockCompared,
    FindOrder,
    LookupFailed,
    OrderFound,
    OrderInDoubt,
    OrderNotFound,
    OrderNotPlaced,
    OrderNotReplaced,
    OrderPlaced,
    OrderReplaced,
    OrdersSentBefore,
    PlaceOrder,
    ReplaceInDoubt,
    ReplaceOrder,
    ReportRefused,
    WithdrawOrder,
)
from natya.messages.holdings import ReadHoldings
from natya.messages.journal import Appended, CheckpointKept, CheckpointRead, JournalPage, KeepCheckpoint, ReadCheckpoint
from natya.messages.order_listing import ReadPositions
from natya.messages.orders import (
    CancelOrder,
    ModificationRefused,
    ModifyOrder,
    OrderAccepted,
    OrderCancelled,
    OrderExpired,
    OrderFilled,
    OrderIntended,
    OrderRefused,
    OrderRejected,
    OrderUncertain,
    SubmitOrder,
)
from natya.messages.reconciliation import PositionMismatch
from natya.messages.risk import FreezeQuantitiesTold
from natya.messages.strategy_state import ReadState, SaveState, StrategyStateSaved
from natya.messages.supervision import ChildRestarted, Failed, Unavailable
from natya.messages.system import ActorStatistics


class TestAnOrder:
    def test_leaves_only_when_its_intent_is_durable(self, stage, make):
        stage.open()
        stage.disk.mode = "hold"
        stage.submit(make.order())
        stage.settle()
        assert stage.broker.is_empty()
        stage.system.tell("journal", Release())

        placed = stage.broker.receive()
        assert (placed.client_order_id, placed.quantity, placed.order_type) == ("A-1", 10, "MARKET")
        assert stage.disk.kinds() == [OrderIntended]

    def test_that_is_submitted_again_is_answered_and_not_sent(self, stage, make):
        stage.open()
        stage.place(make.order())
        stage.settle()
        for _ in range(3):
            stage.submit(make.order())
            assert isinstance(stage.strategy.receive(), OrderAccepted)

        assert stage.broker.is_empty()
        assert stage.disk.kinds() == [OrderIntended, OrderAccepted]

    def test_that_is_submitted_again_while_the_journal_writes_leaves_once(self, stage, make):
        stage.open()
        stage.disk.mode = "hold"
        for _ in range(3):
            stage.submit(make.order())
        stage.settle()
        stage.system.tell("journal", Release())

        assert isinstance(stage.broker.receive(), PlaceOrder)
        assert [type(stage.strategy.receive()) for _ in range(2)] == [OrderIntended] * 2
        assert PlaceOrder not in stage.heard()
        assert stage.disk.kinds() == [OrderIntended]

    def test_that_is_submitted_again_while_another_is_written_is_known_by_its_own_id(self, stage, make):
        stage.open()
        stage.disk.mode = "hold"
        for order in (make.order("A-1"), make.order("A-2", quantity=7), make.order("A-2", quantity=7)):
            stage.submit(order)
        stage.settle()
        stage.system.tell("journal", Release())

        assert [stage.broker.receive().quantity for _ in range(2)] == [10, 7]
        assert isinstance(stage.strategy.receive(), OrderIntended)
        stage.settle()
        assert PlaceOrder not in stage.heard()

    def test_that_is_submitted_again_while_its_acceptance_is_written_leaves_once(self, stage, make):
        stage.open()
        stage.submit(make.order())
        stage.broker.receive()
        stage.disk.mode = "hold"
        stage.tell(OrderPlaced(client_order_id="A-1", broker_order_id="B-1"))
        stage.submit(make.order())
        told = stage.strategy.receive()
        stage.system.tell("journal", Release())
        stage.settle()

        assert isinstance(told, OrderIntended)
        assert set(stage.heard()) <= {FindOrder}
        assert stage.disk.kinds() == [OrderIntended, OrderAccepted]

    @pytest.mark.parametrize("mode", ["hold", "write"])
    def test_of_another_content_under_its_id_is_refused_and_changes_nothing(self, stage, make, mode):
        stage.open()
        stage.disk.mode = mode
        stage.submit(make.order())
        stage.settle()
        stage.submit(make.order(quantity=7))
        refusal = stage.strategy.receive()
        stage.system.tell("journal", Release())
        stage.settle()
        stage.submit(make.order())

        assert (type(refusal), refusal.rule, refusal.client_order_id) == (OrderRefused, "duplicate", "A-1")
        assert "quantity 10 wanted" in refusal.reason
        assert isinstance(stage.strategy.receive(), OrderIntended)
        assert stage.broker.receive().quantity == 10
        assert PlaceOrder not in stage.heard()
        assert stage.disk.kinds() == [OrderIntended]

    def test_that_was_refused_is_answered_so_again_and_another_one_under_its_id_too(self, stage, make):
        stage.open(quantity_max=9)
        stage.submit(make.order())
        stage.settle()
        stage.submit(make.order())
        stage.submit(make.order(quantity=5))

        assert [stage.strategy.receive().rule for _ in range(2)] == ["quantity_max", "duplicate"]
        assert stage.broker.is_empty()
        assert stage.disk.kinds() == [OrderRefused]

    def test_that_the_gate_refuses_is_written_down_and_not_sent(self, stage, make):
        stage.open(quantity_max=9)
        stage.submit(make.order())
        stage.settle()

        assert stage.broker.is_empty()
        assert [fact.rule for fact in stage.disk.facts] == ["quantity_max"]

    def test_is_refused_above_the_freeze_quantity_with_rule_limit_and_value_and_told_so_to_who_flattens(
        self, stage, make
    ):
        stage.open(make.intent("H-1"), make.accepted("H-1"), make.filled("H-1"))
        stage.tell(FreezeQuantitiesTold(of={"INFY": 9, "TCS": 5}))
        stage.place(make.order("A-1", quantity=9))
        stage.submit(make.order("A-2", quantity=10))
        stage.settle()

        refused = stage.disk.facts[-1]
        assert (refused.client_order_id, refused.rule) == ("A-2", "freeze_quantity")
        assert refused.reason == "1 to 9 shares wanted, as the exchange's freeze quantity allows, found 10"
        assert stage.system.request("orders", ReadPositions()).freeze_quantities == {"INFY": 9}
        assert stage.statistics.rejected == 1

    def test_counts_in_the_gate_before_it_is_durable(self, stage, make):
        stage.open(position_max=15)
        stage.disk.mode = "hold"
        stage.submit(make.order("A-1"))
        stage.submit(make.order("A-2"))
        stage.settle()
        stage.system.tell("journal", Release())
        stage.settle()

        assert stage.disk.kinds("A-1") == [OrderIntended]
        assert stage.disk.kinds("A-2") == [OrderRefused]

    def test_that_the_journal_cannot_take_is_not_sent_and_the_strategy_is_told(self, stage, make):
        stage.open(quantity_max=10)
        stage.disk.mode = "refuse"
        stage.submit(make.order("A-1"))
        stage.submit(make.order("A-2", quantity=11))

        assert [stage.strategy.receive().rule for _ in range(2)] == ["journal", "quantity_max"]
        assert stage.broker.is_empty()
        assert stage.disk.facts == []

    def test_whose_acceptance_the_journal_refused_is_asked_for_whatever_else_is_heard_of_it(self, stage, make):
        stage.open(lookup_interval_s=0.2)
        stage.submit(make.order())
        stage.broker.receive()
        stage.disk.mode = "refuse"
        stage.tell(OrderPlaced(client_order_id="A-1", broker_order_id="B-1"))
        stage.settle()
        stage.disk.mode = "write"
        stage.tell(make.report("CANCEL_REJECTED"))

        assert stage.asked_next(FindOrder).client_order_id == "A-1"
        stage.tell(OrderFound(client_order_id="A-1", broker_order_id="B-1", state="CANCELLED", reports=()))
        stage.settle()
        assert stage.disk.kinds() == [OrderIntended, OrderAccepted, OrderCancelled]

    def test_that_the_broker_refuses_is_rejected(self, stage, make):
        stage.open()
        stage.submit(make.order())
        stage.broker.receive()
        stage.tell(OrderNotPlaced(client_order_id="A-1", reason="no margin"))
        stage.settle()

        assert stage.disk.kinds() == [OrderIntended, OrderRejected]
        assert stage.statistics.rejected == 1


class TestFills:
    def test_are_written_once_even_while_the_first_is_being_written(self, stage, make):
        stage.open()
        stage.place(make.order())
        stage.settle()
        stage.disk.mode = "hold"
        for _ in range(3):
            stage.tell(make.report(quantity=4))
        stage.settle()
        stage.system.tell("journal", Release())
        stage.settle()
        stage.tell(make.report(quantity=4))
        stage.settle()

        assert stage.disk.kinds() == [OrderIntended, OrderAccepted, OrderFilled]
        assert [(each.symbol, each.quantity) for each in stage.statistics.positions] == [("INFY", 4)]

    def test_may_come_before_the_answer(self, stage, make):
        stage.open()
        stage.submit(make.order())
        stage.broker.receive()
        stage.tell(make.report(quantity=10))
        stage.tell(OrderPlaced(client_order_id="A-1", broker_order_id="B-1"))
        stage.settle()

        assert stage.disk.kinds() == [OrderIntended, OrderAccepted, OrderFilled]
        assert stage.statistics.open_orders == 0

    def test_that_the_journal_refused_are_asked_for_again(self, stage, make):
        stage.open()
        stage.place(make.order())
        stage.settle()
        stage.disk.mode = "refuse"
        stage.tell(make.report(quantity=10))
        stage.asked_next(FindOrder)
        stage.disk.mode = "write"
        reports = (make.report(quantity=10),)
        stage.tell(OrderFound(client_order_id="A-1", broker_order_id="B-1", state="FILLED", reports=reports))
        stage.settle()

        assert stage.disk.kinds() == [OrderIntended, OrderAccepted, OrderFilled]

    def test_that_are_missing_when_an_order_ends_are_asked_for_first(self, stage, make):
        stage.open()
        stage.place(make.order())
        stage.tell(make.report("CANCELLED", cumulative_quantity=4))
        assert stage.asked_next(FindOrder).client_order_id == "A-1"
        assert OrderCancelled not in stage.disk.kinds()
        reports = (make.report(quantity=4, cumulative_quantity=4),)
        stage.tell(OrderFound(client_order_id="A-1", broker_order_id="B-1", state="CANCELLED", reports=reports))
        stage.settle()

        assert stage.disk.kinds() == [OrderIntended, OrderAccepted, OrderFilled, OrderCancelled]

    def test_of_orders_that_are_not_ours_change_nothing(self, stage, make):
        stage.open()
        stage.tell(make.report(client_order_id="by-hand", quantity=10))
        stage.settle()

        assert stage.disk.facts == []


class TestAReportThatTheSessionRefused:
    def test_has_the_order_looked_up_and_changes_nothing(self, stage, make):
        stage.open()
        stage.place(make.order())
        stage.settle()
        stage.tell(ReportRefused(client_order_id="A-1", rule="price", reason="found nan"))
        stage.tell(ReportRefused(client_order_id="foreign", rule="price", reason="found nan"))

        assert stage.asked_next(FindOrder).client_order_id == "A-1"
        assert stage.disk.kinds() == [OrderIntended, OrderAccepted]
        stage.tell(OrderFound(client_order_id="A-1", broker_order_id="B-1", state="OPEN"))
        stage.settle()
        assert stage.statistics.open_orders == 1


class TestAnOrderThatTheBrokerDoesNotKnowYet:
    """Orders has worked for an hour: a request is as old as it is, not as old as that."""

    @pytest.fixture
    def worked(self, stage):
        stage.open(absence_horizon_s=600.0)
        stage.system.base.find("orders").instance._context.ages._began_ns -= 3_600 * SECOND_NS
        return stage

    def test_is_in_doubt_until_its_request_can_be_under_way_no_more(self, worked, make):
        worked.submit(make.order())
        worked.broker.receive()
        worked.tell(OrderInDoubt(client_order_id="A-1", reason="late"))
        worked.tell(OrderNotFound(client_order_id="A-1"))
        worked.settle()
        assert worked.disk.kinds() == [OrderIntended, OrderUncertain]
        worked.system.base.find("orders").instance._context.ages._left_ns["A-1"] -= 600 * SECOND_NS
        worked.tell(OrderNotFound(client_order_id="A-1"))
        worked.settle()

        assert worked.disk.kinds() == [OrderIntended, OrderUncertain, OrderExpired]

    def test_is_as_before_until_its_change_can_be_under_way_no_more(self, worked, make):
        worked.place(make.order(order_type="LIMIT", limit_price=100.0))
        worked.settle()
        ages = worked.system.base.find("orders").instance._context.ages
        ages._left_ns["A-1"] -= 3_600 * SECOND_NS
        worked.tell(ModifyOrder(client_order_id="A-1", quantity=20), worked.strategy)
        worked.asked_next(ReplaceOrder)
        shown = OrderFound(client_order_id="A-1", broker_order_id="B-1", state="OPEN", quantity=10, limit_price=100.0)
        worked.tell(shown)
        worked.settle()
        assert ModificationRefused not in worked.disk.kinds()
        ages._left_ns["A-1"] -= 600 * SECOND_NS
        worked.tell(shown)
        worked.settle()

        assert worked.disk.kinds()[-1] == ModificationRefused


class TestAReportOfWhatWasNotOrdered:
    """The session knows only what it placed itself; an order of an earlier process is compared here."""

    def test_is_foreign_where_no_such_order_is_known(self, stage, make, caplog):
        def told():
            stage.settle()
            return [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]

        stage.open()
        stage.place(make.order())
        stage.tell(make.report(quantity=4))
        assert told() == []
        stage.tell(make.report(client_order_id="B-7", quantity=4))

        assert told() == ["order.foreign"]
        assert stage.disk.kinds("B-7") == []

    @pytest.mark.parametrize("fields", [{"symbol": "OTHER"}, {"side": "SELL"}], ids=str)
    def test_has_the_order_looked_up_and_changes_nothing(self, stage, make, fields, caplog):
        stage.open()
        stage.place(make.order())
        stage.settle()
        stage.tell(make.report(quantity=4, **fields))

        assert stage.asked_next(FindOrder).client_order_id == "A-1"
        stage.settle()
        assert stage.disk.kinds() == [OrderIntended, OrderAccepted]
        (refused,) = [each.fields for each in caplog.records if each.message == "report.refused"]
        assert refused["rule"] == {"symbol": "instrument", "side": "side"}[next(iter(fields))]
        assert "as ordered wanted, found" in refused["reason"]

    def test_proves_nothing_where_an_open_order_was_asked_for(self, stage, make):
        stage.open(make.intent())
        found = OrderFound(client_order_id="A-1", broker_order_id="B-1", state="OPEN", symbol="OTHER")
        stage.tell(found)
        stage.settle()

        assert stage.statistics.risk_state == "RECONCILING"
        assert stage.disk.kinds() == [OrderIntended, OrderUncertain]
        stage.tell(msgspec.structs.replace(found, symbol=make.intent().symbol))
        stage.settle()
        assert stage.statistics.risk_state == "NORMAL"


class TestAnOrderInDoubt:
    @pytest.fixture
    def simulated(self, make):
        with InProcessSystem(SimulatedSystemBase(1)) as system:
            yield Stage(system, make)

    @pytest.fixture
    def doubtful(self, stage, make):
        def build(**limits):
            stage.open(**limits)
            stage.submit(make.order())
            stage.broker.receive()
            stage.tell(OrderInDoubt(client_order_id="A-1", reason="time-out"))
            return stage

        return build

    def test_is_looked_up_until_the_broker_has_answered_and_never_sent_again(self, doubtful):
        stage = doubtful()
        for _ in range(3):
            assert stage.asked_next(FindOrder).client_order_id == "A-1"
            stage.tell(LookupFailed(client_order_id="A-1", reason="time-out"))
        stage.settle()
        assert stage.statistics.uncertain_orders == 1
        assert stage.disk.kinds() == [OrderIntended, OrderUncertain]
        stage.asked_next(FindOrder)
        stage.tell(OrderFound(client_order_id="A-1", broker_order_id="B-1", state="OPEN"))
        stage.settle()

        assert stage.disk.kinds() == [OrderIntended, OrderUncertain, OrderAccepted]
        assert stage.statistics.uncertain_orders == 0

    def test_is_not_absent_before_the_horizon(self, doubtful):
        stage = doubtful(absence_horizon_s=1000.0)
        for _ in range(3):
            assert stage.asked_next(FindOrder).client_order_id == "A-1"
            stage.tell(OrderNotFound(client_order_id="A-1"))
        stage.settle()

        assert stage.statistics.uncertain_orders == 1
        assert OrderExpired not in stage.disk.kinds()

    def test_is_absent_when_the_broker_does_not_know_it_after_the_horizon(self, doubtful):
        stage = doubtful(absence_horizon_s=0.1)
        while OrderExpired not in stage.disk.kinds():
            assert stage.asked_next(FindOrder).client_order_id == "A-1"
            stage.tell(OrderNotFound(client_order_id="A-1"))
            stage.settle()

        assert stage.disk.kinds() == [OrderIntended, OrderUncertain, OrderExpired]

    def test_is_not_absent_because_the_wall_clock_was_set_forward(self, simulated, make):
        stage = simulated.open(absence_horizon_s=60.0, lookup_interval_s=60.0)
        stage.submit(make.order())
        stage.settle()
        stage.tell(OrderInDoubt(client_order_id="A-1", reason="time-out"))
        stage.system.base.clock.step_wall(3_600 * SECOND_NS)
        stage.tell(OrderNotFound(client_order_id="A-1"))
        stage.settle()
        assert OrderExpired not in stage.disk.kinds()
        stage.system.base.clock.step_wall(-7_200 * SECOND_NS)
        stage.system.base.run_for(60.0)
        stage.tell(OrderNotFound(client_order_id="A-1"))
        stage.settle()

        assert stage.disk.kinds() == [OrderIntended, OrderUncertain, OrderExpired]

    def test_of_an_earlier_life_may_have_left_just_before_this_one(self, simulated, make):
        stage = simulated.open(make.intent(), absence_horizon_s=1.0)  # by the clock of 1970
        stage.tell(OrderNotFound(client_order_id="A-1"))
        stage.settle()
        assert OrderExpired not in stage.disk.kinds()
        assert stage.statistics.risk_state == "NORMAL"  # which does not wait for it
        stage.system.base.run_for(1.0)
        stage.tell(OrderNotFound(client_order_id="A-1"))
        stage.settle()

        assert stage.disk.kinds() == [OrderIntended, OrderUncertain, OrderExpired]

    def test_of_an_earlier_life_is_looked_up_whatever_open_order_is_beside_it(self, stage, make):
        stage.open(make.intent("A-1"), make.accepted("A-1"))
        stage.disk.facts += [make.intent("A-2"), make.intent("A-3")]  # written when the journal had been read back
        stage.tell(Appended(first_sequence=3, last_sequence=4, correlation_id="A-3"), stage.strategy)

        stage.wait_until(lambda: OrderUncertain in stage.disk.kinds("A-3"))
        assert stage.disk.kinds("A-2") == stage.disk.kinds("A-3") == [OrderIntended, OrderUncertain]
        assert OrderUncertain not in stage.disk.kinds("A-1")

    def test_of_this_life_that_is_on_its_way_is_not_taken_for_one_of_an_earlier_life(self, stage, make):
        stage.open()
        stage.submit(make.order("A-1"))
        assert isinstance(stage.broker.receive(), PlaceOrder)
        stage.disk.facts += [make.intent("A-2")]  # written when the journal had been read back
        stage.tell(Appended(first_sequence=2, last_sequence=2, correlation_id="A-2"), stage.strategy)

        stage.wait_until(lambda: OrderUncertain in stage.disk.kinds("A-2"))
        assert stage.disk.kinds("A-1") == [OrderIntended]

    def test_that_trades_after_it_counted_as_absent_halts_trading(self, doubtful, make):
        stage = doubtful(absence_horizon_s=0.001)
        stage.broker.receive()
        while OrderExpired not in stage.disk.kinds():
            stage.tell(OrderNotFound(client_order_id="A-1"))
            stage.settle()
        stage.tell(make.report(quantity=10))
        stage.settle()

        assert stage.statistics.risk_state == "HALTED"
        assert [each.quantity for each in stage.statistics.positions] == [10]
        stage.submit(make.order("A-2"))
        stage.settle()
        assert stage.disk.kinds("A-2") == [OrderRefused]

    @pytest.mark.parametrize(
        "answer",
        [
            Failed(actor="broker", message_type="PlaceOrder", error="OSError", reason="reset"),
            Unavailable(actor="broker", reason="breaker open", retry_after_s=1.0),
        ],
        ids=["failed", "unavailable"],
    )
    def test_is_every_order_under_way_when_the_session_fails(self, stage, make, answer):
        stage.open()
        stage.submit(make.order())
        stage.broker.receive()
        stage.tell(answer)
        stage.settle()

        assert stage.disk.kinds() == [OrderIntended, OrderUncertain]
        assert stage.asked_next(FindOrder).client_order_id == "A-1"

    def test_is_one_that_the_session_never_answered_for(self, stage, make):
        stage.open()
        stage.submit(make.order())
        stage.broker.receive()

        assert stage.asked_next(FindOrder).client_order_id == "A-1"
        stage.tell(OrderNotFound(client_order_id="A-1"))
        stage.settle()
        assert stage.disk.kinds() == [OrderIntended, OrderUncertain]


class TestACancellation:
    def test_withdraws_an_open_order(self, stage, make):
        stage.open()
        stage.place(make.order())
        stage.settle()
        stage.tell(CancelOrder(client_order_id="A-1"), stage.strategy)
        assert stage.broker.receive() == WithdrawOrder(client_order_id="A-1", broker_order_id="B-1")
        stage.tell(make.report("CANCELLED"))
        stage.settle()

        assert stage.disk.kinds()[-1] is OrderCancelled

    def test_waits_until_the_order_has_been_placed(self, stage, make):
        stage.open()
        stage.disk.mode = "hold"
        stage.submit(make.order())
        stage.tell(CancelOrder(client_order_id="A-1"), stage.strategy)
        stage.settle()
        assert stage.broker.is_empty()
        stage.system.tell("journal", Release())

        assert [type(stage.broker.receive()) for _ in range(2)] == [PlaceOrder, WithdrawOrder]

    def test_that_comes_before_the_journal_is_read_back_is_asked_for_then(self, stage, make):
        stage.disk.facts.extend((make.intent("A-1"), make.accepted("A-1"), make.intent("A-2"), make.rejected("A-2")))
        stage.disk.mode = "silent"
        stage.system.start("journal", FakeJournal, stage.disk)
        stage.system.base.start_actor("orders", OrdersActor, make.limits(lookup_interval_s=0.02))
        for client_order_id in ("A-1", "A-2", "A-9"):
            stage.tell(CancelOrder(client_order_id=client_order_id), stage.strategy)
        stage.settle()
        assert stage.broker.is_empty()
        stage.disk.mode = "write"
        stage.system.tell("journal", Release())

        assert stage.asked_next(WithdrawOrder).client_order_id == "A-1"
        stage.settle()
        assert WithdrawOrder not in [type(stage.broker.receive()) for _ in range(2)]

    def test_that_comes_while_the_broker_is_asked_for_open_orders_is_passed_on(self, stage, make):
        stage.open(make.intent("A-1"), make.accepted("A-1"))
        stage.settle()
        assert stage.statistics.risk_state == "RECONCILING"
        stage.tell(CancelOrder(client_order_id="A-1"), stage.strategy)

        assert stage.asked_next(WithdrawOrder).client_order_id == "A-1"

    def test_that_waited_when_orders_failed_is_asked_for_by_the_next_life(self, stage, make):
        stage.open()
        stage.disk.mode = "hold"
        stage.submit(make.order())
        stage.tell(CancelOrder(client_order_id="A-1"), stage.strategy)
        stage.settle()
        stage.system.tell("journal", Release(answers=False))
        stage.tell(Failed(actor="journal", message_type="Append", error="OSError", reason="reset"))

        assert stage.asked_next(WithdrawOrder).client_order_id == "A-1"

    def test_of_an_order_that_the_broker_does_not_have_yet_is_asked_for_again_when_it_has(self, stage, make):
        stage.open()
        stage.submit(make.order())
        stage.broker.receive()
        stage.tell(OrderInDoubt(client_order_id="A-1", reason="time-out"))
        stage.tell(CancelOrder(client_order_id="A-1"), stage.strategy)
        assert stage.asked_next(WithdrawOrder).client_order_id == "A-1"
        stage.tell(make.report("CANCEL_REJECTED", broker_order_id=""))
        assert WithdrawOrder not in stage.heard()
        stage.tell(OrderPlaced(client_order_id="A-1", broker_order_id="B-1"))

        assert stage.asked_next(WithdrawOrder).client_order_id == "A-1"
        stage.tell(make.report("CANCELLED"))
        stage.settle()
        assert stage.disk.kinds()[-1] is OrderCancelled

    def test_that_waits_for_an_order_that_is_never_placed_is_forgotten_with_it(self, stage, make):
        stage.open()
        stage.submit(make.order())
        stage.broker.receive()
        stage.tell(OrderInDoubt(client_order_id="A-1", reason="time-out"))
        stage.tell(CancelOrder(client_order_id="A-1"), stage.strategy)
        assert stage.asked_next(WithdrawOrder).client_order_id == "A-1"
        stage.tell(make.report("REJECTED", broker_order_id="B-1"))
        stage.settle()

        assert WithdrawOrder not in stage.heard()
        assert stage.disk.kinds()[-1] is OrderRejected

    def test_of_what_has_ended_or_never_was_asks_for_nothing(self, stage, make):
        stage.open(make.intent(), make.cancelled())
        stage.tell(CancelOrder(client_order_id="A-1"), stage.strategy)
        stage.tell(CancelOrder(client_order_id="A-9"), stage.strategy)
        stage.tell(make.report("CANCEL_REJECTED"))
        stage.settle()

        assert stage.broker.is_empty()
        assert stage.disk.kinds() == [OrderIntended, OrderCancelled]


class Speak(msgspec.Struct, frozen=True):
    message: object


class OneStrategy(RuntimeActor):
    """Says what it is told to, under its own name alone, as a strategy does."""

    says = frozenset({SubmitOrder, CancelOrder, ModifyOrder, ReadHoldings, SaveState, ReadState})

    @handles(Speak)
    def speak(self, speak, _sender):
        self.send("orders", speak.message)


class TestAStrategy:
    """Is heard in its own name alone; any other actor may speak for each."""

    @pytest.fixture
    def say(self, stage):
        stage.system.start("owner", OneStrategy)

        def say(*messages):
            for message in messages:
                stage.system.tell("owner", Speak(message))
            stage.settle()

        return say

    def test_is_logged_where_it_speaks_for_another(self, stage, make, say, logged):
        stage.open(make.intent("A-9", strategy="other", order_type="LIMIT", limit_price=100.0), make.accepted("A-9"))
        logged()
        state = SaveState(strategy="other", number=1, covers=0, state=b"s", submitted=())
        say(
            make.order("A-1", strategy="other"),
            ModifyOrder(client_order_id="A-9", quantity=7),
            CancelOrder(client_order_id="A-9"),
            state,
            ReadState(strategy="other"),
        )
        assert [each for each in logged() if each[0] == "ERROR"] == [
            ("ERROR", "order.for_another", {"client_order_id": "A-1", "sender": "owner"}),
            ("ERROR", "change.refused", {"client_order_id": "A-9", "sender": "owner"}),
            ("ERROR", "cancel.of_another", {"client_order_id": "A-9", "sender": "owner"}),
            *[("ERROR", "state.of_another", {"strategy": "other", "sender": "owner"})] * 2,
        ]

    def test_is_logged_where_it_wants_an_order_cancelled_that_turns_out_to_be_anothers(self, stage, make, say, logged):
        stage.disk.facts += [make.intent("A-9", strategy="other"), make.accepted("A-9")]
        stage.disk.mode = "silent"
        stage.system.start("journal", FakeJournal, stage.disk)
        stage.system.base.start_actor("orders", OrdersActor, make.limits(lookup_interval_s=0.02))
        say(CancelOrder(client_order_id="A-9"))
        logged()
        stage.disk.mode = "write"
        stage.system.tell("journal", Release())
        stage.settle()

        assert [each for each in logged() if each[1] == "cancel.of_another"] == [
            ("ERROR", "cancel.of_another", {"client_order_id": "A-9", "sender": "owner"})
        ]
        assert WithdrawOrder not in stage.heard()

    def test_orders_in_its_own_name_alone(self, stage, make, say):
        stage.open()
        say(make.order("A-1", strategy="other"), make.order("A-2", strategy="owner"))

        assert stage.broker.receive().client_order_id == "A-2"
        assert PlaceOrder not in stage.heard()
        assert stage.disk.kinds("A-1") == []

    def test_changes_its_own_orders_alone(self, stage, make, say):
        stage.open()
        for number, strategy in enumerate(("other", "owner")):
            order = make.order(f"A-{number}", strategy=strategy, order_type="LIMIT", limit_price=100.0)
            stage.place(order, f"B-{number}")
        stage.settle()
        say(*(ModifyOrder(client_order_id=f"A-{number}", quantity=7) for number in range(2)))

        assert stage.asked_next(ReplaceOrder).client_order_id == "A-1"
        assert set(stage.heard()) <= {FindOrder}
        assert stage.disk.kinds("A-0") == [OrderIntended, OrderAccepted]

    def test_has_its_own_state_alone(self, stage, say):
        stage.open()
        for strategy in ("other", "owner"):
            say(ReadState(strategy=strategy))
            say(SaveState(strategy=strategy, number=1, covers=0, state=b"s", life=1))
        found = []
        for strategy in ("other", "owner"):
            stage.tell(ReadState(strategy=strategy), stage.strategy)
            answer = stage.strategy.receive()
            found.append((answer.strategy, answer.life, answer.saved is None))

        assert found == [("other", 1, True), ("owner", 2, False)]


class TestAStrategyThatKeepsAState:
    @pytest.fixture
    def say(self, stage):
        stage.system.start("owner", OneStrategy)

        def say(*messages):
            for message in messages:
                stage.system.tell("owner", Speak(message))
            stage.settle()

        return say

    @staticmethod
    def state(number, *submitted):
        return SaveState(strategy="owner", number=number, covers=0, state=b"s", submitted=submitted)

    def test_has_no_order_placed_whose_state_was_lost_on_its_way(self, stage, make, say):
        stage.open()
        named, unnamed = (make.order(name, strategy="owner") for name in ("A-1", "A-2"))
        say(ReadHoldings(strategy="owner", keeps_state=True), make.order("A-0", strategy="owner"))
        say(self.state(1, named), named, unnamed)

        assert stage.broker.receive().client_order_id == "A-1"
        assert set(stage.heard()) <= {FindOrder}
        assert [stage.disk.kinds(name) for name in ("A-0", "A-2")] == [[], []]

    def test_is_known_to_when_orders_has_failed(self, stage, make, say):
        stage.open()
        say(ReadHoldings(strategy="owner", keeps_state=True))
        stage.disk.mode = "fail"
        say(self.state(1))  # the journal fails, and orders begins anew
        stage.wait_until(lambda: stage.disk.reads > 1)
        stage.disk.mode = "write"
        stage.wait_until(lambda: stage.disk.facts)
        say(make.order("A-1", strategy="owner"))

        assert stage.broker.is_empty()

    def test_may_have_the_repeat_of_an_order_answered_that_a_later_state_does_not_name(self, stage, make, say):
        stage.open()
        order = make.order("A-1", strategy="owner")
        say(ReadHoldings(strategy="owner", keeps_state=True), self.state(1, order), order, self.state(2), order)

        assert stage.broker.receive().client_order_id == "A-1"
        assert set(stage.heard()) <= {FindOrder}

    def test_is_closed_for_by_others_as_ever(self, stage, make, say):
        stage.open()
        say(ReadHoldings(strategy="owner", keeps_state=True))
        stage.submit(make.order("A-1", strategy="owner"))

        assert stage.broker.receive().client_order_id == "A-1"

    def test_orders_without_one_when_its_next_life_keeps_none(self, stage, make, say):
        stage.open()
        say(*(ReadHoldings(strategy="owner", keeps_state=keeps) for keeps in (True, False)))
        stage.tell(ReadHoldings(strategy="owner", keeps_state=True), stage.strategy)  # of somebody else
        say(make.order("A-1", strategy="owner"))

        assert stage.broker.receive().client_order_id == "A-1"


class TestAStrategyThatCancels:
    @pytest.fixture
    def cancel(self, stage):
        for name in ("owner", "stranger"):
            stage.system.start(name, OneStrategy)

        def call(*names):
            for name in names:
                stage.system.tell(name, Speak(CancelOrder(client_order_id="A-1")))
            stage.settle()

        return call

    def test_an_order_of_its_own_is_heard(self, stage, make, cancel):
        stage.open()
        stage.place(make.order(strategy="owner"))
        stage.settle()
        cancel("owner")

        assert stage.broker.receive() == WithdrawOrder(client_order_id="A-1", broker_order_id="B-1")

    def test_anothers_order_is_not(self, stage, make, cancel):
        stage.open()
        stage.place(make.order(strategy="owner"))
        stage.settle()
        cancel("stranger")

        assert stage.broker.is_empty()

    def test_anothers_order_is_not_while_its_intent_is_written_either(self, stage, make, cancel):
        stage.open()
        stage.disk.mode = "hold"
        stage.submit(make.order(strategy="owner"))
        cancel("stranger")
        stage.system.tell("journal", Release())

        assert isinstance(stage.broker.receive(), PlaceOrder)
        stage.settle()
        assert set(stage.heard()) <= {FindOrder}

    @pytest.mark.parametrize(
        ("names", "asked"), [(("stranger",), False), (("owner", "stranger"), True), (("stranger", "owner"), True)]
    )
    def test_before_it_is_known_whose_order_it_is_is_heard_if_it_is_its_own(self, stage, make, cancel, names, asked):
        stage.disk.facts.extend((make.intent("A-1", strategy="owner"), make.accepted("A-1")))
        stage.disk.mode = "silent"
        stage.system.start("journal", FakeJournal, stage.disk)
        stage.system.base.start_actor("orders", OrdersActor, make.limits(lookup_interval_s=60))
        cancel(*names)
        stage.disk.mode = "write"
        stage.system.tell("journal", Release())
        stage.settle()

        heard = stage.heard()
        assert FindOrder in heard
        assert (WithdrawOrder in heard) is asked


class TestTimeAndAgain:
    def test_an_order_is_looked_up_with_all_that_is_known_of_it(self, stage, make):
        stage.open(reconcile_interval_s=0.02, lookup_interval_s=60.0)
        stage.place(make.order("A-1"))
        stage.tell(make.report(quantity=4))
        stage.wait_until(lambda: OrderFilled in stage.disk.kinds())
        stage.heard()

        question = stage.broker.receive()
        assert (question.client_order_id, question.broker_order_id, question.filled) == ("A-1", "B-1", 4)
        assert (question.symbol, question.side, question.quantity) == ("INFY", "BUY", 10)
        assert question.intended_ns == stage.disk.facts[-3].occurred_ns

    def test_every_open_order_is_looked_up(self, stage, make):
        stage.open(reconcile_interval_s=0.02, lookup_interval_s=60.0)
        stage.place(make.order("A-1"))
        stage.place(make.order("A-2"))
        stage.settle()
        asked = []
        while asked.count("A-2") < 3:
            question = stage.broker.receive()
            assert isinstance(question, FindOrder)
            asked.append(question.client_order_id)
            stage.tell(OrderFound(client_order_id=asked[-1], broker_order_id="B-1", state="OPEN"))

        both = asked.index("A-2") - 1  # before, the second may not have been there yet
        assert asked[both:] == ["A-1", "A-2"] * 3

    def test_a_report_that_was_lost_is_made_up_for(self, stage, make):
        stage.open(reconcile_interval_s=0.02, lookup_interval_s=60.0)
        stage.place(make.order("A-1"))
        for _ in range(3):
            assert stage.asked_next(FindOrder).client_order_id == "A-1"
        reports = (make.report(quantity=10),)
        stage.tell(OrderFound(client_order_id="A-1", broker_order_id="B-1", state="FILLED", reports=reports))
        stage.wait_until(lambda: OrderFilled in stage.disk.kinds())

        assert stage.statistics.open_orders == 0


class TestTheTimeOfAMarket:
    def test_stops_for_it_only_while_there_is_an_order_to_ask_for(self, make):
        with InProcessSystem(InProcessSystemBase(market_opening_ns=1)) as system:
            stage = Stage(system, make).open()
            idle = system.base.market.next_due_ns()
            stage.place(make.order("A-1"))
            stage.settle()
            while_open = system.base.market.next_due_ns()
            stage.tell(make.report(quantity=10))
            stage.settle()

            assert OrderFilled in stage.disk.kinds()
            assert (idle, while_open is None, system.base.market.next_due_ns()) == (None, False, None)

    def test_stops_for_no_look_at_the_loss_of_the_day_since_each_order_looks(self, make):
        with InProcessSystem(InProcessSystemBase(market_opening_ns=1)) as system:
            stage = Stage(system, make).open(day_loss_max_rupees=500.0)
            stage.settle()

            assert system.base.market.next_due_ns() is None

    def test_stops_for_an_order_that_a_life_before_left_open(self, make):
        with InProcessSystem(InProcessSystemBase(market_opening_ns=1)) as system:
            stage = Stage(system, make).open(make.intent(), make.accepted(), reconcile_interval_s=50.0)
            stage.tell(OrderFound(client_order_id="A-1", broker_order_id="B-1", state="OPEN"))
            stage.settle()

            assert system.base.market.next_due_ns() == 1 + 50 * SECOND_NS

    def test_stops_for_it_less_and_less_often_while_nothing_happens(self, make):
        with InProcessSystem(InProcessSystemBase(market_opening_ns=1)) as system:
            stage = Stage(system, make).open(make.intent(), make.accepted(), reconcile_interval_s=50.0)
            stage.tell(OrderFound(client_order_id="A-1", broker_order_id="B-1", state="OPEN"))
            stage.settle()
            stage.heard()
            system.start("market", Later)
            for second, heard in (
                (49, []),
                (51, [FindOrder]),
                (149, []),
                (151, [FindOrder]),
                (349, []),
                (351, [FindOrder]),
            ):
                assert system.request("market", second) == "over"
                assert stage.heard() == heard, second
                if heard:
                    stage.tell(OrderFound(client_order_id="A-1", broker_order_id="B-1", state="OPEN"))
                    stage.settle()
            stage.place(make.order("A-2"), "B-2")
            stage.settle()

            found = []
            for second in (400, 402):
                assert system.request("market", second) == "over"
                found.append(stage.heard())
            assert found == [[], [FindOrder] * 2]

    def test_stops_for_it_no_more_often_because_a_strategy_saves_its_state(self, make):
        with InProcessSystem(InProcessSystemBase(market_opening_ns=1)) as system:
            stage = Stage(system, make).open(make.intent(), make.accepted(), reconcile_interval_s=50.0)
            stage.tell(OrderFound(client_order_id="A-1", broker_order_id="B-1", state="OPEN"))
            stage.settle()
            stage.heard()
            system.start("market", Later)
            system.start("owner", OneStrategy)
            system.tell("owner", Speak(ReadState(strategy="owner")))
            heard = []
            for number, second in enumerate((51, 149, 151), 1):
                assert system.request("market", second) == "over"
                heard.append(stage.heard())
                stage.tell(OrderFound(client_order_id="A-1", broker_order_id="B-1", state="OPEN"))
                saved = SaveState(strategy="owner", number=number, covers=0, state=b"s", life=1)
                system.tell("owner", Speak(saved))
                stage.settle()

            assert heard == [[FindOrder], [], [FindOrder]]
            assert sum(isinstance(fact, StrategyStateSaved) for fact in stage.disk.facts) == 3


class Later(RuntimeActor):
    """A market in which nothing happens for so many seconds."""

    @handles(int)
    def wait(self, seconds, sender):
        self.asker = sender
        self.when_quiet("over", seconds * SECOND_NS)

    @handles(str)
    def tell(self, over, _sender):
        self.send(self.asker, over)


class TestAStart:
    def test_is_complete_after_a_round_of_look_ups_that_nobody_answers(self, stage, make):
        stage.disk.facts.append(make.intent("A-1"))
        stage.system.start("journal", FakeJournal, stage.disk)
        stage.system.start("orders", OrdersActor, make.limits(lookup_interval_s=0.02))
        stage.settle()

        assert stage.statistics.risk_state == "RECONCILING"

    def test_reads_the_whole_journal_and_skips_what_is_not_about_orders(self, stage, make):
        restarted = ChildRestarted(supervisor="system", child="feed", restarts=1, occurred_ns=1)
        stage.open(make.intent(), restarted, make.accepted(), make.filled(), make.refusal("A-2"))
        stage.settle()

        assert stage.disk.reads == 3
        assert (stage.statistics.orders, stage.statistics.fills, stage.statistics.rejected) == (2, 1, 1)
        assert stage.statistics.risk_state == "NORMAL"

    def test_names_the_record_of_which_there_is_no_intent_and_no_restart_helps(self, stage, make):
        with pytest.raises(FactWithoutIntentError, match="record 2 of the journal: the intent of 'A-2'") as refusal:
            stage.open(make.intent("A-1"), make.filled("A-2"))

        assert not refusal.value.restart_helps
        assert exit_code(refusal.value) == BAD_DATA

    @pytest.mark.parametrize(
        ("outcome", "told"),
        [
            (Outcome(error=RequestTimedOut("no answer in 30 s")), "no answer in 30 s"),
            (Outcome(value=Unavailable(actor="journal", reason="restarted", retry_after_s=1.0)), "restarted"),
        ],
        ids=["in time", "it is down"],
    )
    def test_that_is_not_read_is_told_with_the_answer_and_asked_for_again(self, stage, caplog, outcome, told):
        stage.open(lookup_interval_s=0.01)
        before = stage.disk.reads
        starting = stage.system.base.find("orders").instance._starting
        starting._failed("journal.not_read", outcome)
        (record,) = [each for each in caplog.records if each.message == "journal.not_read"]

        assert told in record.fields["answer"]
        stage.wait_until(lambda: stage.disk.reads > before)

    def test_believes_no_page_that_a_life_before_asked_for(self, stage, make):
        stage.disk.facts.extend((make.intent("A-1"), make.uncertain("A-1")))
        stage.disk.mode = "silent"
        stage.system.start("journal", FakeJournal, stage.disk)
        stage.system.base.start_actor("orders", OrdersActor, make.limits(lookup_interval_s=0.02))
        stage.tell(JournalPage(records=(), last_sequence=0))
        stage.settle()
        assert isinstance(stage.statistics, ActorStatistics)
        stage.disk.mode = "write"
        stage.system.tell("journal", Release())

        assert stage.asked_next(FindOrder).client_order_id == "A-1"

    def test_looks_up_open_orders_and_sends_none_of_them_again(self, stage, make):
        stage.open(
            make.intent("A-1"), make.intent("A-2"), make.accepted("A-2"), make.intent("A-3"), make.rejected("A-3")
        )
        asked = {stage.asked_next(FindOrder).client_order_id for _ in range(8)}
        stage.settle()

        assert asked == {"A-1", "A-2"}
        assert stage.disk.kinds("A-1") == [OrderIntended, OrderUncertain]

    def test_lets_no_order_pass_before_the_broker_has_told_of_every_open_one(self, stage, make):
        stage.open(make.intent("A-1"))
        stage.settle()
        assert stage.statistics.risk_state == "RECONCILING"
        stage.submit(make.order("A-2"))
        stage.settle()
        assert stage.disk.kinds("A-2") == [OrderRefused]
        reports = (make.report(quantity=10),)
        stage.tell(OrderFound(client_order_id="A-1", broker_order_id="B-1", state="FILLED", reports=reports))
        stage.settle()

        assert stage.statistics.risk_state == "NORMAL"
        assert stage.disk.kinds("A-1") == [OrderIntended, OrderUncertain, OrderAccepted, OrderFilled]

    def test_lets_orders_pass_when_the_broker_has_denied_every_open_one(self, stage, make, caplog):
        caplog.set_level("INFO", "natya")
        stage.open(make.intent("A-1"), make.intent("A-2"))
        stage.tell(OrderNotFound(client_order_id="A-1"))
        stage.settle()
        assert stage.statistics.risk_state == "RECONCILING"
        for _ in range(2):
            stage.tell(OrderNotFound(client_order_id="A-2"))
        stage.settle()

        assert stage.statistics.risk_state == "NORMAL"
        assert [each.message for each in caplog.records].count("orders.reconciled") == 1

    def test_is_told_once_however_often_it_is_complete(self, stage, make, caplog):
        told = []

        class Told(OrdersActor):
            def ready(self):
                told.append(self.name)
                super().ready()

        stage.actor = Told
        stage.open(make.intent("A-1"))
        for _ in range(3):
            stage.tell(LookupFailed(client_order_id="A-1", reason="time-out"))
        stage.settle()
        stage.tell(OrderFound(client_order_id="A-1", broker_order_id="B-1", state="OPEN"))
        stage.settle()

        assert told == ["orders"]
        failed = [each.fields for each in caplog.records if each.message == "lookup.failed"]
        assert failed[-1] == {"client_order_id": "A-1", "reason": "time-out"}

    def test_waits_for_a_journal_that_is_not_there_yet(self, stage, make):
        stage.disk.mode = "unreadable"
        stage.open(make.intent(), make.filled())
        stage.settle()

        assert stage.statistics.risk_state == "NORMAL"
        assert stage.statistics.fills == 1

    def test_ends_in_the_book_that_was_there_before(self, stage, make):
        stage.open()
        stage.place(make.order("A-1"))
        stage.tell(make.report(client_order_id="A-1", quantity=10))
        stage.submit(make.order("A-2", quantity=1_000_000))
        stage.settle()
        before = stage.statistics
        stage.system.stop("orders")
        stage.system.start("orders", OrdersActor, make.limits())
        stage.settle()

        assert stage.statistics == before


class TestAJournalThatFails:
    def test_makes_orders_read_it_back_and_ask_the_broker(self, stage, make):
        stage.open()
        stage.place(make.order("A-1"))
        stage.settle()
        stage.disk.mode = "fail"
        stage.submit(make.order("A-2"))
        stage.asked_next(FindOrder)
        stage.disk.mode = "write"
        stage.tell(OrderFound(client_order_id="A-1", broker_order_id="B-1", state="OPEN"))
        stage.settle()

        assert stage.disk.kinds("A-2") == []
        assert stage.statistics.risk_state == "NORMAL"
        assert stage.statistics.open_orders == 1

    def test_that_wrote_an_intent_before_the_restart_does_not_make_it_leave_late(self, stage, make):
        stage.open()
        stage.disk.mode = "hold"
        stage.submit(make.order("A-1"))
        stage.settle()
        stage.tell(Failed(actor="journal", message_type="Append", error="OSError", reason="reset"))
        stage.settle()
        stage.disk.mode = "write"
        stage.system.tell("journal", Release())

        assert stage.asked_next(FindOrder).client_order_id == "A-1"
        stage.settle()
        assert stage.disk.kinds() == [OrderIntended, OrderUncertain]


class TestAnAccountOfItsOwn:
    def test_is_entered_once_however_often_orders_fails(self, stage, make):
        stage.open(account="new")
        stage.disk.mode = "hold"
        stage.submit(make.order())
        stage.settle()
        stage.disk.mode = "write"
        reads = stage.disk.reads
        stage.tell(Failed(actor="journal", message_type="Append", error="OSError", reason="reset"))
        stage.wait_until(lambda: stage.disk.reads > reads and stage.statistics.risk_state == "NORMAL")

        assert [fact.account for fact in stage.disk.facts if isinstance(fact, AccountEntered)] == [1]


class TestAStrategyThatStarts:
    def ask(self, stage):
        stage.tell(ReadHoldings(strategy="crossover"), stage.strategy)
        return stage.strategy.receive()

    def test_hears_what_it_holds_earlier_runs_included(self, stage, make):
        others = (make.intent("B-1", strategy="other"), make.filled("B-1", strategy="other"))
        stage.open(make.intent("A-1"), make.filled("A-1"), *others)

        told = self.ask(stage)
        assert (told.shares, told.filled, told.life // DRAWS, told.open_orders) == ({"INFY": 10}, {}, 5, ())
        (held,) = told.positions
        assert (held.symbol, held.quantity, held.average_price, held.cost) == ("INFY", 10, 100, 1000)

    def test_hears_how_far_its_open_orders_are(self, stage, make):
        stage.open()
        stage.place(make.order("A-1"))
        stage.tell(make.report(quantity=4))
        stage.settle()
        stage.disk.mode = "hold"
        stage.submit(make.order("A-2"))

        told = self.ask(stage)
        assert (told.strategy, told.shares, told.filled) == ("crossover", {"INFY": 4}, {"A-1": 4, "A-2": 0})

    def test_waits_until_the_journal_is_read_back(self, stage, make):
        stage.disk.mode = "unreadable"
        stage.disk.facts.extend((make.intent("A-1"), make.filled("A-1")))
        stage.system.start("journal", FakeJournal, stage.disk)
        stage.system.base.start_actor("orders", OrdersActor, make.limits(lookup_interval_s=0.02))

        told = self.ask(stage)
        assert (told.strategy, told.shares, told.filled, told.life // DRAWS) == ("crossover", {"INFY": 10}, {}, 3)

    def test_waits_until_a_journal_that_did_not_answer_is_asked_again(self, stage, make, monkeypatch):
        monkeypatch.setattr(starting, "JOURNAL_TIMEOUT_S", 0.05)
        stage.disk.mode = "silent"
        stage.disk.facts.extend((make.intent("A-1"), make.filled("A-1")))
        stage.system.start("journal", FakeJournal, stage.disk)
        stage.system.base.start_actor("orders", OrdersActor, make.limits(lookup_interval_s=0.02))
        stage.settle()
        stage.disk.mode = "write"

        told = self.ask(stage)
        assert (told.shares, told.life // DRAWS, stage.disk.reads) == ({"INFY": 10}, 3, 1)

    def test_counts_no_fill_that_is_told_before_those_ahead_of_it_are_read(self, stage, make):
        """Bought 4 at 100, sold 4 at 110, bought 4 at 120: the average is 120, in whatever order the news came in."""
        bought, sold = make.intent("A-1", quantity=8), make.intent("A-2", quantity=4, side="SELL")
        stage.disk.facts += [bought, make.filled("A-1", trade_id="T-1", quantity=4, price=100)]
        stage.disk.facts += [sold, make.filled("A-2", trade_id="T-2", quantity=4, price=110, side="SELL")]
        stage.disk.mode = "first page"
        stage.system.start("journal", FakeJournal, stage.disk)
        stage.system.base.start_actor("orders", OrdersActor, make.limits(lookup_interval_s=0.02))
        stage.settle()
        report = make.report(client_order_id="A-1", execution_id="T-3", quantity=4, price=120, cumulative_quantity=8)
        stage.tell(report)
        stage.settle()
        stage.disk.mode = "write"
        stage.system.tell("journal", Release())
        assert stage.asked_next(FindOrder).client_order_id == "A-1"
        stage.tell(report)
        stage.settle()

        (held,) = self.ask(stage).positions
        assert (held.quantity, held.average_price) == (4, 120)

    def test_of_an_ended_order_that_is_told_while_the_journal_is_read_is_looked_up(self, stage, make):
        stage.disk.facts += [make.intent("A-1"), make.rejected("A-1"), make.intent("A-2")]
        stage.disk.mode = "first page"
        stage.system.start("journal", FakeJournal, stage.disk)
        stage.system.base.start_actor("orders", OrdersActor, make.limits(lookup_interval_s=0.02))
        stage.settle()
        stage.tell(make.report(client_order_id="A-1", quantity=4))
        stage.settle()
        stage.disk.mode = "write"
        stage.system.tell("journal", Release())

        asked = (stage.asked_next(FindOrder).client_order_id for _ in range(20))
        assert "A-1" in asked

    def test_has_a_life_of_its_own_whenever_it_asks_whatever_the_clock_says(self, stage, make):
        stage.open(make.intent("A-1"))
        lives = [self.ask(stage).life for _ in range(3)]
        stage.tell(Failed(actor="journal", message_type="Append", error="OSError", reason="reset"))
        stage.disk.mode = "hold"
        stage.submit(make.order("A-2"))
        lives.append(self.ask(stage).life)
        stage.tell(Failed(actor="journal", message_type="Append", error="OSError", reason="reset"))
        lives.append(self.ask(stage).life)

        assert lives[0] // DRAWS > len(stage.disk.facts)
        assert lives == sorted(set(lives))


class TestAnOrderlyStop:
    def test_waits_for_the_answer_of_what_was_placed(self, threads, stage, make):
        stage.open(lookup_interval_s=60.0)
        stage.submit(make.order())
        stage.broker.receive()
        stage.settle()
        with ThreadPoolExecutor(1) as pool:
            stopping = pool.submit(stage.system.stop, "orders")
            with pytest.raises(TimeoutError):
                stopping.result(timeout=0.1)
            stage.tell(OrderPlaced(client_order_id="A-1", broker_order_id="B-1"))
            statistics = stopping.result(timeout=5)

        assert stage.disk.kinds() == [OrderIntended, OrderAccepted]
        assert statistics.open_orders == 1

    @pytest.mark.parametrize("kind", ["NEW", "REJECTED", OrderPlaced, OrderNotPlaced, OrderInDoubt, OrderFound])
    def test_waits_until_the_broker_has_said_whether_it_has_the_order(self, threads, stage, make, kind):
        told = {OrderPlaced: {"broker_order_id": "B-1"}, OrderFound: {"broker_order_id": "B-1", "state": "OPEN"}}
        stage.open(lookup_interval_s=60.0)
        stage.submit(make.order())
        stage.broker.receive()
        stage.settle()
        orders = stage.system.base.names["orders"].instance
        before = orders.is_drained()
        if isinstance(kind, str):
            stage.tell(make.report(kind))
        else:
            stage.tell(kind(client_order_id="A-1", **told.get(kind, {"reason": "so it is"})))
        stage.settle()

        assert (before, orders.is_drained()) == (False, True)

    @pytest.mark.parametrize("kind", [OrderReplaced, OrderNotReplaced, ReplaceInDoubt])
    def test_waits_until_the_broker_has_said_what_became_of_a_change(self, threads, stage, make, kind):
        stage.open(lookup_interval_s=60.0)
        stage.place(make.order(order_type="LIMIT", limit_price=100.0))
        stage.tell(ModifyOrder(client_order_id="A-1", quantity=20), stage.strategy)
        stage.asked_next(ReplaceOrder)
        stage.settle()
        orders = stage.system.base.names["orders"].instance
        before = orders.is_drained()
        stage.tell(kind(client_order_id="A-1", number=1, **({} if kind is OrderReplaced else {"reason": "so it is"})))
        stage.settle()

        assert (before, orders.is_drained()) == (False, True)

    def test_waits_until_everything_is_written_down(self, threads, stage, make):
        stage.open(lookup_interval_s=60.0)
        stage.disk.mode = "hold"
        stage.submit(make.order())
        stage.settle()
        with ThreadPoolExecutor(1) as pool:
            stopping = pool.submit(stage.system.stop, "orders")
            with pytest.raises(TimeoutError):
                stopping.result(timeout=0.1)
            stage.disk.mode = "write"
            stage.system.tell("journal", Release())
            assert isinstance(stage.broker.receive(), PlaceOrder)
            stage.tell(OrderPlaced(client_order_id="A-1", broker_order_id="B-1"))
            stopping.result(timeout=5)

        assert stage.disk.kinds() == [OrderIntended, OrderAccepted]

    def test_sets_one_timer_for_the_answers_and_none_while_none_is_owed(self, threads, stage, make):
        timers = []

        class Counted(OrdersActor):
            def after_on_machine(self, seconds, message):
                timers.append(timer := super().after_on_machine(seconds, message))
                return timer

        stage.actor = Counted
        stage.open(lookup_interval_s=60.0)
        orders = stage.system.base.names["orders"].instance
        assert ([orders.is_drained() for _ in range(2)], len(timers)) == ([True, True], 0)
        stage.submit(make.order())
        stage.broker.receive()
        stage.settle()

        assert ([orders.is_drained() for _ in range(2)], len(timers)) == ([False, False], 1)

    def test_puts_in_doubt_what_the_broker_has_not_answered_when_no_more_time_is_left(
        self, threads, stage, make, monkeypatch
    ):
        monkeypatch.setattr("natya.actors.orders.actor.ANSWERS_AT_STOP_S", 0.05)
        stage.open(lookup_interval_s=60.0)
        stage.submit(make.order())
        stage.broker.receive()
        stage.settle()
        statistics = stage.system.stop("orders")

        assert stage.disk.kinds() == [OrderIntended, OrderUncertain]
        assert statistics.uncertain_orders == 1

    def test_puts_in_doubt_what_leaves_when_it_had_given_up_before(self, threads, stage, make, monkeypatch):
        monkeypatch.setattr("natya.actors.orders.actor.ANSWERS_AT_STOP_S", 0.05)
        stage.open(lookup_interval_s=60.0)
        stage.submit(make.order())
        stage.broker.receive()
        stage.disk.mode = "hold"
        stage.submit(make.order("A-2"))
        stage.settle()
        with ThreadPoolExecutor(1) as pool:
            stopping = pool.submit(stage.system.stop, "orders")
            with pytest.raises(TimeoutError):
                stopping.result(timeout=0.3)
            stage.disk.mode = "write"
            stage.system.tell("journal", Release())
            statistics = stopping.result(timeout=5)

        assert statistics.uncertain_orders == 2


class TestWhatLeftBeforeARestart:
    def test_is_told_to_the_session_before_anything_else_if_it_was_within_a_day(self, stage, make):
        now_ns = stage.system.base.clock.now_ns()
        times_ns = [now_ns - DAY_NS - SECOND_NS, now_ns - 3 * SECOND_NS, now_ns - 2 * SECOND_NS, now_ns - SECOND_NS]
        stage.disk.recorded_ns = dict(enumerate(times_ns, 1))
        facts = [make.intent(f"A-{number}") for number in (1, 2, 3)]
        stage.open(*facts, OrderCancelled(client_order_id="A-2", reason="", occurred_ns=1))

        asked = asked_so_far(stage)
        assert asked[0] == OrdersSentBefore(times_ns=tuple(times_ns[1:]))
        assert {type(each) for each in asked[1:]} == {FindOrder}

    def test_is_not_told_where_there_was_nothing(self, stage, make):
        stage.open(make.intent("A-1"))

        assert {type(each) for each in asked_so_far(stage)} == {FindOrder}

    def test_is_not_told_in_a_simulated_market_which_has_a_time_of_its_own(self, make):
        with InProcessSystem(InProcessSystemBase(market_opening_ns=1_791_171_900 * SECOND_NS)) as system:
            stage = Stage(system, make)
            stage.disk.recorded_ns = {1: system.base.clock.now_ns() - SECOND_NS}
            stage.open(make.intent("A-1"))

            assert {type(each) for each in asked_so_far(stage)} == {FindOrder}


def test_what_this_life_has_asked_or_knows_is_put_in_no_doubt_by_a_second_reading(stage, make):
    """The journal tells that an earlier life's facts were committed after all: they are read now."""
    stage.open(lookup_interval_s=3_600.0)
    stage.place(make.order("A-1"))
    stage.submit(make.order("A-2"))
    assert stage.asked_next(PlaceOrder).client_order_id == "A-2"
    stage.settle()
    stage.disk.mode = "hold"
    stage.tell(OrderPlaced(client_order_id="A-2", broker_order_id="B-2"))
    stage.settle()
    reads = stage.disk.reads
    stage.system.tell("orders", Appended(first_sequence=99, last_sequence=99, writer="an earlier life", number=7))
    stage.wait_until(lambda: stage.disk.reads > reads)
    stage.system.tell("journal", Release())

    assert stage.heard() == []
    assert stage.disk.kinds("A-2") == [OrderIntended, OrderAccepted]


def test_a_price_that_no_limit_wants_is_passed_over(stage, make):
    stage.open()
    reads = stage.disk.reads
    stage.tell(a_tick())
    stage.place(make.order())
    stage.settle()

    assert stage.disk.reads == reads  # else it has begun anew


class CheckpointingJournal(FakeJournal):
    """Has no checkpoint, and keeps the sequences of those that it is given, unless it is said why it does not."""

    @handles(ReadCheckpoint)
    def read_checkpoint(self, request, sender):
        self.send(sender, CheckpointRead(name=request.name, reason=getattr(self.settings, "damaged", "")))

    @handles(KeepCheckpoint)
    def keep_checkpoint(self, request, sender):
        self.settings.kept.append((request.follows, request.sequence))
        reason = getattr(self.settings, "why_not_kept", "")
        self.send(sender, CheckpointKept(name=request.name, sequence=0 if reason else request.sequence, reason=reason))


@pytest.mark.parametrize(("checkpoint_facts", "kept"), [(4, [(0, 4)]), (5, [])], ids=str)
def test_a_start_keeps_a_checkpoint_of_what_it_has_read_if_that_is_much(stage, make, logged, checkpoint_facts, kept):
    stage.disk.kept = []
    stage.disk.facts += [make.intent("A-1"), make.accepted("A-1"), make.intent("A-2"), make.accepted("A-2")]
    stage.system.start("journal", CheckpointingJournal, stage.disk)
    stage.system.base.start_actor("orders", OrdersActor, make.limits(checkpoint_facts=checkpoint_facts))
    assert isinstance(stage.asked_next(FindOrder), FindOrder)
    stage.settle()

    assert stage.disk.kept == kept
    assert [each for each in logged() if each[1].startswith("checkpoint")] == [
        ("INFO", "checkpoint.kept", {"sequence": sequence}) for _, sequence in kept
    ]


def test_a_start_keeps_and_asks_for_no_checkpoint_where_its_code_is_not_there_as_text(stage, make, monkeypatch):
    monkeypatch.setattr("natya.actors.orders.parts.starting.version", str)
    stage.disk.kept = []
    stage.disk.facts += [make.intent("A-1"), make.accepted("A-1")]
    stage.system.start("journal", CheckpointingJournal, stage.disk)
    stage.system.base.start_actor("orders", OrdersActor, make.limits(checkpoint_facts=1))
    assert isinstance(stage.asked_next(FindOrder), FindOrder)
    stage.settle()

    assert stage.disk.kept == []


class BusyJournal(CheckpointingJournal):
    """Keeps no checkpoint: it says so, or nothing."""

    @handles(KeepCheckpoint)
    def keep_checkpoint(self, _request, sender):
        if self.settings.busy is not None:
            self.send(sender, self.settings.busy)


@pytest.mark.parametrize("busy", [Unavailable(actor="journal", reason="it restarts", retry_after_s=1.0), None])
def test_a_checkpoint_that_the_journal_does_not_keep_is_logged_with_what_it_said_or_that_it_said_nothing(
    stage, make, logged, monkeypatch, busy
):
    monkeypatch.setattr("natya.actors.orders.parts.starting.CHECKPOINT_TIMEOUT_S", 0.05)
    stage.disk.busy = busy
    stage.disk.facts += [make.intent("A-1"), make.accepted("A-1")]
    stage.system.start("journal", BusyJournal, stage.disk)
    stage.system.base.start_actor("orders", OrdersActor, make.limits(checkpoint_facts=1))
    told = []
    stage.wait_until(lambda: told.extend(logged()) or any(each[1] == "checkpoint.not_kept" for each in told))

    (answer,) = [each[2]["answer"] for each in told if each[1] == "checkpoint.not_kept"]
    assert answer == str(busy) if busy else "0.05" in answer


def test_a_start_keeps_no_checkpoint_of_what_it_reads_later_since_its_book_has_more_than_that(stage, make):
    stage.disk.kept = []
    stage.disk.facts += [make.intent("A-1"), make.accepted("A-1"), make.intent("A-2"), make.accepted("A-2")]
    stage.system.start("journal", CheckpointingJournal, stage.disk)
    stage.system.base.start_actor("orders", OrdersActor, make.limits(checkpoint_facts=4))
    assert isinstance(stage.asked_next(FindOrder), FindOrder)
    stage.settle()
    assert stage.disk.kept == [(0, 4)]
    stage.disk.facts += [make.intent(f"B-{number}") for number in range(9)]
    reads = stage.disk.reads
    by_others = Appended(first_sequence=13, last_sequence=13, writer="an earlier life", number=7)
    stage.system.tell("orders", by_others)
    stage.wait_until(lambda: stage.disk.reads > reads)
    stage.settle()

    assert stage.system.base.find("orders").instance._context.read_back.sequence == 13
    assert stage.disk.kept == [(0, 4)]


def test_a_checkpoint_that_is_damaged_and_one_that_is_not_kept_are_logged(stage, make, logged):
    stage.disk.kept, stage.disk.damaged, stage.disk.why_not_kept = [], "damaged", "disk full"
    stage.disk.facts += [make.intent("A-1"), make.accepted("A-1")]
    stage.system.start("journal", CheckpointingJournal, stage.disk)
    stage.system.base.start_actor("orders", OrdersActor, make.limits(checkpoint_facts=1))
    assert isinstance(stage.asked_next(FindOrder), FindOrder)
    stage.settle()
    not_kept = CheckpointKept(name="orders", sequence=0, reason="disk full")

    assert [each for each in logged() if each[1].startswith("checkpoint")] == [
        ("WARNING", "checkpoint.refused", {"reason": "damaged"}),
        ("WARNING", "checkpoint.not_kept", {"answer": str(not_kept)}),
    ]


def test_all_that_is_handed_over_is_there_in_the_next_life(stage):
    stage.open(lookup_interval_s=60.0)
    state = SaveState(strategy="crossover", number=1, covers=1, state=b"", submitted=())
    handed_over = (
        7,
        {"A-1": {"crossover": "asha"}},
        ("enough", "asha", {"heart": "the disk is full"}),
        True,
        (True, frozenset({"F-1"})),
        ([(state, None)], {"crossover": (stage.strategy,)}, {"crossover": 3}, {"dip"}),
        distinct(Funds, covered={"INFY": (10, 0)}),
        (distinct(PositionMismatch),),
        Bands(of={"INFY": distinct(Band)}, problem="busy"),
        ({("dip", "INFY"): 5}, {("dip", "TCS"): "no price"}, [("A-2", stage.strategy)]),
        frozenset({"A-3"}),
        {"INFY": 1_800},
        distinct(ClockCompared),
        Look(1, 2),
    )
    actor = stage.system.base.find("orders").instance
    assert all(new != told for new, told in zip(actor.snapshot(), handed_over, strict=True) if told is not True)
    actor.restore(handed_over)

    assert actor.snapshot() == handed_over


def asked_so_far(stage):
    """Everything that has reached the broker since the start."""
    stage.settle()
    asked = list(stage.asked_at_start)
    while not stage.broker.is_empty():
        asked.append(stage.broker.receive())
    return asked
