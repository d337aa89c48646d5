"""A refusal names the field, what was wanted and what was found."""

import pytest

from natya.domain.dhan.trading.alerts import AlertOrder, AlertRequest, Condition
from natya.domain.dhan.trading.orders import PlaceOrderRequest
from natya.domain.dhan.writing import InvalidRequestError, body_of


def an_order(**fields):
    fields = {"transaction_type": "BUY", "exchange_segment": "NSE_EQ", "product_type": "CNC"} | fields
    fields = {"order_type": "MARKET", "security_id": "1594", "quantity": 1, "dhan_client_id": "11"} | fields
    return PlaceOrderRequest(**fields)


def test_of_a_part_of_a_field_names_the_part():
    order = AlertOrder(
        transaction_type="BUY",
        exchange_segment="NSE_EQ",
        product_type="CNC",
        order_type="MARKET",
        security_id="1594",
        quantity=0,
    )
    condition = Condition(
        comparison_type="PRICE_WITH_VALUE", exchange_segment="NSE_EQ", security_id="1594", operator="EQUAL"
    )
    with pytest.raises(InvalidRequestError) as caught:
        body_of(AlertRequest(dhan_client_id="11", condition=condition, orders=(order,)))

    assert str(caught.value) == "AlertRequest: orders[0].quantity: Expected `int` >= 1"


def test_of_the_whole_names_no_field():
    with pytest.raises(InvalidRequestError, match=r"^PlaceOrderRequest: Expected `object`, got `array`$"):
        body_of([], PlaceOrderRequest)


def test_of_a_field_that_has_parts_names_what_it_is_and_not_all_that_is_in_it():
    with pytest.raises(InvalidRequestError, match=r"^PlaceOrderRequest: securityId: Expected `str`, got `object`$"):
        body_of(an_order(security_id={"number": "1594"}))


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"transaction_type": "buy"}, "transactionType: one of BUY, SELL wanted, found 'buy'"),
        ({"quantity": 0}, "quantity: Expected `int` >= 1, found 0"),
        ({"quantity": "1"}, "quantity: Expected `int`, got `str`, found '1'"),
        ({"validity": None}, "validity: "),
        ({"security_id": "\u20b9" * 100}, "found '" + "\\u20b9" * 9),
    ],
)
def test_of_a_field_that_is_none_of_what_it_may_be(fields, told):
    with pytest.raises(InvalidRequestError) as caught:
        body_of(an_order(**fields))

    assert told in str(caught.value)
    assert len(str(caught.value)) < 200
