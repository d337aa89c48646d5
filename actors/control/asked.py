"""A question that came through the control socket, and the way back for its answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ...messages.codec import encode
from ...messages.control import Answer, AskRefused, RefusalKind

if TYPE_CHECKING:
    from ...messages.control import Ask
    from .server import ControlServer

REASON_CHARACTERS_MAX: Final = 500
"""A refusal quotes no more than this of what it was sent."""


class Asked:
    """One question, and the way back. Answered after its connection or the server is gone, it does nothing."""

    __slots__ = ("_number", "_server", "ask", "asker", "serial")

    def __init__(self, server: ControlServer, number: int, serial: int, ask: Ask) -> None:
        self.ask: Final = ask
        self.serial: Final = serial
        """Of the question in the server's life: a client may use a request id again as soon as it is answered."""

        self.asker: Final = f"{server.life}-{serial}"
        """Names the question as no other is named, by this server or one before it."""

        self._server = server
        self._number = number

    def answer(self, message: bytes) -> None:
        """Answer with a message, as the codec wrote it; one that is too long becomes a refusal."""
        payload = encode(Answer(request_id=self.ask.request_id, message=message))
        longest = self._server.answer_bytes_max
        if len(payload) > longest:
            self.refuse("too_large", f"an answer has up to {longest} bytes, this one {len(payload)}")
        else:
            self._server.post(self._number, self, payload)

    def refuse(self, kind: RefusalKind, reason: str) -> None:
        """Say why there is no answer."""
        payload = refusal(self.ask.request_id, kind, reason)
        self._server.post(self._number, self, payload, refused=True)


def refusal(request_id: int, kind: RefusalKind, reason: str) -> bytes:
    """Write a refusal as a payload."""
    return encode(AskRefused(request_id=request_id, kind=kind, reason=reason[:REASON_CHARACTERS_MAX]))
