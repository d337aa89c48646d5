"""The exchange's sockets: what a client is told, in which form, and what becomes of one that misbehaves."""

import asyncio
import json
import socket
import struct
import threading
import time

import pytest
from msgspec import structs
from natya_sockets import Client, serving
from natya_wire import CLIENT, Served
from websockets.exceptions import ConnectionClosed

from natya.actors.exchange.streams import server as streams_server
from natya.actors.exchange.streams.encoding import Number
from natya.actors.exchange.streams.server import StreamServer
from natya.domain.dhan.streams import depth, packets
from natya.domain.dhan.streams.order_updates import read_update
from natya.messages.market import Depth, Tick

INFY = {"ExchangeSegment": "NSE_EQ", "SecurityId": "1594"}
NIFTY = {"ExchangeSegment": "IDX_I", "SecurityId": "13"}
NUMBER = Number(1, 1594)


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    served = Served(tmp_path_factory.mktemp("exchange"), has_faults=True)
    served.found = served.system.found()
    yield served
    served.stop()


@pytest.fixture
def feed(served):
    with Client(served.found.feed) as feed:
        yield feed


class TestTheMarketFeed:
    def test_begins_with_the_previous_close_and_what_is_known(self, served, feed):
        served.price(1500.0, previousClose=1490.5)
        feed.request(15, INFY)
        assert feed.packet() == (packets.PREVIOUS_CLOSE, 16, 1, 1594, 1490.5, 0)
        assert feed.packet()[:5] == (packets.TICKER, 16, 1, 1594, 1500.0)

    @pytest.mark.parametrize("in_which_form", [lambda asked: [asked[:9], asked[9:30], asked[30:]], str.encode])
    def test_takes_a_request_in_several_frames_and_in_one_that_is_no_text(self, served, feed, in_which_form):
        served.price(1500.0)
        feed.socket.send(in_which_form(json.dumps({"RequestCode": 15, "InstrumentCount": 1, "InstrumentList": [INFY]})))

        assert feed.packet()[0] == packets.PREVIOUS_CLOSE

    @pytest.mark.parametrize(("path", "asked"), [
        ("/feed", b"\x0b\x53\x00"),  # of the first release of the protocol
        ("/feed", b'{"RequestCode":15,"InstrumentCount":1}'),
        ("/twentydepth", b'{"RequestCode":23,"InstrumentCount":1,"InstrumentList":[]}'),
        ("/twohundreddepth", b'{"RequestCode":23,"ExchangeSegment":"NSE_EQ","SecurityId":1594}'),
    ])  # fmt: skip
    def test_is_ended_where_a_request_names_nothing_rather_than_silent(self, served, path, asked):
        with Client(served.found.feed.replace("/feed", path)) as client:
            client.say(asked)
            told = client.read()

        assert struct.unpack_from("<h", told, len(told) - 2)[0] == 814

    @pytest.mark.parametrize(("code", "kind"), [(15, packets.TICKER), (17, packets.QUOTE), (21, packets.FULL)])
    def test_sends_each_price_in_the_form_that_was_asked_for(self, served, feed, code, kind):
        served.price(1500.0)
        feed.request(code, INFY)
        first = [feed.packet()[0], feed.packet()[0]]
        served.price(1501.5, bids=[[1501.0, 7]], asks=[[1502.0, 9]])
        told = feed.packet()
        assert first == [packets.PREVIOUS_CLOSE, kind]
        assert (told[0], told[4]) == (kind, 1501.5)
        if kind == packets.FULL:
            assert told[packets.FULL_LEVELS_AT :][:6] == (7, 9, 0, 0, 1501.0, 1502.0)

    def test_writes_india_s_clock_as_if_it_were_utc(self, served, feed):
        served.price(1500.0)
        feed.request(15, INFY)
        feed.packet()
        assert abs(feed.packet()[5] - 19_800 - time.time()) < 5

    def test_sends_nothing_more_of_what_is_not_wanted_any_more(self, served, feed):
        served.price(1500.0)
        feed.request(15, INFY)
        feed.packet(), feed.packet()
        served.price(24_000.0, "NIFTY")
        feed.request(16, INFY)
        feed.request(15, NIFTY)
        assert [feed.packet()[3], feed.packet()[3]] == [13, 13]
        served.price(1502.0)
        served.price(25_000.0, "NIFTY")
        assert feed.packet()[3:5] == (13, 25_000.0)

    def test_sends_indices_as_tickers_whatever_was_asked_for(self, served, feed):
        served.price(25_000.0, "NIFTY")
        feed.request(21, NIFTY)
        assert [feed.packet()[0] for _ in range(2)] == [packets.PREVIOUS_CLOSE, packets.TICKER]

    def test_ends_the_oldest_of_six_connections(self, served):
        served.price(1500.0)
        clients = [Client(served.found.feed) for _ in range(6)]
        try:
            assert clients[0].reason() == 805
            clients[5].request(15, INFY)
            assert clients[5].packet()
        finally:
            for client in clients:
                client.close()

    @pytest.mark.parametrize("who", [{"token": "wrong"}, {"client_id": "77"}, {"token": ""}])
    def test_ends_a_stranger(self, served, who):
        with Client(served.found.feed, **who) as stranger:
            assert stranger.reason() == 808

    @pytest.mark.parametrize(
        ("said", "reason"),
        [
            ("{", 814),
            ({"RequestCode": 99}, 814),
            ({"RequestCode": 15, "InstrumentList": [{"ExchangeSegment": "NSE_EQ", "SecurityId": 1594}]}, 814),
            ({"RequestCode": 15, "InstrumentList": [INFY] * 101}, 804),
        ],
        ids=str,
    )
    def test_ends_whoever_asks_what_is_none(self, feed, said, reason):
        feed.say(said)
        assert feed.reason() == reason

    def test_lets_a_connection_have_five_thousand_instruments(self, served):
        with Client(served.found.feed) as client:
            for begin in range(0, 5_000, 100):
                client.request(
                    15, *({"ExchangeSegment": "NSE_EQ", "SecurityId": str(each)} for each in range(begin, begin + 100))
                )
            client.request(15, {"ExchangeSegment": "NSE_EQ", "SecurityId": "5001"})
            assert client.reason() == 804

    def test_ends_when_it_is_told_to(self, feed):
        feed.say({"RequestCode": 12})
        with pytest.raises(ConnectionClosed):
            feed.read()

    def test_is_at_no_other_path(self, served):
        with pytest.raises(Exception, match="404"):
            Client(served.found.feed.replace("/feed", "/elsewhere"))


class TestDepth:
    def test_of_twenty_levels_has_both_sides_in_one_frame(self, served):
        served.price(1500.0, bids=[[1499.9, 5], [1499.8, 6]], asks=[[1500.1, 7]])
        with Client(served.found.depth) as client:
            client.request(23, INFY)
            bid, ask = depth.sides_of(client.read())
        assert (bid.code, ask.code, len(bid.prices), len(ask.prices)) == (depth.BID, depth.ASK, 20, 20)
        assert (bid.prices[:3], bid.quantities[:3]) == ((1499.9, 1499.8, 0.0), (5, 6, 0))

    def test_of_two_hundred_levels_is_of_one_instrument_and_as_long_as_the_book(self, served):
        served.price(1500.0, bids=[[1499.9, 5]], asks=[[1500.1, 7]])
        with Client(served.found.depth_200) as client:
            client.say({"RequestCode": 23, **INFY})
            bid, _ = depth.sides_of(client.read(), levels=200)
            assert bid.prices == (1499.9,)
            client.say({"RequestCode": 23, "ExchangeSegment": "NSE_EQ", "SecurityId": "1333"})
            assert list(depth.sides_of(client.read(), levels=200)) == [depth.Ended(804)]

    def test_is_of_shares_and_derivatives_only(self, served):
        with Client(served.found.depth) as client:
            client.request(23, NIFTY)
            client.request(23, *({"ExchangeSegment": "NSE_EQ", "SecurityId": str(each)} for each in range(51)))
            assert list(depth.sides_of(client.read())) == [depth.Ended(804)]


def logged_in(served):
    client = Client(served.found.order_update, query=False)
    client.login()
    return client


class TestOrderUpdates:
    def test_tell_of_each_change_in_camel_case_without_zeros(self, served):
        served.price(1500.0)
        with logged_in(served) as client:
            order_id = served.place(orderType="MARKET", price=0, correlationId="mine-1")
            statuses = []
            while "Traded" not in statuses:
                update = client.update()
                statuses.append(update["status"])
        assert statuses[0] == "Transit"
        assert (update["orderNo"], update["correlationId"]) == (order_id, "mine-1")
        assert (update["tradedQty"], update["avgTradedPrice"], update["orderType"]) == (10, 1500.0, "MKT")
        assert not {"price", "triggerPrice", "remainingQuantity"} & update.keys()

    def test_tell_of_a_refusal_with_its_reason(self, served):
        served.price(1500.0)
        with logged_in(served) as client:
            served.place(price=100.0)
            while (update := client.update())["status"] != "Rejected":
                pass
        assert "circuit" in update["reasonDescription"]
        assert (update["exchOrderNo"], update["exchOrderTime"]) == ("0", "0001-01-01 00:00:00")

    def test_can_be_read_as_our_own_client_reads_them(self, served):
        served.price(1500.0)
        with logged_in(served) as client:
            order_id = served.place(price=1400.0)
            update = read_update(client.read(), CLIENT)
        assert (update.order_no, update.traded_qty) == (order_id, 0)

    def test_are_heard_again_by_whoever_comes_after_all_others_have_gone(self, served):
        served.price(1500.0)
        logged_in(served).close()
        served.place(price=1400.0)
        with logged_in(served) as client:
            order_id = served.place(price=1401.0)
            while read_update(client.read(), CLIENT).order_no != order_id:
                pass  # of the order before

    @pytest.mark.parametrize("said", [None, "{", {"LoginReq": {"MsgCode": 42, "ClientId": CLIENT, "Token": "no"}}])
    def test_are_for_nobody_who_does_not_know_the_token(self, served, said):
        with Client(served.found.order_update, query=False) as client:
            if said is not None:
                client.say(said)
                with pytest.raises(ConnectionClosed):
                    client.read()
            else:
                served.price(1500.0)
                served.place(price=1400.0)
                with pytest.raises(TimeoutError):
                    client.read(timeout=0.2)


def test_a_server_ends_with_the_first_fault_that_is_ours_and_with_none_of_a_connection():
    server = StreamServer(host="127.0.0.1", port=0, knows=lambda *_: True)
    raised, goes_on = [], threading.Event()

    def serve():
        try:
            server.serve()
        except ValueError as fault:
            raised.append(str(fault))

    def failing(fault):
        raise fault

    def on_its_thread():
        loop = asyncio.get_running_loop()
        loop.call_exception_handler({"message": "of nobody"})
        loop.call_soon(failing, ConnectionResetError("of a client"))
        loop.call_later(0.001, goes_on.set)

    thread = threading.Thread(target=serve)
    thread.start()
    while not goes_on.is_set():
        server.call(on_its_thread)
        goes_on.wait(0.01)
    thread.join(0.05)
    assert thread.is_alive()
    server.call(lambda: [asyncio.get_running_loop().call_soon(failing, ValueError(each)) for each in ("a", "b")])
    thread.join(5)

    assert raised == ["a"]


class TestAServer:
    """Without the exchange: a server on a thread."""

    @pytest.fixture
    def server(self):
        with serving(ping_s=0.1) as server:
            yield server

    def a_tick(self, number):
        return Tick(
            symbol="INFY", price=100.0 + number % 100, quantity=1, exchange_ns=1, source="x", sequence=number + 1
        )

    def test_counts_the_sockets_that_can_hear_of_orders(self, server):
        assert server.order_sockets == 0
        with Client(server.url("/order-update"), query=False), Client(server.url("/feed")):
            assert server.order_sockets == 1
            other = Client(server.url("/order-update"), query=False)
            assert server.order_sockets == 2
            other.say("{")
            with pytest.raises(ConnectionClosed):
                other.read()
            while server.order_sockets == 2:
                pass
            assert server.order_sockets == 1

    def test_gives_every_client_every_tick_in_order(self, server):
        clients = [Client(server.url("/feed")) for _ in range(3)]
        for client in clients:
            client.request(15, INFY)
            client.settle()
        for number in range(500):
            server.publish(NUMBER, self.a_tick(number))
        for client in clients:
            first = client.packet()
            assert [client.packet()[4] for _ in range(499)] == [100.0 + number % 100 for number in range(1, 500)]
            assert first[4] == 100.0
            client.close()

    def test_tells_what_came_together_in_the_order_in_which_it_came_and_once(self, server):
        feed, orders = server.url("/feed"), server.url("/order-update")
        with Client(feed) as shares, Client(feed) as indices, Client(orders, query=False) as updates:
            shares.ask(15, INFY)
            indices.ask(15, NIFTY)
            updates.login()

            def on_the_servers_thread():
                server.tell_status([1])
                server.publish(NUMBER, self.a_tick(1))
                server.publish(NUMBER, self.a_tick(2))
                server.tell_status([1])
                server.tell(b"first")
                server.publish(NUMBER, self.a_tick(3))
                server.tell_status([1])
                server.tell_status([0])
                server.publish(NUMBER, self.a_tick(4))
                server.tell(b"second")

            for _ in range(2):
                server.call(on_the_servers_thread)
                told = [shares.packet() for _ in range(7)]
                assert [each[4] if each[0] == packets.TICKER else "status" for each in told] == [
                    "status", 101.0, 102.0, "status", 103.0, "status", 104.0,
                ]  # fmt: skip
                assert indices.packet() == (packets.STATUS, 8, 0, 0)
                assert [updates.read(), updates.read()] == ["first", "second"]

    def test_leaves_out_the_oldest_half_of_what_is_too_much_and_counts_it(self, server, monkeypatch):
        monkeypatch.setattr(streams_server, "QUEUE_MAX", 4)
        with Client(server.url("/feed")) as client:
            client.ask(15, INFY)

            def on_the_servers_thread():
                server.tell_status([1])
                for number in range(1, 5):
                    server.publish(NUMBER, self.a_tick(number))
                server.tell_status([1])
                server.publish(NUMBER, self.a_tick(5))

            server.call(on_the_servers_thread)
            told = [client.packet() for _ in range(5)]

        assert [each[4] if each[0] == packets.TICKER else "status" for each in told] == [
            "status", 103.0, 104.0, "status", 105.0,
        ]  # fmt: skip
        assert server.left_out == 2

    @pytest.mark.parametrize("levels", [1, 7, 8, 200])
    def test_tells_the_length_of_a_frame_whatever_it_is(self, server, levels):
        """Depth of 200 levels has frames of any length: under 126 bytes, and above."""
        prices = tuple(100.0 - level / 4 for level in range(levels))
        book = Depth(
            bid_prices=prices, bid_quantities=(1,) * levels, ask_prices=prices[::-1], ask_quantities=(2,) * levels
        )
        with Client(server.url("/twohundreddepth")) as client:
            client.say({"RequestCode": 23, **INFY})
            client.settle()
            for number in range(3):
                server.publish(NUMBER, structs.replace(self.a_tick(number), depth=book))
            for _ in range(3):
                bid, ask = depth.sides_of(client.read(), levels=200)
                assert (bid.prices, len(ask.prices)) == (prices, levels)

    def test_keeps_for_a_client_that_does_not_read_one_packet_an_instrument(self):
        with serving() as server, Client(server.url("/feed")) as client:  # nor does it answer pings: here it may
            client.request(21, INFY)
            client.settle()
            sent = 0
            while server.conflated == 0:  # nobody reads: the library holds a few frames, and the kernel some more
                for _ in range(5_000):
                    server.publish(NUMBER, self.a_tick(sent))
                    sent += 1
                taken = threading.Event()  # else most is left out on a busy machine, before it is sent
                server.call(taken.set)
                assert taken.wait(10)
            last = 0.0
            while last != 100.0 + (sent - 1) % 100:
                last = client.packet()[4]

    def test_cuts_off_a_client_that_does_not_answer_pings(self, server):
        url = server.url("/feed?token=x&clientId=y")
        host, port = url.removeprefix("ws://").split("/")[0].split(":")
        with socket.create_connection((host, int(port)), timeout=10) as raw:
            raw.sendall(
                f"GET /feed?token=x&clientId=y HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\n"
                "Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                "Sec-WebSocket-Version: 13\r\n\r\n".encode()
            )
            with pytest.raises(ConnectionResetError):
                list(iter(lambda: raw.recv(4096), b""))

    @pytest.mark.parametrize("junk", [b"\xff" * 100, b"GET / HTTP/1.1\r\n\r\n", b"\x00" * 5000, struct.pack(">I", 7)])
    def test_survives_whoever_speaks_no_such_protocol(self, server, junk):
        with socket.create_connection(("127.0.0.1", server.port), timeout=10) as raw:
            raw.sendall(junk)
        with Client(server.url("/feed")) as client:
            client.request(15, INFY)
            client.settle()
            server.publish(NUMBER, self.a_tick(0))
            assert client.packet()[4] == 100.0
