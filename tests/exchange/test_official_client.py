"""A trading day of the official `dhanhq` client, with nothing changed but its base URL."""

import time
import webbrowser

import pytest
import requests
from dhanhq import DhanContext, DhanLogin, dhanhq
from natya_wire import CLIENT, TOKEN, Served


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    served = Served(tmp_path_factory.mktemp("exchange"))
    option = {"exchangeSegment": "NSE_FNO", "instrument": "OPTIDX", "underlying": "NIFTY", "lotSize": 65}
    for number, (strike, kind) in enumerate([(25_000, "CE"), (25_000, "PE")]):
        served.list_instrument(
            symbol=f"NIFTY 25000 {kind}",
            securityId=str(51_000 + number),
            strikeRupees=strike,
            optionType=kind,
            expiry="2099-10-27",
            **option,
        )
    served.price(25_010.5, "NIFTY")
    served.price(120.0, "NIFTY 25000 CE", bids=[[119.9, 650]], asks=[[120.1, 650]])
    served.price(1500.0, previousClose=1490.0)
    yield served
    served.stop()


@pytest.fixture
def dhan(served):
    context = DhanContext(CLIENT, TOKEN)
    context.get_dhan_http().base_url = served.rest
    client = dhanhq(context)
    yield client
    context.get_dhan_http().session.close()


def good(answer):
    assert answer["status"] == "success", answer
    return answer["data"]


def bad(answer):
    assert answer["status"] == "failure", answer
    return answer["remarks"]


def place(dhan, **fields):
    order = {
        "security_id": "1594",
        "exchange_segment": dhan.NSE,
        "transaction_type": dhan.BUY,
        "quantity": 10,
        "order_type": dhan.LIMIT,
        "product_type": dhan.INTRA,
        "price": 1400.0,
        **fields,
    }
    return dhan.place_order(**order)


def since_yesterday():
    """From what day until what day, in India: a day may turn while the tests run."""
    return [time.strftime("%Y-%m-%d", time.gmtime(time.time() + 19_800 + days * 86_400)) for days in (-1, 1)]


def settled(dhan, order_id):
    while True:
        (row,) = good(dhan.get_order_by_id(order_id))
        if row["orderStatus"] != "TRANSIT":
            return row


class TestOrders:
    def test_are_taken_in_transit_and_stand_in_the_book_at_once(self, dhan):
        ack = good(place(dhan, tag="day-1"))

        assert ack["orderStatus"] == "TRANSIT"
        assert ack["orderId"] in [row["orderId"] for row in good(dhan.get_order_list())]
        row = settled(dhan, ack["orderId"])
        assert (row["orderStatus"], row["correlationId"], row["omsErrorCode"]) == ("PENDING", "day-1", "0")
        assert row["drvExpiryDate"] == "0001-01-01"
        assert good(dhan.get_order_by_correlationID("day-1"))["orderId"] == ack["orderId"]

    def test_at_the_market_trade_and_make_a_position(self, dhan, served):
        order_id = good(place(dhan, order_type=dhan.MARKET, price=0))["orderId"]
        row = settled(dhan, order_id)

        assert (row["orderStatus"], row["filledQty"], row["remainingQuantity"]) == ("TRADED", 10, 0)
        (trade,) = good(dhan.get_trade_book(order_id))
        assert (trade["tradedQuantity"], trade["tradedPrice"]) == (10, 1500.0)
        assert order_id in [each["orderId"] for each in good(dhan.get_trade_book())]
        served.price(1501.0)
        (position,) = [each for each in good(dhan.get_positions()) if each["securityId"] == "1594"]
        assert (position["positionType"], position["netQty"], position["unrealizedProfit"]) == ("LONG", 10, 10.0)

    @pytest.mark.parametrize("kind", ["STOP_LOSS", "STOP_LOSS_MARKET"])
    def test_with_a_trigger_wait_for_it(self, dhan, kind):
        order = {"transaction_type": dhan.SELL, "order_type": kind, "trigger_price": 1450.0}
        price = 1449.0 if kind == "STOP_LOSS" else 0
        row = settled(dhan, good(place(dhan, price=price, **order))["orderId"])

        assert (row["orderStatus"], row["orderType"], row["triggerPrice"]) == ("PENDING", kind, 1450.0)

    def test_that_cannot_be_paid_are_rejected_later_with_the_reason(self, dhan):
        row = settled(dhan, good(place(dhan, quantity=100_000, product_type=dhan.CNC))["orderId"])

        assert row["orderStatus"] == "REJECTED"
        assert row["omsErrorDescription"].startswith(f"RMS:{row['orderId']}:")

    def test_that_are_wrong_are_refused_at_once(self, dhan):
        assert bad(place(dhan, transaction_type="KEEP"))["error_code"] == "DH-905"
        assert bad(place(dhan, security_id="99999999"))["error_type"] == "Input_Exception"

    def test_of_a_bracket_have_a_target_and_a_stop_that_end_with_it(self, dhan):
        exits = {"bo_profit_value": 30.0, "bo_stop_loss_Value": 10.0}
        order_id = good(place(dhan, order_type=dhan.MARKET, price=0, product_type=dhan.BO, **exits))["orderId"]
        entry = settled(dhan, order_id)
        legs = {row["legName"]: row for row in good(dhan.get_order_list()) if row["productType"] == dhan.BO}

        assert (entry["legName"], entry["boProfitValue"], entry["boStopLossValue"]) == ("ENTRY_LEG", 30.0, 10.0)
        paid = entry["averageTradedPrice"]
        assert (legs["TARGET_LEG"]["price"], legs["STOP_LOSS_LEG"]["triggerPrice"]) == (paid + 30, paid - 10)
        good(dhan.modify_order(order_id, dhan.LIMIT, "TARGET_LEG", 10, paid + 20, 0, 0, dhan.DAY))
        assert settled(dhan, legs["TARGET_LEG"]["orderId"])["price"] == paid + 20
        good(dhan.cancel_order(order_id))
        assert settled(dhan, legs["STOP_LOSS_LEG"]["orderId"])["orderStatus"] == "CANCELLED"
        assert bad(place(dhan, product_type=dhan.CO))["error_code"] == "DH-905"

    def test_are_modified_and_cancelled(self, dhan):
        order_id = good(place(dhan))["orderId"]
        settled(dhan, order_id)
        good(dhan.modify_order(order_id, dhan.LIMIT, "ENTRY_LEG", 5, 1401.0, 0, 0, dhan.DAY))
        row = settled(dhan, order_id)
        assert (row["quantity"], row["price"]) == (5, 1401.0)
        good(dhan.cancel_order(order_id))

        row = settled(dhan, order_id)
        assert (row["orderStatus"], row["remainingQuantity"]) == ("CANCELLED", 0)
        assert bad(dhan.cancel_order(order_id))["error_code"] == "DH-906"

    def test_that_are_not_known_are_an_empty_list_or_not_found(self, dhan, served):
        assert good(dhan.get_order_by_id("410000000000")) == []
        assert served.ask("GET", "/v2/orders/external/never")[0] == 404
        assert bad(dhan.get_order_by_correlationID("never"))["error_code"] == "DH-906"

    def test_may_be_sliced(self, dhan):
        acks = good(dhan.place_slice_order("1594", dhan.NSE, dhan.BUY, 10, dhan.LIMIT, dhan.INTRA, 1400.0))

        assert [ack["orderStatus"] for ack in acks] == ["TRANSIT"]


class TestOrdersWithLegs:
    def test_super_orders_are_placed_modified_listed_and_cancelled(self, dhan):
        ack = good(
            dhan.place_super_order(
                *("1594", dhan.NSE, dhan.BUY, 10, dhan.LIMIT, dhan.INTRA, 1400.0),
                targetPrice=1450.0,
                stopLossPrice=1380.0,
                trailingJump=1.0,
                tag="sup-1",
            )
        )
        settled(dhan, ack["orderId"])
        good(dhan.modify_super_order(ack["orderId"], dhan.LIMIT, "STOP_LOSS_LEG", stopLossPrice=1385.0))
        (row,) = [each for each in good(dhan.get_super_order_list()) if each["orderId"] == ack["orderId"]]

        assert (row["legName"], row["correlationId"]) == ("ENTRY_LEG", "sup-1")
        assert {leg["legName"]: leg["price"] for leg in row["legDetails"]} == {
            "STOP_LOSS_LEG": 1385.0,
            "TARGET_LEG": 1450.0,
        }
        assert good(dhan.cancel_super_order(ack["orderId"], "ENTRY_LEG"))["orderStatus"] == "CANCELLED"

    def test_forever_orders_have_a_row_for_each_leg(self, dhan):
        ack = good(
            dhan.place_forever(
                *("1594", dhan.NSE, dhan.BUY, dhan.CNC, dhan.LIMIT, 5, 1300.0, 1301.0),
                order_flag="OCO",
                price1=1700.0,
                trigger_Price1=1699.0,
                quantity1=5,
            )
        )
        good(dhan.modify_forever(ack["orderId"], "OCO", dhan.LIMIT, "TARGET_LEG", 6, 1302.0, 1303.0, 0, dhan.DAY))
        rows = [each for each in good(dhan.get_forever()) if each["orderId"] == ack["orderId"]]

        assert [(row["orderType"], row["orderStatus"]) for row in rows] == [("OCO", "CONFIRM")] * 2
        assert [(row["quantity"], row["triggerPrice"]) for row in rows] == [(6, 1303.0), (5, 1699.0)]
        assert good(dhan.cancel_forever(ack["orderId"]))["orderId"] == ack["orderId"]

    def test_conditional_orders_wait_for_their_condition(self, dhan):
        condition = {
            "comparisonType": "PRICE_WITH_VALUE",
            "exchangeSegment": "NSE_EQ",
            "securityId": "1594",
            "operator": "LESS_THAN",
            "comparingValue": 1000,
            "frequency": "ONCE",
        }
        order = {
            "transactionType": "BUY",
            "exchangeSegment": "NSE_EQ",
            "productType": "CNC",
            "orderType": "LIMIT",
            "securityId": "1594",
            "quantity": 5,
            "validity": "DAY",
            "price": "999.5",
            "discQuantity": "0",
            "triggerPrice": "0",
        }
        ack = good(dhan.place_conditional_order(condition, [order]))
        assert ack["alertStatus"] == "ACTIVE"
        good(dhan.modify_conditional_order(ack["alertId"], {**condition, "comparingValue": 1100}))
        alert = good(dhan.get_conditional_order(ack["alertId"]))

        assert (alert["condition"]["comparingValue"], alert["orders"][0]["price"]) == (1100.0, 999.5)
        assert alert["createdTime"].endswith("Z")
        assert [each["alertId"] for each in good(dhan.get_conditional_orders())] == [ack["alertId"]]
        assert good(dhan.cancel_conditional_order(ack["alertId"]))["alertStatus"] == "CANCELLED"
        technical = {"comparisonType": "TECHNICAL_WITH_VALUE", "indicatorName": "RSI_14", "timeFrame": "FIVE_MIN"}
        ack = good(dhan.place_conditional_order(condition | technical, [order]))
        assert good(dhan.cancel_conditional_order(ack["alertId"]))["alertStatus"] == "CANCELLED"


class TestMoney:
    def test_is_shown(self, dhan):
        funds = good(dhan.get_fund_limits())

        assert funds["sodLimit"] == 1_000_000.0
        assert 0 < funds["availabelBalance"] <= 1_000_000.0

    def test_that_an_order_would_need_is_told(self, dhan):
        one = good(dhan.margin_calculator("1594", dhan.NSE, dhan.BUY, 10, dhan.CNC, 1500.0))
        leg = {"exchangeSegment": "NSE_EQ", "transactionType": "BUY", "quantity": 10, "productType": "CNC"}
        both = good(dhan.margin_calculator_multi([{**leg, "securityId": "1594", "price": 1500.0, "triggerPrice": 0.0}]))

        assert (one["totalMargin"], one["leverage"]) == (15_000.0, "1X")
        assert (both["totalMargin"], both["equityMargin"], both["foMargin"]) == (15_000.0, 15_000.0, 0.0)

    def test_that_an_option_would_need_is_no_margin_of_shares(self, dhan):
        leg = {"exchangeSegment": "NSE_FNO", "transactionType": "BUY", "quantity": 65, "productType": "MARGIN"}
        told = good(dhan.margin_calculator_multi([{**leg, "securityId": "51000", "price": 120.0, "triggerPrice": 0.0}]))

        assert (told["totalMargin"], told["equityMargin"], told["foMargin"]) == (7_800.0, 0.0, 7_800.0)

    def test_that_moved_is_in_the_ledger(self, dhan):
        rows = good(dhan.ledger_report(*since_yesterday()))

        assert (rows[0]["credit"], rows[0]["debit"]) == ("1000000.00", "0.00")
        assert good(dhan.ledger_report("2020-01-01", "2020-01-02"))[0]["voucherdate"] == "Jan 01, 1970"

    def test_of_past_trades_is_none(self, dhan):
        assert good(dhan.get_trade_history("2020-01-01", "2020-01-02", 0)) == []


class TestTheMarket:
    def test_is_quoted(self, dhan):
        wanted = {"NSE_EQ": [1594, 77], "NOWHERE": [1]}
        ticker = good(dhan.ticker_data(dict(wanted)))
        quote = good(dhan.quote_data(dict(wanted)))["data"]["NSE_EQ"]["1594"]

        assert ticker["status"] == "success"
        assert ticker["data"]["NSE_EQ"]["1594"]["last_price"] > 0
        assert [*ticker["data"]["NSE_EQ"]] == ["1594"]
        assert good(dhan.ohlc_data(dict(wanted)))["data"]["NSE_EQ"]["1594"]["ohlc"]["high"] >= 1500.0
        assert len(quote["depth"]["buy"]) == 5

    def test_is_charted(self, dhan):
        since, until = since_yesterday()
        minutes = good(dhan.intraday_minute_data("1594", dhan.NSE, "EQUITY", since, until, 5))
        days = good(dhan.historical_daily_data("1594", dhan.NSE, "EQUITY", since, "2099-01-01"))

        assert minutes["open"][0] == 1500.0
        assert set(days) == {"open", "high", "low", "close", "volume", "timestamp"}
        assert bad(dhan.intraday_minute_data("1594", dhan.NSE, "EQUITY", "2026-01-01", "2026-09-01"))

    def test_has_option_chains(self, dhan):
        assert good(dhan.expiry_list(13, "IDX_I"))["data"] == ["2099-10-27"]
        chain = good(dhan.option_chain(13, "IDX_I", "2099-10-27"))["data"]

        call = chain["oc"]["25000.000000"]["ce"]
        assert (chain["last_price"], call["last_price"], call["top_ask_price"]) == (25_010.5, 120.0, 120.1)
        assert call["security_id"] == 51_000
        assert bad(dhan.option_chain(13, "IDX_I", "2026-01-01"))

    def test_of_expired_options_is_not_known(self, dhan):
        answer = dhan.expired_options_data(
            13, "NSE_FNO", "OPTIDX", "WEEK", 1, "ATM", "CALL", ["open"], "2026-09-01", "2026-09-03"
        )

        assert good(answer)["data"]["ce"]["open"] == []
        assert good(answer)["data"]["pe"] is None


class TestTheClient:
    def test_with_another_token_is_refused(self, served):
        context = DhanContext(CLIENT, "another")
        context.get_dhan_http().base_url = served.rest
        stranger = dhanhq(context)

        assert bad(stranger.get_fund_limits())["error_code"] == "DH-901"
        assert bad(stranger.historical_daily_data("1594", "NSE_EQ", "EQUITY", "2026-01-01", "2026-02-01")) == {
            "error_code": "DH-906",
            "error_type": "Order_Error",
            "error_message": "Invalid Token",
        }
        context.get_dhan_http().session.close()

    def test_with_the_id_of_another_is_refused(self, served):
        context = DhanContext("1000000002", TOKEN)
        http = context.get_dhan_http()
        http.base_url = served.rest
        del http.header["client-id"]
        stranger = dhanhq(context)

        assert bad(place(stranger))["error_code"] == "DH-901"
        assert bad(stranger.margin_calculator("1594", "NSE_EQ", "BUY", 1, "CNC", 1500.0))["error_code"] == "DH-901"
        assert bad(stranger.convert_position("CNC", "NSE_EQ", "LONG", "1594", 1, "INTRADAY"))["error_code"] == "DH-901"
        http.session.close()

    def test_has_the_controls_of_a_trader_and_logs_in_by_an_api_key(self, tmp_path, monkeypatch):
        served = Served(tmp_path)
        context = DhanContext(CLIENT, TOKEN)
        context.get_dhan_http().base_url = served.rest
        dhan = dhanhq(context)
        try:
            served.price(1500.0)
            settled(dhan, good(place(dhan, order_type=dhan.MARKET, price=0))["orderId"])
            dhan.convert_position("INTRADAY", dhan.NSE, "LONG", "1594", 4, "CNC")  # 202 and nothing: it says failure
            positions = {row["productType"]: row["netQty"] for row in good(dhan.get_positions())}
            assert positions == {"INTRADAY": 6, "CNC": 4}
            good(dhan.set_pnl_exit(4000.0, 1500.0, ["INTRADAY"]))
            assert good(dhan.get_pnl_exit())["pnlExitStatus"] == "ACTIVE"
            assert good(dhan.stop_pnl_exit())["pnlExitStatus"] == "DISABLED"
            assert bad(dhan.kill_switch("ACTIVATE"))["error_code"] == "DH-906"  # a position is open
            assert good(dhan.exit_all_positions())["status"] == "SUCCESS"
            while any(row["netQty"] for row in good(dhan.get_positions())):
                served.price(1500.0)
            good(dhan.kill_switch("ACTIVATE"))
            assert good(dhan.status_kill_switch())["killSwitchStatus"] == "ACTIVATE"
            row = settled(dhan, good(place(dhan))["orderId"])
            assert (row["orderStatus"], "Kill" in row["omsErrorDescription"]) == ("REJECTED", True)

            login, agreed = DhanLogin(CLIENT), []
            login.AUTH_BASE_URL = served.rest.removesuffix("/v2")
            monkeypatch.setattr(webbrowser, "open", lambda page: agreed.append(requests.get(page, timeout=10).url))
            login.generate_login_session("key", "secret")
            token = login.consume_token_id(agreed[0].partition("tokenId=")[2], "key", "secret")["accessToken"]
            assert bad(dhan.get_fund_limits())["error_code"] == "DH-901"  # the former token is dead
            login.API_BASE_URL = served.rest
            assert login.user_profile(token)["dhanClientId"] == CLIENT
        finally:
            context.get_dhan_http().session.close()
            served.stop()
