"""The socket of order updates: silent until the login, and then one message for each change of an order."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, ClassVar, Final

import msgspec
import picows

from ....domain.dhan.streams.order_updates import LOGIN_CODE
from .sockets import Socket

if TYPE_CHECKING:
    from .sockets import SocketsServer

LOGIN_S: Final = 10.0
"""Within it the socket of order updates wants a login."""

UPDATES_MAX: Final = 1_000
"""Messages that wait for a client that does not read; it is dropped at one more, and reads the book when it is back."""


class _Login(msgspec.Struct, rename="pascal"):
    msg_code: int = 0
    client_id: str = ""
    token: str = ""


class _LoginRequest(msgspec.Struct, rename="pascal"):
    login_req: _Login


_READ_LOGIN: Final = msgspec.json.Decoder(_LoginRequest)


class OrderSocket(Socket):
    """Of order updates: silent until the login, and then one message for each change of an order."""

    connections_max: ClassVar[int] = 100

    def __init__(self, server: SocketsServer) -> None:
        """Wait for the login."""
        super().__init__(server)
        self.is_known = False
        self._count = 0
        self._late: asyncio.TimerHandle | None = None

    def on_ws_connected(self, transport: Any) -> None:
        """Give the client a moment to log in."""
        super().on_ws_connected(transport)
        self._late = asyncio.get_running_loop().call_later(LOGIN_S, self._give_up)

    def on_ws_disconnected(self, transport: Any) -> None:
        """Wait no more."""
        if self._late is not None:
            self._late.cancel()
        super().on_ws_disconnected(transport)

    def hear(self, text: bytes) -> None:
        """Take a login; whoever does not know the token is cut off without a word."""
        try:
            login = _READ_LOGIN.decode(text).login_req
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            self.reset()
            return
        if login.msg_code != LOGIN_CODE or not self._server.knows(login.token, login.client_id):
            self.reset()
            return
        self.is_known = True

    def tell(self, message: bytes) -> None:
        """Tell of an order; nothing is left out, so who does not read is dropped."""
        if not self.is_known:
            return
        self._count += 1
        if self._is_slow and len(self._waiting) >= UPDATES_MAX:
            self.reset()
        else:
            self.push(self._count, message, picows.WSMsgType.TEXT)

    def resume_writing(self) -> None:
        """Send what waited, as text."""
        self._is_slow = False
        waiting, self._waiting = self._waiting, {}
        for key, message in waiting.items():
            self.push(key, message, picows.WSMsgType.TEXT)

    def refuse(self, _reason: int) -> None:
        """Cut it off."""
        self.reset()

    def _give_up(self) -> None:
        if not self.is_known:
            self.reset()
