"""A web server on a thread, raw connections to it, and a plain client."""

import contextlib
import http.client
import socket
import threading
from urllib.parse import urlsplit

from natya.actors.web import WebServer, answer, body_of
from natya.config.sections.web import WebSettings


async def echo(scope, receive, send):
    body = await body_of(receive)
    await answer(send, 200, body or scope["path"].encode())


class Line:
    """A raw connection."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=10)
        self._left = b""

    def send(self, data):
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            self.socket.sendall(data)

    def ask(self, method="GET", path="/", body=b"", headers=()):
        lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", f"Content-Length: {len(body)}", *headers]
        self.send("\r\n".join([*lines, "", ""]).encode() + body)
        return self.reply()

    def reply(self):
        """The status and the body of the next answer; None at the end of the connection."""
        head, found, rest = self._read_until(b"\r\n\r\n").partition(b"\r\n\r\n")
        if not found:
            return None
        length = int(head.lower().partition(b"content-length:")[2].split()[0])
        while len(rest) < length and (more := self._read()):
            rest += more
        self._left = rest[length:]
        return int(head.split()[1]), rest[:length]

    def ends(self):
        """Whether the server closes the connection, whatever it says before."""
        while self._read():
            pass
        return True

    def _read_until(self, mark):
        data, self._left = self._left, b""
        while mark not in data and (more := self._read()):
            data += more
        return data

    def _read(self):
        try:
            return self.socket.recv(65_536)
        except ConnectionResetError:
            return b""


class Served:
    """A server, and the thread that serves it."""

    def __init__(self, application, bounds):
        self.failures = []
        self.server = WebServer(
            WebSettings.default(**bounds), on_failure=lambda path, fault: self.failures.append((path, fault))
        )
        self.server.application.mount("", application, owner="test")
        self.thread = threading.Thread(target=self.server.serve)
        self.thread.start()
        self._lines = contextlib.ExitStack()

    def line(self):
        line = Line(self.server.port)
        self._lines.enter_context(line.socket)
        return line

    def close(self):
        self.server.close()
        self.thread.join(60)
        self._lines.close()
        assert not self.thread.is_alive()


def get(url):
    """The status and the body."""
    return ask("GET", url)


def ask(method, url, body=None, headers=()):
    """The status and the body."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=60)
    try:
        connection.request(method, f"{parts.path or '/'}{'?' if parts.query else ''}{parts.query}", body, dict(headers))
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()
