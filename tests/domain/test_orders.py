"""One order, whatever is said of it, in whatever sequence, however often."""

import functools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from natya.domain.orders import Order, advance
from natya.messages.orders import (
    OrderAccepted,
    OrderCancelled,
    OrderExpired,
    OrderFilled,
    OrderIntended,
    OrderRejected,
    OrderUncertain,
)

INTENT = OrderIntended(
    client_order_id="A-1",
    strategy="crossover",
    symbol="INFY",
    side="BUY",
    quantity=10,
    order_type="MARKET",
    limit_price=None,
    occurred_ns=1,
)


def the_order(*facts):
    return functools.reduce(advance, facts, Order.from_intent(INTENT))


def fill(trade, quantity):
    return OrderFilled(
        client_order_id="A-1",
        trade_id=f"T-{trade}",
        strategy="crossover",
        symbol="INFY",
        side="BUY",
        quantity=quantity,
        price=100.0,
        cumulative_quantity=quantity,
        occurred_ns=2,
    )


UPDATES = st.one_of(
    st.builds(OrderAccepted, client_order_id=st.just("A-1"), broker_order_id=st.sampled_from(["B-1", "B-2"])),
    st.builds(OrderUncertain, client_order_id=st.just("A-1")),
    st.builds(OrderCancelled, client_order_id=st.just("A-1")),
    st.builds(OrderExpired, client_order_id=st.just("A-1")),
    st.builds(OrderRejected, client_order_id=st.just("A-1")),
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

    def test_is_the_same_object_when_a_fact_says_nothing_new(self, make):
        for fact in (make.accepted(), make.uncertain(), make.cancelled(), make.filled(quantity=4)):
            order = the_order(fact)

            assert advance(order, fact) is order

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
