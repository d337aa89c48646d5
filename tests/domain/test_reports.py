"""Which reports of a broker are believed, beside what they are reports of."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from natya.domain.reports import excess_fault, instrument_fault, trade_fault
from natya.messages.broker import ExecutionReport, OrderFound
from natya.messages.units import RUPEES_MAX


def a_report(**fields):
    given = {
        "client_order_id": "A-1",
        "broker_order_id": "B-1",
        "execution_type": "TRADE",
        "execution_id": "T-1",
        "occurred_ns": 1,
        "quantity": 4,
        "price": 99.5,
    }
    return ExecutionReport(**given | fields)


def rule_of(fault):
    return None if fault is None else fault.rule


class TestATrade:
    @pytest.mark.parametrize(
        ("fields", "rule"),
        [
            ({}, None),
            ({"execution_id": ""}, "identity"),
            ({"quantity": 0}, "quantity"),
            ({"quantity": 1}, None),
            ({"price": 0.0}, "price"),
            ({"price": -1.0}, "price"),
            ({"price": math.nan}, "price"),
            ({"price": math.inf}, "price"),
            ({"price": RUPEES_MAX}, None),
            ({"price": RUPEES_MAX * 2}, "price"),
            ({"cumulative_quantity": 0}, None),
            ({"cumulative_quantity": 3}, "cumulative"),
            ({"cumulative_quantity": 4}, None),
        ],
    )
    def test_is_believed_if_it_can_be(self, fields, rule):
        assert rule_of(trade_fault(a_report(**fields))) == rule


class TestAReport:
    @pytest.mark.parametrize(
        ("fields", "rule"),
        [
            ({}, None),
            ({"symbol": "INFY"}, None),
            ({"symbol": "TCS"}, "instrument"),
            ({"side": "BUY"}, None),
            ({"side": "SELL"}, "side"),
        ],
    )
    def test_is_of_the_instrument_and_side_of_its_order_where_it_tells_them(self, fields, rule):
        report = a_report(**fields)
        answer = OrderFound(client_order_id="A-1", broker_order_id="B-1", state="OPEN", reports=(a_report(), report))

        assert rule_of(instrument_fault(report, symbol="INFY", side="BUY")) == rule
        assert rule_of(instrument_fault(answer, symbol="INFY", side="BUY")) == rule

    @given(
        kind=st.sampled_from(["TRADE", "CANCELLED"]),
        ordered=st.integers(1, 9),
        filled=st.integers(0, 9),
        quantity=st.integers(0, 9),
        cumulative=st.integers(0, 12),
    )
    def test_tells_of_no_more_than_was_ordered(self, kind, ordered, filled, quantity, cumulative):
        report = a_report(execution_type=kind, quantity=quantity, cumulative_quantity=cumulative)
        shares = filled + (quantity if kind == "TRADE" else 0)

        fits = shares <= ordered and cumulative <= ordered
        assert rule_of(excess_fault(report, ordered=ordered, filled=filled)) == (None if fits else "more_than_ordered")

    def test_of_an_order_that_has_too_many_trades_already_exceeds_it_by_those(self):
        fault = excess_fault(a_report(execution_type="CANCELLED", quantity=0), ordered=10, filled=11)

        assert fault.reason == "at most 10 shares as ordered wanted, found 11"
