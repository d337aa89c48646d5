"""A server whose every byte is the test's."""

import contextlib
import itertools
import os
import socket
import threading

EPHEMERAL = 32_768
"""From here on the kernel takes a port for whoever connects."""

_turns = itertools.count()


def free_port():
    """Return one that nobody else is given meanwhile: not by the kernel, nor in another process of the tests."""
    while True:
        port = 20_000 + (os.getpid() * 16 + next(_turns)) % (EPHEMERAL - 20_000)
        with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port


class Server:
    """Answers each connection with one function of it; remembers what it was sent."""

    def __init__(self, answer):
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._answer = answer
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self.heard = []
        self.over = threading.Event()
        self._connections = []
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    def _accept(self):
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self._connections.append(connection)
            thread = threading.Thread(target=self._serve, args=[connection])
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection):
        with connection, contextlib.suppress(OSError):
            self._answer(self, connection)

    def read(self, connection):
        """Read one request whole, and return it."""
        data = b""
        while b"\r\n\r\n" not in data:
            chunk = connection.recv(65_536)
            if not chunk:
                return None
            data += chunk
        head, _, body = data.partition(b"\r\n\r\n")
        lengths = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
        length = int(lengths[0].split(b":")[1]) if lengths else 0
        while len(body) < length:
            body += connection.recv(65_536)
        self.heard.append(head + b"\r\n\r\n" + body)
        return self.heard[-1]

    def close(self):
        self.over.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._threads[0].join()  # so that there are no more connections
        for connection in self._connections:
            with contextlib.suppress(OSError):  # it is closed
                connection.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()


def http(body, status="200 OK"):
    """One answer."""
    return f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode()


def answering(*answers):
    """Give the n-th of these to the n-th request, over all connections; then the last one again."""

    def answer(server, connection):
        while server.read(connection) is not None:
            connection.sendall(answers[min(len(server.heard), len(answers)) - 1])

    return answer
