"""A control server on a thread, what it hears, and raw connections to it."""

import contextlib
import threading
import time
from pathlib import Path

import pytest
from natya_processes import WAIT_S

from natya.actors.control import socket_path
from natya.actors.control.client import ControlClient
from natya.actors.control.server import ControlServer
from natya.config.sections.control import ControlSettings
from natya.messages.codec import MESSAGE_SIZE_MAX_BYTES, decode, encode
from natya.messages.control import Ask
from natya.messages.framing import FrameReader, framed
from natya.messages.system import Ping

LISTENING = "0A"


class Line:
    """A raw connection, and the replies that came over it."""

    def __init__(self, data_dir):
        self.socket = socket_path.connect(data_dir, timeout_s=5)
        self._reader = FrameReader(MESSAGE_SIZE_MAX_BYTES, bytes)
        self._arrived = []

    def send(self, data):
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            self.socket.sendall(data)

    def ask(self, request_id=1, actor="echo", message=None, timeout_s=5.0):
        message = encode(Ping()) if message is None else message
        self.send(framed(encode(Ask(request_id=request_id, actor=actor, message=message, timeout_s=timeout_s))))

    def reply(self):
        """The next reply, or None at the end of the connection."""
        while not self._arrived:
            try:
                chunk = self.socket.recv(65_536)
            except ConnectionResetError:
                return None
            if not chunk:
                return None
            self._arrived += self._reader.feed(chunk)
        return decode(self._arrived.pop(0))


class Served:
    """A server, and the thread that serves it."""

    def __init__(self, data_dir, on_ask, on_gone, credentials, limits):
        self.data_dir = data_dir
        options = {} if credentials is None else {"credentials": credentials}
        self.server = ControlServer(
            data_dir,
            ControlSettings.default(**limits),
            on_ask=on_ask,
            on_gone=on_gone,
            monotonic_ns=time.monotonic_ns,
            **options,
        )
        self.errors = []
        self.thread = threading.Thread(target=self._serve)
        self.thread.start()
        self._lines = contextlib.ExitStack()

    def _serve(self):
        try:
            self.server.serve()
        except BaseException as error:  # noqa: BLE001  the test's own thread shall see it
            self.errors.append(error)

    def line(self):
        line = Line(self.data_dir)
        self._lines.enter_context(line.socket)
        return line

    def client(self):
        return self._lines.enter_context(ControlClient(self.data_dir, monotonic_ns=time.monotonic_ns))

    def close(self):
        self.server.close()
        self.thread.join(WAIT_S)
        self._lines.close()
        assert not self.thread.is_alive()
        assert self.errors == []


def echo(asked):
    asked.answer(asked.ask.message)


@pytest.fixture
def serve(tmp_path):
    """Start a server: `serve(on_ask=echo, on_gone=…, credentials=None, **limits)`."""
    with contextlib.ExitStack() as stack:

        def start(on_ask=echo, on_gone=lambda _: None, credentials=None, **limits):
            served = Served(tmp_path, on_ask, on_gone, credentials, limits)
            stack.callback(served.close)
            return served

        yield start


@pytest.fixture
def tcp_listeners():
    """Tell the TCP addresses on which this process listens, by the kernel's word."""

    def listeners():
        own = {_target(descriptor) for descriptor in Path("/proc/self/fd").iterdir()}
        rows = [
            row.split()
            for table in ("tcp", "tcp6")
            for row in Path("/proc/self/net", table).read_text().splitlines()[1:]
        ]
        return [row[1] for row in rows if row[3] == LISTENING and f"socket:[{row[9]}]" in own]

    return listeners


def _target(descriptor):
    try:
        return str(descriptor.readlink())
    except (FileNotFoundError, ProcessLookupError):  # the one that listed the directory
        return ""
