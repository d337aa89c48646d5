"""A client's connection, as the server sees it: its unfinished request, its unread answers, and its time limits."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final

from ...domain.time import SECOND_NS
from ...messages.framing import FrameLengthError, FrameReader, framed
from .errors import FrameError, SlowReaderError

if TYPE_CHECKING:
    import socket

    from ...config.sections.control import ControlSettings
    from .request import Request

CHUNK_BYTES: Final = 65_536
"""Read at once, so that nobody who sends much keeps the others waiting."""


class HungUpError(Exception):
    """The other end is closed."""


class Connection:
    """One client: its unfinished request, its unread answers, and when it must have moved on. Never blocks."""

    def __init__(self, stream: socket.socket, limits: ControlSettings, *, number: int, now_ns: int) -> None:
        stream.setblocking(False)
        self.stream: Final = stream
        self.number: Final = number
        self.in_flight: Final[dict[int, Request]] = {}
        """Requests that wait for their answers, by request id."""

        self.hanging_up = False
        """Nothing more is read, and the connection closes when its answers are read."""

        self._stall_ns = round(limits.stall_s * SECOND_NS)
        self._idle_ns = round(limits.idle_s * SECOND_NS)
        self._unsent_bytes_max = limits.unsent_bytes_max
        self._reader = FrameReader(limits.ask_bytes_max, bytes)
        self._unsent: deque[memoryview] = deque()
        self._unsent_bytes = 0
        self._request_began_ns = self._answer_moved_ns = self._active_ns = now_ns

    @property
    def has_unsent(self) -> bool:
        """Whether answers wait for it to read."""
        return bool(self._unsent)

    def receive(self, now_ns: int) -> list[bytes]:
        """Read what there is, one chunk at most; return the payloads that are complete now.

        Raises:
            HungUpError: it closed its end.
            FrameError: what it sent is no frame.
        """
        try:
            chunk = self.stream.recv(CHUNK_BYTES)
        except BlockingIOError:
            return []
        except OSError as fault:
            raise HungUpError from fault
        if not chunk:
            raise HungUpError
        self._active_ns = now_ns
        began_before = self._reader.unfinished
        try:
            payloads = self._reader.feed(chunk)
        except FrameLengthError as fault:
            raise FrameError(str(fault)) from fault
        if payloads or not began_before:
            self._request_began_ns = now_ns
        return payloads

    def say(self, payload: bytes, now_ns: int) -> None:
        """Queue a payload, and send what the socket takes.

        Raises:
            SlowReaderError: too much waits already.
            HungUpError: it closed its end.
        """
        if self._unsent_bytes + len(payload) > self._unsent_bytes_max:
            raise SlowReaderError(f"{self._unsent_bytes} bytes of answers are not read, {len(payload)} more came")
        if not self._unsent:
            self._answer_moved_ns = now_ns
        frame = memoryview(framed(payload))
        self._unsent.append(frame)
        self._unsent_bytes += len(frame)
        self.flush(now_ns)

    def flush(self, now_ns: int) -> None:
        """Send what the socket takes.

        Raises:
            HungUpError: it closed its end.
        """
        while self._unsent:
            try:
                sent = self.stream.send(self._unsent[0])
            except BlockingIOError:
                return
            except OSError as fault:
                raise HungUpError from fault
            self._unsent_bytes -= sent
            self._answer_moved_ns = self._active_ns = now_ns
            rest = self._unsent.popleft()[sent:]
            if rest:
                self._unsent.appendleft(rest)

    def must_move_by_ns(self) -> int | None:
        """Until when it may stay as it is (monotonic); None while it only waits for answers."""
        due = []
        if self._unsent:
            due.append(self._answer_moved_ns + self._stall_ns)
        if self._reader.unfinished:
            due.append(self._request_began_ns + self._stall_ns)
        if not due and not self.in_flight:
            due.append(self._active_ns + self._idle_ns)
        return min(due, default=None)
