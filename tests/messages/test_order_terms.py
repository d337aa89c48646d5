"""What prices an order of each type has, and how orders of earlier releases are read."""

import math

import msgspec
import pytest

from natya.messages.codec import decode
from natya.messages.orders import OrderIntended, SubmitOrder


def an_order(**fields):
    fields = {"client_order_id": "A-1", "strategy": "s", "symbol": "INFY", "side": "BUY", "quantity": 1} | fields
    return SubmitOrder(**fields)


class TestAnOrder:
    @pytest.mark.parametrize(
        "fields",
        [
            {},
            {"order_type": "LIMIT", "limit_price": 100.0},
            {"order_type": "STOP", "trigger_price": 100.0},
            {"order_type": "STOP_LIMIT", "trigger_price": 100.0, "limit_price": 100.0},
            {"order_type": "STOP_LIMIT", "trigger_price": 100.0, "limit_price": 101.0},
            {"order_type": "STOP_LIMIT", "trigger_price": 100.0, "limit_price": 99.0, "side": "SELL"},
        ],
    )
    def test_with_the_prices_of_its_type_is_made(self, fields):
        order = an_order(**fields)

        assert (order.limit_price, order.trigger_price) == (fields.get("limit_price"), fields.get("trigger_price"))

    @pytest.mark.parametrize(
        ("fields", "wanted"),
        [
            ({"order_type": "LIMIT"}, "a LIMIT order must have a limit_price above 0 rupees, was None"),
            ({"order_type": "STOP"}, "a STOP order must have a trigger_price above 0 rupees, was None"),
            ({"order_type": "STOP_LIMIT", "limit_price": 1.0}, "must have a trigger_price"),
            ({"order_type": "STOP_LIMIT", "trigger_price": 1.0}, "must have a limit_price"),
            ({"order_type": "STOP", "trigger_price": math.nan}, "trigger_price must be above 0"),
            ({"order_type": "STOP", "trigger_price": 0.0}, "trigger_price must be above 0"),
            ({"order_type": "STOP", "trigger_price": 2e12}, "trigger_price must be above 0 and at most"),
            ({"order_type": "STOP", "trigger_price": 1.0, "limit_price": 1.0}, "must have no limit_price, was 1.0"),
            ({"order_type": "LIMIT", "trigger_price": 1.0, "limit_price": 1.0}, "must have no trigger_price, was 1.0"),
            ({"trigger_price": 1.0}, "a MARKET order must have no trigger_price"),
            (
                {"order_type": "STOP_LIMIT", "trigger_price": 100.0, "limit_price": 99.95},
                "limit_price must be at or above the trigger_price of 100.0, was 99.95",
            ),
            (
                {"order_type": "STOP_LIMIT", "trigger_price": 100.0, "limit_price": 100.05, "side": "SELL"},
                "limit_price must be at or below the trigger_price of 100.0, was 100.05",
            ),
        ],
    )
    def test_with_others_is_not(self, fields, wanted):
        with pytest.raises(ValueError, match=wanted):
            an_order(**fields)


class TestAFrameOfAnEarlierRelease:
    def test_of_an_order_is_read_as_one_of_its_day(self):
        fields = ["SubmitOrder", "A-1", "s", "INFY", "BUY", 10, "LIMIT", 100.0, 5, 99.0, 4]

        order = decode(b"\x01" + msgspec.msgpack.encode(fields))

        assert order == an_order(
            quantity=10, order_type="LIMIT", limit_price=100.0, submitted_ns=5, reference_price=99.0, reference_ns=4
        )
        assert (order.trigger_price, order.validity, order.product) == (None, "DAY", None)

    def test_of_an_intent_is_read_as_one_of_its_day(self):
        fields = ["OrderIntended", "A-1", "s", "INFY", "SELL", 10, "MARKET", None, 5]

        intent = decode(b"\x01" + msgspec.msgpack.encode(fields))

        assert isinstance(intent, OrderIntended)
        assert (intent.trigger_price, intent.validity, intent.product) == (None, "DAY", None)
