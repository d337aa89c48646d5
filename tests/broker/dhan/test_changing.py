"""Changing an order at Dhan: asked once, believed when it is shown."""

import msgspec
import pytest
from natya_dhan_stage import ACK, Stage, a_row

from natya.messages.broker import OrderNotReplaced, OrderReplaced, ReplaceInDoubt, ReplaceOrder

REFUSED = {"errorType": "Order_Error", "errorCode": "DH-906", "errorMessage": "Order is in Transit state"}


@pytest.fixture
def stage():
    return Stage()


def a_change(**fields):
    fields = {"symbol": "INFY", "side": "BUY", "quantity": 20, "order_type": "LIMIT", "limit_price": 101.05} | fields
    return ReplaceOrder(client_order_id="A-1", broker_order_id="7", number=1, **fields)


def answer(kind, **fields):
    return kind(client_order_id="A-1", number=1, **fields)


class TestAChange:
    def test_restates_the_whole_order_and_is_believed_when_it_is_shown(self, stage):
        stage.body.replace(a_change())
        call = stage.answer(ACK)
        assert (call.method, call.url) == ("PUT", "https://x/v2/orders/7")
        assert msgspec.json.decode(call.body) == {
            "dhanClientId": "11",
            "orderId": "7",
            "orderType": "LIMIT",
            "quantity": 20,
            "legName": "NA",
            "price": 101.05,
            "disclosedQuantity": 0,
            "triggerPrice": 0.0,
            "validity": "DAY",
        }
        assert stage.heard() == []
        assert stage.session.changes == [("A-1", "7")]
        stage.answer(a_row(quantity=20, price=101.05))

        assert stage.heard() == [answer(OrderReplaced)]

    @pytest.mark.parametrize("digits", [{"price": 101.0500004}, {"price": 101.05, "triggerPrice": 4e-7}])
    def test_is_shown_whatever_digits_behind_a_price_the_broker_adds(self, stage, digits):
        stage.body.replace(a_change())
        stage.answer(ACK)
        stage.answer(a_row(quantity=20, **digits))

        assert stage.heard() == [answer(OrderReplaced)]

    @pytest.mark.parametrize(
        "shown",
        [
            {"quantity": 10, "price": 101.05},
            {"quantity": 30, "price": 101.05},
            {"quantity": 20, "price": 101.0},
            {"quantity": 20, "price": 0.05},
            {"quantity": 20, "price": 101.05, "triggerPrice": 100.0},
        ],
    )
    def test_that_is_taken_and_not_shown_is_in_doubt(self, stage, shown):
        stage.body.replace(a_change())
        stage.answer(ACK)
        stage.answer(a_row(**shown))

        assert stage.heard() == [answer(ReplaceInDoubt, reason="taken, and not shown yet")]

    def test_of_a_stop_restates_the_limit_that_it_must_have(self, stage):
        stage.body.replace(a_change(order_type="STOP", limit_price=None, trigger_price=100.0))
        sent = msgspec.json.decode(stage.answer(ACK).body)
        stage.answer(a_row(quantity=20, price=101.0, triggerPrice=100.0))

        assert (sent["orderType"], sent["price"], sent["triggerPrice"]) == ("STOP_LOSS", 101.0, 100.0)
        assert stage.heard() == [answer(OrderReplaced)]

    @pytest.mark.parametrize(
        ("told", "kind"),
        [
            ({"status": 400, "data": REFUSED, "error": "400"}, OrderNotReplaced),
            ({"success": False, "sent": "no", "status_code": None, "error": "10 in 1s"}, OrderNotReplaced),
            ({"success": False, "sent": "unknown", "status_code": None, "error": "reset"}, ReplaceInDoubt),
            ({"data": {}}, ReplaceInDoubt),
        ],
    )
    def test_is_refused_only_when_that_is_certain(self, stage, told, kind):
        stage.body.replace(a_change())
        stage.answer(**told)

        assert [type(each) for each in stage.heard()] == [kind]
        assert not stage.calls()

    @pytest.mark.parametrize(
        "told", [{"status": 502, "sent": "unknown", "error": "502"}, {"data": []}, {"data": {}}, {"status": 404}]
    )
    def test_whose_order_cannot_be_read_afterwards_is_in_doubt(self, stage, told):
        stage.body.replace(a_change())
        stage.answer(ACK)
        stage.answer(**told)

        (doubt,) = stage.heard()
        assert doubt == answer(ReplaceInDoubt, reason=doubt.reason)
        assert doubt.reason.startswith("taken, and the order could not be read: ")

    def test_of_an_order_without_a_number_that_may_be_sent_sends_nothing(self, stage):
        stage.body.replace(msgspec.structs.replace(a_change(), broker_order_id="7/../8"))

        (refusal,) = stage.heard()
        assert refusal == answer(OrderNotReplaced, reason=refusal.reason)
        assert "orderId: " in refusal.reason
        assert not stage.calls()
        assert stage.session.changes == []

    @pytest.mark.parametrize("fields", [{"symbol": "NONE"}, {"quantity": 7}, {"limit_price": 100.01}])
    def test_to_what_cannot_be_sends_nothing(self, stage, fields):
        stage.body.replace(a_change(**fields))

        assert [type(each) for each in stage.heard()] == [OrderNotReplaced]
        assert not stage.calls()
