"""What can go wrong at the control socket: one error a decision."""

from __future__ import annotations

from pathlib import Path

from ...messages.control import RefusalKind


class ControlError(Exception):
    """Base of all of them."""


class FrameError(ControlError):
    """The bytes are no frame. Close the connection: where the next one would begin is unknown."""


class SlowReaderError(ControlError):
    """More answers wait for this connection than may. Close it."""


class SocketNotOpenedError(ControlError):
    """The control socket cannot be opened there; the reason names the path. Mend that, or run without it."""


class NotRunningError(ControlError):
    """No daemon works in this data directory. Start it, or name another directory."""

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir
        super().__init__(f"no natya daemon runs in {data_dir}")


class ConnectionLostError(ControlError):
    """The daemon closed the connection, or ended. Whether the question was handled is unknown; connect again."""


class AskRefusedError(ControlError):
    """The daemon refused the question; no actor saw it. Do not repeat it as it is, unless `kind` is `busy`."""

    def __init__(self, kind: RefusalKind, reason: str) -> None:
        self.kind = kind
        self.reason = reason
        super().__init__(f"{kind}: {reason}")


class AskTimedOutError(ControlError):
    """No answer in the time given; it may still be handled. Ask again: whatever may be asked may be done twice."""


class AskFailedError(ControlError):
    """The actor could not answer: it failed at the question, or is down. The reason is its own."""
