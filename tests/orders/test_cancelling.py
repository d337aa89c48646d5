"""A cancellation is a fact of its own: who asked, what came of it; one without an answer is asked for again."""

import pytest
from natya_orders_stage import FakeJournal, Release

from natya.actors.orders import OrdersActor
from natya.actors.orders.parts import cancelling
from natya.actors.runtime import RuntimeActor, handles
from natya.messages.broker import FindOrder, OrderFound, OrderNotPlaced, OrderPlaced, PlaceOrder, WithdrawOrder
from natya.messages.holdings import HoldingsRead, ReadHoldings
from natya.messages.kill_switch import HaltTrading, TradingHalted
from natya.messages.order_listing import CancelOrders, OrdersCancelling, OrdersRead, ReadOrders
from natya.messages.orders import (
    CancellationIntended,
    CancellationRefused,
    CancellationUncertain,
    CancelOrder,
    OrderAccepted,
    OrderCancelled,
    OrderFilled,
    OrderIntended,
    OrderRejected,
)

WITHDRAWN = WithdrawOrder(client_order_id="A-1", broker_order_id="B-1")
FOUND = OrderFound(client_order_id="A-1", broker_order_id="B-1", state="OPEN", quantity=10)


def cancellations(stage):
    """Return the facts of cancellations that are in the journal."""
    stage.settle()
    kinds = CancellationIntended | CancellationUncertain | CancellationRefused
    return [fact for fact in stage.disk.facts if isinstance(fact, kinds)]


class Cancels(RuntimeActor):
    """Cancels what it is told to, as a strategy does, and keeps what it is answered."""

    says = frozenset({CancelOrder})

    def on_start(self):
        self.settings.clear()

    @handles(OrderFound)
    def cancel(self, of, _sender):
        self.send("orders", CancelOrder(client_order_id=of.client_order_id))

    @handles(CancellationRefused)
    def keep(self, refused, _sender):
        self.settings.append(refused)


@pytest.fixture
def opened(stage, make):
    """A stage with one open order of the strategy `owner`, which may cancel it."""
    stage.answers = []

    def build(*facts, **limits):
        stage.open(make.intent("A-1", strategy="owner"), make.accepted("A-1"), *facts, **limits)
        stage.system.start("owner", Cancels, stage.answers)
        return stage

    return build


def cancel(stage, client_order_id="A-1", by="owner"):
    stage.system.tell(by, OrderFound(client_order_id=client_order_id, broker_order_id="", state="OPEN"))
    stage.settle()


class TestACancellation:
    def test_is_written_down_with_who_asked_for_it_and_ends_with_the_order(self, opened, make):
        stage = opened()
        cancel(stage)
        assert stage.asked_next(WithdrawOrder) == WITHDRAWN
        [fact] = cancellations(stage)
        assert (fact.client_order_id, fact.number, fact.asked_by) == ("A-1", 1, "owner")
        stage.tell(make.report("CANCELLED"))
        stage.settle()

        assert stage.disk.kinds()[-2:] == [CancellationIntended, OrderCancelled]

    def test_does_not_wait_for_the_disk(self, opened):
        stage = opened()
        stage.disk.mode = "hold"
        cancel(stage)

        assert stage.asked_next(WithdrawOrder) == WITHDRAWN
        assert CancellationIntended not in stage.disk.kinds()

    def test_that_a_full_disk_refuses_leaves_all_the_same_and_is_asked_for_again(self, opened):
        stage = opened()
        stage.disk.mode = "refuse"
        cancel(stage)
        assert stage.asked_next(WithdrawOrder) == WITHDRAWN
        stage.settle()
        stage.disk.mode = "write"
        stage.tell(FOUND)

        assert stage.asked_next(WithdrawOrder) == WITHDRAWN
        assert [type(fact) for fact in cancellations(stage)] == [CancellationIntended]

    def test_that_the_broker_refuses_is_over_and_another_has_the_next_number(self, opened, make):
        stage = opened()
        cancel(stage)
        stage.tell(make.report("CANCEL_REJECTED", reason="too late"))
        stage.settle()
        cancel(stage)

        intended, refused, again = cancellations(stage)
        assert (intended.number, refused.number, refused.rule, refused.reason) == (1, 1, "broker", "too late")
        assert (again.number, stage.statistics.open_orders) == (2, 1)

    def test_that_is_refused_while_none_is_in_flight_says_nothing(self, opened, make):
        stage = opened()
        stage.tell(make.report("CANCEL_REJECTED", reason="too late"))

        assert cancellations(stage) == []

    def test_of_an_order_of_another_is_none_and_is_logged(self, opened, make, logged):
        stage = opened(make.intent("Z-1"), make.accepted("Z-1", "B-Z"))
        logged()
        cancel(stage, "Z-1")

        assert [each for each in logged() if each[1] == "cancel.of_another"] == [
            ("ERROR", "cancel.of_another", {"client_order_id": "Z-1", "sender": "owner"})
        ]
        assert cancellations(stage) == []
        assert WithdrawOrder not in stage.heard()
        assert [(each.client_order_id, each.number, each.rule) for each in stage.answers] == [("Z-1", 0, "identity")]

    def test_of_a_person_names_the_person_and_leaves_again_when_asked_for_again(self, opened, actor_system, caplog):
        stage, person = opened(), actor_system.probe("asha")
        for _ in range(2):
            stage.tell(CancelOrders(everything=True, person="asha"), person)
            assert person.receive() == OrdersCancelling(client_order_ids=("A-1",))
            assert stage.asked_next(WithdrawOrder) == WITHDRAWN

        assert [fact.asked_by for fact in cancellations(stage)] == ["asha"]
        told = [(each.levelname, each.fields) for each in caplog.records if each.message == "orders.cancelled"]
        assert told == [("WARNING", {"count": 1, "person": "asha"})] * 2

    def test_of_a_person_is_also_of_an_order_that_is_on_its_way_to_the_journal(self, stage, make):
        person = stage.system.probe("person")
        stage.open()
        stage.disk.mode = "hold"
        stage.submit(make.order())
        stage.settle()
        stage.tell(CancelOrders(everything=True, person="asha"), person)
        assert person.receive() == OrdersCancelling(client_order_ids=("A-1",))
        stage.disk.mode = "write"
        stage.system.tell("journal", Release())
        stage.asked_next(PlaceOrder)

        assert stage.asked_next(WithdrawOrder) == WithdrawOrder(client_order_id="A-1", broker_order_id="")

    def test_of_nobody_who_has_a_name_is_by_somebody_unnamed(self, opened, actor_system):
        stage, person = opened(), actor_system.probe("asha")
        stage.tell(CancelOrders(everything=True, person=""), person)
        person.receive()

        assert [fact.asked_by for fact in cancellations(stage)] == ["unnamed"]

    def test_of_a_part_of_natya_is_not_answered_where_there_is_nothing_to_cancel(self, opened, make):
        stage = opened(make.filled("A-1"))
        stage.tell(CancelOrder(client_order_id="A-1"), stage.strategy)
        stage.tell(CancelOrder(client_order_id="Z-1"), stage.strategy)
        stage.settle()

        assert stage.strategy.is_empty()

    def test_of_a_person_that_comes_before_the_journal_is_read_back_is_to_be_asked_for_again(self, stage, make):
        person = stage.system.probe("person")
        stage.disk.mode = "silent"
        stage.system.start("journal", FakeJournal, stage.disk)
        stage.system.base.start_actor("orders", OrdersActor, make.limits())
        stage.tell(CancelOrders(everything=True, person="asha"), person)

        problem = "the journal is still read back; ask again"
        assert person.receive() == OrdersCancelling(client_order_ids=(), problem=problem)

    def test_of_the_kill_switch_is_one_fact_however_often_it_is_asked_for(self, opened, actor_system, monkeypatch):
        monkeypatch.setattr(cancelling, "CANCEL_AGAIN_S", 0.01)
        stage, switch = opened(), actor_system.probe("kill-switch")
        stage.tell(HaltTrading(cause="kill switch: enough", person="asha"), switch)
        assert isinstance(switch.receive(), TradingHalted)
        for _ in range(3):
            assert stage.asked_next(WithdrawOrder).client_order_id == "A-1"

        assert [(fact.number, fact.asked_by) for fact in cancellations(stage)] == [(1, "asha")]

    def test_that_waited_for_its_order_names_who_asked_for_it(self, stage, make):
        stage.open()
        stage.system.start("owner", Cancels, [])
        stage.disk.mode = "hold"
        stage.submit(make.order(strategy="owner"))
        cancel(stage)
        stage.disk.mode = "write"
        stage.system.tell("journal", Release())
        assert isinstance(stage.broker.receive(), PlaceOrder)
        stage.asked_next(WithdrawOrder)

        assert [(fact.number, fact.asked_by) for fact in cancellations(stage)] == [(1, "owner")]

    def test_in_flight_is_told_to_people_and_to_the_next_life_of_the_strategy(self, opened, actor_system):
        stage, person = opened(), actor_system.probe("asha")
        cancel(stage)
        stage.settle()
        stage.tell(ReadOrders(), person)
        stage.tell(ReadHoldings(strategy="owner"), person)
        orders, holdings = person.receive(), person.receive()

        assert isinstance(orders, OrdersRead)
        assert isinstance(holdings, HoldingsRead)
        assert (orders.orders[0].cancellation, orders.orders[0].cancellation_by) == ("REQUESTED", "owner")
        assert holdings.open_orders[0].cancelling == cancellations(stage)[0]


class TestACancellationWithoutAnAnswer:
    def test_is_in_doubt_at_the_second_look_up_that_shows_the_order_open_and_asked_for_again(self, opened):
        stage = opened()
        cancel(stage)
        assert stage.asked_next(WithdrawOrder) == WITHDRAWN
        stage.tell(FOUND)
        stage.settle()
        assert WithdrawOrder not in stage.heard()
        stage.tell(FOUND)

        assert stage.asked_next(WithdrawOrder) == WITHDRAWN
        assert [type(fact) for fact in cancellations(stage)] == [CancellationIntended, CancellationUncertain]

    def test_is_looked_up_and_asked_for_until_the_order_has_ended_and_doubted_once(self, opened, make):
        stage = opened()
        cancel(stage)
        for _ in range(3):
            assert stage.asked_next(WithdrawOrder) == WITHDRAWN
            for _ in range(2):
                stage.tell(FOUND)
            stage.settle()
        stage.tell(make.report("CANCELLED"))
        stage.settle()

        assert [type(fact) for fact in cancellations(stage)] == [CancellationIntended, CancellationUncertain]
        stage.heard()
        assert WithdrawOrder not in stage.heard()

    def test_of_an_order_in_doubt_stays_wanted_when_the_broker_does_not_know_the_order(self, stage, make):
        stage.open(make.intent("A-1", strategy="owner"), make.uncertain("A-1"))
        stage.answers = []
        stage.system.start("owner", Cancels, stage.answers)
        cancel(stage)
        assert stage.asked_next(WithdrawOrder) == WithdrawOrder(client_order_id="A-1", broker_order_id="")
        for _ in range(2):
            stage.tell(make.report("CANCEL_REJECTED", broker_order_id="", reason="no such order"))
            stage.settle()
        assert [type(fact) for fact in cancellations(stage)] == [CancellationIntended, CancellationUncertain]
        assert "no such order" in cancellations(stage)[-1].reason
        stage.tell(FOUND)

        assert stage.asked_next(WithdrawOrder) == WITHDRAWN
        assert stage.answers == []

    def test_outlives_a_restart_and_is_asked_for_again_only_when_the_order_is_shown_open(self, opened, make):
        stage = opened()
        cancel(stage)
        stage.settle()
        stage.heard()
        stage.system.stop("orders")
        stage.system.base.start_actor("orders", OrdersActor, make.limits(lookup_interval_s=0.02))
        stage.settle()
        assert WithdrawOrder not in stage.heard()
        stage.tell(FOUND)

        assert stage.asked_next(WithdrawOrder) == WITHDRAWN
        doubt = cancellations(stage)[-1]
        assert (type(doubt), doubt.number) == (CancellationUncertain, 1)
        assert "did not outlive a restart" in doubt.reason

    def test_is_not_asked_for_again_of_an_order_that_a_look_up_shows_to_have_ended(self, opened, make):
        stage = opened()
        cancel(stage)
        stage.settle()
        stage.heard()
        stage.tell(OrderFound(client_order_id="A-1", broker_order_id="B-1", state="CANCELLED", quantity=10))

        assert WithdrawOrder not in stage.heard()
        assert stage.disk.kinds()[-2:] == [CancellationIntended, OrderCancelled]


class TestAStrategyThatCancels:
    @pytest.fixture
    def told(self, stage):
        """Return what a strategy is told that cancels orders."""

        def call(name, *client_order_ids):
            for client_order_id in client_order_ids:
                cancel(stage, client_order_id, by=name)
            stage.settle()
            return [(each.client_order_id, each.number, each.rule, each.reason) for each in stage.answers]

        return call

    def test_what_has_ended_is_told_in_which_state_it_found_it(self, opened, make, told):
        opened(make.filled("A-1"))

        reason = "an open order wanted, found it FILLED"
        assert told("owner", "A-1") == [("A-1", 0, "order_state", reason)]

    def test_what_is_not_its_own_or_never_was_is_told_that_it_has_none(self, opened, told):
        stage = opened()
        stage.system.start("stranger", Cancels, stage.answers)

        reason = "an order of the sender's own wanted, found none of this id"
        assert told("stranger", "A-1", "A-9") == [(name, 0, "identity", reason) for name in ("A-1", "A-9")]
        assert WithdrawOrder not in stage.heard()

    def test_what_is_not_its_own_is_told_so_before_the_order_is_durable(self, opened, make, told):
        stage = opened()
        stage.system.start("stranger", Cancels, stage.answers)
        stage.disk.mode = "hold"
        stage.submit(make.order("B-1", strategy="owner"))

        assert [each[2] for each in told("stranger", "B-1")] == ["identity"]

    def test_what_is_not_its_own_is_told_so_also_while_its_owner_cancels_it(self, opened, told):
        stage = opened()
        stage.system.start("stranger", Cancels, stage.answers)
        cancel(stage)

        assert [each[2] for each in told("stranger", "A-1")] == ["identity"]

    def test_twice_what_is_in_flight_asks_the_broker_once(self, opened, told):
        stage = opened()

        assert told("owner", "A-1", "A-1") == []
        assert [each for each in stage.heard() if each is WithdrawOrder] == [WithdrawOrder]
        assert len(cancellations(stage)) == 1


class TestWhatCannotBe:
    """Is refused with both states named, counted and told; the book stays as it was, and the order is looked up."""

    @pytest.fixture
    def said(self, stage, caplog):
        def call(*messages):
            for message in messages:
                stage.tell(message)
            stage.settle()
            refused = [each.fields for each in caplog.records if each.getMessage() == "transition.refused"]
            return [(each["fact"], each["before"], each["after"]) for each in refused]

        return call

    def test_a_rejection_of_an_order_that_has_traded(self, opened, make, said):
        stage = opened(make.filled("A-1", quantity=4))
        before = list(stage.disk.facts)

        assert said(make.report("REJECTED")) == [("OrderRejected", "PART_FILLED", "REJECTED")]
        assert stage.disk.facts == before
        assert stage.statistics.illegal_transitions == 1

    def test_and_by_a_look_up_that_has_all_its_trades_what_is_left_of_it_has_ended(self, opened, make, said):
        stage = opened(make.filled("A-1", quantity=4))
        trade = make.report(quantity=4, cumulative_quantity=4)

        found = OrderFound(client_order_id="A-1", broker_order_id="B-1", state="REJECTED", reports=(trade,))
        assert said(found) == []
        assert stage.disk.kinds()[-1] is OrderCancelled
        assert "the broker says REJECTED, after 4 shares were filled" in stage.disk.facts[-1].reason

    def test_an_answer_that_an_order_was_not_placed_which_the_broker_has(self, stage, make, said):
        stage.open()
        stage.submit(make.order())
        assert isinstance(stage.broker.receive(), PlaceOrder)
        stage.tell(make.report("NEW"))

        not_placed = OrderNotPlaced(client_order_id="A-1", reason="no such order")
        assert said(not_placed) == [("OrderRejected", "ACCEPTED", "REJECTED")]
        assert stage.disk.kinds() == [OrderIntended, OrderAccepted]

    def test_another_number_of_the_broker_for_an_order_that_it_has(self, opened, said):
        stage = opened()
        stage.tell(FOUND)
        stage.settle()
        stage.heard()
        placed = OrderPlaced(client_order_id="A-1", broker_order_id="B-2")

        assert said(placed) == [("OrderAccepted", "ACCEPTED", "ACCEPTED")]
        assert stage.disk.kinds() == [OrderIntended, OrderAccepted]
        assert stage.asked_next(FindOrder).client_order_id == "A-1"

    def test_more_shares_than_were_ordered(self, opened, make, said):
        stage = opened()

        assert said(make.report(quantity=11)) == [("OrderFilled", "ACCEPTED", "FILLED")]
        assert OrderFilled not in stage.disk.kinds()

    def test_is_none_of_what_comes_twice_or_late(self, opened, make, said):
        stage = opened()
        reports = (make.report("NEW"), make.report(quantity=10), make.report("CANCELLED", reason="the rest of none"))

        assert said(*reports[:2], *reports[:2], OrderPlaced(client_order_id="A-1", broker_order_id="B-1")) == []
        assert said(reports[2]) == [("OrderCancelled", "FILLED", "CANCELLED")]
        assert stage.disk.kinds() == [OrderIntended, OrderAccepted, OrderFilled]
        assert OrderRejected not in stage.disk.kinds()
