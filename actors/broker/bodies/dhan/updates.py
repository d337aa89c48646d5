"""One connection to Dhan's socket of order updates: it logs in, and reads until the end. It blocks, and has no actor.

The problem: nothing answers a login, and one with a dead token ends in a reset, as a bad network does. The idea: what
answers a ping and stays is a service that has taken the login; what ends at once puts the login in doubt, and no more.
Silence is normal here, so pings alone show that the far end lives. The trap: the library follows redirections, takes a
proxy from the environment, and writes what is sent, the token too, into its log; it is kept from all three.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable
from http import HTTPStatus
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from .....config.urls import is_loopback_url
from .....domain.dhan.streams.order_updates import MESSAGE_BYTES_MAX, login_request, read_update
from .....domain.dhan.tolerant import MalformedAnswerError
from .....messages.broker import OrderUpdated
from ....external import tls_context
from ...access_token import AccessToken, TokenDeadError
from ...updates import Connected, Ending, Ignored, SocketEvent, Unreadable

if TYPE_CHECKING:
    from websockets.asyncio.client import ClientConnection

OPENING_S: Final = 10.0
PING_S: Final = 10.0
"""Between two pings; the far end is given as long again to answer one."""

PROBATION_S: Final = 2.0
"""A connection that ends so soon, and has brought nothing, may be one whose login was refused."""

CLOSING_S: Final = 1.0
QUEUE_MAX: Final = 16
_REASON_MAX: Final = 200

_SILENT: Final = logging.Logger("natya.updates")  # noqa: LOG001  nobody may find it, and turn it on
_SILENT.disabled = True


class TooMuchWaitsError(Exception):
    """More updates wait than `tell` takes."""


class _Straight(connect):
    """Follows no redirect: the token would be sent to whoever answers there."""

    def process_redirect(self, exc: Exception) -> Exception | str:
        """Follow none."""
        return exc


class DhanUpdates:
    """One connection.

    Args:
        url: `wss://…`; `ws://` on this machine alone.
        client_id: whose orders are wanted.
        token: read when it connects.
        ca_file: certificates to trust in the place of certifi's.
        ping_s: between two pings.
    """

    def __init__(
        self, url: str, *, client_id: str, token: AccessToken, ca_file: str | None = None, ping_s: float = PING_S
    ) -> None:
        self._url: Final = url
        self._client_id: Final = client_id
        self._token: Final = token
        self._ca_file: Final = ca_file
        self._ping_s: Final = ping_s
        self._guard: Final = threading.Lock()
        self._is_stopped = False
        self._cancel: Callable[[], object] | None = None
        self._is_on_probation = False

    def run(self, tell: Callable[[SocketEvent], bool]) -> Ending:
        """Connect, and tell what comes until the end."""
        try:
            asyncio.run(self._run(tell))
        except asyncio.CancelledError:
            return Ending(reason="it was stopped")
        except TokenDeadError:
            return Ending(reason="there is no access token that is alive", has_no_token=True)
        except Exception as fault:  # noqa: BLE001  whatever a service makes of the library
            return self._ending(fault)
        return Ending(reason="it was stopped")

    def stop(self) -> None:
        """End it."""
        with self._guard:
            self._is_stopped = True
            if self._cancel is not None:
                self._cancel()

    async def _run(self, tell: Callable[[SocketEvent], bool]) -> None:
        task, loop = asyncio.current_task(), asyncio.get_running_loop()
        assert task is not None
        with self._guard:
            if self._is_stopped:
                return
            self._cancel = lambda: loop.call_soon_threadsafe(task.cancel)
        try:
            await self._talk(tell)
        finally:
            with self._guard:
                self._cancel = None

    async def _talk(self, tell: Callable[[SocketEvent], bool]) -> None:
        is_secure = urlsplit(self._url).scheme == "wss"
        if not is_secure and not is_loopback_url(self._url):
            raise ValueError("wss wanted for another machine than this one")
        token = self._token.reveal()
        async with _Straight(
            self._url,
            ssl=tls_context(self._ca_file) if is_secure else None,
            compression=None,
            max_size=MESSAGE_BYTES_MAX,
            max_queue=QUEUE_MAX,
            open_timeout=OPENING_S,
            ping_interval=self._ping_s,
            ping_timeout=self._ping_s,
            close_timeout=CLOSING_S,
            proxy=None,
            logger=_SILENT,
            user_agent_header="natya",
        ) as socket:
            self._is_on_probation = True
            asyncio.get_running_loop().call_later(PROBATION_S, self._trust)
            await self._log_in(socket, token)
            tell(Connected())
            while True:
                message = await socket.recv()
                self._trust()
                if not tell(self._read(message)):
                    raise TooMuchWaitsError("more updates came than were handled")

    def _trust(self) -> None:
        self._is_on_probation = False

    async def _log_in(self, socket: ClientConnection, token: str) -> None:
        await socket.send(login_request(self._client_id, token))
        pong = await socket.ping()
        await asyncio.wait_for(pong, self._ping_s)

    def _read(self, message: str | bytes) -> SocketEvent:
        try:
            update = read_update(message, self._client_id)
        except MalformedAnswerError as fault:
            return Unreadable(str(fault))
        if update is None:
            return Ignored()
        return OrderUpdated(
            broker_order_id=update.order_no,
            client_order_id=update.correlation_id,
            status=update.status,
            filled=update.traded_qty,
        )

    def _ending(self, fault: Exception) -> Ending:
        status = fault.response.status_code if isinstance(fault, InvalidStatus) else None
        name = type(fault).__name__
        told = self._token.taken_out_of(f"{name}: {fault}" if str(fault) else name)[:_REASON_MAX]
        return Ending(
            reason=told if status is None else f"an opening wanted, found {status}",
            is_told_to_wait=status == HTTPStatus.TOO_MANY_REQUESTS,
            is_login_in_doubt=status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}
            or (self._is_on_probation and isinstance(fault, ConnectionClosed)),
        )
