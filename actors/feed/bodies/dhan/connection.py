"""One connection to one of Dhan's feeds, over all the sockets that it has in the course of time."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol
from urllib.parse import quote

import picows

from .....domain.dhan.streams import packets, subscriptions
from .....domain.dhan.streams.subscriptions import Listed
from .....domain.freshness import Moment
from .....domain.venues import venue_of
from .attempt import OPENING_FAULTS, Attempt
from .line import Line
from .silence import Silence

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from .....domain.calendar import Market
    from .....domain.instruments import Instrument
    from ...live_source import LiveSurroundings
    from .settings import DhanFeedOptions

TOO_MANY_REQUESTS: Final = 429
UNAUTHORIZED: Final = frozenset({401, 403})


class Owner(Protocol):
    """Whose connection it is, and who takes what comes."""

    reconnects: int

    @property
    def given(self) -> LiveSurroundings:
        """Instruments, token, clocks."""

    @property
    def options(self) -> DhanFeedOptions:
        """Of this source."""

    def token(self) -> str | None:
        """Return a token that the service has not refused; None: there is none."""

    def refuse_token(self, token: str) -> None:
        """Never send this one again."""

    def moment(self) -> Moment:
        """Return the present one."""

    def gap(self, symbols: tuple[str, ...], since: Moment, cause: str) -> None:
        """Note that a gap has ended now."""

    def fail(self, fault: Exception) -> None:
        """End everything with a fault of ours."""


class Channel(NamedTuple):
    """One of the feeds, as its connections have to know it."""

    address: str
    """Up to where client and token are named."""

    requests: Callable[[Sequence[Listed]], Iterable[bytes]]
    """Write what subscribes to instruments."""

    receive: Callable[[bytes, Connection], bool]
    """Take a frame; return whether there was data in it: a heartbeat has none."""

    forget: Callable[[Connection], None] | None = None
    """Take that nothing more comes of its instruments, until it is open again; None: that is a gap of the market."""


class Connection:
    """One connection, over all the sockets it has in the course of time."""

    def __init__(self, stream: Owner, channel: Channel, instruments: Sequence[Instrument]) -> None:
        self._stream: Final = stream
        self._channel: Final = channel
        self.symbols: Final = tuple(each.symbol for each in instruments)
        self._listed: Final = {each.symbol: Listed(each.segment, each.security_id) for each in instruments}
        self.line: Final = Line(stream.options.bounds, stream.given.random)
        self.segments: Final[dict[str, tuple[str, ...]]] = {
            segment: tuple(each.symbol for each in instruments if each.segment == segment)
            for segment in {each.segment for each in instruments}
        }
        venues = {venue_of(each.segment, each.symbol, is_underlying=each.is_underlying).market for each in instruments}
        self.market: Final[Market] = "UNDERLYING" if venues == {"UNDERLYING"} else "CASH"
        """The market outside whose hours silence is normal: in a closing auction nothing comes if all instruments are
        in it."""

        self.silence: Final = Silence(stream.options.subscription_silence_s)
        self._openings: Final[set[asyncio.Task[None]]] = set()
        """Of attempts to open a socket; all but one were given up, and end in a moment."""

        self._attempt: Attempt | None = None
        self._transport: Any = None
        self._used: list[Any] = []
        """Sockets that may not be closed yet."""

        self._token = ""
        self._began = stream.moment()
        """When it was to be opened last."""

        last_ns = stream.given.last_ns
        self._last = Moment(last_ns, stream.given.monotonic_ns()) if last_ns else None
        """When its last data came, or since when it has tried in vain to have any; None: it has not begun."""

        self._was_open = bool(last_ns)

        self.cause = "restarted" if last_ns else ""
        """Why it is not open, or was not a moment ago."""

    def look(self, monotonic_ns: int, trading_since_ns: int | None) -> None:
        """Do what is due."""
        deed = self.line.deed(monotonic_ns, trading_since_ns=trading_since_ns)
        if deed == "drop":
            self.end("silent" if self.line.state == "open" else "it takes too long to open")
        elif deed == "open":
            token = self._stream.token()
            if token is None:
                self.cause = "no access token that is alive"
                self._last = self._last or self._began
                return
            self.line.began(monotonic_ns)
            self._began = self._stream.moment()
            self._begin(token)
        elif self.line.state == "open" and trading_since_ns is not None:
            again = self.silence.look(monotonic_ns)
            if again:
                self._subscribe([self._listed[symbol] for symbol in again])

    def _begin(self, token: str) -> None:
        """Open a socket in a task of its own."""
        options, given = self._stream.options, self._stream.given
        self._token = token
        who = f"token={quote(token, safe='')}&clientId={quote(given.client_id, safe='')}"
        url = f"{self._channel.address}{who}&authType=2"
        self._attempt = Attempt(url, lambda: _Listener(self), handshake_s=options.bounds.opening_s)
        task = asyncio.get_running_loop().create_task(self._open(self._attempt, token))
        self._openings.add(task)
        task.add_done_callback(self._hear_of_opening)

    def _hear_of_opening(self, task: asyncio.Task[None]) -> None:
        self._openings.discard(task)
        fault = None if task.cancelled() else task.exception()
        if isinstance(fault, Exception):
            self.fail(fault)

    async def _open(self, attempt: Attempt, token: str) -> None:
        """Open a socket and subscribe to everything."""
        try:
            transport = await attempt.open()
        except picows.WSInvalidStatusError as fault:
            status = int(getattr(getattr(fault, "response", None), "status", 0))
            if status in UNAUTHORIZED:
                self._stream.refuse_token(token)
            self._end_attempt(attempt, f"the opening was answered by {status}", busy=status == TOO_MANY_REQUESTS)
        except OPENING_FAULTS as fault:
            why = f": {fault.strerror}" if isinstance(fault, OSError) and fault.strerror else ""
            self._end_attempt(attempt, f"{attempt.place} cannot be opened: {type(fault).__name__}{why}")
        else:
            self._take(attempt, transport)

    def _end_attempt(self, attempt: Attempt, cause: str, *, busy: bool = False) -> None:
        if attempt is self._attempt:  # not where it was given up, and another may be on its way
            self._attempt = None
            self.end(cause, busy=busy)

    def _take(self, attempt: Attempt, transport: Any) -> None:
        self._used = [each for each in self._used if not each.is_disconnected] + [transport]
        if attempt is not self._attempt:  # it was given up
            transport.disconnect(graceful=False)
            return
        stream = self._stream
        self._attempt, self._transport = None, transport
        if transport.is_disconnected:  # while we were told of it
            self.end("closed")
            return
        self.line.opened(stream.given.monotonic_ns())
        self.silence.forget()
        self._subscribe(list(self._listed.values()))
        if self._last is not None and self._channel.forget is None:
            stream.reconnects += self._was_open
            stream.gap(self.symbols, self._last, self.cause)
        self._was_open, self.cause = True, ""

    def _subscribe(self, listed: list[Listed]) -> None:
        for request in self._channel.requests(listed):
            self._transport.send(picows.WSMsgType.TEXT, request)

    def frame(self, transport: Any, frame: Any) -> None:
        """Take a frame."""
        if transport is not self._transport and self._transport is not None:
            return  # of a socket that was given up
        if frame.msg_type == picows.WSMsgType.BINARY and frame.fin:
            stream = self._stream
            if self._channel.receive(frame.get_payload_as_bytes(), self):
                self._last = stream.moment()
                self.line.heard(self._last.monotonic_ns)
        elif frame.msg_type in {picows.WSMsgType.TEXT, picows.WSMsgType.CONTINUATION, picows.WSMsgType.BINARY}:
            self.end("a damaged frame: binary ones in one piece wanted")
        elif frame.msg_type == picows.WSMsgType.CLOSE:  # the service may leave the socket open until it is answered
            self.end("closed")

    def disconnected(self, transport: Any) -> None:
        """Take the end of a socket."""
        if transport is self._transport:
            self.end("closed")

    def end_for(self, reason: int) -> None:
        """End it because the service says so."""
        if reason in packets.TOKEN_REASONS:
            self._stream.refuse_token(self._token)
        text = packets.REASONS.get(reason, "for a reason that is not known")
        self.end(f"ended by the service: {reason} {text}", busy=reason == packets.TOO_MANY_CONNECTIONS)

    def end(self, cause: str, *, busy: bool = False) -> None:
        """Be without a socket; it is opened again when that is due."""
        if self.line.state == "waiting":
            return
        self.cause = cause
        self._last = self._last or self._began
        self.line.ended(self._stream.given.monotonic_ns(), busy=busy)
        self._give_up()
        if self._channel.forget is not None:
            self._channel.forget(self)
        transport, self._transport = self._transport, None
        if transport is not None:
            transport.disconnect(graceful=False)

    def fail(self, fault: Exception) -> None:
        """End the whole stream with a fault of ours."""
        self._stream.fail(fault)

    def _give_up(self) -> None:
        attempt, self._attempt = self._attempt, None
        if attempt is not None:
            attempt.give_up()

    def leave(self) -> None:
        """End it for good, and say so to the service."""
        self._give_up()
        transport = self._transport
        if transport is not None:
            transport.send(picows.WSMsgType.TEXT, subscriptions.disconnect_request())
            transport.send_close(picows.WSCloseCode.OK)
            transport.disconnect()

    async def gone(self) -> None:
        """Wait until no socket is left."""
        await asyncio.gather(*self._openings, return_exceptions=True)
        for transport in self._used:
            await transport.wait_disconnected()


class _Listener(picows.WSListener):
    """Of one socket: passes on what it hears."""

    def __init__(self, connection: Connection) -> None:
        super().__init__()
        self._connection: Final = connection

    def on_ws_frame(self, transport: Any, frame: Any) -> None:
        """Take a frame; a fault of ours ends the stream, and does not only close a socket."""
        try:
            self._connection.frame(transport, frame)
        except Exception as fault:
            self._connection.fail(fault)
            raise

    def on_ws_disconnected(self, transport: Any) -> None:
        """Take the end."""
        self._connection.disconnected(transport)
