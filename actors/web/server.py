"""`WebServer`: a listening socket of this machine, and the loop that serves it. Knows no actor."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import socket
import threading
from typing import TYPE_CHECKING, Any, Final

import uvicorn

from ...messages.web import WebStatistics
from .application import LOOPBACK_NAMES, Application
from .errors import AddressTakenError
from .protocol import BoundedProtocol, Counts

if TYPE_CHECKING:
    from collections.abc import Callable

    from ...config.sections.web import WebSettings

LOOK_S_MAX: Final = 0.5
"""Longest time between two looks at the connections."""

DRAIN_LOOK_S: Final = 0.01
BACKLOG: Final = 512


class WebServer:
    """Serves applications on one address, from its making until `close`. Thread-safe, save that `serve` is called once.

    The port is known from the beginning; connections wait in the kernel until `serve` runs.
    """

    def __init__(
        self,
        bounds: WebSettings,
        *,
        listener: socket.socket | None = None,
        on_failure: Callable[[str, Exception], object],
    ) -> None:
        """Listen.

        Args:
            bounds: address and limits.
            listener: what another server's `listener_copy` returned: it goes on where that one listened.
            on_failure: called on the thread of `serve` with the path of a request at which an application failed.

        Raises:
            AddressTakenError: the address cannot be listened on.
        """
        self._bounds: Final = bounds
        self._listener: Final = listener or _listen(bounds.host, bounds.port)
        self.port: Final[int] = self._listener.getsockname()[1]
        self.application: Final = Application(names=LOOPBACK_NAMES | {_quoted(bounds.host)}, on_failure=on_failure)
        self._counts: Final = Counts()
        self._guard: Final = threading.Lock()
        self._closing = False
        self._serving: _Uvicorn | None = None

    @property
    def url(self) -> str:
        """Where it is, without a slash at the end."""
        return f"http://{_quoted(self._bounds.host).decode()}:{self.port}"

    def listener_copy(self) -> socket.socket:
        """Return the listening socket for a server that is to go on; it stays open when this one closes."""
        return self._listener.dup()

    def serve(self) -> None:
        """Serve until `close`; it blocks."""
        bounds, counts = self._bounds, self._counts
        config = uvicorn.Config(
            self.application,
            loop="asyncio",
            http=functools.partial(BoundedProtocol, bounds, counts),  # type: ignore[arg-type]  # called as a class is
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            backlog=BACKLOG,
        )
        serving = _Uvicorn(config, bounds)
        with self._guard:
            is_closed = self._closing
            if not is_closed:
                self._serving = serving
        if not is_closed:
            serving.run(sockets=[self._listener])
        self._listener.close()

    def close(self) -> None:
        """End `serve`, after the answers that are being made, and at most `drain_s`; does not wait."""
        with self._guard:
            self._closing = True
            serving = self._serving
        if serving is None:
            self._listener.close()
        else:
            serving.end()

    def statistics(self) -> WebStatistics:
        """Return the counts since it was made."""
        counts, serving = self._counts, self._serving
        return WebStatistics(
            connections=0 if serving is None else len(serving.server_state.connections),
            accepted=counts.accepted,
            turned_away=counts.turned_away,
            dropped=counts.dropped,
            requests=self.application.requests,
            failures=self.application.failures,
        )


class _Uvicorn(uvicorn.Server):
    """uvicorn's server, which looks at its connections, ends at once when told so, and always within a bound."""

    def __init__(self, config: uvicorn.Config, bounds: WebSettings) -> None:
        super().__init__(config)
        self._bounds: Final = bounds
        self._loop: asyncio.AbstractEventLoop | None = None
        self._told: asyncio.Event | None = None
        shortest_s = min(bounds.head_timeout_s, bounds.body_timeout_s, bounds.stall_s, bounds.idle_s)
        self._look_s: Final = min(LOOK_S_MAX, shortest_s / 4)

    def end(self) -> None:
        """Tell it to end; from any thread."""
        self.should_exit = True
        loop, told = self._loop, self._told
        if loop is not None and told is not None:
            with contextlib.suppress(RuntimeError):  # the loop has closed
                loop.call_soon_threadsafe(told.set)

    async def main_loop(self) -> None:
        """Serve until told."""
        told = self._told = asyncio.Event()
        self._loop = asyncio.get_running_loop()  # last: from here on `end` wakes us, before it we look ourselves
        looks = 0
        looks_a_second = max(1, round(1 / self._look_s))
        while not await self.on_tick(0 if looks % looks_a_second == 0 else 1):  # 0: the Date header anew
            self._look(self._loop.time())
            looks += 1
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._look_s):
                    await told.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Let answers that are being made be sent, within the bound, and close everything."""
        # First no more is accepted, then what was accepted becomes a connection, and only then the servers are closed:
        # asyncio leaks a connection that was accepted in the moment in which its server is closed, open and unanswered.
        for each in sockets or ():
            asyncio.get_running_loop().remove_reader(each)
        await asyncio.sleep(DRAIN_LOOK_S)
        for server in self.servers:
            server.close()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._bounds.drain_s):
                while self.server_state.connections or self.server_state.tasks:
                    for connection in tuple(self._connections()):
                        connection.shutdown()
                    self._look(asyncio.get_running_loop().time())
                    await asyncio.sleep(DRAIN_LOOK_S)
        for connection in tuple(self._connections()):
            connection.transport.abort()
        tasks = tuple(self.server_state.tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _look(self, now_s: float) -> None:
        for connection in tuple(self._connections()):
            connection.look(now_s)

    def _connections(self) -> set[Any]:
        return self.server_state.connections


def expect_free(bounds: WebSettings) -> None:
    """Find out whether the address can be listened on, before anything else is started.

    Raises:
        AddressTakenError: it cannot.
    """
    _listen(bounds.host, bounds.port).close()


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # The protocol is named: else asyncio leaves Nagle's algorithm on, and answers wait 40 ms for an acknowledgement.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(BACKLOG)
        listener.setblocking(False)
    except OSError as fault:
        listener.close()
        raise AddressTakenError(f"an address to listen on is wanted, found {host} port {port}: {fault}") from fault
    return listener


def _quoted(host: str) -> bytes:
    return f"[{host}]".encode() if ":" in host else host.encode()
