"""A socket of the exchange by itself, without a network: what it says and when it says nothing any more."""

import asyncio
from types import SimpleNamespace

import picows
import pytest

from natya.actors.exchange.stream_faults import StreamFault, StreamFaults
from natya.actors.exchange.streams.market_sockets import FeedSocket
from natya.actors.exchange.streams.order_socket import OrderSocket

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


def test_an_end_is_said_once_with_its_reason():
    def scene(open_socket, _connection):
        open_socket.end(b"why")
        open_socket.end(b"again")
        open_socket.push("INFY", b"price")
        open_socket.reset()

    assert play(scene) == ([b"why", CLOSED], ["ended"])


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


def test_pings_are_answered_and_sent_unless_it_is_mute_or_slow():
    def ping(open_socket):
        answers = []
        transport = SimpleNamespace(send_pong=answers.append)
        frame = SimpleNamespace(msg_type=picows.WSMsgType.PING, get_payload_as_bytes=lambda: b"x")
        open_socket.on_ws_frame(transport, frame)
        return answers

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
