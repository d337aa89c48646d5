"""What is done by hand at the paper exchange: which methods each path takes, and what they are answered with."""

import asyncio
from types import SimpleNamespace

import msgspec
import pytest

from natya.actors.exchange.account import Listing, Listings
from natya.actors.exchange.faults import FaultPlan
from natya.actors.exchange.stream_faults import StreamFaults
from natya.actors.exchange.wire.actor import WireActor
from natya.actors.exchange.wire.application import WireApplication
from natya.actors.exchange.wire.asking import HandRefused, MarketTold, SetPrice, ShowMarket
from natya.actors.exchange.wire.by_hand import tick_of
from natya.actors.exchange.wire.carrying import Carrier
from natya.actors.exchange.wire.hand import Hand
from natya.domain.instruments import Instrument
from natya.messages.instruments import InstrumentDefinition
from natya.messages.supervision import Unavailable

MARKET, INSTRUMENTS, FAULTS = "/__market", "/__market/instruments", "/__faults"


def do(method, path, body=b"", *, told=None, carrier=None):
    """Return status, answer, and what the market's actor was asked."""
    asked = []

    async def by_hand(message):
        asked.append(message)
        return told

    hand = Hand(SimpleNamespace(by_hand=by_hand, carrier=carrier))
    handle = dict(hand.endpoints())[path]._handle
    answer = asyncio.run(handle(method, body))
    return answer.status, msgspec.json.decode(answer.body), asked


@pytest.mark.parametrize(
    ("path", "method", "wanted"),
    [
        (MARKET, "PUT", "GET or POST wanted"),
        (MARKET, "DELETE", "GET or POST wanted"),
        (INSTRUMENTS, "GET", "POST wanted"),
        (INSTRUMENTS, "PUT", "POST wanted"),
        (FAULTS, "PATCH", "GET, PUT, POST or DELETE wanted"),
    ],
)
def test_another_method_is_refused_with_those_there_are(path, method, wanted):
    assert do(method, path, carrier=Carrier(StreamFaults())) == (405, {"error": wanted}, [])


def test_there_are_no_faults_where_none_may_be_asked_for():
    assert dict(Hand(SimpleNamespace(carrier=None)).endpoints()).keys() == {MARKET, INSTRUMENTS}


def test_the_market_is_shown_instrument_by_instrument_or_is_not_there():
    infy = Instrument(symbol="INFY", segment="NSE_EQ", tick_size_rupees=0.05, lot_size=5)
    listing = Listing(reference=infy, security_id="1594")

    assert do("GET", MARKET, told=MarketTold(((listing, 100.5),))) == (
        200,
        [
            {
                "symbol": "INFY",
                "exchangeSegment": "NSE_EQ",
                "securityId": "1594",
                "tickSizeRupees": 0.05,
                "lotSize": 5,
                "lastPrice": 100.5,
            }
        ],
        [ShowMarket("listed")],
    )
    assert do("GET", MARKET)[0] == 503


@pytest.mark.parametrize(
    ("told", "answer"),
    [
        (MarketTold({"symbol": "INFY"}), (200, {"symbol": "INFY"})),
        (HandRefused("no such symbol"), (400, {"error": "no such symbol"})),
        (None, (503, {"error": "not available"})),
    ],
    ids=["told", "refused", "away"],
)
def test_a_price_is_set_as_it_is_written(told, answer):
    body = b'{"symbol":"INFY","price":100.5,"bids":[[100.0,5]]}'

    assert do("POST", MARKET, body, told=told) == (
        *answer,
        [SetPrice(price=100.5, symbol="INFY", bids=((100.0, 5),))],
    )


INFY = Listing(reference=Instrument(symbol="INFY", segment="NSE_EQ", tick_size_rupees=0.05), security_id="1594")


@pytest.mark.parametrize(
    ("book", "depth"),
    [
        ({}, None),
        ({"bids": ((99.0, 5),)}, ((99.0,), (5,), (0.0,), (0,))),
        ({"asks": ((101.0, 6),)}, ((0.0,), (0,), (101.0,), (6,))),
        ({"bids": ((99.0, 5), (98.0, 4)), "asks": ((101.0, 6),)}, ((99.0, 98.0), (5, 4), (101.0, 0.0), (6, 0))),
        ({"bids": (), "asks": ()}, ((), (), (), ())),
    ],
)
def test_a_book_may_have_one_side(book, depth):
    found = tick_of(SetPrice(price=100.0, symbol="INFY", **book), INFY, now_ns=1, source="hand", sequence=1).depth

    sides = "bid_prices", "bid_quantities", "ask_prices", "ask_quantities"
    assert (found and tuple(getattr(found, side) for side in sides)) == depth


@pytest.mark.parametrize(
    ("names", "found"),
    [
        ({"symbol": "NOBODY"}, "'NOBODY'"),
        ({"exchange_segment": "NSE_EQ", "security_id": "7"}, "'NSE_EQ 7'"),
    ],
)
def test_what_is_not_listed_is_named_as_it_was_asked_for(names, found):
    wire = SimpleNamespace(_market=SimpleNamespace(listings=Listings([INFY])))

    with pytest.raises(ValueError, match=found):
        WireActor._tick_of(wire, SetPrice(price=100.0, **names))


@pytest.mark.parametrize(
    ("told", "is_listed"),
    [
        (MarketTold(True), True),
        (MarketTold(False), False),
        (Unavailable(actor="wire", reason="", retry_after_s=0.0), False),
    ],
)
def test_what_nobody_lists_is_not_listed(told, is_listed):
    async def asked(_actor, _message):
        return told

    wire = SimpleNamespace(asked=asked, _market_actor="wire")
    assert asyncio.run(WireApplication.listing_of(wire, ("NSE_EQ", "7"))) is is_listed


def test_an_instrument_is_listed_with_every_field():
    body = {
        "symbol": "NIFTY 25000 CE",
        "securityId": "51000",
        "exchangeSegment": "NSE_FNO",
        "tickSizeRupees": 0.25,
        "lotSize": 65,
        "instrument": "OPTIDX",
        "expiry": "2027-10-26",
        "strikeRupees": 25000.0,
        "optionType": "CE",
        "underlying": "NIFTY",
        "isin": "INE009A01021",
    }
    status, _, (message,) = do("POST", INSTRUMENTS, msgspec.json.encode(body), told=MarketTold({}))
    expected = {
        "symbol": "NIFTY 25000 CE",
        "segment": "NSE_FNO",
        "tick_size_rupees": 0.25,
        "lot_size": 65,
        "security_id": "51000",
        "instrument_type": "OPTIDX",
        "trading_symbol": "NIFTY 25000 CE",
        "display_name": "NIFTY 25000 CE",
        "underlying": "NIFTY",
        "strike_rupees": 25000.0,
        "option_type": "CE",
        "isin": "INE009A01021",
        "expiry": message.definition.expiry,
    }

    assert (status, message.definition) == (200, InstrumentDefinition(**expected))
    assert message.definition.expiry.isoformat() == "2027-10-26"


@pytest.mark.parametrize("path", [MARKET, INSTRUMENTS, FAULTS])
@pytest.mark.parametrize("body", [b"", b"[]", b'{"colour":"red"}', b"\xff", b"[" * 100_000], ids=len)
def test_what_cannot_be_read_is_refused_and_asked_of_nobody(path, body):
    status, answer, asked = do("POST", path, body, carrier=Carrier(StreamFaults()))

    assert (status, asked) == (400, [])
    assert 0 < len(answer["error"]) <= 500


def test_a_plan_of_faults_is_played_shown_and_ended():
    carrier = Carrier(StreamFaults())
    plan = b'{"seed":7,"streams":[{"kind":"lost"}]}'
    for method in ("POST", "PUT", "GET"):
        status, told, _ = do(method, FAULTS, b"" if method == "GET" else plan, carrier=carrier)
        assert (status, told["plan"]["seed"], told["streams_fallen"]) == (200, 7, [0])

    _, told, _ = do("DELETE", FAULTS, carrier=carrier)
    assert msgspec.convert(told["plan"], FaultPlan) == FaultPlan()
