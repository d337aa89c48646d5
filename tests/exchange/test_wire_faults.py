import asyncio
import http.client
import json
import time
from types import SimpleNamespace

import pytest
from natya_sockets import Client, a_listed
from natya_wire import Served, an_order

from natya.actors.exchange.wire import carrying

LOST = (ConnectionResetError, http.client.RemoteDisconnected, http.client.IncompleteRead)


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    served = Served(tmp_path_factory.mktemp("exchange"), has_faults=True)
    served.price(1500.0)
    yield served
    served.stop()


@pytest.fixture
def play(served):
    yield lambda *faults: served.ok("PUT", "/__faults", {"seed": 1, "faults": list(faults)})
    served.ok("DELETE", "/__faults")


def orders_of(served, correlation_id):
    return [row for row in served.ok("GET", "/v2/orders") if row["correlationId"] == correlation_id]


def post(served, correlation_id, **fields):
    return served.ask("POST", "/v2/orders", an_order(correlationId=correlation_id, price=1400.0, **fields))


class TestAFaultBeforeAcceptance:
    @pytest.mark.parametrize(
        ("kind", "statuses", "said"),
        [
            ("throttled", {429}, b"DH-904"),
            ("dead_token_808", {401}, b"808"),
            ("dead_token_901", {401}, b"DH-901"),
            ("dead_token_906", {400}, b"Invalid Token"),
        ],
    )
    def test_is_answered_and_leaves_no_order(self, served, play, kind, statuses, said):
        play({"kind": kind, "path": "/orders", "method": "POST", "times": 1})
        status, body = post(served, kind)

        assert status in statuses
        assert said in json.dumps(body).encode()
        assert orders_of(served, kind) == []
        assert post(served, f"{kind} again")[0] == 200

    @pytest.mark.parametrize("kind", ["reset_before", "timeout_before"])
    def test_that_cuts_the_connection_leaves_no_order(self, served, play, kind):
        play({"kind": kind, "path": "/orders", "method": "POST", "times": 1, "seconds": 0.01})

        with pytest.raises(LOST):
            post(served, kind)
        assert orders_of(served, kind) == []


class TestAFaultAfterAcceptance:
    @pytest.mark.parametrize("kind", ["reset_after", "timeout_after"])
    def test_that_cuts_the_connection_leaves_one_order(self, served, play, kind):
        play({"kind": kind, "path": "/orders", "method": "POST", "times": 1, "seconds": 0.01})

        with pytest.raises(LOST):
            post(served, kind)
        assert len(orders_of(served, kind)) == 1

    def test_that_says_error_leaves_one_order(self, served, play):
        play({"kind": "server_error_after", "path": "/orders", "method": "POST", "times": 1})

        with pytest.raises(json.JSONDecodeError):  # a page of HTML
            post(served, "error")
        assert len(orders_of(served, "error")) == 1

    def test_with_a_hostile_body_leaves_one_order(self, served, play):
        play({"kind": "hostile_body", "body": "truncated", "path": "/orders", "method": "POST", "times": 1})

        with pytest.raises(json.JSONDecodeError):
            post(served, "hostile")
        assert len(orders_of(served, "hostile")) == 1

    def test_that_delays_it_leaves_an_order_that_is_found_only_later(self, served, play):
        play({"kind": "delayed_acceptance", "path": "/orders", "method": "POST", "times": 1, "seconds": 0.15})

        with pytest.raises(LOST):
            post(served, "late")
        assert orders_of(served, "late") == []
        while not orders_of(served, "late"):
            pass
        assert len(orders_of(served, "late")) == 1

    def test_that_delays_too_many_delays_no_more_of_them(self, served, play, monkeypatch):
        slept = []

        async def sleep(seconds):
            slept.append(seconds)

        monkeypatch.setattr(carrying, "LATE_MAX", 0)
        monkeypatch.setattr(carrying, "asyncio", SimpleNamespace(**vars(asyncio) | {"sleep": sleep}))
        play({"kind": "delayed_acceptance", "path": "/orders", "method": "POST", "times": 1, "seconds": 50.0})

        with pytest.raises(LOST):
            post(served, "crowded")
        while not orders_of(served, "crowded"):
            pass
        assert slept == [0]


class TestAFaultWithAcceptance:
    def test_that_is_latency_is_answered_later(self, served, play):
        play({"kind": "latency", "path": "/fundlimit", "seconds": 0.1})
        begun = time.monotonic()

        assert served.ask("GET", "/v2/fundlimit")[0] == 200
        assert time.monotonic() - begun >= 0.1

    def test_that_drops_the_trigger_of_a_stop_order_makes_it_trade_at_once(self, served, play):
        play({"kind": "stop_without_trigger"})
        order = an_order(transactionType="SELL", orderType="STOP_LOSS_MARKET", price=0, triggerPrice=1400.0)
        row = served.settled(served.ok("POST", "/v2/orders", order)["orderId"])

        assert (row["orderType"], row["orderStatus"]) == ("LIMIT", "TRADED")

    @pytest.mark.parametrize(
        ("changed", "headers", "code"),
        [
            ({}, {"access-token": "x"}, "DH-901"),
            ({"dhanClientId": "1"}, None, "DH-901"),
            ({"quantity": 0}, None, "DH-905"),
        ],
    )
    def test_that_drops_the_trigger_is_no_way_past_what_any_order_is_asked_for(
        self, served, play, changed, headers, code
    ):
        play({"kind": "stop_without_trigger"})
        stop = {"transactionType": "SELL", "orderType": "STOP_LOSS_MARKET", "price": 0, "triggerPrice": 1400.0}
        _, body = served.ask("POST", "/v2/orders", an_order(**stop, **changed), headers=headers)

        assert body["errorCode"] == code

    def test_that_drops_the_trigger_leaves_a_stop_without_a_last_price_as_it_is(self, served, play):
        play({"kind": "stop_without_trigger"})
        stop = {"transactionType": "SELL", "orderType": "STOP_LOSS_MARKET", "price": 0, "triggerPrice": 1400.0}
        row = served.settled(served.ok("POST", "/v2/orders", an_order(securityId="11536", **stop))["orderId"])

        assert (row["orderType"], row["orderStatus"]) == ("STOP_LOSS_MARKET", "REJECTED")

    def test_that_refuses_a_stop_order_refuses_nothing_else_that_names_one(self, served, play):
        play({"kind": "stop_refused"})
        stop = {"transactionType": "SELL", "orderType": "STOP_LOSS_MARKET", "price": 0, "triggerPrice": 1400.0}

        assert served.ask("GET", "/v2/orders", an_order(**stop))[0] == 200
        assert served.ask("POST", "/v2/orders/slicing", an_order(**stop))[0] == 200

    def test_that_refuses_a_stop_order_refuses_no_other(self, served, play):
        play({"kind": "stop_refused"})
        order = an_order(transactionType="SELL", orderType="STOP_LOSS_MARKET", price=0, triggerPrice=1400.0)
        status, body = served.ask("POST", "/v2/orders", order)

        assert (status, body["errorMessage"]) == (400, "Trigger Price should be greater than Price")
        assert post(served, "no stop")[0] == 200


class TestAPlan:
    def test_is_told_with_how_often_each_fault_has_fallen(self, served, play):
        play({"kind": "throttled", "path": "/holdings", "times": 2})
        for _ in range(3):
            served.ask("GET", "/v2/holdings")
        status, told = served.ask("GET", "/__faults")

        assert (status, told["fallen"]) == (200, [2])
        assert told["plan"]["faults"][0]["kind"] == "throttled"

    def test_of_sockets_is_played_by_them_until_it_is_ended(self, served, play):
        plan = {"seed": 1, "streams": [{"kind": "duplicated", "path": "/feed", "times": 1}]}
        with Client(served.system.found().feed) as client:
            client.ask(15, a_listed(1594))
            served.price(1500.0)
            assert client.prices(3)[-1] == 1500.0
            served.ok("PUT", "/__faults", plan)
            served.price(1501.0)
            served.price(1502.0)
            found = client.prices(3)
        told = served.ok("GET", "/__faults")

        assert found == [1501.0, 1501.0, 1502.0]
        assert (told["streams_fallen"], told["plan"]["streams"][0]["kind"]) == ([1], "duplicated")
        assert served.ok("DELETE", "/__faults")["streams_fallen"] == []

    @pytest.mark.parametrize(
        "plan",
        [{"faults": [{"kind": "magic"}]}, {"streams": [{"kind": "latency"}]}, {"colour": 1}, [], {"seed": -1}],
        ids=str,
    )
    def test_that_is_none_is_refused(self, served, plan):
        assert served.ask("PUT", "/__faults", plan)[0] == 400

    def test_cannot_be_asked_for_where_faults_are_off(self, tmp_path):
        served = Served(tmp_path)
        try:
            assert served.ask("PUT", "/__faults", {"faults": []})[0] == 404
        finally:
            served.stop()

    def test_is_only_for_who_has_the_token(self, served):
        assert served.ask("PUT", "/__faults", {"faults": []}, headers={})[0] == 401
