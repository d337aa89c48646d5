"""Instruments that no list of natya's knows: listed by hand, or by their first tick, and never forgotten."""

import pytest
from natya_wire import Served, an_order

OPTION = {
    "symbol": "NIFTY 25000 CE",
    "securityId": "51000",
    "exchangeSegment": "NSE_FNO",
    "instrument": "OPTIDX",
    "underlying": "NIFTY",
    "lotSize": 65,
    "strikeRupees": 25_000,
    "optionType": "CE",
    "expiry": "2099-10-27",
}


def an_option_order(**fields):
    return an_order(securityId="51000", exchangeSegment="NSE_FNO", productType="MARGIN", quantity=65, **fields)


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    served = Served(tmp_path_factory.mktemp("exchange"))
    yield served
    served.stop()


class TestAnInstrumentThatWasListedByHand:
    def test_may_be_traded_after_a_restart_and_its_orders_and_positions_are_there(self, tmp_path):
        first = Served(tmp_path)
        first.list_instrument(**OPTION)
        first.price(120.0, OPTION["symbol"])
        resting = first.ok("POST", "/v2/orders", an_option_order(price=110.0))["orderId"]
        bought = first.ok("POST", "/v2/orders", an_option_order(orderType="MARKET", price=0))["orderId"]
        assert first.settled(bought)["orderStatus"] == "TRADED"
        first.stop()

        again = Served(tmp_path)
        try:
            assert [row["drvStrikePrice"] for row in again.ok("GET", "/v2/orders")] == [25_000.0, 25_000.0]
            assert [row["netQty"] for row in again.ok("GET", "/v2/positions")] == [65]
            assert again.ok(
                "POST", "/v2/optionchain/expirylist", {"UnderlyingScrip": 13, "UnderlyingSeg": "IDX_I"}
            ) == {
                "data": ["2099-10-27"],
                "status": "success",
            }
            assert again.ok("DELETE", f"/v2/orders/{resting}")["orderStatus"] == "CANCELLED"
            assert again.ok("POST", "/v2/orders", an_option_order(price=110.0))["orderStatus"] == "TRANSIT"
        finally:
            again.stop()

    @pytest.mark.parametrize(
        "changes",
        [{"securityId": ""}, {"symbol": ""}, {"lotSize": 0}, {"instrument": 1}, {"colour": "red"}, {"expiry": "soon"}],
        ids=str,
    )
    def test_and_is_none_is_refused(self, served, changes):
        assert served.ask("POST", "/__market/instruments", {**OPTION, **changes})[0] == 400

    def test_under_the_symbol_or_the_id_of_another_is_refused(self, served):
        assert served.ask("POST", "/__market/instruments", {**OPTION, "symbol": "INFY"})[0] == 400
        number = {"exchangeSegment": "NSE_EQ", "securityId": "1594", "instrument": "EQUITY"}
        assert served.ask("POST", "/__market/instruments", {**OPTION, **number})[0] == 400
        assert served.ok("GET", "/v2/orders") == []


class TestAPriceByHand:
    def test_is_the_last_price_and_the_book(self, served):
        served.price(1500.0, bids=[[1499.95, 10], [1499.9, 20]], asks=[[1500.05, 30]], previousClose=1490.0)
        quote = served.ok("POST", "/v2/marketfeed/quote", {"NSE_EQ": [1594]})["data"]["NSE_EQ"]["1594"]

        assert (quote["last_price"], quote["net_change"]) == (1500.0, 10.0)
        assert [level["quantity"] for level in quote["depth"]["buy"]] == [10, 20, 0, 0, 0]
        assert quote["depth"]["sell"][0] == {"price": 1500.05, "quantity": 30, "orders": 0}

    def test_is_averaged_by_the_shares_that_traded_at_each(self, served):
        served.price(1500.0, "TCS", quantity=10)
        served.price(1510.0, "TCS", quantity=29)
        served.price(1520.0, "TCS")  # a price by hand is that of one share
        quote = served.ok("POST", "/v2/marketfeed/quote", {"NSE_EQ": [11536]})["data"]["NSE_EQ"]["11536"]

        assert (quote["volume"], quote["last_quantity"], quote["average_price"]) == (40, 1, 1507.75)

    def test_is_asked_of_at_most_a_thousand_instruments(self, served):
        status, told = served.ask("POST", "/v2/marketfeed/ltp", {"NSE_EQ": [*range(600)], "BSE_EQ": [*range(401)]})
        assert (status, [*told["data"]]) == (400, ["804"])
        assert served.ask("POST", "/v2/marketfeed/ltp", {"NSE_EQ": [*range(600)], "BSE_EQ": [*range(400)]})[0] == 200

    def test_is_asked_by_numbers_of_four_bytes(self, served):
        status, told = served.ask("POST", "/v2/marketfeed/ltp", {"NSE_EQ": [2**31]})
        assert (status, [*told["data"]]) == (400, ["813"])
        assert served.ok("POST", "/v2/marketfeed/ltp", {"NSE_EQ": [2**31 - 1]})["data"] == {"NSE_EQ": {}}

    def test_fills_what_rests_at_it(self, served):
        served.price(1500.0)
        order_id = served.place(price=1480.0)
        served.settled(order_id)
        served.price(1470.0)

        assert served.order(order_id)["orderStatus"] == "TRADED"
        assert served.order(order_id)["averageTradedPrice"] == 1480.0

    @pytest.mark.parametrize(
        "price",
        [
            {"price": 0},
            {"price": -1},
            {"price": 1e300},
            {"price": "1500"},
            {"price": 10, "symbol": "NOBODY"},
            {"price": 10, "symbol": "", "securityId": "1"},
            {"price": 10, "bids": [[0, 1]]},
            {"price": 10, "quantity": -1},
            {"price": 10, "colour": "red"},
        ],
        ids=str,
    )
    def test_that_is_none_is_refused(self, served, price):
        assert served.ask("POST", "/__market", {"symbol": "INFY", **price})[0] == 400
