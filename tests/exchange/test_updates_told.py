"""An order update as the socket sends it: every field, by the names and words of the broker."""

from decimal import Decimal
from types import SimpleNamespace

import msgspec
import pytest
from natya_messages import distinct

from natya.actors.exchange.account import Listing
from natya.actors.exchange.streams.actor import StreamsActor
from natya.actors.exchange.streams.updates import update_of
from natya.domain.instruments import Instrument
from natya.domain.time import SECOND_NS
from natya.messages.exchange import AccountOrder, AccountTrade
from natya.messages.journal import Journaled, JournalRecord

AT_NS = 1_790_567_100 * SECOND_NS  # 2026-09-28 09:15:00 in India
ORDER = AccountOrder(
    order_id="41",
    symbol="NIFTY 25000 CE",
    instrument=("NSE_FNO", "51234"),
    side="SELL",
    product="INTRADAY",
    order_type="STOP_LOSS",
    quantity=130,
    status="PART_TRADED",
    validity="IOC",
    limit_price=99.5,
    trigger_price=100.0,
    disclosed_quantity=65,
    amo_time="OPEN",
    correlation_id="one",
    exchange_order_id="11",
    filled_quantity=10,
    traded_rupees=Decimal("995.5"),
    reason="as asked",
    parent_id="40",
    leg="TARGET_LEG",
    created_ns=AT_NS,
    exchange_ns=AT_NS + SECOND_NS,
    updated_ns=AT_NS + 2 * SECOND_NS,
)
OPTION = distinct(
    Instrument,
    symbol="NIFTY 25000 CE",
    instrument_type="OPTIDX",
    lot_size=65,
    freeze_quantity=1800,
    tick_size_rupees=0.05,
    strike_rupees=25_000.0,
    option_type="CE",
)
TRADE = distinct(AccountTrade, price=98.5)

TOLD = {
    "exchange": "NSE",
    "segment": "D",
    "source": "P",
    "securityId": "51234",
    "clientId": "1000",
    "exchOrderNo": "11",
    "orderNo": "41",
    "product": "I",
    "txnType": "S",
    "orderType": "SL",
    "validity": "IOC",
    "discQuantity": 65,
    "remainingQuantity": 120,
    "quantity": 130,
    "tradedQty": 10,
    "price": 99.5,
    "triggerPrice": 100.0,
    "tradedPrice": 98.5,
    "avgTradedPrice": 99.55,
    "algoOrdNo": "40",
    "offMktFlag": "1",
    "orderDateTime": "2026-09-28 09:15:00",
    "exchOrderTime": "2026-09-28 09:15:01",
    "lastUpdatedTime": "2026-09-28 09:15:02",
    "remarks": "Super Order",
    "mktType": "NL",
    "reasonDescription": "as asked",
    "legNo": 3,
    "instrument": "OPTIDX",
    "symbol": OPTION.trading_symbol,
    "productName": "INTRADAY",
    "status": "Pending",
    "lotSize": 65,
    "strikePrice": 25_000.0,
    "expiryDate": f"{OPTION.expiry} 00:00:00",
    "optType": "CE",
    "displayName": OPTION.display_name,
    "isin": OPTION.isin,
    "series": "XX",
    "goodTillDaysDate": "2026-09-28",
    "tickSize": 0.05,
    "algoId": "0",
    "multiplier": 1,
    "correlationId": "one",
}
PLAIN = AccountOrder(
    order_id="42",
    symbol="INFY",
    instrument=("BSE_EQ", "1594"),
    side="BUY",
    product="CNC",
    order_type="MARKET",
    quantity=10,
    created_ns=AT_NS,
)
UNKNOWN = {
    "exchange": "BSE",
    "segment": "E",
    "securityId": "1594",
    "exchOrderNo": "0",
    "orderNo": "42",
    "product": "C",
    "txnType": "B",
    "orderType": "MKT",
    "validity": "DAY",
    "quantity": 10,
    "remainingQuantity": 10,
    "algoOrdNo": "",
    "offMktFlag": "0",
    "exchOrderTime": "0001-01-01 00:00:00",
    "remarks": "NR",
    "legNo": 1,
    "lastUpdatedTime": "2026-09-28 09:15:00",
    "reasonDescription": "CONFIRMED",
    "instrument": "EQUITY",
    "symbol": "INFY",
    "productName": "CNC",
    "status": "Transit",
    "lotSize": 1,
    "optType": "XX",
    "isin": "NA",
    "expiryDate": "0001-01-01 00:00:00",
    "displayName": "INFY",
    "series": "EQ",
    "correlationId": "NA",
}
ZEROS = {"discQuantity", "tradedQty", "price", "triggerPrice", "tradedPrice", "avgTradedPrice", "strikePrice"}
SAME = {name: TOLD[name] for name in ("source", "clientId", "mktType", "algoId", "multiplier")}
OF_THE_DAY = {name: TOLD[name] for name in ("orderDateTime", "goodTillDaysDate")}


def told(order, **known):
    return msgspec.json.decode(update_of(order, client_id="1000", **known))


def test_has_every_field_of_order_trade_and_instrument():
    found = told(ORDER, listing=Listing(reference=OPTION, security_id="51234"), trade=TRADE)

    assert found == {"Data": TOLD, "Type": "order_alert"}


def test_leaves_out_zeros_and_has_its_own_words_for_what_is_not_known():
    found = told(PLAIN, listing=None)["Data"]

    assert found == UNKNOWN | SAME | OF_THE_DAY
    assert not ZEROS & found.keys()


def test_has_them_too_where_the_list_of_instruments_has_only_a_symbol():
    found = told(
        PLAIN,
        listing=Listing(
            reference=Instrument(symbol="INFY", segment="BSE_EQ", tick_size_rupees=0.05), security_id="1594"
        ),
    )
    names = ("symbol", "displayName", "isin", "optType", "expiryDate", "lotSize")

    assert {name: found["Data"][name] for name in names} == {name: UNKNOWN[name] for name in names}


def test_confirms_what_was_traded_as_a_trade():
    for filled in (4, 10):
        traded = msgspec.structs.replace(PLAIN, filled_quantity=filled)
        assert told(traded, listing=None)["Data"]["reasonDescription"] == "TRADE CONFIRMED"


def test_of_a_bracket_order_is_of_no_super_order():
    leg = msgspec.structs.replace(ORDER, leg="STOP_LOSS_LEG", product="BO", parent_id="41")
    data = told(leg, listing=None)["Data"]

    assert (data["remarks"], data["legNo"], data["algoOrdNo"]) == ("NR", 2, "41")


def test_calls_a_change_what_it_is():
    assert told(ORDER, listing=None, is_modified=True)["Data"]["status"] == "Modified"


@pytest.mark.parametrize(
    ("field", "words", "key"),
    [
        ("product", {"CNC": "C", "INTRADAY": "I", "MARGIN": "M", "MTF": "F", "CO": "V", "BO": "B"}, "product"),
        ("order_type", {"LIMIT": "LMT", "MARKET": "MKT", "STOP_LOSS": "SL", "STOP_LOSS_MARKET": "SLM"}, "orderType"),
        ("leg", {"": 1, "ENTRY_LEG": 1, "STOP_LOSS_LEG": 2, "TARGET_LEG": 3}, "legNo"),
        ("side", {"BUY": "B", "SELL": "S"}, "txnType"),
        (
            "status",
            {"PART_TRADED": "Pending", "PENDING": "Pending", "TRADED": "Traded", "REJECTED": "Rejected"},
            "status",
        ),
        ("amo_time", {"": "0", "OPEN": "1"}, "offMktFlag"),
    ],
)
def test_has_the_broker_s_word_for_each(field, words, key):
    for ours, theirs in words.items():
        assert told(msgspec.structs.replace(ORDER, **{field: ours}), listing=None)["Data"][key] == theirs


@pytest.mark.parametrize(
    ("segment", "exchange", "kind"),
    [("NSE_EQ", "NSE", "E"), ("BSE_FNO", "BSE", "D"), ("NSE_CURRENCY", "NSE", "C"), ("MCX_COMM", "MCX", "M")],
)
def test_has_the_broker_s_word_for_each_segment(segment, exchange, kind):
    found = told(msgspec.structs.replace(ORDER, instrument=(segment, "7")), listing=None)["Data"]

    assert (found["exchange"], found["segment"]) == (exchange, kind)


@pytest.mark.parametrize(("source", "is_told"), [("", True), ("SQUARE_OFF", True), ("EXPIRY", False)])
def test_what_pays_out_a_contract_is_told_by_none(source, is_told):
    told = []
    streams = StreamsActor.__new__(StreamsActor)
    streams._server = SimpleNamespace(order_sockets=1, tell=told.append)
    streams._listings, streams._modified, streams._trades = {}, {}, {}
    streams.settings = SimpleNamespace(client_id="1000")
    facts = (
        msgspec.structs.replace(TRADE, order_id="41"),
        msgspec.structs.replace(ORDER, status="TRADED", source=source),
    )
    records = tuple(JournalRecord(sequence=1, recorded_ns=1, correlation_id="", fact=fact) for fact in facts)
    streams.hear(Journaled(records=records), None)

    assert (len(told) == 1, streams._trades) == (is_told, {})
