"""Instruments of the list that was read: each is listed at the exchange when somebody needs it."""

import asyncio
import csv
from datetime import UTC, datetime, timedelta

import pytest
from natya_scrips import COMPACT, listed
from natya_wire import Served, an_order

from natya.actors.exchange.wire import scrip_master
from natya.actors.exchange.wire.asking import MarketTold
from natya.actors.exchange.wire.scrip_master import ListChangedError, ScripMaster
from natya.actors.instruments.master import InstrumentMaster
from natya.messages.addresses import WIRE
from natya.messages.instruments import (
    InstrumentDefinition,
    InstrumentList,
    InstrumentsFound,
    InstrumentShown,
    InstrumentUnknown,
    ShowInstrument,
)
from natya.messages.supervision import Unavailable

SOON = (datetime.now(UTC) + timedelta(days=20)).date()
LATER = SOON + timedelta(days=7)
PAST = SOON - timedelta(days=365)
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
    an_option(51_005, 24_000, "CE", PAST),
    an_option(51_006, 25_000, "CE", PAST),
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
        past = str(PAST)
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


def rows_of(served, path):
    status, headers, text = served.text(path)
    assert (status, headers["content-type"]) == (200, "text/csv")
    return [*csv.DictReader(text.splitlines())]


class TestTheListOfInstruments:
    """For clients that look up numbers in it: it needs no token."""

    def test_has_what_was_read_and_behind_it_what_is_listed_here_alone(self, served):
        served.list_instrument(symbol="MINE", securityId="900000001")
        compact = rows_of(served, "/api-data/api-scrip-master.csv")
        detailed = rows_of(served, "/api-data/api-scrip-master-detailed.csv")

        numbers = [row["SEM_SMST_SECURITY_ID"] for row in compact]
        assert numbers == [row["SECURITY_ID"] for row in detailed]
        assert len(
            {(row["SEM_EXM_EXCH_ID"], row["SEM_SEGMENT"], row["SEM_SMST_SECURITY_ID"]) for row in compact}
        ) == len(compact)
        assert {"13", "685", "51001", "51005", "900000001"} <= set(numbers)
        assert numbers.index("51005") < numbers.index("900000001")
        assert [row["SEM_CUSTOM_SYMBOL"] for row in compact if row["SEM_SMST_SECURITY_ID"] == "51001"] == [
            "NIFTY 24000 CE"
        ]

    def test_of_a_segment_is_at_the_address_that_one_is_sent_to(self, served):
        status, headers, _ = served.text("/v2/instrument/NSE_FNO")
        found = rows_of(served, headers["location"])

        assert status == 302
        assert {row["SECURITY_ID"] for row in found} == {str(number) for number in range(51_001, 51_007)}

    def test_is_asked_for_in_pages(self, served, monkeypatch):
        whole = served.text("/api-data/api-scrip-master.csv")[2]
        monkeypatch.setattr(scrip_master, "PAGE_ROWS", 3)

        assert served.text("/api-data/api-scrip-master.csv")[2] == whole

    def test_of_no_segment_and_by_another_method_is_refused(self, served):
        assert served.text("/v2/instrument/NSE")[0] == 400
        assert served.ask("POST", "/api-data/api-scrip-master.csv")[0] == 405


class PagesOf:
    """A wire whose list of instruments answers the test's pages, one after the other."""

    listed = MarketTold(())

    def __init__(self, *pages):
        self._pages = [*pages]

    async def asked(self, _actor, _message):
        return self._pages.pop(0)

    async def by_hand(self, _message):
        return self.listed

    def now_ns(self):
        return 0


def sent_by(wire):
    sent = []

    async def send(event):
        sent.append(event)

    ((path, file), *_) = ScripMaster(wire).endpoints()
    scope = {"method": "GET", "path": path, "path_params": {}}
    try:
        asyncio.run(file(scope, None, send))
    except ListChangedError:
        sent.append("cut")
    return sent


def a_page(of, *instruments):
    return InstrumentsFound(instruments=instruments, total=9, of=InstrumentList(source=of))


ONE = InstrumentDefinition(symbol="ONE", segment="NSE_EQ", tick_size_rupees=0.05, security_id="1")


class TestAListThatIsNotThere:
    def test_is_told_before_anything_is_sent(self):
        (head, _) = sent_by(PagesOf(Unavailable(actor="instruments", reason="", retry_after_s=0.0)))
        assert head["status"] == 503

    def test_of_what_is_listed_here_is_told_before_anything_is_sent(self):
        wire = PagesOf(a_page("old", ONE), a_page("old"))
        wire.listed = Unavailable(actor="wire", reason="", retry_after_s=0.0)

        assert [each.get("status") for each in sent_by(wire)] == [503, None]

    @pytest.mark.parametrize(
        "then", [a_page("new"), Unavailable(actor="instruments", reason="", retry_after_s=0.0)], ids=["new", "gone"]
    )
    def test_to_its_end_any_more_is_cut_off(self, then):
        assert sent_by(PagesOf(a_page("old", ONE), then))[-1] == "cut"
        assert sent_by(PagesOf(a_page("old", ONE), a_page("old")))[-1] == {"type": "http.response.body", "body": b""}
