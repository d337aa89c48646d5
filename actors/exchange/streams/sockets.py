"""One socket of each kind: what a client may ask, and what it is told. All of it on the server's thread.

A client that reads more slowly than the market moves gets, of each instrument, what is newest when it reads again: what
waits for it is one frame an instrument, and no more.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import socket
import struct
from typing import TYPE_CHECKING, Any, ClassVar, Final

import msgspec
import picows

from ....domain.dhan.streams import depth as deep
from ....domain.dhan.streams import packets, subscriptions
from ....domain.dhan.streams.order_updates import LOGIN_CODE
from ....domain.dhan.streams.subscriptions import SubscriptionError
from ..wire.market import DayShown
from . import encoding
from .encoding import Number
from .faulty import FaultySender

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from ....domain.dhan.streams.subscriptions import Mode
    from .server import StreamServer

LOGIN_S: Final = 10.0
"""Within it the socket of order updates wants a login."""

UPDATES_MAX: Final = 1_000
"""Messages that wait for a client that does not read; it is dropped at one more, and reads the book when it is back."""

ENDED_S: Final = 2.0
"""Within it a client has read why it is ended; it is cut off else, since what waits for it would wait for ever."""

RESET: Final = struct.pack("ii", 1, 0)
"""Linger: the connection is reset, and what waits is not sent."""

TOO_MANY_INSTRUMENTS: Final = 804
REQUEST_INVALID: Final = 814
TOKEN_WRONG: Final = 808
_TEXT: Final = 1
_BINARY: Final = 2
_TWO_BYTES_MAX: Final = 65_535
_SHORT: Final = 126
"""Of a payload: from this length on it is told in two bytes more, above `_TWO_BYTES_MAX` in eight."""

INDEX: Final = packets.SEGMENT_NUMBERS["IDX_I"]


@functools.cache
def _beginning(kind: Any, length: int) -> bytes:
    """Return the header of a frame that is whole and of a server: unmasked."""
    first = 0x80 | (_TEXT if kind == picows.WSMsgType.TEXT else _BINARY)
    if length < _SHORT:
        return bytes((first, length))
    if length <= _TWO_BYTES_MAX:
        return struct.pack(">BBH", first, _SHORT, length)
    return struct.pack(">BBQ", first, _SHORT + 1, length)


class Streamed(DayShown):
    """What the market has shown of an instrument, and whether its open interest moved with the newest tick."""

    __slots__ = ("interest_moved",)

    interest_moved: bool


class Socket(picows.WSListener):
    """What all kinds have in common."""

    connections_max: ClassVar[int] = subscriptions.CONNECTIONS_MAX
    """Of a client; one more ends the oldest."""

    def __init__(self, server: StreamServer) -> None:
        """Wait for the connection."""
        super().__init__()
        self._server: Final = server
        self.path = ""
        self._transport: Any = None
        self._send: Callable[[Any, bytes], None]
        self._faulty: FaultySender | None = None
        self._is_slow = False
        self._heard_s = 0.0
        """When it answered a ping: seconds of the loop."""

        self._waiting: dict[Any, bytes] = {}
        self._together: list[bytes] = []
        """Frames, each with its header, that are written at once."""

        self.refusal = 0
        """Reason for which it is ended as soon as it is open, such as a token that is none."""

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
        if self.refusal:
            self.refuse(self.refusal)
        else:
            self._server.add(self)

    def on_ws_disconnected(self, _transport: Any) -> None:
        """Be none of them."""
        self._transport = None
        if self._faulty is not None:
            self._faulty.close()
        self._waiting.clear()
        self._server.remove(self)

    def on_ws_frame(self, transport: Any, frame: Any) -> None:
        """Take what a client says."""
        if frame.msg_type == picows.WSMsgType.CLOSE:
            transport.send_close(picows.WSCloseCode.OK)
            transport.disconnect()
        elif frame.msg_type == picows.WSMsgType.PONG:
            self._heard_s = asyncio.get_running_loop().time()
        elif frame.msg_type == picows.WSMsgType.PING:
            if not self.is_mute and not self._is_slow:  # who does not read and goes on asking has no answer
                transport.send_pong(frame.get_payload_as_bytes())
        elif frame.msg_type == picows.WSMsgType.TEXT and frame.fin:
            try:
                self.hear(frame.get_payload_as_bytes())
            except Exception as fault:
                self._server.fail(fault)
                raise

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
            self._together.append(_beginning(kind, len(frame)) + frame)
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
        """Say why, and close."""
        if self.is_mute:
            self.reset()
            return
        self.write()
        transport, self._transport = self._transport, None
        if transport is not None:
            if last:
                transport.send(picows.WSMsgType.BINARY, last)
            transport.send_close(picows.WSCloseCode.OK)
            transport.disconnect()
            asyncio.get_running_loop().call_later(ENDED_S, transport.disconnect, False)

    def reset(self) -> None:
        """Close without a word."""
        transport, self._transport = self._transport, None
        if transport is not None:
            connection = transport.underlying_transport.get_extra_info("socket")
            with contextlib.suppress(OSError):  # it is closed
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            transport.disconnect(graceful=False)

    @property
    def is_open(self) -> bool:
        """Whether it is neither ended nor reset."""
        return self._transport is not None


class FeedSocket(Socket):
    """Of the market feed: tickers, quotes, full packets."""

    def __init__(self, server: StreamServer) -> None:
        """Be subscribed to nothing."""
        super().__init__(server)
        self.modes: Final[dict[Number, Mode]] = {}

    def hear(self, text: bytes) -> None:
        """Subscribe, unsubscribe or end."""
        try:
            asked = subscriptions.read_request(text)
        except SubscriptionError:
            self.refuse(REQUEST_INVALID)
            return
        code = asked.request_code
        if code == subscriptions.DISCONNECT:
            self.end()
            return
        numbers = _numbers(asked.instrument_list)
        if len(asked.instrument_list) > subscriptions.INSTRUMENTS_A_MESSAGE:
            self.refuse(TOO_MANY_INSTRUMENTS)
        elif code in subscriptions.MODES:
            self._subscribe(subscriptions.MODES[code], numbers)
        elif code - 1 in subscriptions.MODES:
            for number in numbers:
                if self.modes.pop(number, None) is not None:
                    self._server.unsubscribe(self, number)
        else:
            self.refuse(REQUEST_INVALID)

    def refuse(self, reason: int) -> None:
        """End it for a reason."""
        self.end(encoding.ended(reason))

    def _subscribe(self, mode: Mode, numbers: list[Number]) -> None:
        if len(self.modes.keys() | set(numbers)) > subscriptions.INSTRUMENTS_A_CONNECTION:
            self.refuse(TOO_MANY_INSTRUMENTS)
            return
        for number in numbers:
            self.modes[number] = "ticker" if number.segment == INDEX else mode
            shown = self._server.subscribe(self, number)
            if shown is not None:
                self.push((number, 0), encoding.previous_close(number, shown))
                self.show(number, shown, {}, is_first=True)

    def show(self, number: Number, shown: Streamed, made: dict[str, bytes], *, is_first: bool = False) -> None:
        """Send it in the form that was asked for; open interest with quotes, when it moved."""
        mode = self.modes[number]
        frame = made.get(mode)
        if frame is None:
            frame = made[mode] = _MAKERS[mode](number, shown)
        self.push(number, frame)
        if mode == "quote" and (is_first or shown.interest_moved):
            interest = encoding.open_interest_of(shown)
            if interest:
                self.push((number, 1), encoding.open_interest(number, shown))


_MAKERS: Final = {"ticker": encoding.ticker, "quote": encoding.quote, "full": encoding.full}


class DepthSocket(Socket):
    """Of twenty levels."""

    levels: ClassVar[int] = deep.LEVELS
    instruments_max: ClassVar[int] = subscriptions.DEPTH_INSTRUMENTS_MAX

    def __init__(self, server: StreamServer) -> None:
        """Be subscribed to nothing."""
        super().__init__(server)
        self.numbers: Final[set[Number]] = set()

    def hear(self, text: bytes) -> None:
        """Subscribe, unsubscribe or end."""
        try:
            code, listed = self._read(text)
        except SubscriptionError:
            self.refuse(REQUEST_INVALID)
            return
        numbers = _numbers(each for each in listed if each.exchange_segment in deep.SEGMENTS)
        if code == subscriptions.DISCONNECT:
            self.end()
        elif code == subscriptions.DEPTH:
            if len(self.numbers | set(numbers)) > self.instruments_max:
                self.refuse(TOO_MANY_INSTRUMENTS)
                return
            for number in numbers:
                self.numbers.add(number)
                shown = self._server.subscribe(self, number)
                if shown is not None:
                    self.show(number, shown, {})
        elif code in subscriptions.DEPTH_ENDS:
            for number in numbers:
                self.numbers.discard(number)
                self._server.unsubscribe(self, number)
        else:
            self.refuse(REQUEST_INVALID)

    def refuse(self, reason: int) -> None:
        """End it for a reason."""
        self.end(encoding.depth_ended(reason))

    def show(self, number: Number, shown: Streamed, made: dict[str, bytes]) -> None:
        """Send both sides of the book."""
        kind = f"depth {self.levels}"
        frame = made.get(kind)
        if frame is None:
            frame = made[kind] = encoding.depth(number, shown, levels=self.levels)
        self.push(number, frame)

    def _read(self, text: bytes) -> tuple[int, tuple[subscriptions.Listed, ...]]:
        asked = subscriptions.read_request(text)
        return asked.request_code, asked.instrument_list


class DeepSocket(DepthSocket):
    """Of two hundred levels: one instrument."""

    levels: ClassVar[int] = deep.LEVELS_MAX
    instruments_max: ClassVar[int] = 1

    def _read(self, text: bytes) -> tuple[int, tuple[subscriptions.Listed, ...]]:
        with contextlib.suppress(SubscriptionError):
            asked = subscriptions.read_deep_request(text)
            return asked.request_code, (subscriptions.Listed(asked.exchange_segment, asked.security_id),)
        return super()._read(text)  # the official client ends with the form of the other feeds


class _Login(msgspec.Struct, rename="pascal"):
    msg_code: int = 0
    client_id: str = ""
    token: str = ""


class _LoginRequest(msgspec.Struct, rename="pascal"):
    login_req: _Login


_READ_LOGIN: Final = msgspec.json.Decoder(_LoginRequest)


class OrderSocket(Socket):
    """Of order updates: silent until the login, and then one message for each change of an order."""

    connections_max: ClassVar[int] = 100

    def __init__(self, server: StreamServer) -> None:
        """Wait for the login."""
        super().__init__(server)
        self.is_known = False
        self._count = 0
        self._late: asyncio.TimerHandle | None = None

    def on_ws_connected(self, transport: Any) -> None:
        """Give the client a moment to log in."""
        super().on_ws_connected(transport)
        self._late = asyncio.get_running_loop().call_later(LOGIN_S, self._give_up)

    def on_ws_disconnected(self, transport: Any) -> None:
        """Wait no more."""
        if self._late is not None:
            self._late.cancel()
        super().on_ws_disconnected(transport)

    def hear(self, text: bytes) -> None:
        """Take a login; whoever does not know the token is cut off without a word."""
        try:
            login = _READ_LOGIN.decode(text).login_req
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            self.reset()
            return
        if login.msg_code != LOGIN_CODE or not self._server.knows(login.token, login.client_id):
            self.reset()
            return
        self.is_known = True

    def tell(self, message: bytes) -> None:
        """Tell of an order; nothing is left out, so who does not read is dropped."""
        if not self.is_known:
            return
        self._count += 1
        if self._is_slow and len(self._waiting) >= UPDATES_MAX:
            self.reset()
        else:
            self.push(self._count, message, picows.WSMsgType.TEXT)

    def resume_writing(self) -> None:
        """Send what waited, as text."""
        self._is_slow = False
        waiting, self._waiting = self._waiting, {}
        for key, message in waiting.items():
            self.push(key, message, picows.WSMsgType.TEXT)

    def refuse(self, _reason: int) -> None:
        """Cut it off."""
        self.reset()

    def _give_up(self) -> None:
        if not self.is_known:
            self.reset()


def _numbers(listed: Iterable[subscriptions.Listed]) -> list[Number]:
    """Return those that the sockets can name."""
    found = []
    for each in listed:
        segment = packets.SEGMENT_NUMBERS.get(each.exchange_segment)
        if segment is not None and int(each.security_id) <= 0xFFFF_FFFF:  # noqa: PLR2004  its 32 bits
            found.append(Number(segment, int(each.security_id)))
    return found
