"""Whatever well-formed thing orders hears of an order, in whatever sequence: it books what can be, and goes on."""

from fractions import Fraction

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st
from natya_builders import BUILDERS
from natya_examples import FULL
from natya_messages import messages

from natya.actors.orders import updates
from natya.domain.orders import Order, advance
from natya.messages.broker import (
    ExecutionReport,
    LookupFailed,
    OrderFound,
    OrderInDoubt,
    OrderNotFound,
    OrderNotPlaced,
    OrderNotReplaced,
    OrderPlaced,
    OrderReplaced,
    ReplaceInDoubt,
    ReportRefused,
)
from natya.messages.codec import checked
from natya.messages.holdings import ReadHoldings
from natya.messages.journal import Appended, AppendRefused
from natya.messages.orders import CancelOrder, ModifyOrder, OrderFilled, SubmitOrder
from natya.messages.risk_state import Resume

IDS = st.sampled_from(["A-1", "A-2", "A-9", "", "x" * 99])
OF_THE_BROKER = (
    ExecutionReport,
    LookupFailed,
    OrderFound,
    OrderInDoubt,
    OrderNotFound,
    OrderNotPlaced,
    OrderNotReplaced,
    OrderPlaced,
    OrderReplaced,
    ReplaceInDoubt,
    ReportRefused,
)
OF_OTHERS = (SubmitOrder, ModifyOrder, CancelOrder, ReadHoldings, Resume, Appended, AppendRefused)


def of_some_order(kind):
    """Messages of a type, mostly about orders that there are."""
    made = messages(kind)
    if "client_order_id" not in kind.__struct_fields__:
        return made
    about = st.tuples(made, IDS).map(lambda pair: msgspec.structs.replace(pair[0], client_order_id=pair[1]))
    if kind is not OrderFound:
        return about
    reports = st.lists(of_some_order(ExecutionReport), max_size=3).map(tuple)
    return st.tuples(about, reports).map(lambda pair: msgspec.structs.replace(pair[0], reports=pair[1]))


def test_an_owner_of_orders_goes_on(stage, caplog):
    stage.open(reconcile_interval_s=60.0, lookup_interval_s=60.0)
    for client_order_id in ("A-1", "A-2"):
        stage.place(BUILDERS.order(client_order_id))
    stage.settle()

    @settings(max_examples=4 * FULL, deadline=None)
    @given(message=st.sampled_from(OF_THE_BROKER + OF_OTHERS).flatmap(of_some_order))
    def hears(message):
        stage.tell(message, stage.strategy)
        stage.settle()

    hears()

    assert "handler.failed" not in caplog.text
    for symbol in {fact.symbol for fact in stage.disk.facts if isinstance(fact, OrderFilled)}:
        fills = [fact for fact in stage.disk.facts if isinstance(fact, OrderFilled) and fact.symbol == symbol]
        assert sum(fill.quantity for fill in fills) <= 20


@given(
    news=st.lists(st.sampled_from([ExecutionReport, OrderFound]).flatmap(of_some_order), min_size=1, max_size=8),
    now_ns=st.integers(0, 2**62),
)
def test_facts_are_what_a_journal_takes_and_add_up_to_no_more_than_was_ordered(news, now_ns):
    order = Order.from_intent(BUILDERS.intent())
    value = Fraction(0)
    for each in news:
        if isinstance(each, ExecutionReport):
            update = updates.from_report(order, each, now_ns)
        else:
            update = updates.from_lookup(order, each, now_ns, age_ns=now_ns, horizon_ns=1)
        for fact in update.facts:
            assert checked(fact) == fact
            after = advance(order, fact)
            assert after is not order
            order = after
            if isinstance(fact, OrderFilled):
                value += Fraction(fact.price) * fact.quantity
                assert fact.cumulative_quantity == order.filled
    assert order.filled <= order.quantity
    assert (value > 0) == (order.filled > 0)
