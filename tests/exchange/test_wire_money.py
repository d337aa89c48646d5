"""Positions, holdings and money on the wire, and what the market shows: each number by its own name."""

from decimal import Decimal

import pytest
from natya_messages import distinct

from natya.actors.exchange.account import Listings
from natya.actors.exchange.account.views import AccountHolding, AccountPosition, Funds, Margin
from natya.actors.exchange.wire import market
from natya.actors.exchange.wire.groups.rows import funds_row, holding_row, ledger_row, margin_row, position_row
from natya.actors.exchange.wire.market import Shown, _quote
from natya.domain.time import SECOND_NS
from natya.messages.exchange import MoneyMoved
from natya.messages.market import DaySummary, Depth, Tick

AT_NS = 1_790_567_100 * SECOND_NS  # 2026-09-28 09:15:00 in India
NOTHING = Listings([])
INSTRUMENT = ("NSE_EQ", "1594")

POSITION = {
    "trading_symbol": "symbol",
    "product_type": "product",
    "net_qty": "net_quantity",
    "buy_qty": "buy_quantity",
    "sell_qty": "sell_quantity",
    "buy_avg": "buy_average",
    "sell_avg": "sell_average",
    "cost_price": "cost_price",
    "realized_profit": "realized_rupees",
    "unrealized_profit": "unrealized_rupees",
    "carry_forward_buy_qty": "carried_buy_quantity",
    "carry_forward_sell_qty": "carried_sell_quantity",
    "day_buy_qty": "day_buy_quantity",
    "day_sell_qty": "day_sell_quantity",
    "carry_forward_buy_value": "carried_buy_rupees",
    "carry_forward_sell_value": "carried_sell_rupees",
    "day_buy_value": "day_buy_rupees",
    "day_sell_value": "day_sell_rupees",
}
HOLDING = {
    "trading_symbol": "symbol",
    "total_qty": "quantity",
    "available_qty": "available_quantity",
    "avg_cost_price": "average_cost_rupees",
    "last_traded_price": "last_price",
}
FUNDS = {
    "available_balance": "available_rupees",
    "sod_limit": "start_of_day_rupees",
    "receivable_amount": "receivable_rupees",
    "utilized_amount": "utilized_rupees",
    "withdrawable_balance": "withdrawable_rupees",
}
MARGIN = {
    "total_margin": "total_rupees",
    "span_margin": "span_rupees",
    "exposure_margin": "exposure_rupees",
    "available_balance": "available_rupees",
    "variable_margin": "variable_rupees",
    "insufficient_balance": "insufficient_rupees",
    "brokerage": "brokerage_rupees",
}
A_POSITION = distinct(AccountPosition, instrument=INSTRUMENT)
A_HOLDING = distinct(AccountHolding, instrument=INSTRUMENT, quantity=10, unsettled_quantity=4)
SOME_FUNDS, A_MARGIN = distinct(Funds), distinct(Margin)


@pytest.mark.parametrize(
    ("names", "source", "row"),
    [
        (POSITION, A_POSITION, lambda: position_row(A_POSITION, "1000", NOTHING)),
        (HOLDING, A_HOLDING, lambda: holding_row(A_HOLDING, NOTHING)),
        (FUNDS, SOME_FUNDS, lambda: funds_row(SOME_FUNDS, "1000")),
        (MARGIN, A_MARGIN, lambda: margin_row(A_MARGIN)),
    ],
    ids=["position", "holding", "funds", "margin"],
)
def test_a_row_has_each_number_by_its_name(names, source, row):
    assert {name: getattr(row(), name) for name in names} == {
        name: getattr(source, ours) for name, ours in names.items()
    }


@pytest.mark.parametrize(
    ("unsettled", "settled", "waiting"), [(4, 6, 4), (0, 10, 0), (10, 0, 10), (-2, 12, 0), (11, 0, 11)]
)
def test_a_holding_is_settled_but_for_what_was_bought_last(unsettled, settled, waiting):
    row = holding_row(
        distinct(AccountHolding, instrument=INSTRUMENT, quantity=10, unsettled_quantity=unsettled), NOTHING
    )

    assert (row.dp_qty, row.t1_qty) == (settled, waiting)


@pytest.mark.parametrize(("amount", "debit", "credit"), [("5.5", 0.0, 5.5), ("-5.5", 5.5, 0.0), ("0", 0.0, 0.0)])
def test_a_voucher_is_a_debit_or_a_credit(amount, debit, credit):
    voucher = distinct(MoneyMoved, amount_rupees=Decimal(amount), occurred_ns=AT_NS)
    row = ledger_row(voucher, "1000")

    assert (row.debit, row.credit, row.runbal) == (debit, credit, float(voucher.balance_rupees))
    assert (row.vouchernumber, row.narration, row.voucherdesc) == (
        voucher.voucher,
        voucher.narration,
        voucher.description,
    )
    assert str(row.voucherdate) == "2026-09-28"


BOOK = Depth(bid_prices=(99.5, 99.0), bid_quantities=(7, 8), ask_prices=(100.5,), ask_quantities=(9,))


def a_tick(price, sequence, **fields):
    return Tick(
        symbol="INFY", price=price, quantity=3, exchange_ns=AT_NS + sequence, source="s", sequence=sequence, **fields
    )


class TestAQuote:
    def test_is_of_the_day_as_the_source_tells_it(self):
        day = distinct(DaySummary)
        shown = Shown(a_tick(100.0, 1))
        shown.move(a_tick(101.0, 2, day=day, depth=BOOK, volume=50))
        found = _quote(shown, 10.0)

        ohlc = found.ohlc
        assert (ohlc.open, ohlc.high, ohlc.low, ohlc.close) == (
            *(day.open_price, day.high_price, day.low_price, day.close_price),
        )
        assert (found.average_price, found.buy_quantity, found.sell_quantity, found.oi) == (
            *(day.average_price, day.total_buy_quantity, day.total_sell_quantity, day.open_interest),
        )
        assert (found.last_price, found.last_quantity, found.volume) == (101.0, 3, 50)
        assert found.net_change == round(101.0 - day.close_price, 2)
        limits = round(day.close_price * 0.9, 2), round(day.close_price * 1.1, 2)
        assert (found.lower_circuit_limit, found.upper_circuit_limit) == limits

    def test_is_of_the_ticks_where_the_source_tells_no_day(self):
        shown = Shown(a_tick(100.0, 1))
        for number, price in enumerate((100.0, 103.0, 98.0, 101.0), 2):
            shown.move(a_tick(price, number, depth=BOOK))
        found = _quote(shown, 10.0)

        ohlc = found.ohlc
        assert (ohlc.open, ohlc.high, ohlc.low, ohlc.close) == (100.0, 103.0, 98.0, 0.0)
        assert (found.average_price, found.volume, found.oi, found.net_change) == (100.5, 12, 0.0, 0.0)
        assert (found.buy_quantity, found.sell_quantity) == (15, 9)
        assert [(level.price, level.quantity) for level in found.depth.buy[:3]] == [(99.5, 7), (99.0, 8), (0.0, 0)]
        assert [(level.price, level.quantity) for level in found.depth.sell[:2]] == [(100.5, 9), (0.0, 0)]

    def test_of_the_next_day_begins_anew_with_the_last_price_as_its_close_before(self):
        shown = Shown(a_tick(100.0, 1))
        shown.move(a_tick(99.0, 86_400 * SECOND_NS))
        found = shown.ohlc()

        assert (found.open, found.high, found.low, found.close) == (99.0, 99.0, 99.0, 100.0)
        assert shown.volume == 3


def test_a_late_tick_of_a_minute_that_is_not_charted_is_left_out_where_no_minute_more_is_kept(monkeypatch):
    monkeypatch.setattr(market, "BARS_MAX", 3)
    minute = 60 * SECOND_NS
    shown = Shown(a_tick(100.0, 1))
    for number in (0, 3, 1):
        shown.move(a_tick(100.0 + number, number * minute + 2))
    assert [bar.close for bar in shown.bars] == [100.0, 101.0, 103.0]
    shown.move(a_tick(107.0, 2 * minute))
    shown.move(a_tick(108.0, 4 * minute))

    assert [bar.close for bar in shown.bars] == [101.0, 103.0, 108.0]
