"""Sockets that keep to one deadline, and that know whether anything was written to them.

The problem: the time-outs of `requests` and its layers hold for each single read, so a server that sends one byte a
second is waited for without end; and whether a request has left cannot be told from their errors. The idea: the socket
itself looks at the call that its thread is making, waits no longer than what is left of it, and notes what it writes.
The trap: looking up a host's address cannot be interrupted; that wait is the system's own (see `resolv.conf`).
"""

from __future__ import annotations

import socket
import ssl
import time
from contextvars import ContextVar
from typing import Any, Final

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from ...domain.time import SECOND_NS


class Call:
    """One request under way, in the thread that makes it."""

    __slots__ = ("_deadline_ns", "written")

    def __init__(self, timeout_s: float) -> None:
        self._deadline_ns: Final = time.monotonic_ns() + round(timeout_s * SECOND_NS)
        self.written = False
        """Whether a part of the request may have left: none has before the first attempt to send."""

    def left_s(self) -> float:
        """Tell how many seconds are left.

        Raises:
            TimeoutError: none.
        """
        left_ns = self._deadline_ns - time.monotonic_ns()
        if left_ns <= 0:
            raise TimeoutError("the time for the whole call is over")
        return left_ns / SECOND_NS


CALL: Final[ContextVar[Call]] = ContextVar("CALL")
"""The call of the running thread; the session sets it."""


class _Bounded:
    """Before each operation, the time-out becomes what is left of the call."""

    def recv_into(self, *arguments: Any, **named: Any) -> int:
        self._bound()
        return super().recv_into(*arguments, **named)  # type: ignore[misc, no-any-return]  # a socket's

    def recv(self, *arguments: Any, **named: Any) -> bytes:
        self._bound()
        return super().recv(*arguments, **named)  # type: ignore[misc, no-any-return]  # a socket's

    def send(self, data: Any, *flags: int) -> int:
        call = self._bound()
        call.written = True  # before it is tried: a failure in the middle leaves it unknown how much went
        return super().send(data, *flags)  # type: ignore[misc, no-any-return]  # a socket's

    def sendall(self, data: Any, *flags: int) -> None:
        with memoryview(data).cast("B") as rest:
            at = 0
            while at < len(rest):
                at += self.send(rest[at:], *flags)

    def _bound(self) -> Call:
        call = CALL.get()
        self.settimeout(call.left_s())  # type: ignore[attr-defined]  # a socket's
        return call


class BoundedSocket(_Bounded, socket.socket):
    """A plain connection."""


class BoundedTlsSocket(_Bounded, ssl.SSLSocket):
    """An encrypted connection; the handshake has what is left of the call as its time-out."""


class _AtOnce:
    """Head and body of a request leave in one piece: urllib3 sends one, and then the other.

    That would be two system calls, each of which gives the interpreter lock away, and a service that is woken twice.
    """

    _held: bytearray | None = None

    def request(self, *arguments: Any, **named: Any) -> None:
        """Put a request together, and send it."""
        held = self._held = bytearray()
        try:
            super().request(*arguments, **named)  # type: ignore[misc]  # a connection's
        finally:
            self._held = None
        self.send(held)

    def send(self, data: Any) -> None:
        """Send, or put it to the rest of the request."""
        if self._held is None:
            super().send(data)  # type: ignore[misc]  # a connection's
        else:
            self._held += data


class BoundedHttpConnection(_AtOnce, HTTPConnection):
    """Over a plain connection."""

    def _new_conn(self) -> socket.socket:
        return _connect(self._dns_host, self.port)


class BoundedHttpsConnection(_AtOnce, HTTPSConnection):
    """Over an encrypted connection."""

    def _new_conn(self) -> socket.socket:
        return _connect(self._dns_host, self.port)


class BoundedHttpPool(HTTPConnectionPool):
    """Plain connections to one host."""

    ConnectionCls = BoundedHttpConnection


class BoundedHttpsPool(HTTPSConnectionPool):
    """Encrypted connections to one host."""

    ConnectionCls = BoundedHttpsConnection


POOLS: Final = {"http": BoundedHttpPool, "https": BoundedHttpsPool}
"""For a `PoolManager` of urllib3."""


def _connect(host: str, port: int | None) -> socket.socket:
    """Try the addresses of a host in turn, all of them within the call's time.

    Raises:
        OSError: the last one's reason.
    """
    failure: OSError = ConnectionError(f"no address of {host}")
    for family, kind, protocol, _, address in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM):
        connection = BoundedSocket(family, kind, protocol)
        try:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection.settimeout(CALL.get().left_s())
            connection.connect(address)
            connection.settimeout(CALL.get().left_s())  # which is that of the handshake
        except OSError as error:
            connection.close()
            failure = error
        else:
            return connection
    raise failure
