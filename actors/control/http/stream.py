"""Server-sent events: the state of the system once a second, as the dashboard shows it.

However many pages are open, and however fast the market is, the actors are asked once a second, and only while a page
is open.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final, Protocol

import msgspec

from ....messages.addresses import CONTROL
from ...observability import ShowView, View
from ...runtime import RequestTimedOut
from ..dashboard.shot import shot_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..operations import Role
    from ..settings import Mode

EVERY_S: Final = 1.0
LOOK_S: Final = 0.25
"""How soon a stream ends when the system does."""

STREAMS_MAX: Final = 8
VIEW_S: Final = 4.0

HEAD: Final = (
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"x-content-type-options", b"nosniff"),
)


class Asking(Protocol):
    """Asks an actor by its name; see `RuntimeActor.requester`."""

    async def __call__(self, target: str, message: Any, *, timeout_s: float) -> Any:
        """Return its answer."""


class Stream:
    """Sends shots to the pages that are open; on the server's thread, but for `close`."""

    def __init__(self, ask: Asking, *, now_ns: Callable[[], int], mode: Mode = "paper", role: Role = "operate") -> None:
        """Begin; `mode` and `role` are told with each shot."""
        self._ask: Final = ask
        self._now_ns: Final = now_ns
        self._told: Final = {"mode": mode, "role": role}
        self._open = 0
        self._is_closed = False
        self._latest = b""
        self._taken_s = float("-inf")
        self._taking = asyncio.Lock()

    @property
    def is_full(self) -> bool:
        """Whether as many are open as there may be."""
        return self._open >= STREAMS_MAX

    def close(self) -> None:
        """End all streams; from any thread."""
        self._is_closed = True

    async def send(self, receive: Any, send: Any) -> None:
        """Send shots until the page is closed, or the system ends."""
        self._open += 1
        gone = asyncio.ensure_future(_gone(receive))
        try:
            await send({"type": "http.response.start", "status": 200, "headers": HEAD})
            while not self._is_closed and not gone.done():
                shot = b"data: %b\n\n" % await self._shot()
                await send({"type": "http.response.body", "body": shot, "more_body": True})
                waited_s = 0.0
                while waited_s < EVERY_S and not self._is_closed and not gone.done():
                    await asyncio.wait({gone}, timeout=LOOK_S)
                    waited_s += LOOK_S
            if not gone.done():
                await send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            self._open -= 1
            gone.cancel()

    async def _shot(self) -> bytes:
        """Return the newest shot, taken now unless another page had it taken within half of the time."""
        loop = asyncio.get_running_loop()
        async with self._taking:
            if loop.time() - self._taken_s > EVERY_S / 2:
                view = await self._view()
                self._latest = msgspec.json.encode(self._told | shot_of(view, wall_ns=self._now_ns()))
                self._taken_s = loop.time()
            return self._latest

    async def _view(self) -> View:
        try:
            view = await self._ask(CONTROL, ShowView(), timeout_s=VIEW_S)
        except RequestTimedOut:
            view = None
        return view if isinstance(view, View) else View(tree=None, statistics={})


async def _gone(receive: Any) -> None:
    """Return when the page has been closed."""
    while (await receive())["type"] != "http.disconnect":
        pass
