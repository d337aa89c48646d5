"""A socket of the exchange by itself, without a network: what it says and when it says nothing any more."""

import asyncio
import itertools
import json
import time
from types import SimpleNamespace

import picows
import pytest
from multidict import CIMultiDict

from natya.actors.exchange.served_token import ServedToken
from natya.actors.exchange.stream_faults import StreamFault, StreamFaults
from natya.actors.exchange.streams import sockets
from natya.actors.exchange.streams.actor import StreamsActor
from natya.actors.exchange.streams.encoding import Number
from natya.actors.exchange.streams.faulty import DRIPPING_BYTES_MAX
from natya.actors.exchange.streams.frames import beginning
from natya.actors.exchange.streams.market_sockets import (
    BinaryFeedSocket,
    DeepSocket,
    DepthSocket,
    FeedSocket,
    _numbers,
)
from natya.actors.exchange.streams.order_socket import OrderSocket
from natya.actors.exchange.streams.server import SOCKETS_MAX, TURNED_AWAY_MAX, StreamServer
from natya.config.secrets import Secret
from natya.domain.dhan.streams import packets, subscriptions
from natya.domain.dhan.streams.subscriptions import Listed
from natya.messages.instruments import InstrumentDefinition

CLOSED = "closed"


class Connection:
    """What a socket writes to."""

    def __init__(self):
        self.said = []
        self.ends = []
        self.underlying_transport = self

    def send(self, _kind, frame):
        self.said.append(frame)

    def write(self, data):
        self.said.append(data)

    def send_close(self, _code):
        self.said.append(CLOSED)

    def disconnect(self, graceful=True):  # noqa: FBT002  as the library has it
        self.ends.append("ended" if graceful else "reset")

    def get_extra_info(self, _name):
        return SimpleNamespace(setsockopt=lambda *_: None)


def asking(path):
    return SimpleNamespace(path=path.encode(), headers=CIMultiDict(Host="localhost"))


def a_server(*plan):
    faults = StreamFaults()
    faults.take(tuple(StreamFault(**each) for each in plan), 1)
    nothing = {"add": lambda _: None, "remove": lambda _: None}
    return SimpleNamespace(faults=faults, is_flushing=False, written=[], sent=0, conflated=0, **nothing)


def play(scene, *plan, kind=FeedSocket):
    """Have a scene played by a socket that is open; return what it wrote, and how it ended."""

    async def run():
        connection, open_socket = Connection(), kind(a_server(*plan))
        open_socket.on_ws_connected(connection)
        scene(open_socket, connection)
        for _ in range(4):  # whatever is due now
            await asyncio.sleep(0)
        return connection.said, connection.ends

    return asyncio.run(run())


def answer(open_socket, connection):
    """Have a client send its close frame."""
    open_socket.on_ws_frame(connection, SimpleNamespace(msg_type=picows.WSMsgType.CLOSE))


def test_an_end_is_said_once_with_its_reason_and_the_connection_stays_until_it_is_answered():
    def scene(open_socket, connection):
        open_socket.end(b"why")
        open_socket.end(b"again")
        open_socket.push("INFY", b"price")
        assert connection.ends == []
        answer(open_socket, connection)

    assert play(scene) == ([b"why", CLOSED], ["ended"])


def test_the_end_of_a_client_is_answered_and_the_connection_goes():
    assert play(answer) == ([CLOSED], ["ended"])


def test_who_does_not_answer_an_end_is_cut_off(monkeypatch):
    monkeypatch.setattr(sockets, "ENDED_S", 0.0)

    assert play(lambda open_socket, _: open_socket.end(b"why")) == ([b"why", CLOSED], ["reset"])


def test_who_is_gone_before_it_answers_is_not_cut_off_again(monkeypatch):
    monkeypatch.setattr(sockets, "ENDED_S", 0.0)

    def scene(open_socket, connection):
        open_socket.end(b"why")
        open_socket.on_ws_disconnected(connection)

    assert play(scene) == ([b"why", CLOSED], [])


def test_who_has_not_answered_yet_is_cut_off_when_the_server_closes():
    def scene(open_socket, _connection):
        open_socket.end(b"why")
        open_socket.reset()
        open_socket.reset()

    assert play(scene) == ([b"why", CLOSED], ["reset"])


@pytest.mark.parametrize("kind", ["delayed", "reordered"])
def test_what_was_to_be_said_later_is_not_said_behind_an_end(kind):
    def scene(open_socket, _connection):
        open_socket.push("INFY", b"price")
        open_socket.end(b"why")

    assert play(scene, {"kind": kind, "times": 1, "seconds": 0})[0] == [b"why", CLOSED]


def test_an_end_within_a_frame_that_drips_is_a_reset_without_a_word():
    def scene(open_socket, _connection):
        open_socket.push("INFY", b"price")
        open_socket.end(b"why")

    said, ends = play(scene, {"kind": "dripping", "seconds": 60})

    assert (b"".join(said), ends) == (b"\x82", ["reset"])


@pytest.mark.parametrize("kind", ["delayed", "reordered", "dripping"])
def test_what_was_to_be_said_later_is_not_said_to_a_connection_that_is_lost(kind):
    def scene(open_socket, connection):
        open_socket.push("INFY", b"price")
        connection.said.clear()
        open_socket.on_ws_disconnected(connection)

    assert play(scene, {"kind": kind, "seconds": 0}) == ([], [])


def test_who_lost_its_connection_is_sent_nothing_that_waited():
    def scene(open_socket, connection):
        open_socket.pause_writing()
        open_socket.push("INFY", b"price")
        open_socket.on_ws_disconnected(connection)
        open_socket.resume_writing()
        open_socket.beat(1_000_000.0, pong_s=1.0)

    assert play(scene) == ([], [])


@pytest.mark.parametrize("kind", [FeedSocket, OrderSocket])
def test_of_one_key_the_newest_is_sent_to_who_reads_again(kind):
    def scene(open_socket, _connection):
        open_socket.pause_writing()
        for frame in (b"old", b"new"):
            open_socket.push("INFY", frame)
        open_socket.push("TCS", b"other")
        open_socket.resume_writing()
        open_socket.push("INFY", b"newer")

    assert play(scene, kind=kind) == ([b"new", b"other", b"newer"], [])


def ping(open_socket):
    """Have a client send a ping; return how it is answered."""
    answers = []
    transport = SimpleNamespace(send_pong=answers.append)
    frame = SimpleNamespace(msg_type=picows.WSMsgType.PING, get_payload_as_bytes=lambda: b"x")
    open_socket.on_ws_frame(transport, frame)
    return answers


@pytest.mark.parametrize(
    ("kind", "form"),
    [(OrderSocket, picows.WSMsgType.TEXT), (FeedSocket, picows.WSMsgType.BINARY)],
    ids=["text", "packets"],
)
def test_what_waits_for_who_reads_again_is_of_the_form_that_it_had(kind, form):
    sent = []

    def scene(open_socket, connection):
        connection.send = lambda each, frame: sent.append((each, frame))
        open_socket.is_known = True
        say = open_socket.tell if kind is OrderSocket else lambda frame: open_socket.push(frame, frame)
        say(b"at once")
        open_socket.pause_writing()
        say(b"later")
        open_socket.resume_writing()

    play(scene, kind=kind)

    assert sent == [(form, b"at once"), (form, b"later")]


def test_pings_are_answered_and_sent_unless_it_is_mute_or_slow():
    def scene(open_socket, connection):
        connection.send_ping = lambda: connection.said.append("ping")
        answered = [ping(open_socket)]
        open_socket.beat(asyncio.get_running_loop().time(), pong_s=1.0)
        open_socket.pause_writing()
        answered.append(ping(open_socket))
        open_socket.resume_writing()
        open_socket.is_mute = True
        answered.append(ping(open_socket))
        open_socket.beat(asyncio.get_running_loop().time(), pong_s=1.0)
        assert answered == [[b"x"], [], []]

    assert play(scene) == (["ping"], [])


def test_who_answers_no_ping_for_too_long_is_reset():
    def scene(open_socket, connection):
        connection.send_ping = lambda: connection.said.append("ping")
        now_s = asyncio.get_running_loop().time()
        open_socket.beat(now_s + 0.9, pong_s=1.0)
        open_socket.beat(now_s + 1.5, pong_s=1.0)

    assert play(scene) == (["ping"], ["reset"])


def said(open_socket, text, *, kind=picows.WSMsgType.TEXT):
    """Have a client say something in one frame."""
    frame = SimpleNamespace(msg_type=kind, fin=True, get_payload_as_memoryview=lambda: memoryview(text))
    open_socket.on_ws_frame(None, frame)


def test_what_a_client_says_after_its_end_is_not_heard():
    def scene(open_socket, _connection):
        heard = []
        open_socket.hear = heard.append
        said(open_socket, b"first")
        open_socket.end()
        said(open_socket, b"second")
        assert ping(open_socket) == []
        assert heard == [b"first"]

    assert play(scene) == ([CLOSED], [])


def test_open_interest_is_said_with_the_first_quote_and_with_one_whose_tick_has_moved_it():
    number = Number(2, 7)

    def scene(open_socket, _connection):
        open_socket.modes[number] = "quote"
        for moved, is_first in ((False, {"is_first": True}), (False, {}), (True, {})):
            day = SimpleNamespace(open_interest=9)
            shown = SimpleNamespace(tick=SimpleNamespace(day=day), interest_moved=moved)
            open_socket.show(number, shown, {"quote": b"quote"}, **is_first)

    interest = packets.OPEN_INTEREST_LAYOUT.pack(packets.OPEN_INTEREST, packets.OPEN_INTEREST_LAYOUT.size, *number, 9)
    assert play(scene)[0] == [b"quote", interest, b"quote", b"quote", interest]


def test_open_interest_is_said_with_quotes_alone():
    number = Number(2, 7)

    def scene(open_socket, _connection):
        shown = SimpleNamespace(tick=SimpleNamespace(day=SimpleNamespace(open_interest=9)), interest_moved=True)
        for mode in ("ticker", "full"):
            open_socket.modes[number] = mode
            open_socket.show(number, shown, {mode: mode.encode()}, is_first=True)

    assert play(scene)[0] == [b"ticker", b"full"]


def test_a_frame_is_said_at_once_and_in_a_flush_together_with_the_others_unless_the_connection_is_gone():
    def scene(open_socket, connection):
        open_socket._faulty = None
        open_socket.push("A", b"price")
        assert connection.said == [b"price"]
        open_socket._server.is_flushing = True
        open_socket.push("B", b"first")
        open_socket.push("C", b"second")
        open_socket.write()
        open_socket.push("D", b"third")
        open_socket.reset()
        open_socket.write()

    together = b"".join(beginning(picows.WSMsgType.BINARY, len(each)) + each for each in (b"first", b"second"))
    assert play(scene) == ([b"price", together], ["reset"])


def test_what_the_sockets_cannot_name_is_none_of_theirs():
    listed = [Listed("NOWHERE", "1"), Listed("NSE_EQ", str(1 << 32)), Listed("NSE_EQ", str((1 << 32) - 1))]

    assert _numbers(listed) == [Number(1, (1 << 32) - 1)]


@pytest.mark.parametrize(
    ("segment", "security_id", "numbers"),
    [("NSE_EQ", "7", {"A": Number(1, 7)}), ("NSE_EQ", "seven", {}), ("NOWHERE", "7", {}), ("NSE_EQ", "", {})],
)
def test_an_instrument_has_a_number_where_its_segment_has_one_and_its_id_is_one(segment, security_id, numbers):
    knowing = SimpleNamespace(_numbers={}, _listings={})
    definition = InstrumentDefinition(symbol="A", segment=segment, tick_size_rupees=0.05, security_id=security_id)
    StreamsActor._know(knowing, definition)

    assert (knowing._numbers, [*knowing._listings]) == (numbers, ["A"])


@pytest.mark.parametrize(
    ("length", "head"),
    [(125, "827d"), (126, "827e007e"), (65_535, "827effff"), (65_536, "827f0000000000010000")],
)
def test_a_frame_tells_its_length_in_one_byte_in_two_more_or_in_eight(length, head):
    assert beginning(picows.WSMsgType.BINARY, length).hex() == head
    assert beginning(picows.WSMsgType.TEXT, length).hex() == "81" + head[2:]


def test_a_frame_as_long_as_may_wait_drips():
    def scene(open_socket, _connection):
        open_socket._send(picows.WSMsgType.BINARY, b"x" * DRIPPING_BYTES_MAX)

    assert play(scene, {"kind": "dripping", "seconds": 60}) == ([b"\x82"], [])


def test_who_lets_too_much_wait_behind_a_frame_that_drips_is_reset():
    def scene(open_socket, _connection):
        open_socket.push("A", b"price")
        for _ in range(3):
            open_socket._send(picows.WSMsgType.BINARY, b"x" * 30_000)

    assert play(scene, {"kind": "dripping", "seconds": 60})[1] == ["reset"]


INFY, INDEX = Listed("NSE_EQ", "1594"), Listed("IDX_I", "13")
NUMBER, INDEX_NUMBER = Number(1, 1594), Number(0, 13)


def asked(kind, *requests):
    """What a socket of a kind subscribes to and leaves, and for which reason it is ended."""
    calls, reasons = [], []

    def scene(open_socket, _connection):
        server = open_socket._server
        server.subscribe = lambda _, number: calls.append(("subscribe", number))
        server.unsubscribe = lambda _, number: calls.append(("unsubscribe", number))
        open_socket.refuse = reasons.append
        for code, *listed in requests:
            said(open_socket, next(iter(subscriptions.requests(code, listed)), b"") or no_instruments(code))

    written = play(scene, kind=kind)[0]
    return calls, reasons or written


def no_instruments(code):
    return b'{"RequestCode":%d,"InstrumentCount":0}' % code


@pytest.mark.parametrize("code", sorted(subscriptions.MODES))
def test_a_feed_is_subscribed_to_and_left_by_its_codes(code):
    assert asked(FeedSocket, (code, INFY, INDEX), (code + 1, INFY), (code + 1, INFY)) == (
        [("subscribe", NUMBER), ("subscribe", INDEX_NUMBER), ("unsubscribe", NUMBER)],
        [],
    )


@pytest.mark.parametrize("code", sorted(subscriptions.DEPTH_ENDS))
@pytest.mark.parametrize("kind", [DepthSocket, DeepSocket])
def test_depth_is_subscribed_to_and_left_by_its_codes_and_only_where_there_is_any(kind, code):
    assert asked(kind, (subscriptions.DEPTH, INFY, INDEX), (code, INFY, INDEX)) == (
        [("subscribe", NUMBER), ("unsubscribe", NUMBER)],
        [],
    )


@pytest.mark.parametrize(
    ("kind", "request_", "reason"),
    [
        (FeedSocket, (99, INFY), [814]),
        (FeedSocket, (23, INFY), [814]),
        (FeedSocket, (15,), [814]),
        (FeedSocket, (15, *[INFY] * 100), []),
        (DepthSocket, (99, INFY), [814]),
        (DepthSocket, (15, INFY), [814]),
        (DepthSocket, (23,), [814]),
        (DepthSocket, (23, *(Listed("NSE_EQ", str(number)) for number in range(50))), []),
        (DepthSocket, (23, *(Listed("NSE_EQ", str(number)) for number in range(51))), [804]),
        (DeepSocket, (23, INFY, Listed("NSE_EQ", "7")), [804]),
        *((kind, (12,), [CLOSED]) for kind in (FeedSocket, DepthSocket, DeepSocket)),
    ],
    ids=itertools.count(),
)
def test_who_asks_what_is_none_is_ended_for_a_reason(kind, request_, reason):
    assert asked(kind, request_)[1] == reason


@pytest.mark.parametrize(
    ("kind", "code"),
    [*((FeedSocket, code) for code in sorted(subscriptions.MODES)), (DepthSocket, 23), (DeepSocket, 23)],
)
def test_an_instrument_that_is_asked_for_again_is_one_of_so_many(monkeypatch, kind, code):
    monkeypatch.setattr(subscriptions, "INSTRUMENTS_A_CONNECTION", 1)
    monkeypatch.setattr(kind, "instruments_max", 1, raising=False)

    assert asked(kind, (code, INFY), (code, INFY, INFY))[1] == []
    assert asked(kind, (code, INFY), (code, Listed("NSE_EQ", "7")))[1] == [804]


@pytest.mark.parametrize("kind", [OrderSocket, BinaryFeedSocket])
@pytest.mark.parametrize("is_known", [True, False])
def test_who_has_not_logged_in_when_the_time_for_it_is_over_is_cut_off_and_nobody_else(monkeypatch, kind, is_known):
    monkeypatch.setattr(sockets, "LOGIN_S", 0.0)

    def scene(open_socket, _connection):
        open_socket._server.make_room = lambda _: None
        if is_known:
            open_socket.let_in()

    said_last, ends = play(scene, kind=kind)

    assert (said_last == ends == []) is is_known


class TestAPartner:
    """Of a platform, whose clients' orders it hears of."""

    @pytest.fixture
    def token(self):
        made = ServedToken(Secret("T"), monotonic_ns=time.monotonic_ns)
        made.let_in(b"platform", b"secret")
        return made

    def hears(self, token, partner_id, secret, **login):
        server = a_server()
        server.knows = lambda *_: False
        server.knows_partner = lambda who, what: token.is_partner(who.encode(), what.encode())
        server.make_room = lambda _: None

        async def run():
            connection, open_socket = Connection(), OrderSocket(server)
            open_socket.on_ws_connected(connection)
            asked = {"LoginReq": {"MsgCode": 42, "ClientId": partner_id, **login}, "UserType": "PARTNER"}
            open_socket.hear(json.dumps({**asked, "Secret": secret}).encode())
            open_socket.tell(b"an order")
            return connection.said, connection.ends

        return asyncio.run(run())

    @pytest.mark.parametrize(("partner_id", "secret"), [("platform", "secret"), ("anybody", "T")])
    def test_hears_of_orders_by_the_key_that_it_got_a_token_by_or_by_the_token(self, token, partner_id, secret):
        assert self.hears(token, partner_id, secret) == ([b"an order"], [])

    @pytest.mark.parametrize(
        ("partner_id", "secret", "login"),
        [
            ("platform", "guess", {}),
            ("platform", "", {}),
            ("other", "secret", {}),
            ("platform", "secret", {"MsgCode": 41}),
            ("platform", "guess", {"Token": "T"}),
        ],
    )
    def test_with_another_key_is_cut_off(self, token, partner_id, secret, login):
        assert self.hears(token, partner_id, secret, **login) == ([], ["reset"])

    def test_whose_token_is_dead_hears_by_its_key_alone(self, token):
        token.renew()

        assert self.hears(token, "platform", "T") == ([], ["reset"])
        assert self.hears(token, "platform", "secret") == ([b"an order"], [])


class TestAnOpening:
    @pytest.fixture
    def server(self):
        made = StreamServer(host="127.0.0.1", port=0, knows=lambda *who: who == ("T", "C"))
        yield made
        made.close()

    @pytest.mark.parametrize(
        ("path", "kind", "refusal"),
        [
            ("/feed?version=2&token=T&clientId=C&authType=2", FeedSocket, 0),
            ("/feed/?token=T&clientId=C", FeedSocket, 0),
            ("/twentydepth?token=T&clientId=C", DepthSocket, 0),
            ("/twohundreddepth?token=T&clientId=C", DeepSocket, 0),
            ("/order-update", OrderSocket, 0),
            ("/feed?token=wrong&clientId=C", FeedSocket, 808),
            ("/feed?token=T&clientId=wrong", FeedSocket, 808),
            ("/feed", BinaryFeedSocket, 0),
            ("/feed?version=2", FeedSocket, 808),
            ("/feed?token=T&clientId=C" + "&a=1" * 15, FeedSocket, 808),
        ],
    )
    def test_makes_a_socket_of_its_path_that_is_ended_if_its_token_is_none(self, server, path, kind, refusal):
        made = server._made_for(asking(path))

        assert (type(made), made.refusal, made.path) == (kind, refusal, path.partition("?")[0].rstrip("/"))
        assert (server.refused, server.order_sockets) == (int(refusal > 0), int(kind is OrderSocket))

    @pytest.mark.parametrize(("path", "open_ones", "status"), [("/elsewhere", 0, 404), ("/feed", SOCKETS_MAX, 503)])
    def test_elsewhere_or_beside_too_many_is_refused(self, server, path, open_ones, status):
        server._sockets.update(dict.fromkeys(range(open_ones)))
        told = server._made_for(asking(path))

        assert (told.response.status, server.refused) == (status, 1)

    def test_beside_one_less_than_too_many_is_let_in(self, server):
        server._sockets.update(dict.fromkeys(range(SOCKETS_MAX - 1)))

        assert isinstance(server._made_for(asking("/order-update")), OrderSocket)

    def test_is_in_the_way_of_its_own_kind_alone(self, server, monkeypatch):
        for kind in (FeedSocket, DepthSocket):
            monkeypatch.setattr(kind, "connections_max", 1)

        async def run():
            opened = []
            for path in ("feed", "twentydepth", "feed"):
                opened.append(Connection())
                request = asking(f"/{path}?token=T&clientId=C")
                server._made_for(request).on_ws_connected(opened[-1])
            return [CLOSED in each.said for each in opened]

        assert asyncio.run(run()) == [True, False, False]

    def test_is_heard_by_a_server_that_goes_on_where_another_listened(self, server):
        other = StreamServer(host="127.0.0.1", port=0, knows=server.knows, listener=server.listener_copy())
        other.close()

        assert other.port == server.port

    def test_that_are_refused_are_so_many_and_take_nobodys_place(self, server, monkeypatch):
        monkeypatch.setattr(FeedSocket, "connections_max", 1)

        async def run():
            opened = []
            for token in ("T", *["wrong"] * (TURNED_AWAY_MAX + 2)):
                made = server._made_for(asking(f"/feed?token={token}&clientId=C"))
                opened.append(Connection())
                made.on_ws_connected(opened[-1])
            return [each.ends for each in opened]

        first, *refused = asyncio.run(run())

        assert (first, server.open_sockets) == ([], 1)
        assert refused == [["reset"], ["reset"], *[[]] * TURNED_AWAY_MAX]
