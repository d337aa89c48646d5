"""One order, whatever is said of it, in whatever sequence, however often."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st
from natya_messages import changed_on_the_way, distinct, messages
from natya_order_facts import (
    asked,
    fill,
    intended,
    modified,
    not_cancelled,
    the_order,
    unanswered,
    unchanged,
)

from natya.domain.orders import SETTLED_BY, Order, advance, intent_of, refused
from natya.messages.orders import (
    CancellationIntended,
    ModificationIntended,
    OrderAccepted,
    OrderCancelled,
    OrderExpired,
    OrderIntended,
    OrderModified,
    OrderRejected,
    OrderTriggered,
    OrderUncertain,
    SubmitOrder,
)

UPDATES = st.one_of(
    st.builds(OrderAccepted, client_order_id=st.just("A-1"), broker_order_id=st.sampled_from(["B-1", "B-2"])),
    st.builds(OrderUncertain, client_order_id=st.just("A-1")),
    st.builds(OrderCancelled, client_order_id=st.just("A-1")),
    st.builds(OrderExpired, client_order_id=st.just("A-1")),
    st.builds(OrderRejected, client_order_id=st.just("A-1")),
    st.builds(OrderTriggered, client_order_id=st.just("A-1")),
    st.integers(1, 5).map(lambda trade: fill(trade, trade % 3 + 1)),
)


class TestAnOrder:
    @pytest.mark.parametrize(
        ("facts", "state"),
        [
            ("", "INTENDED"),
            ("uncertain", "UNKNOWN"),
            ("accepted", "ACCEPTED"),
            ("uncertain accepted", "ACCEPTED"),
            ("accepted uncertain", "ACCEPTED"),
            ("rejected", "REJECTED"),
            ("uncertain rejected", "REJECTED"),
            ("part", "PART_FILLED"),
            ("part accepted", "PART_FILLED"),
            ("part part", "PART_FILLED"),
            ("part rest", "FILLED"),
            ("part rest cancelled", "FILLED"),
            ("cancelled part rest", "FILLED"),
            ("accepted cancelled", "CANCELLED"),
            ("cancelled part", "CANCELLED"),
            ("accepted expired", "EXPIRED"),
            ("expired cancelled", "CANCELLED"),
        ],
    )
    def test_stands_where_the_strongest_evidence_puts_it(self, make, facts, state):
        words = {"part": make.filled(trade_id="T-1", quantity=4), "rest": make.filled(trade_id="T-2", quantity=6)}
        order = the_order(*(words[word] if word in words else getattr(make, word)() for word in facts.split()))

        assert order.state == state
        assert order.is_open == (state in {"INTENDED", "UNKNOWN", "ACCEPTED", "PART_FILLED"})

    @given(messages(OrderIntended))
    def test_has_the_intent_that_it_is_made_of(self, intent):
        assert Order.from_intent(intent).intent == intent

    def test_is_intended_as_it_was_submitted(self, make):
        order = make.order("A-1", order_type="STOP_LIMIT", limit_price=99.5, trigger_price=99.0, product="CNC")
        fact = intent_of(order, 7)

        same = [name for name in fact.__struct_fields__ if name != "occurred_ns"]
        assert [getattr(fact, name) for name in same] == [getattr(order, name) for name in same]
        assert fact.occurred_ns == 7

    @pytest.mark.parametrize(
        ("kind", "asked"), [(ModificationIntended, "pending"), (CancellationIntended, "cancelling")]
    )
    def test_has_what_is_asked_of_it_as_it_is_asked(self, make, kind, asked):
        fact = distinct(kind)
        found = getattr(the_order(make.accepted(), fact), asked)

        assert changed_on_the_way(fact, found) == {}
        assert found.intended_ns == fact.occurred_ns

    def test_has_the_terms_of_a_change_that_was_made(self, make):
        fact = distinct(OrderModified)

        order = the_order(make.accepted(), fact)
        assert changed_on_the_way(fact, order, but=("client_order_id",)) == {}
        assert order.in_effect == fact.number

    def test_that_never_left_is_refused_with_what_it_was(self, make):
        order = distinct(
            SubmitOrder, side="SELL", order_type="LIMIT", trigger_price=None, target_price=None, stop_loss_price=None
        )
        fact = refused(order, rule="r", reason="s", now_ns=7)

        assert changed_on_the_way(order, fact) == {}
        assert (fact.rule, fact.reason, fact.occurred_ns) == ("r", "s", 7)

    @pytest.mark.parametrize(("target", "stop"), [(None, None), (110.0, None), (None, 95.0), (110.0, 95.0)])
    def test_is_the_entry_of_a_bracket_by_a_target_or_a_stop(self, make, target, stop):
        exits = {"target_price": target, "stop_loss_price": stop}
        has_one = target is not None or stop is not None

        assert Order.from_intent(make.intent(**exits)).has_bracket is has_one
        assert make.order(**exits).has_bracket is has_one

    def test_is_the_same_object_when_a_fact_says_nothing_new(self, make):
        for fact in (make.accepted(), make.uncertain(), make.cancelled(), make.filled(quantity=4)):
            order = the_order(fact)

            assert advance(order, fact) is order
        for fact in (intended(1), modified(1), unchanged(1), asked(1), unanswered(1), not_cancelled(1)):
            order = the_order(fact)

            assert advance(order, fact) is order

    def test_that_was_triggered_is_so_for_ever_and_stands_where_it_stood(self, make):
        triggered = OrderTriggered(client_order_id="A-1", occurred_ns=3)
        order = the_order(make.accepted(), triggered)

        assert (order.is_triggered, order.state) == (True, "ACCEPTED")
        assert advance(order, triggered) is order
        assert the_order(triggered, make.accepted(), make.filled(quantity=10)).is_triggered
        assert not the_order(make.accepted()).is_triggered

    @pytest.mark.parametrize(("trades", "was"), [((), False), (("T-1",), False), (("T-1", f"{SETTLED_BY}asha"), True)])
    def test_was_settled_if_one_of_its_trades_is_the_word_of_a_person(self, make, trades, was):
        order = the_order(*(make.filled(trade_id=each, quantity=2) for each in trades))

        assert order.was_settled is was

    def test_leaves_open_what_is_not_filled(self, make):
        assert the_order(make.filled(quantity=4)).leaves == 6
        assert the_order(make.filled(quantity=4), make.cancelled()).leaves == 0

    def test_that_ended_unseen_by_the_broker_was_never_placed(self, make):
        assert the_order(make.expired()).was_never_placed
        assert not the_order(make.cancelled()).was_never_placed
        assert not the_order(make.accepted(), make.expired()).was_never_placed
        assert not the_order(make.expired(), make.filled(quantity=1)).was_never_placed

    @given(updates=st.lists(UPDATES, max_size=12), data=st.data())
    def test_ends_the_same_whatever_is_repeated_or_reordered(self, updates, data):
        repeats = data.draw(st.lists(st.sampled_from(updates), max_size=6)) if updates else []
        disorder = data.draw(st.permutations(updates + repeats))

        assert the_order(*disorder) == the_order(*updates)

    @given(updates=st.lists(UPDATES, max_size=12))
    def test_never_unfills_and_never_opens_again(self, updates):
        before = the_order()
        for update in updates:
            after = advance(before, update)

            assert after.filled >= before.filled
            assert after.leaves <= before.leaves
            assert before.is_open or not after.is_open
            before = after


CHANGES = st.one_of(
    st.tuples(st.integers(1, 3), st.integers(1, 20)).map(lambda pair: intended(pair[0], 5 * pair[0])),
    st.integers(1, 3).map(lambda number: modified(number, 5 * number)),
    st.integers(0, 3).map(unchanged),
)


class TestAChangeOfAnOrder:
    def test_that_is_pending_counts_by_the_greater_quantity(self, make):
        greater, smaller = the_order(intended(1, quantity=30)), the_order(intended(1, quantity=3))

        assert (greater.quantity, greater.leaves, smaller.leaves) == (10, 30, 10)
        assert the_order(intended(1, quantity=30), make.filled()).state == "PART_FILLED"

    def test_that_is_made_is_how_the_order_is(self):
        order = the_order(intended(1, 30, 99.0), modified(1, 30, 99.0))

        assert (order.quantity, order.limit_price, order.pending, order.settled) == (30, 99.0, None, 1)

    def test_that_is_refused_leaves_it_as_it_was_and_filled_if_it_is(self, make):
        order = the_order(intended(1, quantity=30), make.filled(), unchanged(1))

        assert (order.quantity, order.pending, order.state) == (10, None, "FILLED")

    def test_down_to_what_is_filled_fills_it(self, make):
        assert the_order(make.filled(quantity=4), intended(1, 5), modified(1, 4)).state == "FILLED"

    def test_of_an_order_that_ends_first_leaves_nothing_open(self, make):
        order = the_order(make.accepted(), intended(1, quantity=30), make.cancelled())

        assert (order.state, order.leaves) == ("CANCELLED", 0)

    @pytest.mark.parametrize("answer", [modified(1, 30), unchanged(1)], ids=["made", "refused"])
    def test_whose_answer_was_heard_before_its_intent_is_not_pending(self, answer):
        order = the_order(answer, intended(1, 30))

        assert order.pending is None
        assert order == the_order(intended(1, 30), answer)
        assert the_order(answer, intended(2, 30)).pending.number == 2

    @pytest.mark.parametrize("late", [modified(1, 20), unchanged(1)], ids=["made", "refused"])
    def test_is_pending_until_its_own_answer_comes(self, late):
        order = the_order(intended(1, 20), intended(2, 30), late)

        assert (order.pending.number, order.leaves) == (2, 30)

    def test_of_which_our_gate_refused_one_is_as_before(self):
        order = the_order(intended(1, 30))

        assert advance(order, unchanged(0)) is order

    @given(facts=st.lists(st.one_of(UPDATES, CHANGES), max_size=12), data=st.data())
    def test_ends_the_same_whatever_is_repeated_or_reordered(self, facts, data):
        repeats = data.draw(st.lists(st.sampled_from(facts), max_size=6)) if facts else []
        disorder = data.draw(st.permutations(facts + repeats))

        assert the_order(*disorder) == the_order(*facts)
        assert the_order(*facts).filled >= the_order(*facts[:-1]).filled


@pytest.mark.parametrize(
    "kinds",
    [(intended, modified, unchanged), (asked, unanswered, not_cancelled)],
    ids=["changes", "cancellations"],
)
def test_any_three_facts_of_two_requests_lead_to_the_same_order_in_every_order(kinds):
    facts = [kind(number) for kind in kinds for number in (1, 2)]
    for three in itertools.combinations_with_replacement(facts, 3):
        first, *others = (the_order(*order) for order in itertools.permutations(three))

        assert all(other == first for other in others)


CANCELLATIONS = st.one_of(*(st.integers(1, 3).map(kind) for kind in (asked, unanswered, not_cancelled)))


class TestACancellationOfAnOrder:
    @pytest.mark.parametrize(
        ("facts", "cancellation", "by"),
        [
            ((), "", None),
            ((asked(1),), "REQUESTED", "asha 1"),
            ((asked(1), unanswered(1)), "IN_DOUBT", "asha 1"),
            ((asked(1), not_cancelled(1)), "REFUSED", None),
            ((asked(1), not_cancelled(1), asked(2)), "REQUESTED", "asha 2"),
            ((asked(1), unanswered(1), not_cancelled(1), asked(2)), "REQUESTED", "asha 2"),
            ((not_cancelled(1), asked(1)), "REFUSED", None),
            ((unanswered(1), asked(1)), "IN_DOUBT", "asha 1"),
            ((asked(2), not_cancelled(1), asked(1)), "REQUESTED", "asha 2"),
            ((asked(1), fill(1, 10)), "TOO_LATE", None),
        ],
    )
    def test_is_in_flight_until_it_is_refused_or_the_order_has_ended(self, facts, cancellation, by):
        order = the_order(*facts)

        assert order.cancellation == cancellation
        assert (order.cancelling.asked_by if order.cancelling else None) == by

    def test_changes_nothing_else_of_it_and_is_done_when_it_is_cancelled(self, make):
        order = the_order(make.accepted(), fill(1, 4), asked(1))

        assert (order.state, order.leaves) == ("PART_FILLED", 6)
        assert (advance(order, make.cancelled()).cancellation, order.cancellations) == ("DONE", 1)
        assert all(advance(order, fact) is order for fact in (asked(1), not_cancelled(0)))

    @given(facts=st.lists(st.one_of(UPDATES, CHANGES, CANCELLATIONS), max_size=12), data=st.data())
    def test_ends_the_same_whatever_is_repeated_or_reordered(self, facts, data):
        repeats = data.draw(st.lists(st.sampled_from(facts), max_size=6)) if facts else []

        assert the_order(*data.draw(st.permutations(facts + repeats))) == the_order(*facts)
