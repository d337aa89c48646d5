"""The web actor: serves the applications that other actors give it.

Owns    one WebServer: its listening socket, its connections, and the thread that serves them.
Hears   Mount, Unmount.
Sends   Mounted or MountRefused to the sender of a Mount.
Fails   when the address cannot be listened on, or the server ends unasked; not by what a client or an application does.
        Restarted, it has its listening socket and its applications again (hand-over); open connections are lost.

An application runs on the server's thread: it asks actors by the `requester` of the actor that gave it. A connection
has one request answered at a time, so that `web.connections_max` bounds those that ask at once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import msgspec

from ...config.sections.web import WebSettings
from ..runtime import RuntimeActor, handles
from .errors import WebError
from .mounting import Mount, Mounted, MountRefused, Unmount
from .server import WebServer

if TYPE_CHECKING:
    import socket

    from ...messages.web import WebStatistics
    from ..runtime import ActorAddress, Outcome


class ApplicationFailed(msgspec.Struct, frozen=True):
    """To itself, from the server's thread: an application failed at a request."""

    path: str
    error: str


class WebActor(RuntimeActor):
    """Takes applications, and serves them."""

    background: ClassVar[bool] = True  # the job that serves never ends: a simulated market would wait for it for ever
    system_time: ClassVar[bool] = True  # clients wait in real time

    settings: WebSettings

    def on_start(self) -> None:
        """Listen and serve."""
        enter = self.entrance()

        def failed(path: str, fault: Exception) -> None:
            enter(ApplicationFailed(path=path, error=f"{type(fault).__name__}: {fault}"[:500]))

        listener, mounts = self.inherited or (None, ())
        self._server = WebServer(self.settings, listener=listener, on_failure=failed)
        for path, owner, application in mounts:
            self._server.application.mount(path, application, owner=owner)
        self.offload(self._server.serve, then=self._served)
        self.log("web.opened", url=self._server.url)

    def snapshot(self) -> tuple[socket.socket, tuple[Any, ...]]:
        """Hand over the listening socket, since the failed server may need a moment to close, and the applications."""
        return self._server.listener_copy(), self._server.application.mounts()

    def restore(self, state: tuple[socket.socket, tuple[Any, ...]]) -> None:
        """Do nothing: `on_start` has taken it."""

    def on_stop(self) -> None:
        """Close the server."""
        self._server.close()

    def is_drained(self) -> bool:
        """Stop serving, which would not end by itself; answers that are being made are sent first."""
        self._server.close()
        return True

    def statistics(self) -> WebStatistics:
        """Return the counts of the server."""
        return self._server.statistics()

    @handles(Mount, from_outside=True)
    def mount(self, request: Mount, sender: ActorAddress) -> None:
        """Serve an application."""
        try:
            self._server.application.mount(request.path, request.application, owner=request.owner)
        except WebError as refusal:
            self.send(sender, MountRefused(error=refusal))
        else:
            self.send(sender, Mounted(url=f"{self._server.url}{request.path}"))

    @handles(Unmount, from_outside=True)
    def unmount(self, request: Unmount, _sender: ActorAddress) -> None:
        """Serve it no more."""
        self._server.application.unmount(request.owner)

    @handles(ApplicationFailed)
    def report(self, failure: ApplicationFailed, _sender: ActorAddress) -> None:
        """Log it."""
        self.log_bounded("web.application_failed", level="error", path=failure.path, error=failure.error)

    def _served(self, outcome: Outcome) -> None:
        outcome.unwrap()
