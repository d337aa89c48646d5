"""Reading a request's body and writing an answer, for applications that are written by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from .errors import ClientGoneError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

JSON: Final = b"application/json"
TEXT: Final = b"text/plain; charset=utf-8"


async def body_of(receive: Callable[[], Awaitable[Mapping[str, Any]]]) -> bytes:
    """Read the whole body; the server bounds its length and the time it takes.

    Raises:
        ClientGoneError: the client has disconnected in its middle.
    """
    whole = b""
    while True:
        part = await receive()
        if part["type"] != "http.request":
            raise ClientGoneError("the client has disconnected in the middle of a body")
        piece: bytes = part["body"]
        whole = whole + piece if whole else piece
        if not part["more_body"]:
            return whole


async def answer(
    send: Callable[[Mapping[str, Any]], Awaitable[None]],
    status: int,
    body: bytes = b"",
    *,
    content_type: bytes = JSON,
    headers: Sequence[tuple[bytes, bytes]] = (),
) -> None:
    """Write a whole answer."""
    head = [(b"content-length", b"%d" % len(body)), *headers]
    if body:
        head.append((b"content-type", content_type))
    await send({"type": "http.response.start", "status": status, "headers": head})
    await send({"type": "http.response.body", "body": body})
