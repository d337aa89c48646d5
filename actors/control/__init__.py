"""The control socket: requests of other processes of the same user, and the client's end of it.

actor         the actor round the server; admission: which messages are let through
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
        SocketNotOpenedError,
    )
    from .request import Request
    from .server import ControlServer
    from .settings import ControlActorSettings

__all__ = [
    "AskFailedError",
    "AskRefusedError",
    "AskTimedOutError",
    "ConnectionLostError",
    "ControlActor",
    "ControlActorSettings",
    "ControlClient",
    "ControlError",
    "ControlServer",
    "NotRunningError",
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
        "SocketNotOpenedError",
    ),
    ".request": ("Request",),
    ".server": ("ControlServer",),
    ".settings": ("ControlActorSettings",),
}

__getattr__ = lazily(__name__, _HOMES)
