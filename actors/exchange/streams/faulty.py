"""A socket's way out where faults may be asked for: each frame is sent, or meets its fault. On the server's thread."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final, Protocol

import picows

from ..stream_faults import LASTING, StreamFault, StreamFaults, garbage, of_wrong_length
from .frames import beginning

if TYPE_CHECKING:
    from collections.abc import Callable

LATE_MAX: Final = 1_000
"""Frames of a socket that are sent later; one more is sent at once."""

DRIPPING_BYTES_MAX: Final = 64 * 1024
"""What may wait to drip; the socket is cut off at more."""

TOKEN_EXPIRED: Final = 807


class Ends(Protocol):
    """The socket whose frames these are."""

    is_mute: bool

    def refuse(self, reason: int) -> None:
        """End it for a reason."""

    def end(self) -> None:
        """Close it."""

    def reset(self) -> None:
        """Cut it off."""

    def pause_writing(self) -> None:
        """Keep what is newest."""

    def resume_writing(self) -> None:
        """Send what is newest."""


class FaultySender:
    """Sends the frames of one socket."""

    def __init__(self, socket: Ends, transport: Any, path: str, faults: StreamFaults) -> None:
        """Begin without a fault."""
        self._socket: Final = socket
        self._transport: Final = transport
        self._path: Final = path
        self._faults: Final = faults
        self._lasting: StreamFault | None = None
        self._late: Final[set[asyncio.TimerHandle]] = set()
        self._overtaken: asyncio.TimerHandle | None = None
        self._send_overtaken: Callable[[], None] | None = None
        self._dripping = bytearray()
        self._next_drop: asyncio.TimerHandle | None = None

    def close(self) -> None:
        """Send nothing any more: the connection is lost."""
        for each in (*self._late, self._overtaken, self._next_drop):
            if each is not None:
                each.cancel()

    def send(self, kind: Any, frame: bytes) -> None:
        """Send a frame, or let it meet its fault."""
        if self._lasting is not None:
            return
        if self._dripping:  # a frame within a frame would be none
            self._drip_too(kind, frame)
            return
        fault = self._faults.at_frame(self._path)
        if fault is None:
            self._transport.send(kind, frame)
        elif fault.kind in LASTING:
            self._last(fault)
            return
        else:
            self._spoil(fault, kind, frame)
            if fault.kind == "reordered":
                return
        if self._send_overtaken is not None:
            self._send_overtaken()

    def _last(self, fault: StreamFault) -> None:
        self._lasting = fault
        if fault.kind == "dropped":
            self._socket.reset()
        elif fault.kind == "closed":
            self._socket.end()
        elif fault.kind == "ended":
            self._socket.refuse(fault.reason or TOKEN_EXPIRED)
        elif fault.kind == "silent":
            self._socket.is_mute = True
            self._transport.underlying_transport.pause_reading()

    def _spoil(self, fault: StreamFault, kind: Any, frame: bytes) -> None:
        rng, is_text = self._faults.random, kind == picows.WSMsgType.TEXT
        if fault.kind == "garbage":
            self._transport.send(kind, garbage(rng, is_text=is_text))
        elif fault.kind == "wrong_length":
            self._transport.send(kind, of_wrong_length(rng, frame, is_text=is_text))
        elif fault.kind == "duplicated":
            self._transport.send(kind, frame)
            self._transport.send(kind, frame)
        elif fault.kind == "delayed":
            self._send_later(kind, frame, fault.seconds)
        elif fault.kind == "reordered":
            self._let_overtake(kind, frame, fault.seconds)
        elif fault.kind == "dripping":
            self._socket.is_mute = True  # a ping within a frame would be none of it
            self._socket.pause_writing()
            self._drip_too(kind, frame)
            self._drip(fault.seconds)

    def _send_later(self, kind: Any, frame: bytes, seconds: float) -> None:
        if len(self._late) >= LATE_MAX:
            self._transport.send(kind, frame)
            return

        def send() -> None:
            self._late.discard(handle)
            self._send_whole(kind, frame)

        handle = asyncio.get_running_loop().call_later(seconds, send)
        self._late.add(handle)

    def _let_overtake(self, kind: Any, frame: bytes, seconds: float) -> None:
        if self._send_overtaken is not None:  # two of them in a row: the first goes first
            self._send_overtaken()

        def send() -> None:
            handle.cancel()
            self._overtaken = self._send_overtaken = None
            self._send_whole(kind, frame)

        self._overtaken = handle = asyncio.get_running_loop().call_later(seconds, send)
        self._send_overtaken = send

    def _send_whole(self, kind: Any, frame: bytes) -> None:
        if self._dripping:
            self._drip_too(kind, frame)
        elif self._lasting is None:
            self._transport.send(kind, frame)

    def _drip_too(self, kind: Any, frame: bytes) -> None:
        if len(self._dripping) + len(frame) > DRIPPING_BYTES_MAX:
            self._socket.reset()
            return
        self._dripping += beginning(kind, len(frame)) + frame

    def _drip(self, seconds: float) -> None:
        self._transport.underlying_transport.write(bytes(self._dripping[:1]))
        del self._dripping[:1]
        if self._dripping:
            self._next_drop = asyncio.get_running_loop().call_later(seconds, self._drip, seconds)
        else:
            self._socket.is_mute = False
            self._socket.resume_writing()
