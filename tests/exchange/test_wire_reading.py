import json
from typing import Literal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from natya.actors.exchange.wire.answers import WireRefusal
from natya.actors.exchange.wire.reading import read
from natya.domain.dhan.account.funds import MultiMarginRequest
from natya.domain.dhan.trading.alerts import AlertRequest
from natya.domain.dhan.trading.orders import PlaceOrderRequest

ORDER = {
    "dhanClientId": "1000000001",
    "transactionType": "BUY",
    "exchangeSegment": "NSE_EQ",
    "productType": "CNC",
    "orderType": "LIMIT",
    "securityId": "1594",
    "quantity": 10,
    "price": 1500.0,
}


def order(**fields):
    return read(PlaceOrderRequest, json.dumps({**ORDER, **fields}).encode())


def refusal_of(body, kind=PlaceOrderRequest):
    with pytest.raises(WireRefusal) as refused:
        read(kind, body)
    answer = refused.value.answer
    told = msgspec.json.decode(answer.body)
    assert (answer.status, told["errorCode"], told["errorType"]) == (400, "DH-905", "Input_Exception")
    return told["errorMessage"]


class Loose(msgspec.Struct):
    """Fields that need not be there."""

    number: str = ""
    text: str | None = None
    word: Literal["", "a", "b"] = ""
    count: int = 7
    amount: float = 7.0


@pytest.mark.parametrize("field", ["count", "amount"])
def test_an_empty_text_is_left_out_only_where_it_could_be_one(field):
    assert field in refusal_of(json.dumps({"number": 1, field: ""}).encode(), Loose)
    assert read(Loose, b'{"number": 1, "text": "", "word": ""}') == Loose(number="1")


def test_a_number_is_a_text_where_one_may_be_missing_too():
    assert read(Loose, b'{"text": 41, "count": 2, "amount": 1.5}') == Loose(text="41", count=2, amount=1.5)


class TestAnOrder:
    def test_may_have_nulls_and_zeros_in_unused_fields(self):
        read_order = order(boProfitValue=None, boStopLossValue=None, amoTime=None, triggerPrice=0.0, correlationId=None)

        assert (read_order.trigger_price, read_order.correlation_id) == (0.0, "")

    def test_may_have_numbers_as_text_and_ids_as_numbers(self):
        read_order = order(quantity="10", price="1500.5", securityId=1594, dhanClientId=1000000001)

        assert (read_order.quantity, read_order.price, read_order.security_id) == (10, 1500.5, "1594")

    def test_that_has_ids_as_numbers_keeps_its_words(self):
        assert order(securityId=1594, correlationId="bot-1", validity="IOC").correlation_id == "bot-1"
        assert order(securityId=1594, correlationId="bot-1", validity="IOC").validity == "IOC"

    def test_without_a_word_that_it_needs_is_told_which_are_wanted(self):
        told = refusal_of(json.dumps({**ORDER, "securityId": 1594, "transactionType": ""}).encode())

        assert ("transactionType" in told, "is required" in told) == (True, False)

    def test_may_have_fields_that_are_not_known_and_empty_words(self):
        assert order(colour="blue", amoTime="", validity="").validity == "DAY"

    @pytest.mark.parametrize(
        ("fields", "named"),
        [
            ({"quantity": None}, "quantity is required"),
            ({"dhanClientId": None}, "dhanClientId is required"),
            ({"quantity": 0}, "quantity"),
            ({"quantity": 1.5}, "quantity"),
            ({"quantity": -1}, "quantity"),
            ({"quantity": 10**30}, "quantity"),
            ({"quantity": ""}, "quantity"),
            ({"price": ""}, "price"),
            ({"price": -1}, "price"),
            ({"price": [1]}, "price"),
            ({"transactionType": "buy"}, "transactionType"),
            ({"exchangeSegment": {}}, "exchangeSegment"),
            ({"securityId": "1594; DROP"}, "securityId"),
            ({"securityId": True}, "securityId"),
            ({"correlationId": "x" * 26}, "correlationId"),
        ],
        ids=str,
    )
    def test_that_is_wrong_is_refused_by_the_name_of_its_field(self, fields, named):
        assert named in refusal_of(json.dumps({**ORDER, **fields}).encode())

    @pytest.mark.parametrize(
        "body",
        [b"", b"[]", b"null", b"7", b"{", b'{"a":NaN}', b"\xff\xfe", b"[" * 100_000, b'{"a":' * 50_000],
        ids=lambda body: ascii(body[:12]),
    )
    def test_that_is_no_object_is_refused(self, body):
        assert "a JSON object" in refusal_of(body)


def test_what_stands_inside_is_read_as_tolerantly():
    alert = {
        "dhanClientId": 1000000001,
        "condition": {
            "comparisonType": "PRICE_WITH_VALUE",
            "exchangeSegment": "NSE_EQ",
            "securityId": 1594,
            "operator": "LESS_THAN",
            "comparingValue": "1450",
            "indicatorName": None,
        },
        "orders": [{**ORDER, "price": 1449.5, "discQuantity": 0, "triggerPrice": None, "validity": "DAY"}],
    }
    read_alert = read(AlertRequest, json.dumps(alert).encode())

    assert (read_alert.condition.security_id, read_alert.condition.comparing_value) == ("1594", 1450.0)
    assert (read_alert.orders[0].price, read_alert.orders[0].disc_quantity) == ("1449.5", "0")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@given(fields=st.dictionaries(st.sampled_from([*ORDER, "validity", "amoTime", "scripList"]), JSON, max_size=6))
@pytest.mark.parametrize("kind", [PlaceOrderRequest, MultiMarginRequest, AlertRequest], ids=lambda kind: kind.__name__)
def test_whatever_stands_in_a_request_it_is_read_or_refused(kind, fields):
    body = json.dumps({**ORDER, **fields}).encode()
    try:
        found = read(kind, body)
    except WireRefusal as refused:
        status = refused.answer.status
    else:
        status = 200 if msgspec.json.decode(msgspec.json.encode(found), type=kind) == found else 0

    assert status in {200, 400}
