"""Errors of the control socket, one for each decision of the caller."""

from __future__ import annotations

from pathlib import Path

from ...messages.control import RefusalKind


class ControlError(Exception):
    """Base of these errors."""


class FrameError(ControlError):
    """The bytes are no frame. Close the connection: where the next one would begin is unknown."""


class SlowReaderError(ControlError):
    """The client does not read its answers, and too many are queued. Close the connection."""


class SocketNotOpenedError(ControlError):
    """The control socket cannot be opened; the text names the path. Correct that, or run without the socket."""


class NotRunningError(ControlError):
    """No system runs in this data directory. Start it, or name another directory."""

    def __init__(self, data_dir: Path, told: str = "") -> None:
        self.data_dir = data_dir
        super().__init__(told or f"no natya daemon runs in {data_dir}")


class NotServingError(NotRunningError):
    """A process has this data directory, and does not listen there: it may trade. Its files may be read."""

    def __init__(self, data_dir: Path, holder_pid: int) -> None:
        self.holder_pid = holder_pid
        has = f"process {holder_pid} has {data_dir}, and answers no requests"
        super().__init__(data_dir, f"{has}: it starts or stops, works on its files, or control.enabled is false")


class ConnectionLostError(ControlError):
    """The system closed the connection, or ended. Whether the request was handled is unknown; connect again."""


class AskRefusedError(ControlError):
    """The request was refused, and no actor received it. Do not repeat it unchanged, unless `kind` is `busy`."""

    def __init__(self, kind: RefusalKind, reason: str) -> None:
        self.kind = kind
        self.reason = reason
        super().__init__(f"{kind}: {reason}")


class AskTimedOutError(ControlError):
    """No answer in time; the request may still be handled. It may be repeated: no admitted request does harm twice."""


class AskFailedError(ControlError):
    """The actor failed at the request, or is down; the text has its reason."""


class TokenFileError(ControlError):
    """The file with the token of the HTTP interface cannot be trusted or made; the text says why. Remove it."""
