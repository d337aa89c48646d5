"""The socket of order updates: silent until the login, and then one message for each change of an order."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

import msgspec
import picows

from ....domain.dhan.streams.order_updates import LOGIN_CODE
from .sockets import Socket

if TYPE_CHECKING:
    from .sockets import SocketsServer

PARTNER: Final = "PARTNER"
UPDATES_MAX: Final = 1_000
"""Messages that wait for a client that does not read; it is dropped at one more, and reads the book when it is back."""


class _Login(msgspec.Struct, rename="pascal"):
    msg_code: int = 0
    client_id: str = ""
    token: str = ""


class _LoginRequest(msgspec.Struct, rename="pascal"):
    login_req: _Login
    user_type: str = ""
    secret: str = ""
    """Of a partner, who hears of the orders of all its clients: here of the only one's."""


_READ_LOGIN: Final = msgspec.json.Decoder(_LoginRequest)


class OrderSocket(Socket):
    """A socket of order updates: silent until the login, then one message for each change of an order."""

    connections_max: ClassVar[int] = 100
    logs_in = True

    def __init__(self, server: SocketsServer) -> None:
        """Wait for the login."""
        super().__init__(server)
        self._count = 0

    def hear(self, text: bytes) -> None:
        """Take a login; whoever does not know the token is cut off without a word."""
        try:
            asked = _READ_LOGIN.decode(text)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            self.reset()
            return
        login = asked.login_req
        if asked.user_type == PARTNER:
            is_right = self._server.knows_partner(login.client_id, asked.secret)
        else:
            is_right = self._server.knows(login.token, login.client_id)
        if login.msg_code == LOGIN_CODE and is_right:
            self.let_in()
        else:
            self.reset()

    def tell(self, message: bytes) -> None:
        """Tell of an order; nothing is left out, so who does not read is dropped."""
        if not self.is_known:
            return
        self._count += 1
        if len(self._waiting) >= UPDATES_MAX:
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
