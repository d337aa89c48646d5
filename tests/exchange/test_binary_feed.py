"""The market feed in the protocol before the present one, as its clients write it."""

import struct

import pytest
from natya_sockets import Client, a_tick, serving
from natya_wire import CLIENT, TOKEN

from natya.actors.exchange.streams import sockets
from natya.actors.exchange.streams.encoding import Number
from natya.domain.dhan.streams import packets
from natya.messages.market import Depth

INFY = (1, "1594")
NUMBER = Number(1, 1594)
BOOK = Depth(bid_prices=(99.5,), bid_quantities=(7,), ask_prices=(100.5,), ask_quantities=(9,))


@pytest.fixture
def server():
    with serving(knows=lambda *who: who == (TOKEN, CLIENT)) as server:
        server.publish(NUMBER, a_tick(0, depth=BOOK))
        yield server


@pytest.fixture
def feed(server):
    with Client(server.url("/feed"), query=False) as client:
        yield client


def a_header(code, length=0):
    return struct.pack("<bH30s50s", code, length, CLIENT.encode(), b"")


def a_login(token=TOKEN, code=11):
    return a_header(code, 585) + token.encode().ljust(500, b"\0") + b"2P"


def a_request(code, *listed, count=None):
    """Of up to a hundred instruments, padded to a hundred."""
    named = b"".join(struct.pack("<B20s", segment, number.encode()) for segment, number in listed)
    counted = struct.pack("<I", len(listed) if count is None else count)
    return a_header(code, 87 + 21 * len(listed)) + counted + named.ljust(2_100, b"\0")


def first(feed, request, *, of):
    """The first packet of a code, after a login and a request."""
    feed.say(a_login())
    feed.say(request)
    while (frame := feed.read())[0] != of:
        pass
    return frame


@pytest.mark.parametrize(("code", "length"), [(15, 16), (17, 50), (19, 112)], ids=["tickers", "quotes", "books"])
def test_has_packets_of_what_was_asked_for(feed, code, length):
    answered = {15: packets.TICKER, 17: packets.QUOTE, 19: packets.BOOK}[code]
    frame = first(feed, a_request(code, INFY), of=answered)

    assert struct.unpack_from("<BHBIf", frame) == (answered, length, 1, 1594, 100.0)
    assert len(frame) == length


def test_tells_five_levels_of_a_book(feed):
    frame = first(feed, a_request(19, INFY), of=packets.BOOK)

    levels = [struct.unpack_from("<IIHHff", frame, 12 + 20 * level) for level in range(5)]
    assert levels == [(7, 9, 0, 0, 99.5, 100.5), *[(0, 0, 0, 0, 0.0, 0.0)] * 4]


def test_an_instrument_is_left_by_the_code_above(server, feed):
    first(feed, a_request(15, INFY), of=packets.TICKER)
    feed.say(a_request(16, INFY))
    feed.settle()
    server.publish(NUMBER, a_tick(1))
    feed.say(a_request(17, INFY))

    while (frame := feed.read())[0] != packets.QUOTE:
        assert frame[0] == packets.PREVIOUS_CLOSE


def test_a_header_whose_length_lies_elsewhere_is_read_alike(feed):
    """As the official client for JavaScript writes it: code in two bytes, length in four, then the client."""
    odd = struct.pack("<hi77s", 15, 108, CLIENT.encode())

    assert first(feed, odd + a_request(15, INFY)[83:], of=packets.TICKER)[4:8] == struct.pack("<I", 1594)


@pytest.mark.parametrize(
    "said",
    [
        a_login("guess"),
        a_login(code=12),
        a_login()[:-2],
        a_request(15, INFY),
        a_header(11),
        b"",
        b'{"RequestCode":15,"InstrumentCount":1}',
        a_header(11) + b"\xff" * 500 + b"2P",
    ],
    ids=["a wrong token", "another code", "cut short", "no login", "no token", "nothing", "of the present", "no text"],
)
def test_who_does_not_log_in_first_is_told_that_the_token_is_wrong(feed, said):
    feed.say(said)

    assert feed.reason() == 808


def test_who_says_nothing_is_ended(server, monkeypatch):
    monkeypatch.setattr(sockets, "LOGIN_S", 0.01)
    with Client(server.url("/feed"), query=False) as feed:
        assert feed.reason() == 808


@pytest.mark.parametrize(
    ("request_", "reason"),
    [
        (a_request(21, INFY), 814),
        (a_request(15), 814),
        (a_request(15, INFY, count=101), 814),
        (a_request(15, (9, "1594")), 814),
        (a_request(15, (1, "INFY")), 814),
        (a_header(15), 814),
        (a_header(15) + b"\1\0", 814),
        (b"\x0f", 814),
        (b'{"RequestCode":15,"InstrumentCount":1}', 814),
        (a_request(15) + b"\0" * 21, 814),
        (a_header(15) + struct.pack("<I", 101) + struct.pack("<B20s", *(1, b"7")) * 101, 804),
    ],
    ids=[
        *("full packets", "of nothing", "more than there are", "of no segment", "by a name"),
        *("a header", "half a count"),
        *("a byte", "of the present", "padded", "too many"),
    ],
)
def test_who_asks_what_is_none_is_ended_for_a_reason(feed, request_, reason):
    feed.say(a_login())
    feed.say(request_)

    assert feed.reason() == reason


def test_whoever_ends_it_is_let_go(feed):
    feed.say(a_login())
    feed.say(a_header(12))

    with pytest.raises(Exception, match="1000"):
        feed.read()


def test_who_has_not_logged_in_takes_nobodys_place(server):
    """A client may have five, of either protocol: the sixth ends the oldest, once it is known whose it is."""
    url = server.url("/feed")
    own = [Client(url, query=number % 2 == 0) for number in range(5)]
    for client in own[1::2]:
        client.say(a_login())
        client.settle()
    strangers = [Client(url, query=False) for _ in range(5)]
    for client in own:
        client.settle()
    strangers[0].say(a_login())

    try:
        assert own[0].reason() == 805
        for client in own[1:]:
            client.settle()
    finally:
        for client in (*own, *strangers):
            client.close()
