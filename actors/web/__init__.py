"""One HTTP server of the process; whoever serves HTTP gives it an application.

actor         `WebActor`, which owns the server and takes applications; mounting: the messages
server        `WebServer`, usable without any actor: a listening socket, and the thread that serves it
protocol      one connection: uvicorn's, with bounds on bytes and time
cycle         one request and its answer: uvicorn's, with head and body in one piece
application   the application above all others: Host, path, what becomes of an error
bodies        reading a body, writing an answer
errors
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...domain.lazily import lazily

if TYPE_CHECKING:
    from .actor import WebActor
    from .application import LOOPBACK_NAMES, Application, is_named
    from .bodies import answer, body_of
    from .errors import AddressTakenError, ClientGoneError, WebError
    from .mounting import Mount, Mounted, Unmount
    from .server import WebServer, expect_free

__all__ = [
    "LOOPBACK_NAMES",
    "AddressTakenError",
    "Application",
    "ClientGoneError",
    "Mount",
    "Mounted",
    "Unmount",
    "WebActor",
    "WebError",
    "WebServer",
    "answer",
    "body_of",
    "expect_free",
    "is_named",
]

_HOMES = {
    ".actor": ("WebActor",),
    ".application": ("LOOPBACK_NAMES", "Application", "is_named"),
    ".errors": ("AddressTakenError", "ClientGoneError", "WebError"),
    ".bodies": ("answer", "body_of"),
    ".mounting": ("Mount", "Mounted", "Unmount"),
    ".server": ("WebServer", "expect_free"),
}

__getattr__ = lazily(__name__, _HOMES)
