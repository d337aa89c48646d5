"""A request that came through the control socket, and how it is answered."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final, TypeAlias

from ...messages.codec import encode
from ...messages.control import Answer, AskRefused, RefusalKind

if TYPE_CHECKING:
    from ...messages.control import Ask
    from .peer import Peer

REASON_CHARACTERS_MAX: Final = 500
"""Longest reason in a refusal."""

Post: TypeAlias = Callable[["Request", bytes, bool], object]
"""Sends the payload of an answer back; True: it is a refusal. Thread-safe."""


class Request:
    """One request. An answer after its connection, or the server, has closed has no effect."""

    __slots__ = ("_answer_bytes_max", "_post", "ask", "asker", "connection", "peer")

    def __init__(  # noqa: PLR0913  what the server says of it
        self, ask: Ask, *, connection: int, peer: Peer, asker: str, answer_bytes_max: int, post: Post
    ) -> None:
        self.ask: Final = ask
        self.connection: Final = connection
        """Number of the connection that it came through."""

        self.peer: Final = peer
        """The process that asks."""

        self.asker: Final = asker
        """Name of the request, unique also across restarts of the server; see `messages.database.Abandon`."""

        self._answer_bytes_max = answer_bytes_max
        self._post = post

    def answer(self, message: bytes) -> None:
        """Answer with an encoded message; a too long one becomes a refusal."""
        payload = encode(Answer(request_id=self.ask.request_id, message=message))
        longest = self._answer_bytes_max
        if len(payload) > longest:
            self.refuse("too_large", f"an answer has up to {longest} bytes, this one {len(payload)}")
        else:
            self._post(self, payload, False)

    def refuse(self, kind: RefusalKind, reason: str) -> None:
        """Answer with a refusal."""
        self._post(self, refusal(self.ask.request_id, kind, reason), True)


def refusal(request_id: int, kind: RefusalKind, reason: str) -> bytes:
    """Encode a refusal as a payload."""
    return encode(AskRefused(request_id=request_id, kind=kind, reason=reason[:REASON_CHARACTERS_MAX]))
