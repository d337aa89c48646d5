"""An order in doubt of which the broker never says what became of it is settled by a person's word, and no other is."""

import pytest
from natya_orders_stage import Release

from natya.messages.broker import OrderInDoubt
from natya.messages.order_listing import OrderSettled, SettleOrder, SettleRefused
from natya.messages.orders import OrderExpired, OrderFilled, OrderIntended


def said(stage, filled=0, **fields):
    """What a person is answered."""
    fields = {"client_order_id": "A-1", "reason": "the terminal shows it so", "person": "asha"} | fields
    stage.settle()
    return stage.system.request("orders", SettleOrder(filled=filled, **fields))


def facts(stage, kind):
    stage.settle()
    return [fact for fact in stage.disk.facts if isinstance(fact, kind)]


@pytest.fixture
def doubtful(stage, make):
    """Ten shares whose request has no answer, and can be under way no more."""
    stage.open(absence_horizon_s=1e-9, lookup_interval_s=3_600.0)
    stage.submit(make.order("A-1", quantity=10))
    stage.broker.receive()
    stage.tell(OrderInDoubt(client_order_id="A-1", reason="no answer"))
    stage.settle()
    assert stage.statistics.uncertain_orders == 1
    return stage


class TestAnOrderInDoubt:
    def test_that_never_was_at_the_broker_has_expired_and_who_said_so_is_written_down(self, doubtful):
        assert said(doubtful) == OrderSettled(state="EXPIRED", filled=0)

        (fact,) = facts(doubtful, OrderExpired)
        assert fact.reason == "settled by asha: the terminal shows it so"
        assert (doubtful.statistics.uncertain_orders, doubtful.statistics.open_orders) == (0, 0)

    @pytest.mark.parametrize(("filled", "state", "ended"), [(10, "FILLED", 0), (4, "EXPIRED", 1)])
    def test_that_has_traded_has_its_shares_in_the_book_at_the_price_that_was_told(
        self, doubtful, filled, state, ended
    ):
        assert said(doubtful, filled, price=101.5) == OrderSettled(state=state, filled=filled)

        (fact,) = facts(doubtful, OrderFilled)
        assert (fact.trade_id, fact.quantity, fact.price) == ("settled by asha", filled, 101.5)
        assert len(facts(doubtful, OrderExpired)) == ended
        assert [each.quantity for each in doubtful.statistics.positions] == [filled]

    def test_whose_shares_are_all_known_has_no_trade_more_though_a_price_is_told(self, doubtful):
        assert said(doubtful, 0, price=101.5) == OrderSettled(state="EXPIRED", filled=0)

        assert facts(doubtful, OrderFilled) == []

    @pytest.mark.parametrize(
        ("fields", "reason"),
        [
            ({"reason": "  "}, "a reason wanted, found none"),
            ({"filled": 11, "price": 1.0}, "0 to 10 shares filled wanted, found 11"),
            ({"filled": 4}, "the average price of the 4 shares wanted, found none"),
            ({"client_order_id": "A-9"}, "an order in doubt (UNKNOWN) wanted, found none of this id"),
        ],
    )
    def test_stays_so_by_a_word_that_cannot_be_meant(self, doubtful, fields, reason):
        assert said(doubtful, **fields) == SettleRefused(reason=reason)
        assert (facts(doubtful, OrderExpired), facts(doubtful, OrderFilled)) == ([], [])

    def test_stays_so_where_the_journal_does_not_take_it(self, doubtful):
        doubtful.disk.mode = "refuse"

        assert said(doubtful) == SettleRefused(reason="the journal did not take it: disk full")
        assert facts(doubtful, OrderExpired) == []
        doubtful.disk.mode = "write"
        assert said(doubtful) == OrderSettled(state="EXPIRED", filled=0)

    def test_is_answered_by_the_facts_of_this_word_alone(self, doubtful, make):
        doubtful.disk.mode = "hold"
        doubtful.tell(make.report(execution_id="T-1", quantity=3, cumulative_quantity=3))
        doubtful.settle()
        awaiting = doubtful.system.base.find("orders").instance._settling._awaiting
        others, asker, mine = (make.filled("A-1", quantity=3),), doubtful.system.probe("asha"), (make.expired("A-1"),)
        awaiting.wait("A-1", asker, {"A-1": mine}, lambda: None)
        awaiting.written("A-1", others)
        awaiting.not_written("A-1", others, "disk full")
        assert asker.is_empty()
        awaiting.not_written("A-1", mine, "disk full")

        assert asker.receive() == SettleRefused(reason="the journal did not take it: disk full")

    def test_is_settled_by_the_first_of_two_words(self, doubtful):
        doubtful.disk.mode = "hold"
        word = SettleOrder(client_order_id="A-1", filled=0, reason="the terminal shows it so", person="asha")
        first = doubtful.system.request_future("orders", word)
        doubtful.settle()
        again = said(doubtful, 10, price=101.5)
        doubtful.disk.mode = "write"
        doubtful.system.tell("journal", Release())

        assert again == SettleRefused(reason="an order in doubt (UNKNOWN) wanted, found EXPIRED")
        assert first.result(30) == OrderSettled(state="EXPIRED", filled=0)
        assert facts(doubtful, OrderFilled) == []

    def test_is_settled_once(self, doubtful):
        said(doubtful)

        assert said(doubtful) == SettleRefused(reason="an order in doubt (UNKNOWN) wanted, found EXPIRED")

    def test_is_not_settled_while_its_request_may_be_under_way(self, stage, make):
        stage.open()
        stage.submit(make.order("A-1"))
        stage.broker.receive()
        stage.tell(OrderInDoubt(client_order_id="A-1", reason="no answer"))

        assert "no request that may be under way wanted" in said(stage).reason


@pytest.mark.parametrize("state", ["INTENDED", "ACCEPTED"])
def test_an_order_that_is_not_in_doubt_is_the_brokers_to_end(stage, make, state):
    stage.open(absence_horizon_s=1e-9)
    if state == "ACCEPTED":
        stage.place(make.order("A-1"))
    else:
        stage.submit(make.order("A-1"))

    assert said(stage) == SettleRefused(reason=f"an order in doubt (UNKNOWN) wanted, found {state}")
    assert len(facts(stage, OrderIntended)) == 1


class TestATradeThatIsToldAfterAPersonHasSettledItsOrder:
    @pytest.fixture
    def settled(self, doubtful):
        """Four of ten are told to have traded."""
        said(doubtful, 4, price=101.5)
        return doubtful

    def held(self, stage):
        stage.settle()
        return [each.quantity for each in stage.statistics.positions]

    def test_is_counted_once(self, settled, make):
        settled.tell(make.report(execution_id="T-1", quantity=3, cumulative_quantity=3))
        settled.tell(make.report(execution_id="T-2", quantity=1, cumulative_quantity=4))

        assert self.held(settled) == [4]
        assert settled.statistics.illegal_transitions == 0

    def test_is_counted_by_what_it_has_beyond_that(self, settled, make):
        settled.tell(make.report(execution_id="T-1", quantity=3, cumulative_quantity=3))
        settled.tell(make.report(execution_id="T-2", quantity=3, cumulative_quantity=6))
        settled.tell(make.report(execution_id="T-3", quantity=2, cumulative_quantity=8))

        assert self.held(settled) == [8]
        assert [(each.trade_id, each.quantity) for each in facts(settled, OrderFilled)][1:] == [("T-2", 2), ("T-3", 2)]

    def test_is_counted_once_where_all_were_told(self, doubtful, make):
        said(doubtful, 10, price=101.5)
        doubtful.tell(make.report(execution_id="T-1", quantity=10, cumulative_quantity=10))

        assert self.held(doubtful) == [10]
        assert doubtful.statistics.illegal_transitions == 0

    def test_is_counted_of_an_order_that_was_told_never_to_have_been_there(self, doubtful, make):
        said(doubtful)
        doubtful.tell(make.report(execution_id="T-1", quantity=4, cumulative_quantity=4))

        assert self.held(doubtful) == [4]
        assert doubtful.statistics.risk_state == "HALTED"
