"""The control socket: requests of other processes of the same user, and the client's end of it.

operations    every operation that may be asked from outside, once
actor         the actor round the server: passes admitted requests on
auditing      who asked for what, and what came of it: in the log and in the journal
looking       asks all actors how they are, for health and metrics; pinging: the services of the container
http/         the operations over HTTP: its application is given to the web server; dashboard/: the page
forms         arguments and answers by name
server        the listening socket and its connections; connection, request, peer: one each
client        the other end; socket_path: where both find each other
settings, errors
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...domain.lazily import lazily

if TYPE_CHECKING:
    from .actor import ControlActor
    from .client import ControlClient
    from .errors import (
        AskFailedError,
        AskRefusedError,
        AskTimedOutError,
        ConnectionLostError,
        ControlError,
        NotRunningError,
        NotServingError,
        SocketNotOpenedError,
    )
    from .http.asking import Operate
    from .operations import BY_NAME, OPERATIONS, Operation
    from .request import Request
    from .server import ControlServer
    from .settings import ControlActorSettings, Mode

__all__ = [
    "BY_NAME",
    "OPERATIONS",
    "AskFailedError",
    "AskRefusedError",
    "AskTimedOutError",
    "ConnectionLostError",
    "ControlActor",
    "ControlActorSettings",
    "ControlClient",
    "ControlError",
    "ControlServer",
    "Mode",
    "NotRunningError",
    "NotServingError",
    "Operate",
    "Operation",
    "Request",
    "SocketNotOpenedError",
]

_HOMES = {
    ".actor": ("ControlActor",),
    ".client": ("ControlClient",),
    ".errors": (
        "AskFailedError",
        "AskRefusedError",
        "AskTimedOutError",
        "ConnectionLostError",
        "ControlError",
        "NotRunningError",
        "NotServingError",
        "SocketNotOpenedError",
    ),
    ".http.asking": ("Operate",),
    ".operations": ("BY_NAME", "OPERATIONS", "Operation"),
    ".request": ("Request",),
    ".server": ("ControlServer",),
    ".settings": ("ControlActorSettings", "Mode"),
}

__getattr__ = lazily(__name__, _HOMES)
