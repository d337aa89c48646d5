"""Changes of an order: journaled before they leave, asked for once, and settled by what the broker shows."""

import time

import msgspec
import pytest
from natya_orders_stage import Release

from natya.actors.orders import modifications, updates
from natya.actors.orders.book import Book
from natya.actors.orders.rules import Situation
from natya.domain.orders import Order, advance
from natya.domain.time import SECOND_NS
from natya.messages.broker import (
    FindOrder,
    OrderFound,
    OrderNotReplaced,
    OrderReplaced,
    PlaceOrder,
    ReplaceInDoubt,
    ReplaceOrder,
)
from natya.messages.orders import (
    ModificationIntended,
    ModificationRefused,
    ModifyOrder,
    OrderFilled,
    OrderIntended,
    OrderModified,
    OrderRefused,
    OrderTriggered,
)
from natya.messages.reconciliation import PositionsDiffer
from natya.messages.supervision import Failed, Unavailable

HORIZON_NS = 100 * SECOND_NS


def a_change(quantity=None, limit_price=None, client_order_id="A-1", **fields):
    return ModifyOrder(client_order_id=client_order_id, quantity=quantity, limit_price=limit_price, **fields)


def limited(make, client_order_id="A-1", limit_price=100.0, **fields):
    return make.order(client_order_id, order_type="LIMIT", limit_price=limit_price, **fields)


def facts_of(stage, *kinds):
    return [fact for fact in stage.disk.facts if isinstance(fact, kinds)]


@pytest.fixture
def resting(make):
    """An order that rests at the broker, and the facts that follow."""

    def build(*facts, **fields):
        order = Order.from_intent(make.intent(**({"order_type": "LIMIT", "limit_price": 100.0} | fields)))
        for fact in (make.accepted(), *facts):
            order = advance(order, fact)
        return order

    return build


class TestTheGate:
    @pytest.fixture
    def refused(self, make, resting):
        def judged(change, *facts, risk_state="NORMAL", **limits):
            order = resting(*facts)
            book = Book()
            for fact in (make.intent(order_type="LIMIT", limit_price=100.0), make.accepted(), *facts):
                book.apply(fact)
            situation = Situation(
                risk_state=risk_state, limits=make.limits(**limits), book=book, intents={}, now_ns=1_000
            )
            refusal = modifications.refusal_of(order, change, situation)
            return refusal and refusal.rule

        return judged

    @pytest.mark.parametrize(
        ("change", "rule"),
        [
            (a_change(quantity=20), None),
            (a_change(limit_price=101.0), None),
            (a_change(quantity=10), "terms"),
            (a_change(trigger_price=99.0), "terms"),
            (a_change(quantity=101), "quantity_max"),
            (a_change(limit_price=9_000.0), "value_max_rupees"),
        ],
    )
    def test_judges_the_order_as_it_would_be(self, refused, change, rule):
        assert refused(change) == rule

    @pytest.mark.parametrize(
        ("change", "rule"), [({"quantity": 12}, None), ({"limit_price": 99.0}, "terms"), ({"quantity": 10}, "terms")]
    )
    def test_gives_an_order_at_the_market_no_limit_and_lets_its_quantity_change(self, make, resting, change, rule):
        order = resting(order_type="MARKET", limit_price=None)
        book = Book()
        for fact in (make.intent(), make.accepted()):
            book.apply(fact)
        situation = Situation(risk_state="NORMAL", limits=make.limits(), book=book, intents={}, now_ns=1_000)

        found = modifications.refusal_of(order, a_change(reference_price=100.0, **change), situation)
        assert (found and found.rule) == rule

    @pytest.mark.parametrize(
        ("terms", "change", "bought", "sold"),
        [
            ({"order_type": "LIMIT", "limit_price": 100.0}, {"limit_price": 101.0}, 1_010.0, 1_010.0),
            ({"order_type": "STOP", "trigger_price": 100.0}, {"trigger_price": 101.0}, 1_010.0, 1_010.0),
            (
                {"order_type": "LIMIT", "limit_price": 100.0},
                {"quantity": 11, "reference_price": 103.0},
                1_100.0,
                1_133.0,
            ),
            ({"order_type": "MARKET"}, {"quantity": 11, "reference_price": 103.0}, 1_133.0, 1_133.0),
        ],
        ids=str,
    )
    def test_values_it_at_the_price_that_its_sender_saw_or_else_at_its_own(self, make, terms, change, bought, sold):
        def rule(side, limit):
            book = Book()
            for fact in (make.intent(side=side, **terms), make.accepted()):
                book.apply(fact)
            limits = make.limits(value_max_rupees=limit)
            situation = Situation(risk_state="NORMAL", limits=limits, book=book, intents={}, now_ns=1_000)
            found = modifications.refusal_of(book.order("A-1"), a_change(**change), situation)
            return found and found.rule

        for side, worth in (("BUY", bought), ("SELL", sold)):
            assert [rule(side, worth), rule(side, worth - 0.01)] == [None, "value_max_rupees"]

    def test_refuses_one_at_the_market_that_nobody_has_told_a_price_of(self, make):
        book = Book()
        for fact in (make.intent(), make.accepted()):
            book.apply(fact)
        situation = Situation(risk_state="NORMAL", limits=make.limits(), book=book, intents={}, now_ns=1_000)

        found = modifications.refusal_of(book.order("A-1"), a_change(quantity=11), situation)
        assert (found.rule, found.reason[:33]) == ("value_max_rupees", "a symbol that has a price wanted,")

    @pytest.mark.parametrize(
        ("market", "limit_price", "rule"),
        [
            *((102.0, 101.0, None), (102.0, 102.0, None), (98.0, 101.0, "exits")),
            *((102.0, 110.0, "terms"), (102.0, 99.0, "terms")),
        ],
    )
    def test_judges_the_exits_of_a_bracket_by_what_its_entry_would_be(self, make, resting, market, limit_price, rule):
        exits = {"target_price": 110.0, "stop_loss_price": 99.0}
        order = resting(**exits)
        book = Book()
        for fact in (make.intent(order_type="LIMIT", limit_price=100.0, **exits), make.accepted()):
            book.apply(fact)
        prices = {"INFY": (market, 1)}
        situation = Situation(
            risk_state="NORMAL", limits=make.limits(), book=book, intents={}, now_ns=1_000, market=prices
        )

        found = modifications.refusal_of(order, a_change(limit_price=limit_price), situation)
        assert (found and found.rule) == rule
        of_no_type = modifications.refusal_of(order, a_change(trigger_price=105.0), situation)
        assert (of_no_type.rule, of_no_type.reason) == ("terms", "a LIMIT order must have no trigger_price, was 105.0")

    @pytest.mark.parametrize(("filled", "rule"), [(0, "terms"), (4, None)])
    def test_judges_no_exits_that_are_in_the_market_by_the_prices_of_the_entry(self, make, resting, filled, rule):
        """They may have been moved since."""
        exits = {"target_price": 110.0, "stop_loss_price": 99.0}
        facts = [make.filled(quantity=filled)] if filled else []
        order, book = resting(*facts, **exits), Book()
        for fact in (make.intent(order_type="LIMIT", limit_price=100.0, **exits), make.accepted(), *facts):
            book.apply(fact)
        prices = {"INFY": (100.0, 1)}
        situation = Situation(
            risk_state="NORMAL", limits=make.limits(), book=book, intents={}, now_ns=1_000, market=prices
        )

        found = modifications.refusal_of(order, a_change(limit_price=111.0), situation)
        assert (found and found.rule) == rule

    @pytest.mark.parametrize(("limit", "rule"), [(30, None), (29, "position_max")])
    def test_counts_what_would_be_left_and_not_what_it_replaces(self, refused, limit, rule):
        assert refused(a_change(quantity=30), position_max=limit) == rule

    @pytest.mark.parametrize(("limit", "rule"), [(3_000.0, None), (2_999.0, "open_value_max_rupees")])
    def test_counts_values_in_the_same_way(self, refused, limit, rule):
        assert refused(a_change(quantity=30), open_value_max_rupees=limit) == rule

    @pytest.mark.parametrize(
        ("limits", "rule"),
        [
            ({"position_max": 30}, None),
            ({"position_max": 29}, "position_max"),
            ({"open_value_max_rupees": 2_600.0}, None),
            ({"open_value_max_rupees": 2_599.0}, "open_value_max_rupees"),
        ],
        ids=str,
    )
    def test_counts_of_what_is_filled_in_part_the_rest(self, make, refused, limits, rule):
        assert refused(a_change(quantity=30), make.filled(quantity=4), **limits) == rule

    def test_lets_what_only_makes_it_smaller_pass_whatever_the_limits(self, refused):
        assert refused(a_change(quantity=5), quantity_max=1, value_max_rupees=1.0) is None
        assert refused(a_change(quantity=5), risk_state="REDUCING") is None

    def test_judges_what_makes_it_smaller_at_another_price(self, refused):
        change = a_change(quantity=5, limit_price=101.0)

        assert refused(change, value_max_rupees=504.0) == "value_max_rupees"
        assert refused(change, risk_state="REDUCING") == "risk_state"
        assert refused(change, value_max_rupees=505.0) is None

    @pytest.mark.parametrize("state", ["STARTING", "RECONCILING", "HALTED"])
    def test_lets_nothing_pass_while_nothing_is_to_be_sent(self, refused, state):
        assert refused(a_change(quantity=5), risk_state=state) == "risk_state"

    def test_lets_one_be_under_way_at_a_time(self, make, resting, refused):
        pending = modifications.intended(resting(), modifications.terms_wanted(resting(), a_change(quantity=9)), 5)

        assert refused(a_change(quantity=8), pending) == "one_change_at_a_time"

    def test_counts_them_up_to_the_limit_of_the_broker(self, resting, refused):
        facts, order = [], resting()
        for quantity in (11, 12):
            change = modifications.intended(order, modifications.terms_wanted(order, a_change(quantity)), 5)
            facts += [change, modifications.made(order, change, 6)]
            order = resting(*facts)

        assert refused(a_change(quantity=13), *facts, modifications_max=2) == "modifications_max"
        assert refused(a_change(quantity=13), *facts, modifications_max=3) is None

    def test_wants_an_order_that_is_open_and_more_than_is_filled(self, make, refused):
        assert refused(a_change(quantity=4), make.filled(quantity=4)) == "terms"
        assert refused(a_change(quantity=20), make.cancelled()) == "order_state"

    @pytest.mark.parametrize("told", [[], ["uncertain"], ["filled"]], ids=str)
    def test_wants_one_that_the_broker_is_known_to_have(self, make, told):
        facts = [make.intent(order_type="LIMIT", limit_price=100.0)]
        facts += [getattr(make, each)(**({"quantity": 4} if each == "filled" else {})) for each in told]
        book = Book()
        for fact in facts:
            book.apply(fact)
        situation = Situation(risk_state="NORMAL", limits=make.limits(), book=book, intents={}, now_ns=1_000)

        for quantity in (5, 20):
            assert modifications.refusal_of(book.order("A-1"), a_change(quantity), situation).rule == "order_state"


class TestALookUp:
    @pytest.fixture
    def pending(self, resting):
        order = resting()
        return advance(order, modifications.intended(order, modifications.terms_wanted(order, a_change(20, 101.0)), 5))

    @pytest.fixture
    def changed(self, pending):
        """Ours, from 10 to 20 shares, and from 100 to 101 rupees."""
        return advance(pending, modifications.made(pending, pending.pending, 6))

    def told(self, pending, after_s=0, **fields):
        fields = {"state": "OPEN", "quantity": 10, "limit_price": 100.0} | fields
        found = OrderFound(client_order_id="A-1", broker_order_id="B-1", **fields)
        update = updates.from_lookup(pending, found, 5, age_ns=after_s * SECOND_NS, horizon_ns=HORIZON_NS)
        assert update.illegal == ()
        return update.facts

    def test_that_shows_it_as_wanted_settles_it(self, pending):
        (fact,) = self.told(pending, quantity=20, limit_price=101.0)

        assert isinstance(fact, OrderModified)
        assert (fact.number, fact.quantity, fact.limit_price) == (1, 20, 101.0)

    @pytest.mark.parametrize(("after_s", "kinds"), [(0, []), (99, []), (100, [ModificationRefused])])
    def test_that_shows_it_as_before_proves_it_only_beyond_the_horizon(self, pending, after_s, kinds):
        assert [type(fact) for fact in self.told(pending, after_s)] == kinds

    def test_that_shows_it_ended_as_before_proves_it_at_once(self, pending, make):
        refusal, ending = self.told(pending, state="CANCELLED")

        assert (refusal.rule, refusal.number) == ("absent", 1)
        assert type(ending).__name__ == "OrderCancelled"

    @pytest.mark.parametrize("there", [(15, 101.0), (10, 101.0), (20, 100.0), (10, 103.0), (15, 100.0)])
    def test_that_shows_it_otherwise_is_believed_beyond_the_horizon(self, pending, there):
        terms = dict(zip(("quantity", "limit_price"), there, strict=True))
        assert self.told(pending, **terms) == ()
        (fact,) = self.told(pending, 100, **terms)

        assert (type(fact), fact.number, fact.quantity, fact.limit_price) == (OrderModified, 1, *there)

    def test_that_shows_the_trigger_of_before_settles_it_where_that_was_met(self, resting):
        stop = {"order_type": "STOP_LIMIT", "trigger_price": 99.0}
        order = resting(OrderTriggered(client_order_id="A-1", occurred_ns=2), **stop)
        wanted = modifications.terms_wanted(order, a_change(20, trigger_price=98.0))
        pending = advance(order, modifications.intended(order, wanted, 5))

        (fact,) = self.told(pending, quantity=20, trigger_price=99.0)

        assert (type(fact), fact.quantity) == (OrderModified, 20)

    @pytest.mark.parametrize(
        "there",
        [{"quantity": 4}, {"quantity": 20}, {"limit_price": 101.0}],
        ids=["smaller", "greater", "another price"],
    )
    def test_takes_over_what_somebody_else_has_changed_at_once_where_nobody_had_before(self, resting, there):
        order = resting()
        (fact,) = self.told(order, **there)
        after = advance(order, fact)

        assert modifications.terms_of(after) == msgspec.structs.replace(modifications.terms_of(order), **there)
        assert (fact.number, after.modifications, after.pending) == (1, 1, None)
        assert self.told(after, 1_000, **there) == (), "it is taken over once"
        assert modifications.intended(after, modifications.terms_of(order), 6).number == 2

    def test_takes_over_what_somebody_else_has_changed_behind_a_change_once_that_cannot_be_under_way(self, changed):
        """Until then the look-up may be from before the change: it shows the terms that the order had."""
        assert self.told(changed, 99) == self.told(changed, 99, quantity=4) == ()
        (fact,) = self.told(changed, 100, quantity=4)

        assert (fact.number, fact.quantity) == (2, 4)

    def test_takes_over_nothing_while_a_change_of_ours_is_in_doubt_or_of_an_order_that_has_ended(
        self, pending, resting, make
    ):
        assert self.told(pending, 99, quantity=4) == ()
        assert self.told(resting(make.cancelled()), 1_000, quantity=4) == ()
        assert [type(fact).__name__ for fact in self.told(resting(), 0, quantity=4, state="EXPIRED")] == [
            "OrderExpired"
        ]

    @pytest.mark.parametrize("quantity", [4, 20])
    def test_of_an_order_that_somebody_has_changed_and_that_has_filled_has_all_its_trades(
        self, resting, make, quantity
    ):
        trade = make.report(quantity=quantity, cumulative_quantity=quantity)
        update = updates.from_lookup(
            order := resting(),
            OrderFound(
                client_order_id="A-1",
                broker_order_id="B-1",
                state="FILLED",
                quantity=quantity,
                limit_price=100.0,
                reports=(trade,),
            ),
            5,
            age_ns=0,
            horizon_ns=HORIZON_NS,
        )
        for fact in update.facts:
            order = advance(order, fact)

        assert (order.state, order.filled, order.quantity) == ("FILLED", quantity, quantity)
        assert (update.trades_missing, update.illegal) == (False, ())

    @pytest.mark.parametrize(
        ("traded", "shown", "facts"),
        [
            (21, ("PART_FILLED", 0), [OrderModified, OrderFilled]),
            (20, ("PART_FILLED", 0), [OrderFilled]),
            (9, ("PART_FILLED", 99), [OrderFilled]),
            (9, ("PART_FILLED", 100), [OrderModified, OrderFilled]),
            (0, ("OPEN", 99), []),
            (0, ("OPEN", 100), [OrderModified]),
            (30, ("FILLED", 0), [OrderModified, OrderFilled]),
        ],
    )
    def test_takes_over_at_once_what_its_trades_prove(self, changed, make, traded, shown, facts):
        state, after_s = shown
        reports = (make.report(quantity=traded, cumulative_quantity=traded),) if traded else ()
        told = self.told(changed, after_s, state=state, quantity=30, limit_price=101.0, reports=reports)

        assert [type(fact) for fact in told] == facts

    def test_takes_over_what_all_its_trades_together_prove(self, changed, make):
        reports = [make.report(execution_id="T-1", quantity=16, cumulative_quantity=16)]
        reports += [make.report(execution_id="T-2", quantity=5, cumulative_quantity=21)]
        for told in (reports, reports[::-1]):
            facts = self.told(changed, 0, state="PART_FILLED", quantity=30, limit_price=101.0, reports=tuple(told))
            assert [type(fact) for fact in facts] == [OrderModified, OrderFilled, OrderFilled]

    @pytest.mark.parametrize(("there", "is_new"), [(0, False), (3, False), (4, True), (5, True)])
    def test_takes_over_no_quantity_below_what_has_traded(self, resting, make, there, is_new):
        told = self.told(resting(make.filled(quantity=4)), 100, state="PART_FILLED", quantity=there, limit_price=101.0)

        assert [fact.quantity for fact in told if isinstance(fact, OrderModified)] == [there] * is_new

    def test_takes_prices_for_equal_that_no_exchange_tells_apart(self, resting, pending):
        near = 1e-9
        assert self.told(resting(), 100, limit_price=100.0 + near) == ()
        (as_wanted,) = self.told(pending, quantity=20, limit_price=101.0 - near)
        (as_before,) = self.told(pending, 100, limit_price=100.0 + near)

        assert (type(as_wanted), as_wanted.limit_price) == (OrderModified, 101.0)
        assert (type(as_before), as_before.rule) == (ModificationRefused, "absent")
        assert as_before.reason == "the changed order wanted, found it as before: 100 s after the request"

    def test_takes_over_no_limit_that_the_broker_gave_a_stop_and_no_trigger_that_was_met(self, resting):
        stop = {"order_type": "STOP", "limit_price": None, "trigger_price": 99.0}
        met = resting(OrderTriggered(client_order_id="A-1", occurred_ns=2), **stop)

        assert self.told(resting(**stop), 1_000, limit_price=98.0, trigger_price=99.0) == ()
        assert self.told(met, 1_000, limit_price=98.0, trigger_price=0.0) == ()
        assert self.told(met, 1_000, limit_price=98.0, trigger_price=97.0) == ()
        assert self.told(resting(), 1_000, trigger_price=97.0) == (), "nor one of an order that is no stop"
        (fact,) = self.told(resting(**stop), 1_000, limit_price=98.0, trigger_price=97.0)
        assert (fact.limit_price, fact.trigger_price) == (None, 97.0)

    @pytest.mark.parametrize("untold", ["limit_price", "trigger_price"])
    def test_keeps_a_price_that_the_broker_does_not_tell(self, resting, untold):
        order = resting(order_type="STOP_LIMIT", trigger_price=99.0)
        (fact,) = self.told(order, 1_000, **{"quantity": 4, "trigger_price": 99.0, untold: 0.0})

        assert (fact.quantity, fact.limit_price, fact.trigger_price) == (4, 100.0, 99.0)

    @pytest.mark.parametrize(("number", "facts"), [(1, []), (2, [OrderModified]), (3, [])])
    @pytest.mark.parametrize("is_made", [True, False])
    def test_is_needed_where_the_broker_answers_another_change_than_the_pending_one(
        self, pending, number, facts, is_made
    ):
        """The answer to the first may come when that is settled, and the second under way."""
        first = advance(pending, modifications.made(pending, pending.pending, 6))
        wanted = modifications.terms_wanted(first, a_change(30))
        second = advance(first, modifications.intended(first, wanted, 7))
        answer = (
            OrderReplaced(client_order_id="A-1", number=number)
            if is_made
            else OrderNotReplaced(client_order_id="A-1", number=number, reason="no")
        )
        found = updates.from_change(second, answer, 8)

        assert found.illegal == ()
        assert [type(fact) for fact in found.facts] == (facts if is_made else [ModificationRefused] * len(facts))

    def test_that_does_not_tell_the_terms_settles_nothing(self, pending):
        assert self.told(pending, 1_000, quantity=0, limit_price=0.0) == ()


class TestAskingForAChange:
    def test_leaves_once_it_is_durable_and_is_settled_by_the_answer(self, stage, make):
        stage.open().place(limited(make))
        stage.disk.mode = "hold"
        stage.tell(a_change(quantity=20), stage.strategy)
        assert ReplaceOrder not in stage.heard()
        stage.disk.mode = "write"
        stage.system.tell("journal", Release())

        request = stage.asked_next(ReplaceOrder)
        assert (request.number, request.quantity, request.limit_price, request.broker_order_id) == (1, 20, 100.0, "B-1")
        stage.tell(OrderReplaced(client_order_id="A-1", number=1))
        stage.settle()
        assert [type(fact) for fact in stage.disk.facts[-2:]] == [ModificationIntended, OrderModified]
        stage.tell(make.report(quantity=20, cumulative_quantity=20))
        stage.settle()
        assert stage.statistics.open_orders == 0

    def test_twice_asks_once_and_another_meanwhile_is_refused(self, stage, make):
        stage.open().place(limited(make))
        for quantity in (20, 20, 20):
            stage.tell(a_change(quantity=quantity), stage.strategy)
        assert stage.heard().count(ReplaceOrder) == 1
        assert facts_of(stage, ModificationRefused) == []
        stage.tell(a_change(quantity=30), stage.strategy)

        assert stage.heard().count(ReplaceOrder) == 0
        (refused,) = facts_of(stage, ModificationRefused)
        assert (refused.rule, refused.number) == ("one_change_at_a_time", 0)
        assert refused.reason == "no change in flight wanted, found number 1 without an outcome"

    def test_counts_for_what_comes_after_it_before_it_is_durable(self, stage, make):
        stage.open(position_max=30, orders_in_flight_max=2)
        for number, client_order_id in enumerate(("A-1", "A-2")):
            stage.place(limited(make, client_order_id), broker_order_id=f"B-{number}")
        stage.settle()
        stage.disk.mode = "hold"
        stage.tell(a_change(quantity=18), stage.strategy)
        stage.tell(a_change(13, client_order_id="A-2"), stage.strategy)
        stage.submit(limited(make, "A-3", quantity=3))
        stage.submit(limited(make, "A-4", quantity=2, limit_price=99.0))
        stage.submit(limited(make, "A-5", quantity=2, limit_price=98.0, side="SELL"))
        stage.settle()
        stage.disk.mode = "write"
        stage.system.tell("journal", Release())
        stage.settle()

        (change,), refused = facts_of(stage, ModificationRefused), facts_of(stage, OrderRefused)
        assert (change.client_order_id, change.rule) == ("A-2", "position_max")
        assert [(each.client_order_id, each.rule) for each in refused] == [("A-3", "position_max")]
        assert "found 31 if all open orders fill" in change.reason
        assert [fact.client_order_id for fact in facts_of(stage, OrderIntended)] == ["A-1", "A-2", "A-4", "A-5"]

    def test_that_the_broker_refuses_leaves_the_order_as_it_was(self, stage, make):
        stage.open().place(limited(make))
        stage.tell(a_change(quantity=20), stage.strategy)
        stage.asked_next(ReplaceOrder)
        stage.tell(OrderNotReplaced(client_order_id="A-1", number=1, reason="in transit"))
        stage.settle()

        (fact,) = facts_of(stage, ModificationRefused)
        assert (fact.rule, fact.number, fact.reason) == ("broker", 1, "in transit")

    def test_is_not_in_doubt_while_it_is_under_way(self, stage, make):
        stage.open().place(limited(make))
        stage.tell(a_change(quantity=20), stage.strategy)
        stage.asked_next(ReplaceOrder)
        stage.tell(make.report(quantity=4, cumulative_quantity=4))
        stage.wait_until(lambda: facts_of(stage, OrderFilled))

        assert not stage.system.base.find("orders").instance._resolving.lookups.is_needed

    def test_that_a_look_up_shows_is_no_change_by_somebody_else(self, stage, make, logged):
        stage.open().place(limited(make))
        stage.tell(a_change(quantity=20), stage.strategy)
        stage.asked_next(ReplaceOrder)
        shown = OrderFound(client_order_id="A-1", broker_order_id="B-1", state="OPEN", quantity=20, limit_price=100.0)
        stage.tell(shown)
        stage.wait_until(lambda: facts_of(stage, OrderModified))

        assert [each for each in logged() if each[1] == "order.changed_there"] == []

    def test_in_doubt_is_looked_up_and_never_asked_for_again(self, stage, make):
        stage.open().place(limited(make))
        stage.tell(a_change(quantity=20), stage.strategy)
        stage.asked_next(ReplaceOrder)
        stage.tell(ReplaceInDoubt(client_order_id="A-1", number=1, reason="no answer"))
        assert isinstance(stage.broker.receive(timeout_s=5), FindOrder)
        shown = OrderFound(client_order_id="A-1", broker_order_id="B-1", state="OPEN", quantity=20, limit_price=100.0)
        stage.tell(shown)
        stage.wait_until(lambda: facts_of(stage, OrderModified))

        assert ReplaceOrder not in stage.heard()

    @pytest.mark.parametrize(
        "failure",
        [
            Failed(actor="broker", message_type="ReplaceOrder", error="OSError", reason="reset"),
            Unavailable(actor="broker", reason="breaker open", retry_after_s=1.0),
        ],
        ids=["failed", "unavailable"],
    )
    def test_that_a_failed_session_will_not_answer_is_looked_up_and_never_asked_for_again(self, stage, make, failure):
        stage.open().place(limited(make))
        stage.tell(a_change(quantity=20), stage.strategy)
        stage.asked_next(ReplaceOrder)
        stage.tell(failure)
        assert isinstance(stage.broker.receive(timeout_s=5), FindOrder)
        shown = OrderFound(client_order_id="A-1", broker_order_id="B-1", state="OPEN", quantity=20, limit_price=100.0)
        stage.tell(shown)
        stage.wait_until(lambda: facts_of(stage, OrderModified))

        assert ReplaceOrder not in stage.heard()

    def test_that_the_journal_refuses_asks_for_nothing_and_says_so(self, stage, make):
        stage.open().place(limited(make))
        stage.settle()
        stage.disk.mode = "refuse"
        stage.tell(a_change(quantity=20), stage.strategy)

        answer = stage.strategy.receive()
        assert (type(answer), answer.rule, answer.number) == (ModificationRefused, "journal", 0)
        assert ReplaceOrder not in stage.heard()

    def test_of_an_order_that_there_is_not_is_refused_to_the_sender_alone(self, stage):
        stage.open().tell(a_change(quantity=20), stage.strategy)

        assert stage.strategy.receive().rule == "identity"
        assert not facts_of(stage, ModificationRefused)

    def test_of_an_order_that_fills_before_it_leaves_is_none(self, stage, make):
        stage.open().place(limited(make))
        stage.settle()
        stage.disk.mode = "hold"
        stage.tell(a_change(limit_price=101.0), stage.strategy)
        stage.tell(make.report(quantity=10, cumulative_quantity=10))
        stage.settle()
        stage.disk.mode = "write"
        stage.system.tell("journal", Release())
        stage.settle()

        assert ReplaceOrder not in stage.heard()
        assert isinstance(facts_of(stage, OrderFilled)[0], OrderFilled)
        assert [fact.rule for fact in facts_of(stage, ModificationRefused)] == ["order_state"]


def test_what_somebody_changes_at_the_broker_is_looked_up_once_it_is_told_and_taken_over(stage, make, logged):
    order = make.intent(order_type="LIMIT", limit_price=100.0)
    stage.open(order, make.accepted(), absence_horizon_s=0.001, lookup_interval_s=0.01)
    shown = OrderFound(client_order_id="A-1", broker_order_id="B-1", state="OPEN", quantity=10, limit_price=100.0)
    stage.tell(shown)
    stage.settle()
    stage.tell(PositionsDiffer(positions=(), orders=("A-1", "of-another")))
    assert stage.asked_next(FindOrder).client_order_id == "A-1"

    def is_taken_over():
        stage.tell(msgspec.structs.replace(shown, quantity=4, limit_price=101.0))
        return facts_of(stage, OrderModified)

    stage.wait_until(is_taken_over)
    (fact,) = facts_of(stage, OrderModified)
    assert (fact.number, fact.quantity, fact.limit_price) == (1, 4, 101.0)
    terms = {"quantity": 4, "limit_price": 101.0, "trigger_price": None}
    assert [each for each in logged() if each[1] == "order.changed_there"] == [
        ("WARNING", "order.changed_there", {"client_order_id": "A-1"} | terms)
    ]


class TestANewProcess:
    def test_sends_no_change_that_was_intended_before_and_settles_it_by_look_ups(self, stage, make):
        order = make.intent(order_type="LIMIT", limit_price=100.0)
        change = ModificationIntended(
            client_order_id="A-1", number=1, quantity=20, limit_price=100.0, trigger_price=None, occurred_ns=5
        )
        horizon_s, began_s = 0.1, time.monotonic()
        stage.open(order, make.accepted(), change, absence_horizon_s=horizon_s)
        found = OrderFound(client_order_id="A-1", broker_order_id="B-1", state="OPEN", quantity=10, limit_price=100.0)
        stage.tell(found)
        stage.settle()
        refused = facts_of(stage, ModificationRefused)  # how long ago it left is not known
        assert refused == [] or time.monotonic() - began_s >= horizon_s
        while not facts_of(stage, ModificationRefused):
            stage.asked_next(FindOrder)  # and nothing else
            stage.tell(found)
            stage.settle()

        assert facts_of(stage, ModificationRefused)[0].rule == "absent"
        assert not {ReplaceOrder, PlaceOrder} & set(stage.heard())


@pytest.mark.parametrize(
    ("limit_price", "wanted"), [(90.0, [1_000.0, 2_000.0, 1_800.0]), (110.0, [1_000.0, 2_200.0, 2_200.0])]
)
def test_the_price_that_counts_while_a_change_is_pending_is_the_higher_one(make, resting, limit_price, wanted):
    book = Book()
    for fact in (make.intent(order_type="LIMIT", limit_price=100.0), make.accepted()):
        book.apply(fact)
    values = [book.open_values()[0]]
    change = modifications.intended(
        resting(), modifications.Terms(quantity=20, limit_price=limit_price, trigger_price=None), 5
    )
    for fact in (change, modifications.made(resting(), change, 6)):
        book.apply(fact)
        values.append(book.open_values()[0])

    assert [value / 10_000 for value in values] == wanted
    assert msgspec.structs.asdict(change)["number"] == 1
