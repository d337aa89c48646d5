"""Clients that mean no good, or know no better: the exchange's sockets go on for all others."""

import contextlib
import socket
import struct
import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from natya_processes import WAIT_S
from natya_sockets import Client, a_frame, a_listed, a_tick, serving, shares, upgraded

from natya.actors.exchange.streams import sockets
from natya.actors.exchange.streams.server import REQUEST_BYTES_MAX

TEXT, BINARY, PING = 0x81, 0x82, 0x89
PATHS = ["/feed?token=x&clientId=y", "/twentydepth?token=x&clientId=y", "/twohundreddepth?token=x", "/order-update"]

KERNEL_BYTES = 8 * 1024 * 1024
"""More than the kernel keeps of one connection."""


@pytest.fixture(scope="module")
def server():
    with serving() as server:
        yield server


def read_to_the_end(raw):
    """Everything until the connection ends, by a reset at the worst."""
    read = 0
    with contextlib.suppress(ConnectionResetError):
        while chunk := raw.recv(1 << 16):
            read += len(chunk)
    return read


def goes_on(server):
    """Another client subscribes and is served."""
    with Client(server.url("/feed")) as client:
        client.ask(15, a_listed(7))
        server.publish(*shares(7), a_tick(7))
        while client.prices(1) != [107.0]:  # the close of the day before comes first where something was shown
            pass
    return True


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    path=st.sampled_from(PATHS),
    frames=st.lists(
        st.tuples(
            st.integers(0, 255),
            st.one_of(
                st.binary(max_size=200),
                st.sampled_from(
                    [b"null", b"[" * 2_000, b'{"RequestCode":1e400}', b'{"RequestCode":15,"InstrumentList":5}']
                ),
                st.sampled_from([b'{"LoginReq":{"MsgCode":42,"Token":"\\ud800"}}', b'{"LoginReq":[]}', b"\xff\xfe"]),
            ),
            st.one_of(st.none(), st.integers(0, 1 << 62)),
        ),
        max_size=6,
    ),
)
def test_random_frames_end_their_own_connection_at_the_worst(server, path, frames):
    with upgraded(server, path) as raw:
        with contextlib.suppress(OSError):  # it was cut off before all was said
            for opcode, payload, length in frames:
                raw.sendall(a_frame(opcode, payload, length=length))
            raw.sendall(a_frame(0x88, b""))
            raw.shutdown(socket.SHUT_WR)
        read_to_the_end(raw)

    assert goes_on(server)


class TestAPageOfABrowser:
    @pytest.mark.parametrize(
        ("heads", "status"),
        [
            (b"Host: 127.0.0.1:1\r\n", b"101"),
            (b"Host: localhost\r\nOrigin: http://[::1]:3000\r\n", b"101"),
            (b"Host: rebound.example\r\n", b"403"),
            (b"Host: 127.0.0.1\r\nHost: localhost\r\n", b"403"),
            (b"", b"403"),
            (b"Host: 127.0.0.1\r\nOrigin: https://other.example\r\n", b"403"),
            (b"Host: 127.0.0.1\r\nOrigin: null\r\n", b"403"),
        ],
    )
    def test_of_another_site_or_by_another_name_is_turned_away(self, server, heads, status):
        with socket.create_connection(("127.0.0.1", server.port), timeout=WAIT_S) as raw:
            raw.sendall(
                b"GET /feed?token=x&clientId=y HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n" + heads + b"\r\n"
            )
            assert raw.recv(1_024).split()[1] == status


class TestWhoHasGone:
    def test_is_no_line_on_standard_error_for_each_answer_that_it_does_not_hear(self, server, caplog):
        with upgraded(server, PATHS[0]) as raw:
            raw.sendall(a_frame(PING, b"x") * 20_000)
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

        assert goes_on(server)
        assert not [each for each in caplog.records if each.name == "aiofastnet"]


class TestAClient:
    @pytest.mark.parametrize(
        "path", ["//[", "//[?token=x", "/", "/feed/x", "/%", "/feed?" + "a=1&" * 999, "/feed?token=%ff&clientId=%00"]
    )
    def test_that_asks_for_a_strange_path_harms_nobody(self, server, path):
        with socket.create_connection(("127.0.0.1", server.port), timeout=WAIT_S) as raw:
            raw.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n".encode())
            assert raw.recv(1)

        assert goes_on(server)

    def test_that_speaks_without_an_end_is_cut_off(self, server):
        with upgraded(server) as raw, contextlib.suppress(OSError):
            raw.sendall(a_frame(0x01, b"x" * 1_000))
            for _ in range(2 * REQUEST_BYTES_MAX // 1_000):
                raw.sendall(a_frame(0x00, b"x" * 1_000))
            read_to_the_end(raw)

        assert goes_on(server)

    @pytest.mark.parametrize("length", [REQUEST_BYTES_MAX + 1, 1 << 40])
    def test_that_announces_a_huge_frame_is_cut_off(self, server, length):
        with upgraded(server) as raw:
            raw.sendall(a_frame(TEXT, b"{", length=length))
            read_to_the_end(raw)

        assert goes_on(server)

    def test_that_opens_many_sockets_together_keeps_five(self, server, monkeypatch):
        monkeypatch.setattr(sockets, "ENDED_S", 0.05)
        opened = [upgraded(server) for _ in range(100)]
        for raw in opened[:-5]:
            read_to_the_end(raw)
        alive = []
        for raw in opened[-5:]:
            raw.sendall(a_frame(PING, b"still?"))
            alive.append(raw.recv(2) == b"\x8a\x06")
        for raw in opened:
            raw.close()

        assert alive == [True] * 5

    def test_that_pings_and_does_not_read_is_not_answered_for_ever(self, server, monkeypatch):
        monkeypatch.setattr(sockets, "ENDED_S", 0.1)
        asked, one = 0, a_frame(PING, bytes(125)) * 800
        with upgraded(server, receive_bytes=65_536) as raw, Client(server.url("/order-update"), query=False) as other:
            while asked < 2 * KERNEL_BYTES:
                raw.sendall(one)
                asked += len(one)
            raw.sendall(a_frame(TEXT, b'{"RequestCode":12}'))
            while server.open_sockets > 1:  # until all of it was taken: what is read meanwhile makes room for answers
                other.settle()
            read = read_to_the_end(raw)

        assert read < KERNEL_BYTES
        assert goes_on(server)

    def test_that_is_ended_and_does_not_read_is_cut_off(self, server, monkeypatch):
        monkeypatch.setattr(sockets, "ENDED_S", 0.1)
        began = time.monotonic()
        with upgraded(server, receive_bytes=4_096) as raw, Client(server.url("/order-update"), query=False) as other:
            raw.sendall(
                a_frame(TEXT, b'{"RequestCode":21,"InstrumentList":[{"ExchangeSegment":"NSE_EQ","SecurityId":"9"}]}')
            )
            sent = 0
            before = server.conflated
            while server.conflated == before:  # what the kernel takes is full
                for _ in range(2_000):
                    server.publish(*shares(9), a_tick(sent))
                    sent += 1
                other.settle()  # until all of it was sent
            raw.sendall(a_frame(TEXT, b'{"RequestCode":12}'))
            while server.open_sockets > 1:
                other.settle()
                assert time.monotonic() - began < WAIT_S

        assert goes_on(server)

    def test_that_does_not_read_order_updates_is_dropped_and_reads_the_book_when_it_is_back(self, server):
        login = b'{"LoginReq":{"MsgCode":42,"ClientId":"y","Token":"x"}}'
        with upgraded(server, "/order-update", receive_bytes=4_096) as raw:
            raw.sendall(a_frame(TEXT, login))
            while server.open_sockets == 0:
                server.tell(b"{}")
            while server.open_sockets:
                server.tell(b'{"Data":"' + b"x" * 50_000 + b'"}')

        assert goes_on(server)
