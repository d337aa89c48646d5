"""Clients that mean no good, or know no better: whatever comes, the answer is one of the protocol's."""

import os
import string
import time
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from natya_wire import CLIENT, TOKEN, Served, an_order

from natya.actors.exchange.wire import actor
from natya.actors.exchange.wire.routes import ROUTES
from natya.domain.time import SECOND_NS

TOO_MANY_WRONG = {(429, "DH-904"), (429, True)}
"""What is told of a wrong token after others, in both shapes."""

BODIES = int(os.environ.get("WIRE_BODIES", "100"))
"""Requests of random content; `make bodies` sends 10,000."""


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    served = Served(tmp_path_factory.mktemp("exchange"))
    served.price(1500.0)
    yield served
    assert served.system.runtime.base.dead_letters.count == 0
    served.stop()


NUMBERS = st.integers() | st.floats() | st.sampled_from([0, -1, 1e308, 10**40, "10", "", "NaN", "1e9", 1500.0])
SOME_WORDS = """
BUY SELL NSE_EQ NSE_FNO IDX_I CNC INTRADAY MARGIN BO LIMIT MARKET STOP_LOSS STOP_LOSS_MARKET DAY IOC 1594 13 2885 NA
OCO SINGLE ENTRY_LEG TARGET_LEG STOP_LOSS_LEG LONG EQUITY 1 5 2026-11-01 2026-11-28 LESS_THAN ATM RSI_14 OPEN 1000000001
PRICE_WITH_VALUE CALL WEEK OPTIDX open INE009A01021 PRIMARY 127.0.0.1 TECHNICAL_WITH_VALUE
"""
SOME_FIELDS = """
dhanClientId transactionType exchangeSegment productType orderType validity securityId quantity price triggerPrice
disclosedQuantity afterMarketOrder amoTime correlationId orderId legName targetPrice stopLossPrice trailingJump
orderFlag price1 quantity1 triggerPrice1 condition orders sequence comparisonType operator comparingValue convertQty
fromProductType toProductType positionType profitValue lossValue scripList interval fromDate toDate instrument
expiryCode oi UnderlyingScrip UnderlyingSeg Expiry NSE_EQ expiryFlag strike drvOptionType requiredData isin qty ip
ipFlag boProfitValue
"""
WORDS = st.sampled_from(SOME_WORDS.split()) | st.text(max_size=30)
FIELDS = st.sampled_from(SOME_FIELDS.split())
JSON = st.recursive(
    st.none() | st.booleans() | NUMBERS | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(FIELDS | st.text(max_size=5), inner, max_size=6),
    max_leaves=12,
)
BODY = st.dictionaries(FIELDS, JSON, max_size=10).map(lambda fields: an_order(**fields)) | JSON | st.binary(max_size=60)
QUERIES = ["", "?killSwitchStatus=DEACTIVATE", "?from-date=2026-11-01&to-date=2026-11-28", "?a=b&a", "?%"]
PART = st.sampled_from(["410000000001", "1594", "ENTRY_LEG", "0", "2026-11-01", "ALL"]) | st.text(
    string.ascii_letters + string.digits + "_-.~ %/;'\"\u00e9", min_size=1, max_size=12
)


def quoted(text):
    from urllib.parse import quote  # noqa: PLC0415

    return quote(text, safe="")


@settings(max_examples=BODIES)
@given(data=st.data())
def test_a_random_request_is_answered_in_the_protocol_s_words(served, data):
    route = data.draw(st.sampled_from(ROUTES))
    path = route.path
    while "{" in path:
        before, _, rest = path.partition("{")
        path = before + quoted(data.draw(PART)) + rest.partition("}")[2]
    if route.path == "/RenewToken":
        return  # it would end this client's token
    status, said = served.ask(route.method, f"/v2{path}{data.draw(st.sampled_from(QUERIES))}", data.draw(BODY))

    assert status in {200, 202, 400, 401, 404, 405} or said["errorCode"] == "DH-1111"
    if status >= 400:
        assert {"errorCode", "data", "error"} & set(said)


@pytest.mark.parametrize(
    "headers",
    [{}, {"access-token": ""}, {"access-token": TOKEN + "x"}, {"access-token": TOKEN, "client-id": "2"}, {"a": "b"}],
    ids=str,
)
@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.method} {route.path}")
def test_nobody_gets_in_without_the_token(served, route, headers):
    status, said = served.ask(route.method, f"/v2{route.path}", {}, headers=headers)

    told = (status, "data" in said or said["errorCode"])
    assert told in {(401, "DH-901"), (401, True), (400, "DH-906"), *TOO_MANY_WRONG}
    assert TOKEN not in str(said)


@pytest.mark.parametrize("named", ["2", CLIENT + "0", 2, 2.0, True, [CLIENT]], ids=repr)
def test_a_body_that_names_another_client_is_refused_wherever_it_goes(served, named):
    before = served.ok("GET", "/v2/orders"), served.ok("GET", "/v2/profile")["dhanClientId"]
    for path, method in [(route.path, route.method) for route in ROUTES]:
        status, said = served.ask(method, f"/v2{path}", an_order(dhanClientId=named))

        if path.startswith("/charts"):
            assert (path, status, said["errorMessage"]) == (path, 400, "Invalid Token")
        elif path.startswith(("/marketfeed", "/optionchain")):
            assert (path, status, "808" in said["data"]) == (path, 401, True)
        else:
            assert (path, status, said["errorCode"]) == (path, 401, "DH-901")
    assert (served.ok("GET", "/v2/orders"), served.ok("GET", "/v2/profile")["dhanClientId"]) == before


@pytest.mark.parametrize("named", [CLIENT, int(CLIENT), float(CLIENT)], ids=repr)
def test_a_body_that_names_the_token_s_owner_is_taken_however_it_writes_it(served, named):
    assert served.ask("POST", "/v2/orders", an_order(dhanClientId=named))[0] == 200
    assert served.ask("POST", "/v2/marketfeed/ltp", {"dhanClientId": named, "NSE_EQ": [1594]})[0] == 200


@pytest.mark.parametrize("path", ["/v2/trades", "/v2/orders", "/orders", "/v2/fundlimit", "/v2/super/orders"])
def test_a_slash_behind_a_path_or_two_before_it_make_no_other_of_it(served, path):
    assert served.ask("GET", path + "/") == served.ask("GET", "/" + path) == served.ask("GET", path)


def test_two_slashes_in_a_path_are_one(served):
    assert served.ask("GET", "//orders//external/none")[0] == 404
    assert served.ask("GET", "//orders//7") == served.ask("GET", "/orders/7") == (200, [])


@pytest.mark.parametrize(
    "path", ["/", "/v2", "/v2/", "/v2/order", "/v1/orders", "/v2/orders/a/b/c", "/__faults", "/..;/x"]
)
def test_a_path_that_there_is_not_is_a_404_of_its_own_shape(served, path):
    status, said = served.ask("GET", path)

    assert (status, said["status"], said["error"], said["path"]) == (404, 404, "Not Found", path)
    assert 0 <= time.time_ns() // 1_000_000 - said["timestamp"] < 60_000


def test_a_method_that_there_is_not_is_a_405(served):
    before_ms = time.time() * 1_000
    status, told = served.ask("PATCH", "/v2/orders", {})[:2]

    assert (status, told["status"], told["error"], told["path"]) == (405, 405, "Method Not Allowed", "/v2/orders")
    assert before_ms - 1 <= told["timestamp"] <= time.time() * 1_000 + 1


class TestAPathWithoutAVersion:
    """As clients of the generation before ask: the same account, and errors in a shape of their own."""

    def test_is_answered_as_that_with_one(self, served):
        order_id = served.ok("POST", "/orders", an_order(price=1400.0, correlationId="older"))["orderId"]
        served.settled(order_id)

        assert [row["orderId"] for row in served.ok("GET", f"/orders/{order_id}")] == [order_id]
        assert served.ok("GET", "/orders/external/older")["orderId"] == order_id
        assert served.ok("GET", "/fundlimit") == served.ok("GET", "/v2/fundlimit")
        assert served.ok("GET", "/tradeHistory/2026-01-01/2026-01-31/0") == []
        assert served.ask("GET", "/edis/tpin") == (202, None)
        assert served.ok("DELETE", f"/orders/{order_id}")["orderStatus"] == "CANCELLED"
        assert served.order(order_id)["orderStatus"] == "CANCELLED"

    @pytest.mark.parametrize(
        ("path", "headers", "status", "code"),
        [
            ("/orders/external/none", None, (404, "NOT_FOUND"), "DH-906"),
            ("/tradeHistory/soon/2026-01-31/0", None, (400, "BAD_REQUEST"), "DH-905"),
            ("/orders", {}, (401, "UNAUTHORIZED"), "DH-901"),
        ],
    )
    def test_has_its_own_shape_of_an_error(self, served, path, headers, status, code):
        answered, said = served.ask("GET", path, headers=headers)

        assert (answered, said["httpStatus"]) == status
        assert said["errorCode"] == said["internalErrorCode"] == code
        assert said["internalErrorMessage"]

    def test_has_no_charts_nor_what_is_newer(self, served):
        for path in ("/charts/intraday", "/super/orders", "/marketfeed/ltp"):
            assert served.ask("POST", path, {})[0] == 404


class TestLimits:
    @pytest.fixture
    def limited(self, tmp_path):
        served = Served(tmp_path, is_limited=True)
        served.price(1500.0)
        yield served
        served.stop()

    def test_are_dhan_s_and_answered_in_both_shapes(self, limited):
        orders = [limited.ask("POST", "/v2/orders", an_order()) for _ in range(25)]
        quotes = [limited.ask("POST", "/v2/marketfeed/ltp", {"NSE_EQ": [1594]}) for _ in range(3)]

        refused = [said for status, said in orders if status == 429]
        assert refused
        assert all(said["errorCode"] == "DH-904" and said["errorType"] == "Rate_Limit" for said in refused)
        assert any(status == 429 and "805" in said["data"] for status, said in quotes)

    def test_hold_for_as_long_as_they_do_though_the_clock_is_set_back(self, tmp_path, monkeypatch):
        machine = SimpleNamespace(now_ns=lambda: now_ns, elapsed_ns=lambda: elapsed_ns)
        monkeypatch.setattr(actor, "SystemClock", lambda: machine)
        now_ns, elapsed_ns = time.time_ns(), 0
        served = Served(tmp_path, is_limited=True)

        def let_in():
            return [served.ask("POST", "/v2/marketfeed/ltp", {"NSE_EQ": [1594]})[0] for _ in range(2)]

        assert let_in() == [200, 429]
        now_ns -= 3_600 * SECOND_NS
        assert let_in() == [429, 429]
        elapsed_ns += SECOND_NS
        assert let_in() == [200, 429]
        served.stop()

    def test_end_with_a_token_that_is_renewed(self, limited):
        old = {"access-token": TOKEN}
        new = {"access-token": limited.ask("GET", "/v2/RenewToken", headers=old)[1]["accessToken"]}

        assert limited.ask("GET", "/v2/fundlimit", headers=old)[0] == 401
        assert limited.ask("GET", "/v2/fundlimit", headers=new)[0] == 200
        minted = limited.ask(
            "POST", f"/app/generateAccessToken?dhanClientId={CLIENT}&pin=123456&totp=123456", headers={}
        )
        assert limited.ask("GET", "/v2/fundlimit", headers=new)[0] == 401
        assert limited.ask("GET", "/v2/fundlimit", headers={"access-token": minted[1]["accessToken"]})[0] == 200
        again = limited.ask(
            "POST", f"/app/generateAccessToken?dhanClientId={CLIENT}&pin=123456&totp=123456", headers={}
        )
        assert again == (200, {"message": "Token can be generated once every 2 minutes.", "status": "error"})
