"""Whatever comes through the socket: an answer, a refusal or the end of that one connection; the room goes on."""

import contextlib
import time

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from natya_examples import DOUBLE
from natya_messages import messages

from natya.actors.control import ControlActor, ControlActorSettings, ControlClient, socket_path
from natya.actors.runtime import InProcessSystem, RuntimeActor, handles
from natya.messages.codec import MESSAGE_TYPES, decode, encode
from natya.messages.control import Answer, Ask, AskRefused
from natya.messages.database import Query, Rows
from natya.messages.framing import framed
from natya.messages.system import Ping, Pong

ACTORS = ("control", "database", "nobody", "", "system/feed", "\x1b[31m", "x" * 1_000)
ASKS = st.builds(
    Ask,
    request_id=st.integers(-(2**63), 2**63 - 1),
    actor=st.sampled_from(ACTORS) | st.text(max_size=20),
    message=st.binary(max_size=50) | st.sampled_from(MESSAGE_TYPES).flatmap(messages).map(encode),
    timeout_s=st.sampled_from([0.0, 0.01, 5.0, 1e9]) | st.floats(0, 1e9),
    correlation_id=st.text(max_size=20),
)
SPOILED = st.builds(
    lambda ask, at, byte: _with_byte(encode(ask), at, byte), ASKS, st.integers(0, 1 << 16), st.integers(0, 255)
)
FRAMES = (
    ASKS.map(encode)
    | SPOILED
    | st.binary(min_size=1, max_size=60)
    | st.sampled_from(MESSAGE_TYPES).flatmap(messages).map(encode)
)


def _with_byte(payload, at, byte):
    at %= len(payload)
    return payload[:at] + bytes([byte]) + payload[at + 1 :]


class Database(RuntimeActor):
    """Answers what it can, and is silent to the rest."""

    @handles(Query)
    def query(self, query, sender):
        self.send(sender, Rows(columns=(), rows=()))


@pytest.fixture(scope="module")
def room(tmp_path_factory):
    """A control room that other tests of this file have been at."""
    data_dir = tmp_path_factory.mktemp("room")
    with InProcessSystem() as running:
        running.start("database", Database)
        running.start("control", ControlActor, ControlActorSettings(data_dir=data_dir))
        yield running, data_dir


class TestAnythingThatComesThroughTheSocket:
    @settings(max_examples=DOUBLE, deadline=None)
    @given(payloads=st.lists(FRAMES, min_size=1, max_size=4))
    def test_gets_an_answer_a_refusal_or_the_end_of_its_connection(self, room, payloads):
        running, data_dir = room
        server = running.base.find("control").instance._server
        cut_short = contextlib.suppress(BrokenPipeError, ConnectionResetError)
        with contextlib.closing(socket_path.connect(data_dir, timeout_s=5)) as connection, cut_short:
            connection.sendall(b"".join(map(framed, payloads)))
        with ControlClient(data_dir, monotonic_ns=time.monotonic_ns) as other:
            assert isinstance(other.request("control", Ping(), timeout_s=5), Pong)

        assert running.base.find("control").instance._server is server  # it was not even restarted

    @settings(max_examples=DOUBLE, deadline=None)
    @given(ask=ASKS.map(lambda ask: msgspec.structs.replace(ask, timeout_s=min(ask.timeout_s, 0.05))))
    def test_well_formed_gets_one_reply_under_its_own_number(self, room, ask):
        _, data_dir = room
        with contextlib.closing(socket_path.connect(data_dir, timeout_s=5)) as connection:
            connection.sendall(framed(encode(ask)))
            size = int.from_bytes(connection.recv(4), "big")
            received = b""
            while len(received) < size:
                received += connection.recv(size - len(received))
        reply = decode(received)

        assert isinstance(reply, Answer | AskRefused)
        assert reply.request_id in {ask.request_id, 0}
