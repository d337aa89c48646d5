"""Instruments of the list that was read: each is listed at the exchange when somebody needs it."""

from datetime import UTC, datetime, timedelta

import pytest
from natya_scrips import COMPACT, listed
from natya_wire import Served, an_order

from natya.actors.instruments.master import InstrumentMaster
from natya.messages.addresses import WIRE
from natya.messages.instruments import InstrumentShown, InstrumentUnknown, ShowInstrument

SOON = (datetime.now(UTC) + timedelta(days=20)).date()
LATER = SOON + timedelta(days=7)
UNDERLYING = {"UnderlyingScrip": 13, "UnderlyingSeg": "IDX_I"}


def an_option(number, strike, side, expiry=SOON):
    return (
        f"NSE,D,{number},OPTIDX,0,NIFTY-{expiry:%b%Y}-{strike}-{side},65.0,NIFTY {strike} {side},"
        f"{expiry} 14:30:00,{strike}.00000,{side},5.0000,W,OP,NA,"
    )


ROWS = [
    "NSE,I,13,INDEX,0,NIFTY,1.0,Nifty 50,0001-01-01,,XX,0.0500,,INDEX,X,NIFTY",
    "NSE,E,685,EQUITY,,CHOLAFIN,1.0,Cholamandalam Investment,,,,10.0000,NA,ES,EQ,CHOLAMANDALAM IN & FIN CO",
    an_option(51_001, 24_000, "CE"),
    an_option(51_002, 24_000, "PE"),
    an_option(51_003, 24_100, "CE"),
    an_option(51_004, 24_000, "CE", LATER),
    an_option(51_005, 24_000, "CE", SOON.replace(year=SOON.year - 1)),
    an_option(51_006, 25_000, "CE", SOON.replace(year=SOON.year - 1)),
]
NEAR_CALL = f"NIFTY-{SOON:%d%b%Y}-24000-CE"


def a_list(folder):
    file = folder / "scrips.csv"
    file.write_text(listed(COMPACT, ROWS), encoding="utf-8")
    with InstrumentMaster(folder / "lists") as master:
        master.take(file, rows_min=1)
    return str(folder / "lists")


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    folder = tmp_path_factory.mktemp("exchange")
    served = Served(folder / "data", **{"instruments.path": a_list(folder)})
    yield served
    served.stop()


class TestTheOptionsOfAnUnderlying:
    def test_have_the_expiries_of_the_list_that_have_not_passed(self, served):
        told = served.ok("POST", "/v2/optionchain/expirylist", UNDERLYING)
        assert told["data"] == [str(SOON), str(LATER)]

    def test_are_shown_by_strike_with_their_numbers(self, served):
        chain = served.ok("POST", "/v2/optionchain", {**UNDERLYING, "Expiry": str(SOON)})["data"]["oc"]
        assert {strike: {side for side, shown in both.items() if shown} for strike, both in chain.items()} == {
            "24000.000000": {"ce", "pe"},
            "24100.000000": {"ce"},
        }
        assert chain["24000.000000"]["pe"]["security_id"] == 51_002

    def test_that_have_expired_have_no_chain(self, served):
        past = str(SOON.replace(year=SOON.year - 1))
        status, told = served.ask("POST", "/v2/optionchain", {**UNDERLYING, "Expiry": past})
        assert (status, told["data"]) == (400, {"811": "Invalid Expiry Date"})

    def test_are_none_where_the_list_has_no_such_underlying(self, served):
        told = served.ok("POST", "/v2/optionchain/expirylist", {"UnderlyingScrip": 999_999, "UnderlyingSeg": "IDX_I"})
        assert told["data"] == []


class TestASymbolThatIsAskedFor:
    def ask(self, served, name):
        return served.system.runtime.request(WIRE, ShowInstrument(name=name), timeout_s=10)

    def test_is_shown_as_the_list_has_it(self, served):
        shown = self.ask(served, "CHOLAFIN")

        assert isinstance(shown, InstrumentShown)
        assert (shown.name, shown.of.source) == ("CHOLAFIN", "paper exchange")
        assert (shown.instrument.symbol, shown.instrument.security_id) == ("CHOLAFIN", "685")
        assert (shown.instrument.tick_size_rupees, shown.instrument.lot_size) == (0.1, 1)

    def test_that_no_list_knows_is_listed_with_one_number_for_good_and_may_be_traded(self, served):
        shown = self.ask(served, "UNHEARD OF")
        assert shown.instrument.symbol == "UNHEARD OF"
        assert self.ask(served, "UNHEARD OF") == shown

        one = an_order(securityId=shown.instrument.security_id, price=100)
        assert served.settled(served.ok("POST", "/v2/orders", one)["orderId"])["tradingSymbol"] == "UNHEARD OF"

    @pytest.mark.parametrize("name", ["", " ", "two\nlines"])
    def test_that_is_none_is_told_so(self, served, name):
        told = self.ask(served, name)

        assert told == InstrumentUnknown(name=name, reason="a symbol wanted, found none")


class TestAnInstrumentOfTheList:
    def test_may_be_traded_by_its_number_and_has_the_lot_of_the_list(self, served):
        served.price(120.0, NEAR_CALL)
        one = an_order(securityId="51001", exchangeSegment="NSE_FNO", productType="MARGIN", quantity=65, price=121)
        bought = served.settled(served.ok("POST", "/v2/orders", one)["orderId"])
        assert (bought["orderStatus"], bought["drvOptionType"]) == ("TRADED", "CALL")
        odd = served.settled(served.ok("POST", "/v2/orders", {**one, "quantity": 64})["orderId"])
        assert odd["orderStatus"] == "REJECTED"

    def test_may_be_ordered_by_number_before_it_had_any_price(self, served):
        one = an_order(securityId="51003", exchangeSegment="NSE_FNO", productType="MARGIN", quantity=65, price=121)
        order = served.settled(served.ok("POST", "/v2/orders", one)["orderId"])
        assert order["orderStatus"] == "REJECTED"
        assert "NIFTY" in order["omsErrorDescription"]

    def test_that_no_list_knows_is_refused(self, served):
        status, told = served.ask("POST", "/v2/orders", an_order(securityId="77777777"))
        assert (status, told["errorCode"]) == (400, "DH-905")
        assert "securityId" in told["errorMessage"]

    def test_gets_its_number_when_the_market_moves_it(self, tmp_path):
        symbols = {"feed.symbols": ["CHOLAFIN", "NOBODY KNOWS"], "instruments.path": a_list(tmp_path)}
        served = Served(tmp_path / "data", has_market=True, **symbols)
        try:
            known = None
            while not known:
                known = served.ok("POST", "/v2/marketfeed/ltp", {"NSE_EQ": [685]})["data"]["NSE_EQ"]
            numbers = {each["symbol"]: each["securityId"] for each in served.ok("GET", "/__market")}
            assert numbers["CHOLAFIN"] == "685"
        finally:
            served.stop()
