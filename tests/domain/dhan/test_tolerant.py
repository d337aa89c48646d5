"""JSON of a service that is not exact, into messages that are."""

import math
import re
from datetime import datetime
from typing import Annotated, Literal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from natya.domain.dhan import tolerant
from natya.domain.dhan.account.funds import Funds
from natya.domain.dhan.account.portfolio import HoldingRow, PositionRow
from natya.domain.dhan.moments import time_ns
from natya.domain.dhan.tolerant import ROWS_MAX, TEXT_MAX, MalformedAnswerError, _text, _truth, _whole, read, read_all
from natya.domain.dhan.trading.orders import ModifyOrderRequest, OrderAck, OrderRow, PlaceOrderRequest, TradeRow
from natya.domain.time import IST

FOUND_MAX = 80
"""Characters of a text that may be a number or a word."""

ROWS = [OrderAck, OrderRow, TradeRow, PositionRow, HoldingRow, Funds]

ORDER = {
    "dhanClientId": "1100012345", "orderId": "412610070153", "exchangeOrderId": "1300000004511234",
    "correlationId": "bot7-000123", "orderStatus": "PART_TRADED", "transactionType": "BUY",
    "exchangeSegment": "NSE_EQ", "productType": "INTRADAY", "orderType": "LIMIT", "validity": "DAY",
    "tradingSymbol": "INFY", "securityId": "1594", "quantity": 40, "disclosedQuantity": 0, "price": 1513.0,
    "triggerPrice": 0.0, "afterMarketOrder": False, "legName": "NA", "createTime": "2026-10-07 10:15:29",
    "updateTime": "2026-10-07 10:15:31", "exchangeTime": "0001-01-01 00:00:00", "drvExpiryDate": "0001-01-01",
    "omsErrorCode": "0", "omsErrorDescription": "CONFIRMED", "remainingQuantity": 25,
    "averageTradedPrice": 1512.9, "filledQty": 15,
}  # fmt: skip

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
    max_leaves=8,
)


def an_order(**changes):
    return {name: value for name, value in {**ORDER, **changes}.items() if value is not ...}


class TestAnOrder:
    def test_is_read_as_it_is(self):
        order = read(OrderRow, ORDER)

        assert (order.order_id, order.order_status, order.is_open) == ("412610070153", "PART_TRADED", True)
        assert (order.quantity, order.filled_qty, order.remaining_quantity) == (40, 15, 25)
        assert (order.price, order.average_traded_price) == (1513.0, 1512.9)
        assert order.create_time == datetime(2026, 10, 7, 10, 15, 29)  # noqa: DTZ001
        assert (
            order.updated_ns - 2 * 10**9
            == time_ns(order.create_time)
            == int(datetime(2026, 10, 7, 10, 15, 29, tzinfo=IST).timestamp()) * 10**9
        )
        assert (order.exchange_time, order.leg_name) == (None, "")

    @pytest.mark.parametrize(
        "changes",
        [
            {
                "quantity": 40.0,
                "filledQty": "15",
                "price": "1,513.00",
                "triggerPrice": None,
                "averageTradedPrice": "1512.9",
            },
            {"orderStatus": "Part_Traded", "transactionType": "Buy", "orderId": 412610070153, "disclosedQuantity": ...},
            {"legName": None, "exchangeTime": "NA", "afterMarketOrder": "false", "omsErrorCode": 0},
            {"orderStatus": "part traded", "triggerPrice": "", "filledQty": ..., "filledQuantity": 15},
        ],
    )
    def test_is_the_same_however_it_is_written(self, changes):
        assert read(OrderRow, an_order(**changes)) == read(OrderRow, ORDER)

    def test_is_the_same_in_either_case_of_keys_and_as_an_array_of_one(self):
        pascal = {f"{name[0].upper()}{name[1:]}": value for name, value in ORDER.items()}
        snake = {
            "".join(f"_{each.lower()}" if each.isupper() else each for each in name): ORDER[name] for name in ORDER
        }

        assert read(OrderRow, pascal) == read(OrderRow, snake) == read(OrderRow, [ORDER]) == read(OrderRow, ORDER)

    @pytest.mark.parametrize(
        "changes",
        [
            {"filledQty": None, "tradedQuantity": 15},
            {"filledQty": "NA", "filledQuantity": 15},
            {"filledQty": 15, "filled_qty": None},
            {"exchangeTime": "0001-01-01T00:00:00Z"},
            {"exchangeTime": "01/01/0001 05:30:00"},
        ],
    )
    def test_is_read_by_what_says_something(self, changes):
        assert read(OrderRow, an_order(**changes)) == read(OrderRow, ORDER)

    @pytest.mark.parametrize("price", ["1,513.00", "1513", "1,513"])
    def test_has_numbers_in_groups(self, price):
        assert read(OrderRow, an_order(price=price)).price == 1513.0

    def test_of_a_status_that_nobody_knows_is_open(self):
        order = read(OrderRow, an_order(orderStatus="HELD_BACK"))

        assert (order.order_status, order.is_open) == ("HELD_BACK", True)

    @pytest.mark.parametrize(
        ("changes", "reason"),
        [
            ({"quantity": 40.5}, "OrderRow.quantity: a whole number wanted, found 40.5"),
            ({"quantity": True}, "OrderRow.quantity: a whole number wanted, found True"),
            ({"quantity": ...}, "OrderRow.quantity: a whole number wanted, found nothing"),
            ({"price": "NaN"}, "OrderRow.price: a number wanted, found 'NaN'"),
            ({"price": math.nan}, "OrderRow.price: a number wanted, found nan"),
            ({"price": "12a"}, "OrderRow.price: a number wanted, found '12a'"),
            ({"orderId": "NA"}, "OrderRow.orderId: a text wanted, found nothing"),
            ({"orderId": ["1"]}, "OrderRow.orderId: a text wanted, found list of 1"),
            ({"transactionType": "HOLD"}, "OrderRow.transactionType: one of BUY, SELL wanted, found 'HOLD'"),
            ({"createTime": "yesterday"}, "createTime: a time such as 2026-10-07 10:15:29 wanted, found 'yesterday'"),
            ({"price": "1,5"}, "OrderRow.price: a number wanted, found '1,5'"),
            ({"quantity": "1,0"}, "OrderRow.quantity: a whole number wanted, found '1,0'"),
            ({"afterMarketOrder": [[]]}, "OrderRow.afterMarketOrder: true or false wanted, found list of 1"),
            ({"quantity": -1}, "OrderRow: Expected `int` >= 0"),
            ({"price": 1e13}, "OrderRow: Expected `float` <= 1000000000000.0"),
        ],
    )
    def test_that_cannot_be_meant_is_refused_with_field_wanted_and_found(self, changes, reason):
        with pytest.raises(MalformedAnswerError) as caught:
            read(OrderRow, an_order(**changes))

        assert reason in str(caught.value)


class TestAnArray:
    def test_may_be_empty_nothing_or_a_single_object(self):
        assert read_all(OrderRow, []) == read_all(OrderRow, None) == ()
        assert read_all(OrderRow, ORDER) == read_all(OrderRow, [ORDER])

    @pytest.mark.parametrize("found", ["text", 7, [7], [[ORDER, ORDER]], {"orders": []}])
    def test_of_something_else_is_refused(self, found):
        with pytest.raises(MalformedAnswerError):
            read_all(OrderRow, found)

    def test_has_as_many_objects_as_there_may_be_at_most(self, monkeypatch):
        monkeypatch.setattr(tolerant, "ROWS_MAX", 2)
        assert len(read_all(OrderRow, [ORDER] * 2)) == 2

        with pytest.raises(MalformedAnswerError, match="an array of up to 2 OrderRow wanted, found"):
            read_all(OrderRow, [ORDER] * 3)


class Named(msgspec.Struct, frozen=True):
    rows: dict[str, int]


class Listed(msgspec.Struct, frozen=True):
    rows: tuple[int, ...]


class TestRowsByName:
    def test_are_read_each_as_what_it_is(self):
        assert read(Named, {"rows": {"a": "1", "b": 2.0}}).rows == {"a": 1, "b": 2}
        assert read(Listed, {"rows": ["1", 2.0]}).rows == (1, 2)

    def test_are_read_up_to_as_many_as_there_may_be(self):
        assert len(read(Named, {"rows": dict.fromkeys(map(str, range(ROWS_MAX)), 1)}).rows) == ROWS_MAX
        assert len(read(Listed, {"rows": [1] * ROWS_MAX}).rows) == ROWS_MAX

    @pytest.mark.parametrize(
        ("kind", "rows", "reason"),
        [
            (Named, [1], "rows: an object of up to 100000 wanted"),
            (Listed, {"a": 1}, "rows: an array of up to 100000 wanted"),
            (Named, dict.fromkeys(map(str, range(ROWS_MAX + 1)), 1), "rows: an object of up to 100000 wanted"),
            (Listed, [1] * (ROWS_MAX + 1), "rows: an array of up to 100000 wanted"),
            (Named, {"a": "x"}, "rows.'a': "),
            (Listed, [1, "x"], "rows[1]: "),
        ],
        ids=["an array", "an object", "too many by name", "too many", "one of them by name", "one of them"],
    )
    def test_of_another_form_or_too_many_are_refused(self, kind, rows, reason):
        with pytest.raises(MalformedAnswerError, match=re.escape(reason)):
            read(kind, {"rows": rows})


@pytest.mark.parametrize(
    ("kind", "wanted"),
    [
        (int, "a whole number"),
        (float, "a number"),
        (str, "a text"),
        (bool, "true or false"),
        (Literal["BUY", "SELL"], "one of BUY, SELL"),
        (Annotated[int, "moment"], "a time such as 2026-10-07 10:15:29"),
        (Annotated[int, "day"], "a day such as 2026-10-07"),
        (dict[str, int], "an object of up to 100000"),
        (OrderAck | None, "an object"),
    ],
    ids=str,
)
def test_what_is_none_of_its_kind_is_told_with_what_was_wanted(kind, wanted):
    with pytest.raises(MalformedAnswerError, match=re.escape(f"x: {wanted} wanted, found list of 1")):
        read(msgspec.defstruct("Row", [("x", kind)], frozen=True), {"x": [3]})


class TestAnythingAtAll:
    @given(
        st.sampled_from(ROWS), ANYTHING, st.dictionaries(st.sampled_from([*ORDER, "tradedPrice", "netQty"]), ANYTHING)
    )
    def test_is_read_or_refused_and_never_out_of_bounds(self, kind, found, fields):
        for each in (found, fields, {**ORDER, **fields}):
            try:
                row = read(kind, each)
            except MalformedAnswerError:
                continue
            assert msgspec.convert(msgspec.to_builtins(row), kind) == row
            for value in msgspec.structs.astuple(row):
                assert not isinstance(value, float) or math.isfinite(value)


class TestARequest:
    def test_is_written_in_full(self):
        order = PlaceOrderRequest(
            dhan_client_id="1", transaction_type="BUY", exchange_segment="NSE_EQ", product_type="CNC",
            order_type="MARKET", security_id="1594", quantity=1,
        )  # fmt: skip

        assert msgspec.json.decode(msgspec.json.encode(order)) == {
            "dhanClientId": "1", "correlationId": "", "transactionType": "BUY", "exchangeSegment": "NSE_EQ",
            "productType": "CNC", "orderType": "MARKET", "validity": "DAY", "securityId": "1594", "quantity": 1,
            "disclosedQuantity": 0, "price": 0.0, "triggerPrice": 0.0, "afterMarketOrder": False,
        }  # fmt: skip

    def test_to_modify_restates_the_whole_order(self):
        modified = ModifyOrderRequest(dhan_client_id="1", order_id="2", order_type="LIMIT", quantity=50, price=1512.8)

        assert msgspec.json.decode(msgspec.json.encode(modified)) == {
            "dhanClientId": "1", "orderId": "2", "orderType": "LIMIT", "legName": "NA", "quantity": 50,
            "price": 1512.8, "disclosedQuantity": 0, "triggerPrice": 0.0, "validity": "DAY",
        }  # fmt: skip


class TestFunds:
    def test_are_read_under_both_spellings_and_cash_is_without_collateral(self):
        funds = read(Funds, {"availabelBalance": "250000.50", "collateralAmount": 50000})

        assert (funds.available_balance, funds.cash) == (250_000.5, 200_000.5)
        assert read(Funds, {"availableBalance": 1}).available_balance == 1.0


class TestTheNumberOfAnOrder:
    @pytest.mark.parametrize("number", ["", None, "NA" * 40])
    def test_that_is_none_is_refused(self, number):
        with pytest.raises(MalformedAnswerError, match="orderId"):
            read(OrderAck, {"orderId": number, "orderStatus": "TRANSIT"})


@pytest.mark.parametrize(
    ("found", "read_as"),
    [
        *((each, True) for each in (True, "true", "True", " TRUE ", "1", 1)),
        *((each, False) for each in (False, "false", "False", "0", 0)),
    ],
)
def test_true_and_false_are_read_in_each_form(found, read_as):
    assert _truth(found) is read_as


@pytest.mark.parametrize("found", ["yes", "", "10", 2, -1, 1.0, None, [], {}])
def test_what_is_neither_true_nor_false_is_none(found):
    assert _truth(found) is None


def test_a_float_is_a_whole_number_as_far_as_floats_tell_them_all_apart():
    assert _whole(2.0**53 - 1) == 2**53 - 1
    assert _whole(-(2.0**53 - 1)) == 1 - 2**53
    assert [_whole(each) for each in (2.0**53, -(2.0**53), 0.5, math.inf, math.nan, True)] == [None] * 6


@pytest.mark.parametrize(("length", "is_read"), [(FOUND_MAX, True), (FOUND_MAX + 1, False)])
@pytest.mark.parametrize(
    ("name", "text", "read_as"),
    [("quantity", "40", 40), ("price", "1513.5", 1513.5), ("transactionType", "buy", "BUY")],
)
def test_a_number_or_a_word_is_looked_for_in_a_text_up_to_its_length(name, text, read_as, length, is_read):
    order = an_order(**{name: text.ljust(length)})
    if is_read:
        assert msgspec.to_builtins(read(OrderRow, order))[name] == read_as
        return
    with pytest.raises(MalformedAnswerError, match=rf"OrderRow\.{name}: .* wanted, found"):
        read(OrderRow, order)


@pytest.mark.parametrize(("length", "shown"), [(78, "'" + "x" * 78 + "'"), (79, "'" + "x" * 79 + "…")])
def test_what_is_refused_is_shown_up_to_its_length(length, shown):
    with pytest.raises(MalformedAnswerError) as refused:
        read(OrderRow, an_order(quantity="x" * length))

    assert str(refused.value) == f"OrderRow.quantity: a whole number wanted, found {shown}"


@pytest.mark.parametrize(("length", "is_read"), [(TEXT_MAX, True), (TEXT_MAX + 1, False)])
def test_a_text_is_read_up_to_its_length(length, is_read):
    assert (_text("x" * length) is not None) is is_read
