"""What each method of `DhanBrokerAdapter` asks of Dhan, to the letter; no network."""

import json
from datetime import date
from types import SimpleNamespace

import certifi
import pytest
from natya_asked_dhan import BELOW, FOREVER, SUPER, TWO_LEGS, an_order

from natya import BrokerCredentials, DhanBrokerAdapter, ForeverLeg, ForeverOrderRequest, WriteNotSent
from natya.actors.broker.bodies.dhan.endpoints import LIVE_URL
from natya.actors.external import ExternalActor
from natya.actors.runtime import InProcessSystem
from natya.domain.dhan.limits import limits_on
from natya.domain.instruments import Instrument

SINCE, UNTIL = date(2026, 9, 1), date(2026, 9, 3)

WHOSE = {"dhanClientId": "11"}
TRADE = {"exchangeSegment": "NSE_EQ", "transactionType": "BUY", "productType": "INTRADAY", "securityId": "1594"}
NEEDED = {**TRADE, "quantity": 10, "price": 0.0, "triggerPrice": 0.0}
RESTATED = {"orderType": "MARKET", "quantity": 10, "price": 0.0, "validity": "DAY"}
PLACED = {**NEEDED, **RESTATED, "correlationId": "A-1", "disclosedQuantity": 0, "afterMarketOrder": False}
LEVELS = {"price": 0.0, "targetPrice": 1500.0, "stopLossPrice": 0.0, "trailingJump": 0.0}
ALERT = {
    **WHOSE,
    "condition": {
        "comparisonType": "PRICE_WITH_VALUE",
        "exchangeSegment": "NSE_EQ",
        "securityId": "1594",
        "operator": "LESS_THAN",
        "frequency": "ONCE",
        "comparingValue": 1000.0,
    },
    "orders": [{**TRADE, **RESTATED, "price": "0", "discQuantity": "0", "triggerPrice": "0"}],
}
EXPIRED = {
    "exchangeSegment": "NSE_FNO",
    "interval": "1",
    "securityId": 13,
    "instrument": "OPTIDX",
    "expiryFlag": "MONTH",
    "expiryCode": 1,
    "strike": "ATM",
    "drvOptionType": "CALL",
    "requiredData": ["open", "high", "low", "close", "iv", "volume", "strike", "oi", "spot"],
    "fromDate": "2026-09-01",
    "toDate": "2026-09-03",
}
CHART = {"securityId": "1594", "exchangeSegment": "NSE_EQ", "instrument": "EQUITY", "fromDate": "2026-09-01"}
LEDGER = (("from-date", "2026-09-01"), ("to-date", "2026-09-03"))

POSTED_ONCE = {
    "place_order": (lambda d: d.place_order(an_order()), "POST /orders", {**WHOSE, **PLACED}),
    "place_sliced": (lambda d: d.place_sliced(an_order()), "POST /orders/slicing", {**WHOSE, **PLACED}),
    "place_orders": (
        lambda d: d.place_orders([an_order()]),
        "POST /alerts/multi/orders",
        {**WHOSE, "orders": [{"sequence": "1", **PLACED}]},
    ),
    "place_super_order": (
        lambda d: d.place_super_order(SUPER),
        "POST /super/orders",
        {**WHOSE, **TRADE, **LEVELS, "orderType": "MARKET", "quantity": 10, "correlationId": "S-1"},
    ),
    "place_forever_order": (
        lambda d: d.place_forever_order(FOREVER),
        "POST /forever/orders",
        {
            **WHOSE,
            **TRADE,
            "productType": "CNC",
            "orderFlag": "SINGLE",
            "orderType": "LIMIT",
            "quantity": 5,
            "price": 1300.0,
            "triggerPrice": 1301.0,
            "validity": "DAY",
            "correlationId": "F-1",
            "disclosedQuantity": 0,
            "price1": 0.0,
            "triggerPrice1": 0.0,
            "quantity1": 0,
        },
    ),
}
CHANGES = {
    "modify_order": (
        lambda d: d.modify_order("7", an_order()),
        "PUT /orders/7",
        {**WHOSE, **RESTATED, "orderId": "7", "legName": "NA", "disclosedQuantity": 0, "triggerPrice": 0.0},
    ),
    "modify_super_order": (
        lambda d: d.modify_super_order("7", SUPER),
        "PUT /super/orders/7",
        {**WHOSE, **LEVELS, "orderId": "7", "legName": "ENTRY_LEG", "orderType": "MARKET", "quantity": 10},
    ),
    "move_stop": (
        lambda d: d.move_stop("7", 99.0),
        "PUT /super/orders/7",
        {**WHOSE, "orderId": "7", "legName": "STOP_LOSS_LEG", "stopLossPrice": 99.0, "trailingJump": 0.0},
    ),
    "move_target": (
        lambda d: d.move_target("7", 99.0),
        "PUT /super/orders/7",
        {**WHOSE, "orderId": "7", "legName": "TARGET_LEG", "targetPrice": 99.0},
    ),
    "modify_forever_order": (
        lambda d: d.modify_forever_order("7", TWO_LEGS),
        "PUT /forever/orders/7",
        {
            **WHOSE,
            **RESTATED,
            "orderId": "7",
            "orderFlag": "OCO",
            "orderType": "LIMIT",
            "legName": "TARGET_LEG",
            "quantity": 5,
            "price": 1300.0,
            "triggerPrice": 1301.0,
            "disclosedQuantity": 0,
        },
    ),
    "modify_forever_order second": (
        lambda d: d.modify_forever_order("7", TWO_LEGS, second=True),
        "PUT /forever/orders/7",
        {
            **WHOSE,
            **RESTATED,
            "orderId": "7",
            "orderFlag": "OCO",
            "legName": "STOP_LOSS_LEG",
            "quantity": 3,
            "triggerPrice": 1700.0,
            "disclosedQuantity": 0,
        },
    ),
    "modify_conditional_order": (
        lambda d: d.modify_conditional_order("7", BELOW, [an_order()]),
        "PUT /alerts/orders/7",
        {**ALERT, "alertId": "7"},
    ),
}
"""Of which Dhan takes 25 of one order: they are counted by its number."""

LESS = {
    "cancel_order": (lambda d: d.cancel_order("7"), "DELETE /orders/7", None),
    "cancel_super_order": (lambda d: d.cancel_super_order("7"), "DELETE /super/orders/7/ENTRY_LEG", None),
    "cancel_forever_order": (lambda d: d.cancel_forever_order("7"), "DELETE /forever/orders/7", None),
    "cancel_conditional_order": (lambda d: d.cancel_conditional_order("7"), "DELETE /alerts/orders/7", None),
    "exit_all": (lambda d: d.exit_all(), "DELETE /positions", None),
    "set_kill_switch": (
        lambda d: d.set_kill_switch(is_on=True),
        "POST /killswitch",
        None,
        (("killSwitchStatus", "ACTIVATE"),),
    ),
    "set_kill_switch off": (
        lambda d: d.set_kill_switch(is_on=False),
        "POST /killswitch",
        None,
        (("killSwitchStatus", "DEACTIVATE"),),
    ),
    "set_pnl_exit": (
        lambda d: d.set_pnl_exit(profit_rupees=4000.0, loss_rupees=1500.0),
        "POST /pnlExit",
        {**WHOSE, "profitValue": 4000.0, "lossValue": 1500.0, "productType": ["INTRADAY"], "enableKillSwitch": False},
    ),
}
"""What makes an exposure smaller: it overtakes."""

OTHER_WRITES = {
    "place_conditional_order": (
        lambda d: d.place_conditional_order(BELOW, [an_order()]),
        "POST /alerts/orders",
        ALERT,
    ),
    "convert_position": (
        lambda d: d.convert_position("INFY", 4, position="LONG", since="INTRADAY", until="CNC"),
        "POST /positions/convert",
        {
            **WHOSE,
            "fromProductType": "INTRADAY",
            "toProductType": "CNC",
            "exchangeSegment": "NSE_EQ",
            "positionType": "LONG",
            "securityId": "1594",
            "convertQty": 4,
        },
    ),
    "end_pnl_exit": (lambda d: d.end_pnl_exit(), "DELETE /pnlExit", None),
    "send_tpin": (lambda d: d.send_tpin(), "GET /edis/tpin", None),
    "get_edis_form": (
        lambda d: d.get_edis_form("INE009A01021", 3),
        "POST /edis/form",
        {"isin": "INE009A01021", "qty": 3, "exchange": "NSE", "segment": "EQ", "bulk": False},
    ),
    "get_edis_bulk_form": (
        lambda d: d.get_edis_bulk_form(["INE009A01021"]),
        "POST /edis/bulkform",
        {"isin": ["INE009A01021"], "exchange": "NSE", "segment": "EQ"},
    ),
    "set_ip": (
        lambda d: d.set_ip("203.0.113.7"),
        "POST /ip/setIP",
        {**WHOSE, "ip": "203.0.113.7", "ipFlag": "PRIMARY"},
    ),
    "modify_ip": (
        lambda d: d.modify_ip("203.0.113.7", flag="SECONDARY"),
        "PUT /ip/modifyIP",
        {**WHOSE, "ip": "203.0.113.7", "ipFlag": "SECONDARY"},
    ),
    "renew_token": (lambda d: d.renew_token(), "GET /RenewToken", None),
}
READS = {
    "authenticate": (
        lambda d: d.authenticate(BrokerCredentials(client_id="11", access_token="T")),  # noqa: S106  of a test
        "GET /profile",
        None,
    ),
    "get_orders": (lambda d: d.get_orders(), "GET /orders", None),
    "get_order": (lambda d: d.get_order("7"), "GET /orders/7", None),
    "get_order_by_client_id": (lambda d: d.get_order_by_client_id("A-1"), "GET /orders/external/A-1", None),
    "resolve": (lambda d: d.resolve(an_order()), "GET /orders/external/A-1", None),
    "get_trades": (lambda d: d.get_trades(), "GET /trades", None),
    "get_trades of one": (lambda d: d.get_trades("7"), "GET /trades/7", None),
    "get_trade_history": (
        lambda d: d.get_trade_history(SINCE, UNTIL),
        "GET /trades/2026-09-01/2026-09-03/0",
        None,
    ),
    "get_super_orders": (lambda d: d.get_super_orders(), "GET /super/orders", None),
    "get_forever_orders": (lambda d: d.get_forever_orders(), "GET /forever/orders", None),
    "get_conditional_order": (lambda d: d.get_conditional_order("7"), "GET /alerts/orders/7", None),
    "get_conditional_orders": (lambda d: d.get_conditional_orders(), "GET /alerts/orders", None),
    "get_positions": (lambda d: d.get_positions(), "GET /positions", None),
    "get_holdings": (lambda d: d.get_holdings(), "GET /holdings", None),
    "get_funds": (lambda d: d.get_funds(), "GET /fundlimit", None),
    "get_margin": (lambda d: d.get_margin(an_order()), "POST /margincalculator", {**WHOSE, **NEEDED}),
    "get_margin_of_all": (
        lambda d: d.get_margin_of_all([an_order()]),
        "POST /margincalculator/multi",
        {**WHOSE, "scripList": [NEEDED], "includePosition": False, "includeOrder": False},
    ),
    "get_margin_of_all beside what is held": (
        lambda d: d.get_margin_of_all([an_order()], with_positions=True),
        "POST /margincalculator/multi",
        {**WHOSE, "scripList": [NEEDED], "includePosition": True, "includeOrder": False},
    ),
    "get_margin_of_all beside what is open": (
        lambda d: d.get_margin_of_all([an_order()], with_orders=True),
        "POST /margincalculator/multi",
        {**WHOSE, "scripList": [NEEDED], "includePosition": False, "includeOrder": True},
    ),
    "get_ledger": (lambda d: d.get_ledger(SINCE, UNTIL), "GET /ledger", None, LEDGER),
    "get_kill_switch": (lambda d: d.get_kill_switch(), "GET /killswitch", None),
    "get_pnl_exit": (lambda d: d.get_pnl_exit(), "GET /pnlExit", None),
    "get_last_prices": (lambda d: d.get_last_prices(["INFY"]), "POST /marketfeed/ltp", {"NSE_EQ": [1594]}),
    "get_ohlc": (lambda d: d.get_ohlc(["INFY"]), "POST /marketfeed/ohlc", {"NSE_EQ": [1594]}),
    "get_quotes": (
        lambda d: d.get_quotes(["INFY", "NIFTY"]),
        "POST /marketfeed/quote",
        {"NSE_EQ": [1594], "IDX_I": [13]},
    ),
    "get_daily_candles": (
        lambda d: d.get_daily_candles("INFY", SINCE, UNTIL),
        "POST /charts/historical",
        {**CHART, "toDate": "2026-09-03", "expiryCode": 0, "oi": False},
    ),
    "get_intraday_candles": (
        lambda d: d.get_intraday_candles("INFY", 5, SINCE, UNTIL),
        "POST /charts/intraday",
        {**CHART, "toDate": "2026-09-02", "interval": "5", "oi": False},
    ),
    "get_daily_candles with open interest": (
        lambda d: d.get_daily_candles("INFY", SINCE, UNTIL, open_interest=True),
        "POST /charts/historical",
        {**CHART, "toDate": "2026-09-03", "expiryCode": 0, "oi": True},
    ),
    "get_intraday_candles with open interest": (
        lambda d: d.get_intraday_candles("INFY", 60, SINCE, UNTIL, open_interest=True),
        "POST /charts/intraday",
        {**CHART, "toDate": "2026-09-02", "interval": "60", "oi": True},
    ),
    "get_expired_options": (
        lambda d: d.get_expired_options("NIFTY", SINCE, UNTIL, option_type="CALL"),
        "POST /charts/rollingoption",
        EXPIRED,
    ),
    "get_expired_options of a share": (
        lambda d: d.get_expired_options("INFY", SINCE, UNTIL, option_type="PUT", data=["close", "oi"]),
        "POST /charts/rollingoption",
        EXPIRED | {"securityId": 1594, "instrument": "OPTSTK", "drvOptionType": "PUT", "requiredData": ["close", "oi"]},
    ),
    "get_option_chain": (
        lambda d: d.get_option_chain("NIFTY", UNTIL),
        "POST /optionchain",
        {"UnderlyingScrip": 13, "UnderlyingSeg": "IDX_I", "Expiry": "2026-09-03"},
    ),
    "get_expiries": (
        lambda d: d.get_expiries("NIFTY"),
        "POST /optionchain/expirylist",
        {"UnderlyingScrip": 13, "UnderlyingSeg": "IDX_I"},
    ),
    "get_profile": (lambda d: d.get_profile(), "GET /profile", None),
    "get_ip": (lambda d: d.get_ip(), "GET /ip/getIP", None),
    "get_edis_status": (lambda d: d.get_edis_status(), "GET /edis/inquire/ALL", None),
}
ALL = POSTED_ONCE | CHANGES | LESS | OTHER_WRITES | READS
NO_QUESTIONS = {"client_id", "base_url", "authentication", "allowances", "headers", "judge", "close", "read_chart"}
"""Public, and not a method that asks one thing; `read_chart` is asked by the history of charts."""


def names_of(kind):
    return {name for name in vars(kind) if not name.startswith("_") and name != "service"}


class TestEachMethod:
    @pytest.mark.parametrize("name", ALL)
    def test_asks_to_the_letter_what_it_says(self, played, name):
        ask, line, body, *query = ALL[name]
        ask(played)
        (call,) = played.asked

        assert f"{call.method} {call.url}" == line.replace(" ", " https://x/v2")
        assert call.query == (query[0] if query else ())
        assert (None if call.body is None else json.loads(call.body)) == body

    def test_waits_as_long_as_its_answer_is_worth_and_is_sent_again_if_it_only_reads(self, played):
        for name, (ask, *_) in ALL.items():
            ask(played)
            call, is_read = played.asked.pop(), name in READS

            assert (call.endpoint.read, call.endpoint.attempts_max) == (is_read, 3 if is_read else 1), name
            assert call.deadline_s == (30.0 if is_read else 2.0 if name in POSTED_ONCE else 5.0), name
            assert call.endpoint.timeout_s == 10.0

    def test_overtakes_others_if_it_makes_an_exposure_smaller(self, played):
        for name, (ask, *_) in ALL.items():
            ask(played)
            call = played.asked.pop()

            assert call.urgent == (name in LESS), name
            assert call.endpoint.exposes == (name in {*POSTED_ONCE, *CHANGES, "place_conditional_order"}), name
            assert not call.in_halt

    def test_is_in_the_table(self):
        public = set().union(*(names_of(kind) for kind in DhanBrokerAdapter.__mro__ if "broker" in kind.__module__))

        assert {name.split()[0] for name in ALL} == public - NO_QUESTIONS

    @pytest.mark.parametrize("name", CHANGES)
    def test_that_changes_an_order_is_counted_by_its_number(self, played, name):
        CHANGES[name][0](played)

        assert played.asked[0].key == "7"

    def test_on_options_is_counted_by_underlying_and_expiry(self, played):
        played.get_option_chain("NIFTY", UNTIL)
        played.get_option_chain("NIFTY", SINCE)
        played.get_option_chain("INFY", UNTIL)
        played.get_expiries("NIFTY")

        assert [call.key for call in played.asked] == [
            "IDX_I:13 2026-09-03",
            "IDX_I:13 2026-09-01",
            "NSE_EQ:1594 2026-09-03",
            "IDX_I:13 expiries",
        ]


def test_a_client_trusts_the_certificates_and_takes_the_way_that_it_was_given(monkeypatch):
    begun, start = [], InProcessSystem.start

    def seen(system, name, kind, settings):
        begun.append(settings)
        return start(system, name, kind, settings)

    monkeypatch.setattr(InProcessSystem, "start", seen)
    how = {"ca_file": certifi.where(), "proxy": "http://127.0.0.1:3128"}
    with DhanBrokerAdapter("1100000001", "T", base_url="http://127.0.0.1:9/v2", **how) as client:
        client._clock()

    assert [(each.ca_file, each.proxy) for each in begun] == [(how["ca_file"], how["proxy"])]


def test_an_order_above_the_freeze_quantity_leaves_only_where_dhan_divides_it(played):
    frozen = Instrument(symbol="INFY", segment="NSE_EQ", security_id="1594", tick_size_rupees=0.1, freeze_quantity=4)
    played._symbols = SimpleNamespace(find=lambda _symbol: frozen)
    for place, order in (
        (played.place_order, an_order()),
        (played.place_super_order, SUPER),
        (played.place_forever_order, FOREVER),
    ):
        result = place(order).result()
        assert (type(result), "the freeze quantity of 4" in result.error) == (WriteNotSent, True)
    assert played.asked == []
    played.place_sliced(an_order())

    assert [call.url for call in played.asked] == ["https://x/v2/orders/slicing"]


def test_the_owner_of_its_calls_is_told_all_that_the_adapter_was_given(instruments, tmp_path):
    started = []
    system = SimpleNamespace(start=lambda *arguments: started.append(arguments))
    adapter = DhanBrokerAdapter(
        *("11", "T"),
        base_url="https://x/",
        instruments=instruments,
        system=system,
        ca_file="ca.pem",
        proxy="http://127.0.0.1:8",
        tally_folder=tmp_path,
    )
    assert adapter._running() is adapter._running() is system
    ((name, actor, settings),) = started

    assert (name, actor, settings.service, settings.hosts) == ("external-dhan", ExternalActor, "dhan", {"x"})
    assert (settings.ca_file, settings.proxy, settings.tally_folder) == ("ca.pem", "http://127.0.0.1:8", tmp_path)
    assert (settings.tally.whose, settings.allowances) == ("11@x", limits_on(date.max))
    assert (settings.fail_max, settings.reset_timeout_s) == (adapter.fail_max, adapter.reset_timeout_s)
    assert settings.headers()["access-token"] == "T"


@pytest.mark.parametrize(
    ("client_id", "error"), [("11", None), ("12", "a token of this client wanted, found that of another")]
)
def test_a_token_is_valid_where_it_is_that_of_the_client_and_it_is_known_why_not(played, client_id, error):
    assert played.authentication is None
    played.answers.append({"dhanClientId": "11", "tokenValidity": "01/09/2026 12:00", "activeSegment": "Equity"})
    is_valid = played.authenticate(BrokerCredentials(client_id=client_id, access_token="U")).result()  # noqa: S106  of a test
    why = played.authentication

    assert (is_valid, why.success, why.error) == (error is None, error is None, error)
    assert (why.status_code, why.sent, played.client_id) == (200, "yes", client_id)
    assert played.headers()["access-token"] == "U"


@pytest.mark.parametrize(("limit", "trigger"), [(0.1 * 13_003, 1301.3), (1300.3, 0.1 * 13_013), (None, 0.1 * 13_013)])
def test_a_leg_is_changed_to_prices_without_the_noise_of_arithmetic(played, limit, trigger):
    order = ForeverOrderRequest(
        symbol="INFY", side="BUY", quantity=5, client_order_id="F-1",
        first=ForeverLeg(trigger_price=trigger, limit_price=limit),
    )  # fmt: skip
    played.modify_forever_order("7", order)
    (call,) = played.asked

    sent = json.loads(call.body)
    assert (sent["price"], sent["triggerPrice"]) == (0.0 if limit is None else 1300.3, 1301.3)


def test_an_adapter_without_an_address_is_of_dhan_s_own():
    with DhanBrokerAdapter("1100000001", "T", base_url="") as client:
        assert client.base_url == LIVE_URL
