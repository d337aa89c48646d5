"""One attempt to open a socket of Dhan's feeds.

The problem: an attempt may hang (no route, a stopped peer) and has to be given up; the library that opens the socket
leaves it open when its coroutine is cancelled. The idea: the connection is made here, so that an attempt that is given
up shuts its own socket down; the library then ends as for any peer that hangs up, and closes it.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

import picows

from ....external import tls_context

if TYPE_CHECKING:
    from collections.abc import Callable

PING_S: Final = 10.0
FRAME_BYTES_MAX: Final = 1 << 20

CONNECT_S: Final = 3.0
"""Seconds for one address of a host name: an unreachable one must not use up the time of the others."""

_MUTE: Final = logging.getLogger("natya.feed.sockets")
"""The library's logger, silenced: it would log addresses, which contain the token."""

_MUTE.setLevel(logging.CRITICAL + 1)  # of its children, too, which are the ones that it writes to

OPENING_FAULTS: Final = (picows.WSError, OSError, TimeoutError, asyncio.InvalidStateError, asyncio.IncompleteReadError)
"""What `Attempt.open` raises for what a service or a network does; their texts may have the address, and so the
token."""


class _Connected(socket.socket):
    """One that was connected, whatever has become of it.

    The library asks for the peer to find out whether it has to connect it; one that was reset meanwhile has none, and
    would be connected a second time, or left open where that fails.
    """

    peer: Any = None

    def getpeername(self) -> Any:
        """Return the peer that it was connected to."""
        return self.peer


class Attempt:
    """Opened once, and given up at any time: nothing of it is left open then."""

    def __init__(self, url: str, listener: Callable[[], picows.WSListener], *, handshake_s: float) -> None:
        """Do nothing yet.

        Args:
            url: with the token.
            listener: makes who hears of the socket.
            handshake_s: seconds that the service has to let us in, once there is a connection.
        """
        self._url: Final = url
        self.place: Final = urlsplit(url).netloc.rpartition("@")[2]
        """Host and port, which may be shown."""

        self._listener: Final = listener
        self._handshake_s: Final = handshake_s
        self._socket: socket.socket | None = None
        self._task: asyncio.Task[Any] | None = None
        self.is_given_up = False

    async def open(self) -> Any:
        """Return the transport, perhaps one that is closed already: of a peer that hung up. Once, in a task of its own.

        Raises:
            OPENING_FAULTS: there is none.
        """
        self._task = asyncio.current_task()
        transport, _ = await picows.ws_connect(
            self._listener,
            self._url,
            ssl_context=tls_context() if self._url.startswith("wss:") else None,
            websocket_handshake_timeout=self._handshake_s,
            logger_name=_MUTE,
            enable_auto_ping=True,
            auto_ping_idle_timeout=PING_S,
            auto_ping_reply_timeout=PING_S,
            max_frame_size=FRAME_BYTES_MAX,
            max_redirects=0,
            socket_factory=self._connect,
        )
        return transport

    def give_up(self) -> None:
        """End it; `open` fails, is cancelled, or returns what is closed."""
        self.is_given_up = True
        if self._socket is not None:
            with contextlib.suppress(OSError):  # the service was faster
                self._socket.shutdown(socket.SHUT_RDWR)
        elif self._task is not None:
            self._task.cancel()

    async def _connect(self, url: picows.WSParsedURL) -> socket.socket:
        loop = asyncio.get_running_loop()
        fault: OSError = ConnectionError("an address wanted, found none")
        for family, kind, protocol, _, address in await loop.getaddrinfo(url.host, url.port, type=socket.SOCK_STREAM):
            with contextlib.ExitStack() as closing:
                found = closing.enter_context(_Connected(family, kind, protocol))
                found.setblocking(False)
                try:
                    async with asyncio.timeout(CONNECT_S):
                        await loop.sock_connect(found, address)
                except OSError as refusal:  # TimeoutError is one
                    fault = refusal
                    continue
                closing.pop_all()
                found.peer = address
                self._socket = found
                return found
        raise fault
