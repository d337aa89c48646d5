"""`DhanBrokerAdapter` at servers that mean it ill: typed results, bounded time and memory, and no token for others."""

import contextlib
import functools
import json
import zlib
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from natya_dhan import ANYTHING, CHART, FUNDS, ORDER
from natya_servers import Server, answering, http

from natya import Allowance, DhanBrokerAdapter, ExternalServiceResult, OrderRequest, Quota, WriteUnknown
from natya.actors.broker.adapters.dhan import reading
from natya.actors.broker.bodies.dhan import charts
from natya.config.secrets import Secret
from natya.domain.dhan.tolerant import MalformedAnswerError
from natya.domain.dhan.trading.orders import OrderRow

TOKEN = "canary-of-a-token"  # noqa: S105  it opens nothing
SINCE, UNTIL = date(2026, 9, 1), date(2026, 9, 3)
READS = {
    "orders": lambda dhan: dhan.get_orders(),
    "order": lambda dhan: dhan.get_order("4"),
    "trades": lambda dhan: dhan.get_trades(),
    "positions": lambda dhan: dhan.get_positions(),
    "funds": lambda dhan: dhan.get_funds(),
    "profile": lambda dhan: dhan.get_profile(),
    "chart": lambda dhan: dhan.get_daily_candles("INFY", SINCE, UNTIL),
    "expired": lambda dhan: dhan.get_expired_options("NIFTY", SINCE, UNTIL, option_type="CALL"),
    "chain": lambda dhan: dhan.get_option_chain("NIFTY", UNTIL),
    "alerts": lambda dhan: dhan.get_conditional_orders(),
}


def packed(body):
    return b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)


@functools.cache
def bomb():
    """A hundred megabytes of spaces in a hundred kilobytes. Made when wanted: each process imports this."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    spaces = b" " * (1 << 20)
    return packed(b"".join([*(packer.compress(spaces) for _ in range(100)), packer.flush()]))


BODIES = {
    "deep": http("[" * 200_000),
    "deep and closed": http("[" * 20_000 + "]" * 20_000),
    "not a number": http('{"availabelBalance": NaN, "orderId": NaN}'),
    "endless numbers": http('{"availabelBalance": 1e999, "dhanClientId": 7, "data": {"last_price": 1e999, "oc": {}}}'),
    "a text": http('"orders"'),
    "a number": http("17"),
    "rows of texts": http('["a", "b"]'),
    "rows of rows": http("[[[]]]"),
    "no text": http("\udcff".encode("utf-8", "surrogateescape").decode("latin-1")),
    "cut off": b'HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n[{"orderId"',
    "a bomb": bomb,
    "no gzip": packed(b"\x1f\x8bnot at all"),
    "no HTTP": b"\0\1\2\3" * 100 + b"\r\n\r\n",
}


def body_of(name):
    body = BODIES[name]
    return body() if callable(body) else body


COSTLY = {"a bomb", "deep", "deep and closed"}


@pytest.fixture(scope="module")
def stage(tmp_path_factory):
    """One adapter for all, at a server whose answer the test sets; and what nobody should ask."""

    class Stage:
        answer = b""

    stage = Stage()

    def serve(server, connection):
        if server.read(connection) is not None:
            connection.sendall(stage.answer)

    stage.server = Server(serve)
    stage.dhan = DhanBrokerAdapter(
        "1100012345",
        TOKEN,
        base_url=f"{stage.server.url}/v2",
        instruments=tmp_path_factory.mktemp("instruments"),
        timeout_s=5.0,
    )
    stage.dhan.fail_max = 1_000_000
    freely = Allowance(quotas=(Quota(100_000, 1_000_000_000),))
    stage.dhan.allowances = dict.fromkeys(stage.dhan.allowances, freely)
    yield stage
    stage.dhan.close()
    stage.server.close()


def an_order():
    return OrderRequest(symbol="INFY", side="BUY", quantity=10)


class TestAnAnswer:
    @pytest.mark.parametrize("body", BODIES)
    def test_that_is_none_is_no_success_of_a_read(self, stage, body):
        stage.answer = body_of(body)
        asked = ["orders"] if body in COSTLY else READS
        pending = {name: READS[name](stage.dhan) for name in asked}
        results = {name: each.result(20) for name, each in pending.items()}

        assert {type(each) for each in results.values()} == {ExternalServiceResult}
        assert {each.success for each in results.values()} == {False}
        assert all(each.data is None and each.error for each in results.values())

    @pytest.mark.parametrize("body", BODIES)
    def test_that_is_none_leaves_an_order_in_doubt(self, stage, body):
        stage.answer = body_of(body)
        result = stage.dhan.place_order(an_order()).result(20)

        assert isinstance(result, WriteUnknown)
        assert result.data is None

    def test_without_end_is_not_read_to_the_end(self, stage):
        stage.answer = b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n[" + b" " * (9 << 20)
        result = stage.dhan.get_orders().result(20)

        assert (result.success, result.data) == (False, None)
        assert "at most 8388608 bytes wanted" in result.error

    def test_that_drips_ends_at_the_time_out(self, serve, tmp_path):
        def drip(server, connection):
            server.read(connection)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
            while not server.over.wait(0.05):
                connection.sendall(b" ")

        server = serve(drip)
        with DhanBrokerAdapter("1100012345", TOKEN, base_url=server.url, instruments=tmp_path, timeout_s=1.0) as dhan:
            result = dhan.place_order(an_order()).result(20)

        assert isinstance(result, WriteUnknown)
        assert result.response_time < 30

    @pytest.mark.parametrize("status", ["301 Moved Permanently", "307 Temporary Redirect", "308 Permanent Redirect"])
    def test_that_leads_elsewhere_is_not_followed(self, stage, serve, status):
        elsewhere = serve(answering(http("[]")))
        stage.answer = f"HTTP/1.1 {status}\r\nLocation: {elsewhere.url}/v2/orders\r\nContent-Length: 0\r\n\r\n".encode()
        read = stage.dhan.get_orders().result(20)
        written = stage.dhan.place_order(an_order()).result(20)

        assert (read.success, type(written)) == (False, WriteUnknown)
        assert "a redirection" in read.error
        assert elsewhere.heard == []

    def test_that_sets_a_cookie_has_no_effect_on_the_next_request(self, stage):
        stage.answer = http(json.dumps(FUNDS)).replace(b"\r\n", b"\r\nSet-Cookie: spy=1; Path=/\r\n", 1)
        stage.dhan.get_funds().result(20)
        stage.dhan.get_funds().result(20)

        assert b"spy" not in stage.server.heard[-1]


class TestWhatReadsBodies:
    @given(st.binary(max_size=60) | ANYTHING.map(lambda found: json.dumps(found).encode()))
    def test_reads_them_or_says_what_is_wrong(self, body):
        for read in (
            charts.chart,
            reading.expired_chart,
            reading.option_chain,
            reading.token,
            reading.one_or_none(OrderRow),
        ):
            with contextlib.suppress(ValueError):
                read(body)

    @pytest.mark.parametrize("changed", [{"open": [1.0]}, {"timestamp": [2, 1]}, {"open_interest": [1.0]}])
    def test_takes_no_candles_that_are_none(self, changed):
        with pytest.raises(MalformedAnswerError, match="wanted"):
            charts.chart(json.dumps({**CHART, **changed}).encode())

    @pytest.mark.parametrize("side", ["ce", "pe"])
    def test_takes_no_candles_of_expired_options_that_are_none(self, side):
        told = {"data": {side: {"timestamp": [1, 2], "open": [1.0]}}}
        wanted = r"ExpiredChart: arrays of as many as the times \(2\) wanted, found \{'open': 1"

        with pytest.raises(MalformedAnswerError, match=wanted):
            reading.expired_chart(json.dumps(told).encode())

    def test_takes_no_strikes_that_are_none(self):
        chain = {"data": {"last_price": 1.0, "oc": {"nowhere": {"ce": None, "pe": None}}}}

        with pytest.raises(ValueError, match="a strike wanted"):
            reading.option_chain(json.dumps(chain).encode())

    def test_takes_several_orders_for_none(self):
        with pytest.raises(MalformedAnswerError, match="one OrderRow wanted, found 2"):
            reading.one_or_none(OrderRow)(json.dumps([ORDER, ORDER]).encode())

    def test_loses_no_token_for_what_is_said_beside_it(self):
        renewed = reading.token(json.dumps({"token": "eyJ.new", "expiryTime": "2026-10-08T09:05:11"}).encode())
        odd = reading.token(json.dumps({"token": "eyJ.new", "expiryTime": "in a day"}).encode())

        assert renewed.secret == odd.secret == Secret("eyJ.new")
        assert (str(renewed.expires), odd.expires) == ("2026-10-08 09:05:11", None)

    def test_shows_no_token_that_it_could_not_read(self):
        with pytest.raises(MalformedAnswerError) as refused:
            reading.token(json.dumps({"accessToken": [TOKEN], "dhanClientId": TOKEN * 2_000}).encode())

        assert TOKEN not in str(refused.value)
