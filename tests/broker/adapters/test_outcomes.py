"""What comes of a request that does something, at a server that answers what the test says."""

import asyncio
import json
import logging
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import date

import pytest
from natya_dhan import CHART, FRESH, PAST_TRADE
from natya_servers import answering, http

from natya import (
    Allowance,
    BrokerAdapter,
    BrokerCredentials,
    DhanBrokerAdapter,
    OrderRequest,
    Quota,
    SuperOrderRequest,
    WriteAccepted,
    WriteNotSent,
    WriteRefused,
    WriteUnknown,
)
from natya.actors.broker.adapters.dhan import orders
from natya.actors.runtime.clock import SystemClock
from natya.domain.dhan.market.charts import Chart, joined
from natya.messages.broker import OrderNotFound

TOKEN = "canary-of-a-token"  # noqa: S105  it opens nothing
ACK = http('{"orderId":"412610070153","orderStatus":"TRANSIT"}')
DEAD = (
    http('{"data":{"808":"Authentication Failed"},"status":"failed"}', "401 Unauthorized"),
    http('{"errorType":"Order_Error","errorCode":"DH-906","errorMessage":"Invalid Token"}', "400 Bad Request"),
    http('{"errorType":"Invalid_Authentication","errorCode":"DH-901","errorMessage":"no"}', "401 Unauthorized"),
)


@pytest.fixture
def dhan(serve, tmp_path):
    """An adapter at a server, and the server: `dhan(answer)`."""
    open_ones = []

    def start(answer):
        server = serve(answer)
        adapter = DhanBrokerAdapter("1100012345", TOKEN, base_url=f"{server.url}/v2", instruments=tmp_path)
        open_ones.append(adapter)
        adapter.server = server
        return adapter

    yield start
    for adapter in open_ones:
        adapter.close()


def credentials(client_id, token):
    return BrokerCredentials(client_id=client_id, access_token=token)


def an_order(**fields):
    return OrderRequest(**{"symbol": "INFY", "side": "BUY", "quantity": 10, **fields})


def sent(adapter):
    """The bodies that the server was sent."""
    return [json.loads(each.partition(b"\r\n\r\n")[2]) for each in adapter.server.heard]


class TestAPlacement:
    def test_that_is_taken_is_accepted(self, dhan):
        result = dhan(answering(ACK)).place_order(an_order()).result(10)

        assert isinstance(result, WriteAccepted)
        assert (result.success, result.data.order_id, result.sent, result.attempts) == (True, "412610070153", "yes", 1)

    def test_restates_the_whole_order(self, dhan):
        adapter = dhan(answering(ACK))
        order = an_order()
        adapter.place_order(order).result(10)

        (body,) = sent(adapter)
        assert body == {
            "dhanClientId": "1100012345",
            "correlationId": order.client_order_id,
            "transactionType": "BUY",
            "exchangeSegment": "NSE_EQ",
            "productType": "INTRADAY",
            "orderType": "MARKET",
            "validity": "DAY",
            "securityId": "1594",
            "quantity": 10,
            "disclosedQuantity": 0,
            "price": 0.0,
            "triggerPrice": 0.0,
            "afterMarketOrder": False,
        }

    def test_that_dhan_refuses_has_its_code_and_its_text(self, dhan):
        refusal = '{"errorType":"Order_Error","errorCode":"DH-906","errorMessage":"Market is Closed!"}'
        result = dhan(answering(http(refusal, "400 Bad Request"))).place_order(an_order()).result(10)

        assert isinstance(result, WriteRefused)
        assert (result.success, result.code, result.text, result.meaning) == (
            False,
            "DH-906",
            "Market is Closed!",
            "order",
        )

    def test_that_is_acknowledged_as_rejected_is_refused(self, dhan):
        result = dhan(answering(http('{"orderId":"4","orderStatus":"REJECTED"}'))).place_order(an_order()).result(10)

        assert isinstance(result, WriteRefused)
        assert (result.success, result.meaning, result.data.order_id) == (False, "order", "4")
        assert result.error == "the order 4 was rejected"

    @pytest.mark.parametrize(
        "answer",
        [
            http("", "502 Bad Gateway"),
            http('{"errorCode":"DH-908","errorMessage":"no"}', "500 Internal Server Error"),
            http("<html>"),
            http("[]"),
            http('{"orderId":"4"}'),
            http("a page of a proxy", "400 Bad Request"),
            b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{",
        ],
        ids=["502", "500", "no JSON", "no order", "no status", "a 400 of nobody's", "cut off"],
    )
    def test_of_which_nobody_knows_what_came_is_unknown_and_not_repeated(self, dhan, answer):
        def once(server, connection):
            if server.read(connection) is not None:
                connection.sendall(answer)

        adapter = dhan(once)
        order = an_order()
        results = [adapter.place_order(order).result(10) for _ in range(2)]

        assert [type(each) for each in results] == [WriteUnknown] * 2
        assert results[0].sent == "unknown"
        assert len(adapter.server.heard) == 1

    def test_that_cannot_be_right_is_not_sent(self, dhan):
        adapter = dhan(answering(ACK))
        wrong = {
            "AAPL": an_order(symbol="AAPL"),
            "quantity": an_order(quantity="10"),
            "side": an_order(side="KEEP"),
            "limit_price: a price": an_order(order_type="LIMIT"),
            "limit_price: none": an_order(limit_price=1500.0),
            "trigger_price: a price": an_order(order_type="STOP_LOSS"),
            "trigger_price: none": an_order(trigger_price=1.0),
            "at or above the trigger": an_order(order_type="STOP_LOSS", trigger_price=1500.0, limit_price=1499.0),
            "limit_price: a multiple of the tick": an_order(order_type="LIMIT", limit_price=1500.001),
            "disclosed_quantity": an_order(disclosed_quantity=3),
            "the index NIFTY": an_order(symbol="NIFTY"),
            "client_order_id": an_order(client_order_id="an order of mine"),
        }
        results = {field: adapter.place_order(order).result(10) for field, order in wrong.items()}

        assert {type(each) for each in results.values()} == {WriteNotSent}
        assert {field: each.error for field, each in results.items() if field not in each.error} == {}
        assert adapter.server.heard == []

    def test_leaves_once_for_threads_that_place_it_at_the_same_time(self, dhan):
        gate = threading.Event()

        def slowly(server, connection):
            while server.read(connection) is not None:
                gate.wait(10)
                connection.sendall(ACK)

        adapter = dhan(slowly)
        order = an_order()
        with ThreadPoolExecutor(8) as threads:
            pending = [*threads.map(adapter.place_order, [order] * 8)]
        gate.set()
        results = [each.result(10) for each in pending]

        assert [each.data.order_id for each in results] == ["412610070153"] * 8
        assert len(adapter.server.heard) == 1

    def test_whose_answer_is_to_come_when_the_adapter_ends_has_it(self, dhan):
        arrived, gate = threading.Event(), threading.Event()

        def slowly(server, connection):
            while server.read(connection) is not None:
                arrived.set()
                gate.wait(10)
                connection.sendall(ACK)

        adapter = dhan(slowly)
        pending = adapter.place_order(an_order())
        arrived.wait(10)
        with ThreadPoolExecutor(1) as threads:
            closing = threads.submit(adapter.close)
            while not adapter._is_closed:
                pass
            gate.set()
            closing.result(10)

        assert isinstance(pending.result(10), WriteAccepted)
        with pytest.raises(ValueError, match="closed"):
            adapter.place_order(an_order())

    def test_with_the_id_of_another_order_is_not_sent(self, dhan):
        adapter = dhan(answering(ACK))
        adapter.place_order(an_order(client_order_id="A-1")).result(10)
        other = adapter.place_order(an_order(client_order_id="A-1", quantity=11)).result(10)

        assert isinstance(other, WriteNotSent)
        assert "A-1" in other.error
        assert len(adapter.server.heard) == 1

    def test_that_never_left_may_leave_later(self, dhan):
        adapter = dhan(answering(DEAD[0], http('{"dhanClientId":"1100012345"}'), ACK))
        order = an_order()
        adapter.get_funds().result(10)
        early = adapter.place_order(order).result(10)
        adapter.authenticate(credentials("1100012345", "new")).result(10)
        late = adapter.place_order(order).result(10)

        assert (type(early), type(late)) == (WriteNotSent, WriteAccepted)

    def test_is_awaited_and_is_of_the_type_that_every_broker_has(self, dhan):
        adapter = dhan(answering(ACK))

        async def place():
            return await adapter.place_order(an_order())

        assert isinstance(adapter, BrokerAdapter)
        assert isinstance(asyncio.run(place()), WriteAccepted)

    def test_of_a_super_order_whose_stop_is_on_the_wrong_side_is_not_sent(self, dhan):
        adapter = dhan(answering(ACK))
        order = SuperOrderRequest(symbol="INFY", side="SELL", quantity=1, target_price=1400.0, stop_loss_price=1300.0)

        assert isinstance(adapter.place_super_order(order).result(10), WriteNotSent)
        assert adapter.server.heard == []


class TestAnOrderInDoubt:
    def doubtful(self, dhan, *answers):
        adapter = dhan(answering(http("", "502 Bad Gateway"), *answers))
        order = an_order(client_order_id="A-1")
        assert isinstance(adapter.place_order(order).result(10), WriteUnknown)
        return adapter, order

    def test_that_is_found_is_accepted_from_then_on(self, dhan):
        row = {**FRESH, "correlationId": "A-1", "quantity": 10, "remainingQuantity": 10, "orderStatus": "PENDING"}
        adapter, order = self.doubtful(dhan, http(json.dumps(row)))
        found = adapter.resolve(order).result(10)
        again = adapter.place_order(order).result(10)

        assert (found.data.state, found.data.broker_order_id) == ("OPEN", row["orderId"])
        assert isinstance(again, WriteAccepted)
        assert again.data.order_id == row["orderId"]
        assert len(adapter.server.heard) == 2

    def test_that_is_not_found_may_still_arrive(self, dhan):
        adapter, order = self.doubtful(dhan, http('{"errorCode":"DH-906"}', "404 Not Found"), http("[]"))
        found = adapter.resolve(order).result(10)

        assert (found.success, found.data) == (False, None)
        assert 100 < found.retry_after_s <= 120

    def test_that_is_not_found_may_still_arrive_however_the_wall_clock_is_set(self, dhan, monkeypatch):
        evening_ns = 1_790_000_000 * 10**9
        monkeypatch.setattr(SystemClock, "now_ns", staticmethod(lambda: evening_ns))
        adapter, order = self.doubtful(dhan, http('{"errorCode":"DH-906"}', "404 Not Found"), http("[]"))
        monkeypatch.setattr(SystemClock, "now_ns", staticmethod(lambda: evening_ns + 3_600 * 10**9))
        found = adapter.resolve(order).result(10)

        assert (found.success, found.data) == (False, None)
        assert 100 < found.retry_after_s <= 120

    def test_that_is_not_found_when_its_time_is_over_never_arrived(self, dhan, monkeypatch):
        monkeypatch.setattr(orders, "ABSENCE_HORIZON_S", 0.0)
        adapter, order = self.doubtful(dhan, http('{"errorCode":"DH-906"}', "404 Not Found"), http("[]"))
        found = adapter.resolve(order).result(10)

        assert (found.success, found.sent, found.error) == (True, "yes", None)
        assert found.data == OrderNotFound(client_order_id="A-1")

    @pytest.mark.parametrize("answer", [http("<html>"), http("", "400 Bad Request"), http('[{"orderId":1}, 7]')])
    def test_whose_look_up_fails_is_not_said_to_be_missing(self, dhan, answer):
        adapter, order = self.doubtful(dhan, answer)
        found = adapter.resolve(order).result(20)

        assert (found.success, found.data, found.retry_after_s) == (False, None, None)
        assert found.error


class TestADeadToken:
    @pytest.mark.parametrize("answer", DEAD, ids=["808", "DH-906", "DH-901"])
    def test_is_used_no_more_until_there_is_another(self, dhan, answer):
        adapter = dhan(answering(answer, http('{"dhanClientId":"1100012345"}')))
        results = [adapter.get_orders().result(10), adapter.place_order(an_order()).result(10)]
        results += [adapter.get_quotes(["INFY"]).result(10), adapter.cancel_order("4").result(10)]
        heard = len(adapter.server.heard)
        is_in = adapter.authenticate(credentials("1100012345", "another")).result(10)

        assert [each.success for each in results] == [False] * 4
        assert all("access token dead" in each.error for each in results[1:])
        assert (heard, is_in) == (1, True)

    def test_of_another_client_is_none_of_ours(self, dhan):
        adapter = dhan(answering(http('{"dhanClientId":"1100099999"}')))
        is_in = adapter.authenticate(credentials("1100012345", "another")).result(10)

        assert is_in is False
        assert "another" in adapter.authentication.error


class TestModifying:
    def test_is_done_twenty_five_times_of_one_order(self, dhan):
        adapter = dhan(answering(ACK))
        freely = Allowance(quotas=(Quota(1_000, 1_000_000_000),), each_key=adapter.allowances["orders"].each_key)
        adapter.allowances = {**adapter.allowances, "orders": freely}
        names = ["A-0", "A-1"]
        results = [
            adapter.modify_order(names[0], an_order(order_type="LIMIT", limit_price=1500.0 + number)).result(10)
            for number in range(26)
        ]
        other = adapter.modify_order(names[1], an_order()).result(10)

        assert [type(each) for each in results] == [WriteAccepted] * 25 + [WriteNotSent]
        assert "25 in all of A-0" in results[-1].error
        assert isinstance(other, WriteAccepted)

    def test_without_an_answer_is_unknown_and_not_repeated(self, dhan):
        adapter = dhan(answering(http("", "503 Service Unavailable")))
        results = [adapter.modify_order("4", an_order()).result(10), adapter.cancel_order("4").result(10)]

        assert [type(each) for each in results] == [WriteUnknown] * 2
        assert len(adapter.server.heard) == 2


class TestCharts:
    def test_of_long_ranges_are_asked_for_in_parts_and_empty_ones_twice(self, dhan):
        later = {**CHART, "timestamp": [each + 90 * 86_400 for each in CHART["timestamp"]]}
        empty = {name: [] for name in CHART}
        answers = [http(json.dumps(each)) for each in (CHART, empty, later, empty)]
        adapter = dhan(answering(*answers))
        result = adapter.get_intraday_candles("INFY", 1, date(2026, 1, 1), date(2026, 9, 1)).result(20)

        asked = [(each["fromDate"], each["toDate"]) for each in sent(adapter)]
        assert asked == [
            ("2026-01-01", "2026-03-31"),
            *[("2026-04-01", "2026-06-29")] * 2,
            *[("2026-06-30", "2026-08-31")] * 2,
        ]
        assert result.data.timestamp == (*CHART["timestamp"], *later["timestamp"])

    def test_with_a_part_that_cannot_be_had_are_no_success(self, dhan):
        refusal = http('{"errorCode":"DH-905","errorMessage":"System is unable to fetch data"}', "400 Bad Request")
        adapter = dhan(answering(http(json.dumps(CHART)), refusal))
        result = adapter.get_intraday_candles("INFY", 1, date(2026, 1, 1), date(2026, 9, 1)).result(20)

        assert (result.success, result.data) == (False, None)
        assert "System is unable to fetch data" in result.error


class TestTheToken:
    def test_is_shown_nowhere(self, dhan, caplog):
        caplog.set_level(logging.DEBUG)
        echo = http(f'{{"errorCode":"DH-906","errorMessage":"no {TOKEN}"}}', "400 Bad Request")
        adapter = dhan(answering(echo))
        refused = adapter.place_order(an_order()).result(10)
        read = adapter.get_funds().result(10)
        traces = adapter._system.trace()

        assert refused.text == "no ***"
        for shown in (repr(adapter), repr(refused), repr(read), repr(traces), caplog.text, repr(adapter.__dict__)):
            assert TOKEN not in shown
        assert TOKEN not in repr(BrokerCredentials(client_id="1", access_token=TOKEN))
        assert not [record for record in caplog.records if TOKEN in repr(record.__dict__)]


def test_trades_of_past_days_are_read_page_by_page(dhan):
    pages = [http(json.dumps([{**PAST_TRADE, "orderId": str(number)}])) for number in (1, 2)]
    adapter = dhan(answering(*pages, http("[]")))
    result = adapter.get_trade_history(date(2026, 9, 1), date(2026, 10, 1)).result(10)

    assert [row.order_id for row in result.data] == ["1", "2"]


def test_a_service_that_repeats_a_page_is_not_asked_for_ever(dhan):
    adapter = dhan(answering(http(json.dumps([PAST_TRADE]))))
    result = adapter.get_trade_history(date(2026, 9, 1), date(2026, 10, 1)).result(10)

    assert (result.success, result.data, len(adapter.server.heard)) == (False, None, 2)


def test_the_document_names_a_host_alone_and_means_the_version_that_is_spoken():
    assert DhanBrokerAdapter("1", "t", base_url="https://api.dhan.co").base_url == "https://api.dhan.co/v2"
    with pytest.raises(ValueError, match="https"):
        DhanBrokerAdapter("1", "t", base_url="http://api.dhan.co")


def test_a_chart_has_each_candle_once_where_parts_overlap():
    first = Chart(timestamp=(1, 2), open=(1.0, 2.0), high=(1.0, 2.0), low=(1.0, 2.0), close=(1.0, 2.0), volume=(1, 2))
    later = Chart(timestamp=(2, 3), open=(5.0, 3.0), high=(5.0, 3.0), low=(5.0, 3.0), close=(5.0, 3.0), volume=(5, 3))

    assert joined([first, later]).open == (1.0, 5.0, 3.0)
