"""What the sockets of all kinds have in common. All of it on the server's thread.

A client that reads more slowly than the market moves gets, of each instrument, what is newest when it reads again: what
waits for it is one frame an instrument, and no more.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from typing import TYPE_CHECKING, Any, ClassVar, Final, Protocol

import picows

from ....domain.dhan.streams import subscriptions
from ..wire.market import DayShown
from .encoding import Number
from .faulty import FaultySender
from .frames import beginning

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..stream_faults import StreamFaults

ENDED_S: Final = 2.0
"""Within it a client has read why it is ended, and answered (RFC 6455, 7.1.2); it is cut off else, since what waits for
it would wait for ever."""

LOGIN_S: Final = 10.0
"""Within it a socket that is opened without a token wants a login."""

RESET: Final = struct.pack("ii", 1, 0)
"""Linger: the connection is reset, and what waits is not sent."""

TOKEN_WRONG: Final = 808
_SAID: Final = frozenset({picows.WSMsgType.TEXT, picows.WSMsgType.BINARY, picows.WSMsgType.CONTINUATION})


class Streamed(DayShown):
    """What the market has shown of an instrument, and whether its open interest moved with the newest tick."""

    __slots__ = ("interest_moved",)

    interest_moved: bool


class SocketsServer(Protocol):
    """What a socket wants of the server that it is of (`server.StreamServer`)."""

    is_flushing: bool
    """Whether what is pushed is written at its end, all together: those that have something are in `written`."""

    written: list[Socket]
    sent: int
    conflated: int

    @property
    def faults(self) -> StreamFaults | None:
        """Faults on demand."""

    @property
    def knows(self) -> Callable[[str, str], bool]:
        """Whether a token and a client id are right."""

    @property
    def knows_partner(self) -> Callable[[str, str], bool]:
        """Whether a partner's id and secret are right."""

    def add(self, added: Socket) -> None:
        """Count a socket, and let it hear."""

    def remove(self, removed: Socket) -> None:
        """Forget it."""

    def fail(self, fault: Exception) -> None:
        """Tell the owner of a fault of ours."""

    def make_room(self, taken_in: Socket) -> None:
        """End the oldest of its kind if the client has too many."""

    def subscribe(self, who: Socket, number: Number) -> Streamed | None:
        """Tell a socket of an instrument from now on; what the market has shown of it, if anything."""

    def unsubscribe(self, who: Socket, number: Number) -> None:
        """Tell it no more."""


class Socket(picows.WSListener):
    """What all kinds have in common."""

    connections_max: ClassVar[int] = subscriptions.CONNECTIONS_MAX
    """Of a client; one more ends the oldest."""

    logs_in: ClassVar[bool] = False
    """Whether what it says first is who it is, since its address does not."""

    def __init__(self, server: SocketsServer) -> None:
        """Wait for the connection."""
        super().__init__()
        self._server: Final = server
        self.path = ""
        self._transport: Any = None
        self._leaving: Any = None
        """Its transport, once it was ended, until the client has answered the close frame."""

        self._cut: asyncio.TimerHandle | None = None
        self._send: Callable[[Any, bytes], None]
        self._faulty: FaultySender | None = None
        self._is_slow = False
        self._heard_s = 0.0
        """When it answered a ping: seconds of the loop."""

        self._said = bytearray()
        """What has come of a message that is sent in several frames."""

        self._waiting: dict[Any, bytes] = {}
        self._together: list[bytes] = []
        """Frames, each with its header, that are written at once."""

        self.refusal = 0
        """Reason for which it is ended as soon as it is open, such as a token that is none."""

        self.is_known = not self.logs_in
        """Whether it has said who it is."""

        self._late: asyncio.TimerHandle | None = None
        self.is_mute = False
        """Whether it neither pings nor answers pings."""

    def on_ws_connected(self, transport: Any) -> None:
        """Be one of the server's."""
        self._transport = transport
        self._send = transport.send
        faults = self._server.faults
        if faults is not None:
            self._faulty = FaultySender(self, transport, self.path, faults)
            self._send = self._faulty.send
        self._heard_s = asyncio.get_running_loop().time()
        self._server.add(self)
        if self.refusal:
            self.refuse(self.refusal)
        elif self.logs_in:
            self._late = asyncio.get_running_loop().call_later(LOGIN_S, self.refuse, TOKEN_WRONG)

    def let_in(self) -> None:
        """Know who it is."""
        if self._late is not None:
            self._late.cancel()
        if not self.is_known:
            self.is_known = True
            self._server.make_room(self)

    def on_ws_disconnected(self, _transport: Any) -> None:
        """Be none of them."""
        self._transport = self._leaving = None
        for timer in (self._cut, self._late):
            if timer is not None:
                timer.cancel()
        if self._faulty is not None:
            self._faulty.close()
        self._waiting.clear()
        self._server.remove(self)

    def on_ws_frame(self, transport: Any, frame: Any) -> None:
        """Take what a client says; after the end, its answer alone."""
        if frame.msg_type == picows.WSMsgType.CLOSE:
            if self._transport is not None:
                transport.send_close(picows.WSCloseCode.OK)
            transport.disconnect()
        elif self._transport is None:
            return
        elif frame.msg_type == picows.WSMsgType.PONG:
            self._heard_s = asyncio.get_running_loop().time()
        elif frame.msg_type == picows.WSMsgType.PING:
            if not self.is_mute and not self._is_slow:  # who does not read and goes on asking has no answer
                transport.send_pong(frame.get_payload_as_bytes())
        elif frame.msg_type in _SAID:
            try:
                self._take(frame)
            except Exception as fault:
                self._server.fail(fault)
                raise

    def _take(self, frame: Any) -> None:
        """Take a message, or a part of one: what cannot be read is refused, and never left out without a word."""
        self._said += frame.get_payload_as_memoryview()
        if len(self._said) > subscriptions.REQUEST_BYTES_MAX:
            self.reset()
        elif frame.fin:
            said = bytes(self._said)
            self._said.clear()
            self.hear(said)

    def beat(self, now_s: float, *, pong_s: float) -> None:
        """Ping it, or cut it off if it has answered no ping for so long."""
        if self._transport is None:
            return
        if now_s - self._heard_s > pong_s:
            self.reset()
        elif not self.is_mute:
            self._transport.send_ping()

    def hear(self, text: bytes) -> None:
        """Take a request."""
        raise NotImplementedError

    def refuse(self, reason: int) -> None:
        """End it for a reason, one of `packets.REASONS`."""
        raise NotImplementedError

    def show(self, number: Number, shown: Streamed, made: dict[str, bytes]) -> None:
        """Send what is subscribed to of an instrument; `made`: the packets of this tick that others were sent."""
        raise NotImplementedError

    def pause_writing(self) -> None:
        """Keep what is newest: the client does not read."""
        self._is_slow = True

    def resume_writing(self) -> None:
        """Send what is newest."""
        self._is_slow = False
        waiting, self._waiting = self._waiting, {}
        for key, frame in waiting.items():
            self.push(key, frame)

    def push(self, key: Any, frame: bytes, kind: Any = picows.WSMsgType.BINARY) -> None:
        """Send a frame; of one key only the newest waits."""
        if self._transport is None:
            return
        if self._is_slow:
            self._server.conflated += key in self._waiting
            self._waiting[key] = frame
        elif self._faulty is None and self._server.is_flushing:
            if not self._together:
                self._server.written.append(self)
            self._together.append(beginning(kind, len(frame)) + frame)
        else:
            self._server.sent += 1
            self._send(kind, frame)

    def write(self) -> None:
        """Write what was pushed during a flush: as many frames, by one call of the system."""
        frames, self._together = self._together, []
        if frames and self._transport is not None:
            self._server.sent += len(frames)
            self._transport.underlying_transport.write(b"".join(frames))

    def end(self, last: bytes = b"") -> None:
        """Say why, and close when the client has answered: a connection that goes before is reset by the answer.

        A reset may overtake what was said, and the client would never read why.
        """
        if self.is_mute:
            self.reset()
            return
        self.write()
        transport, self._transport = self._transport, None
        if transport is None:
            return
        if self._faulty is not None:
            self._faulty.close()
        if last:
            transport.send(picows.WSMsgType.BINARY, last)
        transport.send_close(picows.WSCloseCode.OK)
        self._leaving = transport
        # What the system has taken from us is still read by a client that is late: this is no reset.
        self._cut = asyncio.get_running_loop().call_later(ENDED_S, transport.disconnect, False)

    def reset(self) -> None:
        """Close without a word more."""
        transport, self._transport, self._leaving = self._transport or self._leaving, None, None
        if transport is not None:
            connection = transport.underlying_transport.get_extra_info("socket")
            with contextlib.suppress(OSError):  # it is closed
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            transport.disconnect(graceful=False)

    @property
    def is_open(self) -> bool:
        """Whether it is neither ended nor reset."""
        return self._transport is not None
