"""Sockets of the paper exchange: a server of them on a thread, and a client that shows what it is told."""

import contextlib
import json
import socket
import threading
from contextlib import ExitStack
from queue import SimpleQueue

from natya_processes import WAIT_S
from natya_wire import CLIENT, TOKEN
from websockets.sync.client import connect

from natya.actors.exchange.streams.encoding import Number
from natya.actors.exchange.streams.server import StreamServer
from natya.domain.dhan.streams import packets
from natya.messages.market import Tick


@contextlib.contextmanager
def serving(**changes):
    """A server on a thread; a fault of its own is one of the test."""
    server = StreamServer(**{"host": "127.0.0.1", "port": 0, "knows": lambda *_: True, **changes})
    faults = SimpleQueue()

    def serve():
        try:
            server.serve()
        except Exception as fault:  # noqa: BLE001  the thread of a test
            faults.put(fault)

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield server
    finally:
        server.close()
        thread.join(WAIT_S)
    assert not thread.is_alive()
    if not faults.empty():
        raise faults.get()


def a_tick(number, *, symbol="INFY", **fields):
    return Tick(
        symbol=symbol, price=100.0 + number, quantity=1, exchange_ns=1, source="x", sequence=number + 1, **fields
    )


def a_listed(security_id, segment="NSE_EQ"):
    return {"ExchangeSegment": segment, "SecurityId": str(security_id)}


def shares(*security_ids):
    return [Number(1, each) for each in security_ids]


class Client:
    """One socket; `with Client(url) as client:`."""

    def __init__(self, url, *, token=TOKEN, client_id=CLIENT, query=True, **options):
        asked = f"{url}?version=2&token={token}&clientId={client_id}&authType=2" if query else url
        self._held = ExitStack()
        given = {"open_timeout": WAIT_S, "close_timeout": 0.1, **options}
        self.socket = self._held.enter_context(connect(asked, **given))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self._held.close()

    def request(self, code, *instruments):
        self.say({"RequestCode": code, "InstrumentCount": len(instruments), "InstrumentList": list(instruments)})

    def ask(self, code, *instruments):
        """Ask, and wait until it was taken."""
        self.request(code, *instruments)
        self.settle()

    def login(self, token=TOKEN):
        self.say({"LoginReq": {"MsgCode": 42, "ClientId": CLIENT, "Token": token}, "UserType": "SELF"})
        self.settle()

    def settle(self):
        """Wait until all that was said was taken."""
        assert self.socket.ping().wait(WAIT_S)

    def say(self, value):
        self.socket.send(value if isinstance(value, str | bytes) else json.dumps(value))

    def read(self, timeout=WAIT_S):
        return self.socket.recv(timeout=timeout)

    def packet(self):
        frame = self.read()
        return packets.LAYOUTS[frame[0]].unpack(frame)

    def update(self):
        return json.loads(self.read())["Data"]

    def prices(self, count):
        return [self.packet()[4] for _ in range(count)]

    def reason(self):
        """Why it was ended."""
        while True:
            frame = self.read()
            if frame[0] == packets.DISCONNECT:
                return packets.DISCONNECT_LAYOUT.unpack(frame)[-1]


def upgraded(server, path="/feed?token=x&clientId=y", *, receive_bytes=None):
    """A plain connection that was upgraded, whose bytes are the test's."""
    raw = socket.socket()
    if receive_bytes is not None:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
    raw.settimeout(WAIT_S)
    raw.connect(("127.0.0.1", server.port))
    head = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    raw.sendall(f"{head}Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n".encode())
    answered = b""
    while b"\r\n\r\n" not in answered:
        answered += raw.recv(1)
    assert answered.startswith(b"HTTP/1.1 101"), answered
    return raw


def a_frame(opcode, payload, *, length=None):
    """A frame of a client, masked with zeros; `length`: as it claims."""
    size = len(payload) if length is None else length
    if size < 126:
        head = bytes([opcode, 0x80 | size])
    elif size < 1 << 16:
        head = bytes([opcode, 0x80 | 126]) + size.to_bytes(2, "big")
    else:
        head = bytes([opcode, 0x80 | 127]) + size.to_bytes(8, "big")
    return head + bytes(4) + payload
