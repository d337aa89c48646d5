"""One request and its answer: uvicorn's, with head and body of an answer in one piece.

uvicorn writes the head when the application tells it, and the body when that comes: two system calls, two segments, and
a client that is woken twice. ASGI lets a server keep the head until the first part of the body. An answer that is
whole by then, with its length told, is written here; whatever else an application may do is uvicorn's to do.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from uvicorn.protocols.http.httptools_impl import (
    HEADER_RE,
    HEADER_VALUE_RE,
    STATUS_LINE,
    RequestResponseCycle,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Header: TypeAlias = "tuple[bytes, bytes]"

LINES_KEPT: Final = 1_024
_DECIDES: Final = frozenset({b"transfer-encoding", b"connection"})
"""Headers by which the server's own part of an answer depends on what the application says."""


class Cycle(RequestResponseCycle):
    """Keeps the head until there is something of the body. Nothing has been sent until then: `response_started`."""

    kept: Any = None
    """The event that began the answer, until it is sent."""

    on_last: Callable[[], None] | None = None
    """Closes the connection behind its last answer; None: the transport does."""

    async def send(self, message: Any) -> None:
        """Take an event of the application's."""
        head = self.kept
        if head is None:
            if message["type"] == "http.response.start" and not self.response_started:
                self.kept = message
            else:
                await super().send(message)
            return
        if message["type"] == "http.response.start":  # of an error: what was kept is not sent any more
            self.kept = message
            return
        if not self.disconnected:
            await self.flow.drain()
        self.kept = None
        whole = None if self.disconnected else self._whole(head, message)
        if whole is None:
            await super().send(head)
            await super().send(message)
            return
        self.response_started = self.response_complete = True
        self.waiting_for_100_continue = False
        self.transport.write(whole)
        self.message_event.set()
        if not self.keep_alive:
            (self.on_last or self.transport.close)()
        self.on_response()

    def _whole(self, head: Mapping[str, Any], message: Mapping[str, Any]) -> bytes | None:
        """Return the bytes of an answer that is whole; None: it is not, or not an ordinary one."""
        if message["type"] != "http.response.body" or message.get("more_body") or self.scope["method"] == "HEAD":
            return None
        body: bytes = message.get("body", b"")
        parts = [STATUS_LINE[head["status"]]]
        lengths = 0
        for header in (*self.default_headers, *head.get("headers", ())):
            name, line = _line((header[0], header[1]))
            if name == b"content-length":
                lengths += 1
                if header[1] != b"%d" % len(body):
                    return None
            elif name in _DECIDES:
                return None
            parts.append(line)
        if lengths != 1:
            return None
        parts.append(b"\r\n" if self.keep_alive else b"connection: close\r\n\r\n")
        parts.append(body)
        return b"".join(parts)


@functools.lru_cache(maxsize=LINES_KEPT)
def _line(header: Header) -> tuple[bytes, bytes]:
    """Return the name of a header in small letters, and its line.

    Raises:
        RuntimeError: it cannot be one.
    """
    name, value = header
    if HEADER_RE.search(name):
        raise RuntimeError("Invalid HTTP header name.")
    if HEADER_VALUE_RE.search(value):
        raise RuntimeError("Invalid HTTP header value.")
    name = name.lower()
    return name, b"%b: %b\r\n" % (name, value)
