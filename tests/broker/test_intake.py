"""The door for what a broker says: nothing impossible is passed on, whoever said it."""

import math
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st
from natya_messages import JUNK, ill_typed

from natya.actors.broker import BROKERS
from natya.actors.broker.bodies.paper import PaperBroker
from natya.actors.broker.intake import BROKER_EVENTS, CLIENT_ORDER_ID_MAX, KNOWN_MAX, Intake, is_written
from natya.messages.broker import (
    ExecutionReport,
    FindOrder,
    LookupFailed,
    OrderFound,
    OrderInDoubt,
    OrderNotFound,
    OrderNotPlaced,
    OrderPlaced,
    PlaceOrder,
    ReplaceOrder,
    ReportRefused,
)
from natya.messages.codec import checked
from natya.messages.supervision import Failed
from natya.messages.system import Ping

CHANGE = {
    "client_order_id": "A-1",
    "broker_order_id": "X-1",
    "number": 1,
    "symbol": "INFY",
    "side": "BUY",
    "order_type": "MARKET",
}


def a_trade(execution_id="T-1", quantity=4, price=100.0, **fields):
    fields = {"client_order_id": "A-1", "broker_order_id": "X-1", "execution_type": "TRADE", "occurred_ns": 1} | fields
    return ExecutionReport(execution_id=execution_id, quantity=quantity, price=price, **fields)


def found(*reports, state="PART_FILLED", **fields):
    fields = {"client_order_id": "A-1", "broker_order_id": "X-1"} | fields
    return OrderFound(state=state, reports=reports, **fields)


@pytest.fixture
def intake():
    intake = Intake()
    intake.expect(PlaceOrder(client_order_id="A-1", symbol="INFY", side="BUY", quantity=10, order_type="MARKET"))
    return intake


def rule(fault):
    return None if fault is None else fault.rule


WRONG = [
    ({"price": math.nan}, "malformed"),
    ({"price": math.inf}, "malformed"),
    ({"price": -math.inf}, "malformed"),
    ({"price": -0.05}, "malformed"),
    ({"price": 1e13}, "malformed"),
    ({"price": "100"}, "malformed"),
    ({"price": None}, "malformed"),
    ({"price": 0.0}, "price"),
    ({"quantity": 0}, "quantity"),
    ({"quantity": -1}, "malformed"),
    ({"quantity": 2.5}, "malformed"),
    ({"quantity": 4.0}, "malformed"),  # would arrive as 4, and is none
    ({"quantity": 1 << 70}, "malformed"),
    ({"quantity": 11}, "more_than_ordered"),
    ({"cumulative_quantity": 11}, "more_than_ordered"),
    ({"cumulative_quantity": 3}, "cumulative"),
    ({"cumulative_quantity": -3}, "malformed"),
    ({"execution_id": ""}, "identity"),
    ({"execution_id": None}, "malformed"),
    ({"execution_id": "\ud800"}, "malformed"),
    ({"execution_id": uuid.UUID(int=1)}, "malformed"),
    ({"broker_order_id": ""}, "broker_order_id"),
    ({"client_order_id": ""}, "another_order"),
    ({"client_order_id": "x" * 65}, "another_order"),
    ({"client_order_id": ["A-1"]}, "malformed"),
    ({"execution_type": "FILL"}, "malformed"),
    ({"occurred_ns": -1}, "malformed"),
    ({"symbol": "TCS"}, "instrument"),
    ({"symbol": "infy"}, "instrument"),
    ({"symbol": None}, "malformed"),
    ({"side": "SELL"}, "side"),
    ({"side": "SHORT"}, "malformed"),
    ({"symbol": "INFY", "side": "SELL"}, "side"),
]


class TestATrade:
    def test_that_may_have_happened_is_believed(self, intake):
        assert intake.take(a_trade()) is None
        assert intake.take(a_trade("T-2", 6, cumulative_quantity=10, symbol="INFY", side="BUY")) is None

    @pytest.mark.parametrize(("fields", "wrong"), WRONG, ids=str)
    def test_that_cannot_be_is_refused_by_name_in_a_report_and_in_a_look_up(self, intake, fields, wrong):
        fault = intake.take(a_trade(**fields))

        assert rule(fault) == wrong
        assert fault.reason.isascii()
        assert intake.take(found(a_trade(**fields))) is not None
        assert intake.take(a_trade(quantity=10)) is None

    def test_is_refused_among_those_of_a_look_up_that_could_still_change(self, intake):
        reports = [a_trade()]
        lookup = OrderFound(client_order_id="A-1", broker_order_id="X-1", state="PART_FILLED", reports=reports)

        assert rule(intake.take(lookup)) == "malformed"

    def test_again_is_the_same_one_or_refused(self, intake):
        intake.take(a_trade())

        assert intake.take(a_trade()) is None
        assert rule(intake.take(a_trade(price=100.05))) == "identity"
        assert rule(intake.take(a_trade(quantity=5))) == "identity"
        assert rule(intake.take(found(a_trade(quantity=5)))) == "identity"

    def test_is_refused_when_all_of_them_are_more_than_was_ordered(self, intake):
        intake.take(a_trade("T-1", 6))

        assert rule(intake.take(a_trade("T-2", 5))) == "more_than_ordered"
        assert intake.take(a_trade("T-3", 4)) is None

    @pytest.mark.parametrize(("changed_to", "most"), [(20, 20), (5, 10), (10, 10)])
    def test_may_be_as_large_as_the_order_ever_was(self, intake, changed_to, most):
        intake.expect_change(ReplaceOrder(**CHANGE, quantity=changed_to))

        assert rule(intake.take(a_trade("T-1", most + 1))) == "more_than_ordered"
        assert intake.take(a_trade("T-1", most)) is None

    def test_of_an_order_of_an_earlier_process_has_to_be_possible_by_itself(self, intake):
        assert intake.take(a_trade(client_order_id="OLD-1", quantity=1_000)) is None
        assert rule(intake.take(a_trade(client_order_id="OLD-1", quantity=0))) == "quantity"

    def test_of_another_number_at_the_broker_is_refused(self, intake):
        assert intake.take(OrderPlaced(client_order_id="A-1", broker_order_id="X-1")) is None
        assert rule(intake.take(a_trade(broker_order_id="X-2"))) == "broker_order_id"
        assert rule(intake.take(a_trade(execution_type="REJECTED", broker_order_id=""))) == "broker_order_id"
        assert rule(intake.take(found(broker_order_id="X-2"))) == "broker_order_id"
        assert intake.take(a_trade(execution_type="CANCEL_REJECTED", broker_order_id="", quantity=0)) is None

    def test_is_compared_with_the_first_number_and_the_first_order_whatever_came_between(self, intake):
        intake.take(a_trade("T-1", 6))
        intake.take(a_trade(execution_type="REJECTED", quantity=0))
        intake.expect(PlaceOrder(client_order_id="A-1", symbol="I", side="BUY", quantity=99, order_type="MARKET"))

        assert rule(intake.take(a_trade("T-2", 1, broker_order_id="X-2"))) == "broker_order_id"
        assert rule(intake.take(a_trade("T-2", 5))) == "more_than_ordered"

    def test_may_never_be_of_an_order_that_was_rejected_without_a_number(self, intake):
        assert intake.take(a_trade(execution_type="REJECTED", broker_order_id="", quantity=0)) is None


class TestALookUp:
    def test_is_believed_as_a_whole_or_not_at_all(self, intake):
        assert rule(intake.take(found(a_trade("T-1", 6), a_trade("T-2", 5)))) == "more_than_ordered"
        assert intake.take(found(a_trade("T-1", 5), a_trade("T-2", 5), state="FILLED")) is None

    def test_with_reports_of_another_order_is_refused(self, intake):
        assert rule(intake.take(found(a_trade(client_order_id="A-2")))) == "another_order"

    @pytest.mark.parametrize("fields", [{"symbol": "TCS"}, {"side": "SELL"}], ids=str)
    def test_of_what_was_not_ordered_is_refused(self, intake, fields):
        assert rule(intake.take(found(state="OPEN", **fields))) in {"instrument", "side"}
        assert intake.take(found(state="OPEN", symbol="INFY", side="BUY")) is None

    def test_of_a_rejected_order_needs_no_number(self, intake):
        assert intake.take(found(state="REJECTED", broker_order_id="")) is None


class TestAnAnswer:
    @pytest.mark.parametrize(
        "answer",
        [
            OrderPlaced(client_order_id="A-1", broker_order_id=""),
            OrderPlaced(client_order_id="A-1", broker_order_id=7),
            OrderPlaced(client_order_id="A-1", broker_order_id="X-1", symbol="TCS"),
            OrderPlaced(client_order_id="A-1", broker_order_id="X-1", side="SELL"),
            OrderNotPlaced(client_order_id="A-1", reason=None),
            OrderNotFound(client_order_id=None),
            LookupFailed(client_order_id="A-1", reason="\ud800"),
            found(None),
            found(state="ALIVE"),
            None,
            "OrderPlaced",
            PlaceOrder(client_order_id="A-1", symbol="I", side="BUY", quantity=1, order_type="MARKET"),
        ],
        ids=repr,
    )
    def test_that_is_none_is_refused(self, intake, answer):
        assert intake.take(answer) is not None


@pytest.mark.parametrize(
    ("client_order_id", "may"),
    [("", False), ("A", True), ("A" * 64, True), ("A" * 65, False), ("\u00e9" * 32, True), ("\u00e9" * 33, False)],
)
def test_an_id_of_ours_has_one_to_sixty_four_bytes(intake, client_order_id, may):
    fault = intake.take(OrderNotPlaced(client_order_id=client_order_id, reason="no"))

    assert (fault is None) is may


VALUES = st.one_of(
    st.none(), st.integers(-2, 12), st.floats(), st.text(max_size=3), st.sampled_from(["A-1", "X-1", "T-1", "T-2"])
)
REPORTS = st.builds(
    ExecutionReport,
    client_order_id=st.sampled_from(["A-1", "A-1", "A-1", "OLD"]),
    broker_order_id=st.sampled_from(["X-1", "X-1", "X-2", ""]),
    execution_type=st.sampled_from(["TRADE", "TRADE", "TRADE", "NEW", "REJECTED", "CANCELLED"]),
    execution_id=st.sampled_from(["T-1", "T-2", "T-3", ""]) | VALUES,
    occurred_ns=st.just(1),
    quantity=st.integers(-1, 8) | VALUES,
    price=st.sampled_from([100.0, 100.05, 0.0, math.nan, math.inf]) | VALUES,
    cumulative_quantity=st.integers(0, 12) | VALUES,
)


@given(told=st.lists(st.one_of(REPORTS, st.lists(REPORTS, max_size=3).map(lambda each: found(*each))), max_size=12))
def test_whatever_is_told_what_is_believed_could_have_happened(told):
    intake = Intake()
    intake.expect(PlaceOrder(client_order_id="A-1", symbol="INFY", side="BUY", quantity=10, order_type="MARKET"))
    believed = {}
    for news in told:
        reports = news.reports if isinstance(news, OrderFound) else (news,)
        if intake.take(news) is not None:
            continue
        for report in reports:
            if report.client_order_id == "A-1" and report.execution_type == "TRADE":
                trade = (report.quantity, report.price)
                assert believed.setdefault(report.execution_id, trade) == trade
    assert sum(quantity for quantity, _ in believed.values()) <= 10
    for trade_id, (quantity, price) in believed.items():
        assert trade_id
        assert type(quantity) is int
        assert quantity >= 1
        assert 0 < price <= 1e12


def test_what_is_known_is_of_the_newest_orders(intake):
    for number in range(KNOWN_MAX - 1):
        intake.expect(
            PlaceOrder(client_order_id=f"{number}", symbol="INFY", side="BUY", quantity=10, order_type="MARKET")
        )
    before = rule(intake.take(a_trade(quantity=11)))
    intake.expect(PlaceOrder(client_order_id="new", symbol="INFY", side="BUY", quantity=10, order_type="MARKET"))

    assert (before, rule(intake.take(a_trade(quantity=11)))) == ("more_than_ordered", None)
    assert len(intake._known) == KNOWN_MAX


@given(news=st.sampled_from(BROKER_EVENTS).flatmap(ill_typed) | JUNK)
def test_whatever_it_is_given_it_judges(news):
    fault = Intake().take(news)

    assert fault is not None or checked(news) is news


@pytest.mark.parametrize(
    ("client_order_id", "is_one"),
    [
        *(("", False), ("A", True), ("A" * CLIENT_ORDER_ID_MAX, True), ("A" * (CLIENT_ORDER_ID_MAX + 1), False)),
        *(("é" * (CLIENT_ORDER_ID_MAX // 2), True), ("é" * CLIENT_ORDER_ID_MAX, False), ("\ud800", False)),
    ],
)
def test_an_id_is_written_in_so_many_bytes_of_utf8(client_order_id, is_one):
    assert is_written(client_order_id) is is_one


class BreakingBroker(PaperBroker):
    """Breaks on one order."""

    def place(self, order):
        if order.client_order_id == "BREAK":
            raise OSError("connection reset")
        super().place(order)


class TestTheSession:
    """What it says of reports that it does not believe; the body passes on whatever it hears."""

    @pytest.fixture
    def placed(self, stage):
        stage.open().ask(stage.order())
        stage.answer(stage.report("NEW"))
        assert isinstance(stage.orders.receive(), OrderPlaced)
        return stage

    def refused_reports(self, stage):
        return stage.system.request("broker", Ping()).statistics.refused_reports

    @pytest.mark.parametrize(
        ("trade", "wrong"),
        [
            ({"quantity": 11, "price": 1.0}, "more_than_ordered"),
            ({"quantity": 1}, "price"),
            ({"price": 1.0}, "quantity"),
            ({"quantity": 1, "price": 1.0, "broker_order_id": "X-9"}, "broker_order_id"),
            ({"quantity": 1, "price": 1.0, "symbol": "TCS"}, "instrument"),
        ],
        ids=str,
    )
    def test_has_the_order_looked_up_for_a_report_that_cannot_be(self, placed, trade, wrong, caplog):
        placed.answer(placed.report("TRADE", **trade))
        refusal = placed.orders.receive()
        (told,) = [each for each in caplog.records if each.getMessage() == "report.refused"]

        assert (told.levelname, told.fields) == (
            "ERROR", {"report": "ExecutionReport", "rule": wrong, "reason": refusal.reason},
        )  # fmt: skip
        assert (type(refusal), refusal.client_order_id, refusal.rule) == (ReportRefused, "A-1", wrong)
        assert self.refused_reports(placed) == 1
        assert placed.orders.is_empty()

    def test_learned_nothing_from_a_look_up_that_cannot_be(self, placed):
        placed.ask(FindOrder(client_order_id="A-1"))
        placed.answer(found(a_trade(quantity=11)))
        answer = placed.orders.receive()

        assert isinstance(answer, LookupFailed)
        assert answer.reason.startswith("more_than_ordered: at most 10 shares")

    def test_is_in_doubt_after_an_acceptance_without_a_number(self, stage):
        stage.open().ask(stage.order())
        stage.answer(stage.report("NEW", broker_order_id=""))
        answer = stage.orders.receive()

        assert isinstance(answer, OrderInDoubt)
        assert answer.reason.startswith("broker_order_id: ")

    def test_is_in_doubt_after_the_acceptance_of_another_symbol(self, stage):
        stage.open().ask(stage.order())
        stage.answer(stage.report("NEW", symbol="TCS"))
        answer = stage.orders.receive()

        assert isinstance(answer, OrderInDoubt)
        assert answer.reason == "instrument: INFY as ordered wanted, found 'TCS'"

    def test_remembers_what_was_traded_when_it_is_restarted(self, stage, monkeypatch):
        monkeypatch.setitem(BROKERS, "breaking", BreakingBroker)
        stage.open(name="breaking").ask(stage.order())
        stage.answer(stage.report("NEW"))
        stage.answer(stage.report("TRADE", execution_id="T-1", quantity=6, price=1.0))
        stage.ask(stage.order("BREAK"))
        stage.answer(stage.report("TRADE", execution_id="T-2", quantity=5, price=1.0))
        heard = [stage.orders.receive() for _ in range(5)]

        assert [type(each) for each in heard] == [OrderPlaced, ExecutionReport, Failed, OrderInDoubt, ReportRefused]
        assert heard[-1].rule == "more_than_ordered"
