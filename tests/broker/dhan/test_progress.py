"""What a row and its trades say of an order: a trade is a fill, once, and nothing else is one."""

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from natya_dhan_rows import INFY, a_row, a_trade, watched

from natya.actors.broker.bodies.dhan.progress import progress_of, symbol_told, take
from natya.domain.dhan.moments import moment, time_ns
from natya.messages.broker import ExecutionReport


class TestAFill:
    def test_is_a_trade_and_told_once(self):
        order = watched()
        first = progress_of(order, a_row("PART_TRADED", filled=4), [a_trade(quantity=4)], 1)
        take(order, first)
        again = progress_of(order, a_row("PART_TRADED", filled=4), [a_trade(quantity=4)], 1)

        assert [(each.execution_id, each.quantity, each.cumulative_quantity) for each in first.trades] == [("E1", 4, 4)]
        assert not again.trades
        assert not again.needs_trades

    def test_that_is_listed_twice_is_one(self):
        twice = [a_trade(quantity=4), a_trade("E2", 2), a_trade(quantity=4)]
        found = progress_of(watched(), a_row("PART_TRADED", filled=6), twice, 1)

        assert [(each.execution_id, each.cumulative_quantity) for each in found.trades] == [("E1", 4), ("E2", 6)]

    def test_is_told_field_by_field_in_the_order_of_time(self):
        later, earlier = moment("2024-01-01 10:00:02"), moment("2024-01-01 10:00:01")
        trades = [
            a_trade("E2", 6, price=101.5, exchange_time=later),
            a_trade("E1", 3, price=100.5, exchange_time=earlier),
        ]
        same = {"client_order_id": "A-1", "broker_order_id": "7", "execution_type": "TRADE"}
        same |= {"symbol": "INFY", "side": "BUY"}

        assert progress_of(watched(), a_row("PART_TRADED", filled=9), trades, 1).trades == (
            ExecutionReport(
                **same,
                execution_id="E1",
                occurred_ns=time_ns(earlier),
                quantity=3,
                price=100.5,
                cumulative_quantity=3,
                leaves_quantity=7,
            ),
            ExecutionReport(
                **same,
                execution_id="E2",
                occurred_ns=time_ns(later),
                quantity=6,
                price=101.5,
                cumulative_quantity=9,
                leaves_quantity=1,
            ),
        )

    def test_without_a_time_is_of_now_and_one_of_too_many_leaves_none(self):
        (report,) = progress_of(watched(), a_row("TRADED", filled=10), [a_trade(quantity=12)], 5).trades

        assert (report.occurred_ns, report.quantity, report.leaves_quantity) == (5, 12, 0)

    def test_is_never_made_of_what_the_row_counts(self):
        ahead = progress_of(watched(), a_row("TRADED", filled=10), [], 1)

        assert not ahead.trades
        assert ahead.needs_trades
        assert not ahead.has_ended

    def test_of_another_order_or_told_twice_is_passed_over_and_no_other(self):
        told = [a_trade("E9", number="8"), a_trade("E1", 1), a_trade("E2", 2), a_trade("E2", 2), a_trade("E3", 3)]
        found = progress_of(watched(trades={"E1": 1}), a_row(), told, 1).trades

        assert [(report.execution_id, report.cumulative_quantity) for report in found] == [("E2", 3), ("E3", 6)]

    def test_of_another_instrument_is_told_as_such(self):
        (report,) = progress_of(watched(), a_row(), [a_trade(security_id="999")], 1).trades

        assert report.symbol == "NSE_EQ 999"


class TestAnOrder:
    def test_has_not_ended_while_trades_are_missing(self):
        order = watched()
        early = progress_of(order, a_row("CANCELLED", filled=6), [a_trade(quantity=4)], 1)
        take(order, early)
        late = progress_of(order, a_row("CANCELLED", filled=6), [a_trade("E2", 2)], 1)

        assert (early.state, early.ending) == ("PART_FILLED", None)
        assert late.state == "CANCELLED"
        assert late.ending.cumulative_quantity == 6

    def test_that_is_traded_needs_no_count_in_its_row(self):
        assert progress_of(watched(), a_row("TRADED", filled=0), [], 1).needs_trades
        assert progress_of(watched(), a_row("TRADED", filled=0), [a_trade()], 1).state == "FILLED"

    def test_with_a_status_that_is_not_known_is_open(self):
        assert progress_of(watched(), a_row("ON_THE_MOON"), [], 1).state == "OPEN"

    @pytest.mark.parametrize("status", ["REJECTED", "CANCELLED", "EXPIRED"])
    def test_that_ends_without_a_trade_is_told_field_by_field(self, status):
        at = moment("2024-01-01 10:00:02")
        row = a_row(status, filled=4, oms_error_description="why", update_time=at)

        for updated, occurred_ns in ((row, time_ns(at)), (msgspec.structs.replace(row, update_time=None), 5)):
            assert progress_of(watched(trades={"E1": 4}), updated, [], 5).ending == ExecutionReport(
                client_order_id="A-1",
                broker_order_id="7",
                execution_type=status,
                execution_id=f"7-{status}",
                occurred_ns=occurred_ns,
                cumulative_quantity=4,
                reason="why",
                symbol="INFY",
                side="BUY",
            )

    def test_that_was_rejected_says_why(self):
        row = a_row("REJECTED", oms_error_description="RMS:7: fund shortfall")
        ending = progress_of(watched(), row, [], 1).ending

        assert (ending.execution_type, ending.reason) == ("REJECTED", "RMS:7: fund shortfall")


@given(
    parts=st.lists(st.integers(1, 5), min_size=1, max_size=6),
    told=st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), max_size=12),
)
@settings(max_examples=40)
def test_however_often_and_in_whatever_parts_it_is_told_each_trade_counts_once(parts, told):
    """What is told is a row that counts the first n trades, with the trades from m on: late, repeated, or short."""
    trades = [a_trade(f"E{place}", quantity) for place, quantity in enumerate(parts)]
    order, total, heard = watched(), sum(parts), []
    for first, count in [*told, (0, len(parts))]:
        filled = sum(parts[:count])
        status = "TRADED" if filled == total else "PART_TRADED"
        progress = progress_of(order, a_row(status, filled=filled, quantity=total), trades[first : first + count], 1)
        before = order.filled
        take(order, progress)
        heard += progress.trades
        assert order.filled >= before
        assert progress.state != "FILLED" or order.filled == total

    assert sorted(report.execution_id for report in heard) == sorted(trade.exchange_trade_id for trade in trades)
    assert order.filled == total


@pytest.mark.parametrize(
    ("status", "filled", "quantity", "state"),
    [("TRADED", 10, 10, "FILLED"), ("TRADED", 0, 0, "CANCELLED"), ("CANCELLED", 10, 10, "FILLED")],
)
def test_only_what_has_traded_all_of_something_is_filled(status, filled, quantity, state):
    trades = [a_trade(quantity=filled)] if filled else []

    assert progress_of(watched(), a_row(status, filled=filled, quantity=quantity), trades, 1).state == state


@pytest.mark.parametrize(
    ("instrument", "segment", "security_id", "symbol"),
    [
        (None, "NSE_EQ", "999", ""),
        (INFY, "NSE_EQ", "1594", "INFY"),
        (INFY, "", "1594", "INFY"),
        (INFY, "BSE_EQ", "1594", "BSE_EQ 1594"),
        (INFY, "NSE_EQ", "999", "NSE_EQ 999"),
        (INFY, "", "999", "no segment 999"),
    ],
)
def test_what_is_not_of_the_instrument_that_was_ordered_has_a_name_that_is_none_of_ours(
    instrument, segment, security_id, symbol
):
    assert symbol_told(watched(instrument=instrument), segment, security_id) == symbol


@pytest.mark.parametrize(("told", "reason"), [("no margin", "no margin"), ("", "REJECTED")])
def test_why_it_has_ended_is_what_the_broker_says_or_else_its_word_for_that(told, reason):
    row = a_row("REJECTED", oms_error_description=told)

    assert progress_of(watched(), row, [], 1).ending.reason == reason
