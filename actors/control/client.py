"""The client's end of the control socket: requests to the running system of a data directory, from another process."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any, Final, Self

from ...domain.time import SECOND_NS
from ...messages.codec import MESSAGE_SIZE_MAX_BYTES, UndecodableMessageError, decode, encode
from ...messages.control import Answer, Ask, AskRefused
from ...messages.framing import FrameLengthError, FrameReader, framed
from ...messages.supervision import Failed, Unavailable
from . import socket_path
from .errors import AskFailedError, AskRefusedError, AskTimedOutError, ConnectionLostError
from .peer import peer_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from types import TracebackType

    import msgspec

CHUNK_BYTES: Final = 65_536

GRACE_S: Final = 1.0
"""Seconds after the timeout of a request in which the daemon's own refusal may still arrive."""


class ControlClient:
    """One connection, for one thread; a context manager that closes it. After a timeout it can still be used.

    Raises:
        NotRunningError: no system runs in that directory.
        AskRefusedError: one runs, but refuses the connection; see `socket_path.connect`.
    """

    def __init__(self, data_dir: Path, *, monotonic_ns: Callable[[], int], connect_timeout_s: float = 5.0) -> None:
        """Connect. `monotonic_ns` is the clock of timeouts, such as `time.monotonic_ns`."""
        self._data_dir = data_dir
        self._monotonic_ns = monotonic_ns
        self._socket = socket_path.connect(data_dir, timeout_s=connect_timeout_s)
        self._reader = FrameReader(MESSAGE_SIZE_MAX_BYTES, bytes)
        self._arrived: deque[bytes] = deque()
        self._last_request_id = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def daemon_pid(self) -> int:
        """The process that serves the socket, by the kernel's word."""
        return peer_of(self._socket).pid

    def close(self) -> None:
        """Disconnect."""
        self._socket.close()

    def request(self, actor: str, message: msgspec.Struct, *, timeout_s: float = 5.0, correlation_id: str = "") -> Any:
        """Send a message to the actor of that name and return its answer; with a correlation id it can be traced.

        Raises:
            AskRefusedError, AskTimedOutError, ConnectionLostError: see there.
            AskFailedError: the actor answered `Failed` or `Unavailable`.
        """
        answer = decode(self.ask(actor, encode(message), timeout_s=timeout_s, correlation_id=correlation_id))
        if isinstance(answer, Failed):
            raise AskFailedError(f"{answer.actor} failed at {answer.message_type}: {answer.error}: {answer.reason}")
        if isinstance(answer, Unavailable):
            raise AskFailedError(f"{answer.actor} is unavailable: {answer.reason}")
        return answer

    def ask(self, actor: str, message: bytes, *, timeout_s: float = 5.0, correlation_id: str = "") -> bytes:
        """Do the same with encoded messages, whatever the answer is.

        Raises:
            AskRefusedError, AskTimedOutError, ConnectionLostError: see there.
        """
        self._last_request_id += 1
        request_id = self._last_request_id
        by_ns = self._monotonic_ns() + round((timeout_s + GRACE_S) * SECOND_NS)
        question = Ask(
            request_id=request_id, actor=actor, message=message, timeout_s=timeout_s, correlation_id=correlation_id
        )
        self._send(encode(question), by_ns)
        while True:
            reply = self._next_reply(by_ns, timeout_s)
            match reply:
                case Answer() if reply.request_id == request_id:
                    return reply.message
                case AskRefused(kind="timed_out") if reply.request_id == request_id:
                    raise AskTimedOutError(reply.reason)
                case AskRefused() if reply.request_id in {0, request_id}:
                    raise AskRefusedError(reply.kind, reply.reason)
                case Answer() | AskRefused():
                    continue  # the late answer to a request that timed out here
                case _:
                    raise self._lost(f"an answer is wanted, found {type(reply).__name__}")

    def _send(self, payload: bytes, by_ns: int) -> None:
        try:
            self._socket.settimeout(self._left_s(by_ns))
            self._socket.sendall(framed(payload))
        except (BrokenPipeError, ConnectionResetError):
            return  # the daemon may have sent the reason: it is read next
        except OSError as fault:
            # How much of it was sent is unknown: another request would begin in the middle of this one.
            raise self._lost("the question could not be sent") from fault

    def _next_reply(self, by_ns: int, timeout_s: float) -> Any:
        try:
            while not self._arrived:
                self._socket.settimeout(self._left_s(by_ns))
                chunk = self._socket.recv(CHUNK_BYTES)
                if not chunk:
                    raise self._lost("it was closed")
                self._arrived.extend(self._reader.feed(chunk))
            return decode(self._arrived.popleft())
        except TimeoutError as fault:
            raise AskTimedOutError(f"no answer in {timeout_s:g} s") from fault
        except OSError as fault:
            raise self._lost(fault.strerror or str(fault)) from fault
        except (FrameLengthError, UndecodableMessageError) as fault:
            raise self._lost(str(fault)) from fault

    def _left_s(self, by_ns: int) -> float:
        # Not 0: that would make the socket non-blocking instead of timed out.
        return max(1e-6, (by_ns - self._monotonic_ns()) / SECOND_NS)

    def _lost(self, reason: str) -> ConnectionLostError:
        self.close()
        return ConnectionLostError(f"the connection to the daemon in {self._data_dir} was lost: {reason}")
