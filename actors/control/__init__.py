"""The control room: the daemon's socket for other processes of the same user, and the client's end of it."""

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
