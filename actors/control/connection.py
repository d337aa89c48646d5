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
    from .peer import Peer
    from .request import Request

CHUNK_BYTES: Final = 65_536
"""Bytes read at a time, so that a client that sends much does not delay the others."""


class HungUpError(Exception):
    """The client has closed the connection."""


class Connection:
    """One client: its unfinished request, its unread answers, and its deadline. Never blocks."""

    def __init__(self, stream: socket.socket, limits: ControlSettings, *, number: int, peer: Peer, now_ns: int) -> None:
        stream.setblocking(False)
        self.stream: Final = stream
        self.peer: Final = peer
        self.number: Final = number
        self.in_flight: Final[dict[int, Request]] = {}
        """Pending requests, by request id."""

        self.hanging_up = False
        """Whether the connection is to be closed when its answers have been read; no more requests are read."""

        self._stall_ns = round(limits.stall_s * SECOND_NS)
        self._idle_ns = round(limits.idle_s * SECOND_NS)
        self._unsent_bytes_max = limits.unsent_bytes_max
        self._reader = FrameReader(limits.ask_bytes_max, bytes)
        self._unsent: deque[memoryview] = deque()
        self._unsent_bytes = 0
        self._request_began_ns = self._answer_moved_ns = self._active_ns = now_ns

    @property
    def has_unsent(self) -> bool:
        """Whether there are answers that it has not read."""
        return bool(self._unsent)

    def receive(self, now_ns: int) -> list[bytes]:
        """Read at most one chunk; return the payloads that are complete now.

        Raises:
            HungUpError: the client closed its end.
            FrameError: the bytes are no frame.
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
        """Queue a payload, and send as much as the socket takes.

        Raises:
            SlowReaderError: more than `unsent_bytes_max` are queued.
            HungUpError: the client closed its end.
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
        """Send as much of the queue as the socket takes.

        Raises:
            HungUpError: the client closed its end.
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

    def idle_since_ns(self) -> int | None:
        """Return since when it has asked nothing and is owed nothing (monotonic); None: it has, or is."""
        return None if self._unsent or self.in_flight or self._reader.unfinished else self._active_ns

    def must_move_by_ns(self) -> int | None:
        """Return when it is closed unless it makes progress (monotonic); None while it only waits for answers."""
        due = []
        if self._unsent:
            due.append(self._answer_moved_ns + self._stall_ns)
        if self._reader.unfinished:
            due.append(self._request_began_ns + self._stall_ns)
        if not due and not self.in_flight:
            due.append(self._active_ns + self._idle_ns)
        return min(due, default=None)
