"""`StreamServer`: one listening socket for all paths, and the loop that serves it. Knows no actor.

The problem: a tick has to reach every socket that wants its instrument, a hundred thousand times a second, and the
thread that has it is not that of the sockets. The idea: ticks are handed over in batches, one wake-up for as many as
came meanwhile; a packet is made once for all sockets that want the same. The trap: waking the loop once for each tick
costs more than sending it.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import threading
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qs

import picows

from ....domain.dhan.streams import packets
from ...web import LOOPBACK_NAMES, is_named
from ..stream_faults import OPENING
from . import encoding
from .market_sockets import BinaryFeedSocket, DeepSocket, DepthSocket, FeedSocket
from .order_socket import OrderSocket
from .sockets import TOKEN_WRONG, Socket, Streamed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from ....messages.market import Tick
    from ..stream_faults import StreamFaults
    from .encoding import Number

PING_S: Final = 10.0
PONG_S: Final = 40.0
"""A client that has not answered a ping for so long is cut off."""

REQUEST_BYTES_MAX: Final = 64 * 1024
SOCKETS_MAX: Final = 500
TURNED_AWAY_MAX: Final = 50
"""Sockets that are told why they are refused, and stay a moment: beside `SOCKETS_MAX`. One more cuts off the oldest."""

QUEUE_MAX: Final = 200_000
"""Ticks that wait for the loop; the oldest are left out beyond it, and counted."""

KINDS: Final[dict[str, type[Socket]]] = {
    "/feed": FeedSocket,
    "/twentydepth": DepthSocket,
    "/twohundreddepth": DeepSocket,
    "/order-update": OrderSocket,
}
_LOGGER: Final = "natya-exchange"
"""The library's logger, silenced: it would log addresses, which contain tokens."""

_OF_WRITES: Final = "aiofastnet"
"""The logger of the library's transport, whose warnings are silenced: one for each frame to a client that has gone."""

logging.getLogger(f"picows.{_LOGGER}").setLevel(logging.CRITICAL + 1)
logging.getLogger(_OF_WRITES).setLevel(logging.ERROR)


class StreamServer:
    """Serves sockets, from its making until `close`. `serve` is called once, on a thread of its own."""

    def __init__(  # noqa: PLR0913  where it listens, and what a test may choose
        self,
        *,
        host: str,
        port: int,
        knows: Callable[[str, str], bool],
        knows_partner: Callable[[str, str], bool] = lambda _partner_id, _secret: False,
        wait_s: Callable[[str], int] = lambda _token: 0,
        listener: socket.socket | None = None,
        ping_s: float = PING_S,
        faults: StreamFaults | None = None,
    ) -> None:
        """Listen.

        Args:
            host: to listen on.
            port: to listen on; 0: one that is free.
            knows: whether a token and a client id are right; from the server's thread.
            knows_partner: whether a partner's id and secret are right; from the server's thread. By default of none.
            wait_s: for how many seconds a token, if it is wrong, is turned away with 429; 0: it is not; likewise.
            listener: what another server's `listener_copy` returned.
            ping_s: between two pings; a client that answers none of four is cut off.
            faults: that sockets meet; None where none may be asked for.

        Raises:
            OSError: it cannot be listened on.
        """
        self._listener: Final = listener or socket.create_server((host, port), backlog=512)
        self._listener.setblocking(False)
        self._host: Final = host
        self._names: Final = LOOPBACK_NAMES | {self._quoted_host().encode()}
        self.port: Final[int] = self._listener.getsockname()[1]
        self.knows: Final = knows
        self.knows_partner: Final = knows_partner
        self._wait_s: Final = wait_s
        self.faults: Final = faults
        self._ping_s: Final = ping_s
        self._guard: Final = threading.Lock()
        self._arrived: list[tuple[Number, Tick]] = []
        self._updates: list[bytes] = []
        self._statuses: list[tuple[int, tuple[int, ...]]] = []
        """Of which segments, and how many of the ticks came before."""

        self._is_told = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._closed: asyncio.Event | None = None
        self._closing = False
        self._fault: Exception | None = None
        # On its thread alone:
        self._shown: Final[dict[Number, Streamed]] = {}
        self._wanted: Final[dict[Number, dict[Socket, None]]] = {}
        self._sockets: Final[dict[Socket, None]] = {}
        self._turned_away: Final[dict[Socket, None]] = {}
        self.is_flushing = False
        """Whether what is pushed is written at its end, all together."""

        self.written: list[Socket] = []
        """That were pushed to meanwhile."""

        self.order_sockets = 0
        """Of order updates, from the handshake on. Read from any thread: while it is 0 nobody can hear of an order."""

        self.sent = self.conflated = self.left_out = self.refused = 0

    def url(self, path: str) -> str:
        """Return the address of a path."""
        return f"ws://{self._quoted_host()}:{self.port}{path}"

    def _quoted_host(self) -> str:
        return f"[{self._host}]" if ":" in self._host else self._host

    def listener_copy(self) -> socket.socket:
        """Return the listening socket for a server that is to go on; it stays open when this one closes."""
        return self._listener.dup()

    @property
    def open_sockets(self) -> int:
        """How many there are."""
        return len(self._sockets)

    # From any thread.

    def publish(self, number: Number, tick: Tick) -> None:
        """Show a tick to whoever wants it."""
        with self._guard:
            self._arrived.append((number, tick))
            if len(self._arrived) > QUEUE_MAX:
                oldest = len(self._arrived) // 2
                self.left_out += oldest
                del self._arrived[:oldest]
                self._statuses = [(max(0, before - oldest), segments) for before, segments in self._statuses]
            self._tell()

    def tell(self, message: bytes) -> None:
        """Send an update of an order to whoever has logged in."""
        with self._guard:
            self._updates.append(message)
            self._tell()

    def tell_status(self, segments: Iterable[int]) -> None:
        """Tell whoever is subscribed to some of a segment that its market has opened or closed."""
        with self._guard:
            self._statuses.append((len(self._arrived), tuple(segments)))
            self._tell()

    def close(self) -> None:
        """End `serve`; does not wait."""
        with self._guard:
            self._closing = True
            loop, closed = self._loop, self._closed
        if loop is not None and closed is not None:
            with contextlib.suppress(RuntimeError):  # the loop has closed
                loop.call_soon_threadsafe(closed.set)
        else:
            self._listener.close()

    def _tell(self) -> None:
        if not self._is_told and self._loop is not None:
            self._is_told = True
            with contextlib.suppress(RuntimeError):  # the loop has closed
                self._loop.call_soon_threadsafe(self._flush)

    def call(self, function: Callable[[], object]) -> None:
        """Call something on its thread, soon."""
        with self._guard:
            loop = self._loop
        if loop is not None:
            with contextlib.suppress(RuntimeError):  # the loop has closed
                loop.call_soon_threadsafe(function)

    # On its thread.

    def serve(self) -> None:
        """Serve until `close`; it blocks."""
        asyncio.run(self._serve())
        if self._fault is not None:
            raise self._fault

    async def _serve(self) -> None:
        closed = asyncio.Event()
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(self._hear)
        server = await picows.ws_create_server(
            self._take,
            sock=self._listener,
            logger_name=_LOGGER,
            max_frame_size=REQUEST_BYTES_MAX,
            enable_auto_pong=False,
        )
        with self._guard:
            self._loop, self._closed = loop, closed
            self._is_told = False
            self._tell()
            if self._closing:
                closed.set()
        while not closed.is_set():
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._ping_s):
                    await closed.wait()
            self._beat(loop.time())
        server.close()
        for each in (*self._sockets, *self._turned_away):
            each.reset()
        await asyncio.sleep(0.01)  # in which the closed sockets are told so

    def _beat(self, now_s: float) -> None:
        for each in tuple(self._sockets):
            each.beat(now_s, pong_s=PONG_S / PING_S * self._ping_s)

    def _hear(self, _loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        fault = context.get("exception")
        if isinstance(fault, Exception) and not isinstance(fault, OSError):
            self.fail(fault)

    def fail(self, fault: Exception) -> None:
        """Let `serve` raise a fault of ours, which would else only close a socket."""
        self._fault = self._fault or fault
        if self._closed is not None:
            self._closed.set()

    def _take(self, request: Any) -> Any:
        try:
            return self._made_for(request)
        except Exception as fault:
            self.fail(fault)
            raise

    def _made_for(self, request: Any) -> Any:
        path, _, asked = request.path.decode("latin-1").partition("?")
        path = path.rstrip("/")
        kind = KINDS.get(path)
        if kind is None or len(self._sockets) >= SOCKETS_MAX:
            return self._refusal(404 if kind is None else 503)
        if self._is_foreign(request.headers):
            return self._refusal(403)
        if kind is FeedSocket and not asked:
            kind = BinaryFeedSocket
        made = kind(self)
        made.path = path
        if not kind.logs_in:
            try:
                query = parse_qs(asked, max_num_fields=16)
            except ValueError:
                query = {}
            token, client_id = query.get("token", [""])[0], query.get("clientId", [""])[0]
            wait_s = self._wait_s(token)
            made.refusal = 0 if self.knows(token, client_id) else TOKEN_WRONG
            if made.refusal and wait_s:
                return self._refusal(429, {"Retry-After": str(wait_s)})
        fault = None if self.faults is None else self.faults.at_opening(path)
        if fault is not None:
            status = OPENING[fault.kind]
            if status:
                return self._refusal(status)
            made.refusal = fault.reason or TOKEN_WRONG
        self.refused += made.refusal > 0
        self.order_sockets += kind is OrderSocket
        return made

    def _is_foreign(self, headers: Any) -> bool:
        """Tell whether a page of another site asks, or one under a name that its name server has given this machine."""
        hosts = headers.getall("Host", ())
        pages = [each.partition("://")[2] for each in headers.getall("Origin", ())]
        return len(hosts) != 1 or not all(is_named(each.encode(), self._names) for each in (*hosts, *pages))

    def _refusal(self, status: int, headers: Mapping[str, str] | None = None) -> Any:
        self.refused += 1
        refusal = picows.WSUpgradeResponse.create_error_response(status, extra_headers=headers)
        return picows.WSUpgradeResponseWithListener(refusal, None)

    def add(self, added: Socket) -> None:
        """Take one in, unless it is refused; of a kind that a client has too many of, the oldest goes."""
        if added.refusal:
            self._turned_away[added] = None
            if len(self._turned_away) > TURNED_AWAY_MAX:
                oldest = next(iter(self._turned_away))
                del self._turned_away[oldest]
                oldest.reset()
            return
        self._sockets[added] = None
        self.make_room(added)

    def make_room(self, taken_in: Socket) -> None:
        """End the oldest of its kind if the client has too many; who has not logged in is in no one's way who has."""
        alike = [
            each
            for each in self._sockets
            if each.is_open and each.path == taken_in.path and each.is_known == taken_in.is_known
        ]
        if len(alike) > taken_in.connections_max:
            alike[0].refuse(packets.TOO_MANY_CONNECTIONS)

    def remove(self, removed: Socket) -> None:
        """Remove a socket."""
        self._sockets.pop(removed, None)
        self._turned_away.pop(removed, None)
        self.order_sockets -= isinstance(removed, OrderSocket)
        for number in (*getattr(removed, "modes", ()), *getattr(removed, "numbers", ())):
            self.unsubscribe(removed, number)

    def subscribe(self, who: Socket, number: Number) -> Streamed | None:
        """Subscribe a socket to an instrument; return what the market has shown of it."""
        self._wanted.setdefault(number, {})[who] = None
        return self._shown.get(number)

    def unsubscribe(self, who: Socket, number: Number) -> None:
        """Unsubscribe a socket from an instrument."""
        wanted = self._wanted.get(number)
        if wanted is not None:
            wanted.pop(who, None)
            if not wanted:
                del self._wanted[number]

    def _tell_status(self, segments: tuple[int, ...]) -> None:
        for each in tuple(self._sockets):
            if isinstance(each, FeedSocket):
                each.tell_status(segments)

    def _flush(self) -> None:
        with self._guard:
            arrived, self._arrived = self._arrived, []
            updates, self._updates = self._updates, []
            statuses, self._statuses = self._statuses, []
            self._is_told = False
        self.is_flushing = True
        try:
            shown = 0
            for before, segments in statuses:  # twice a day
                self._show(arrived[shown:before], [])
                self._tell_status(segments)
                shown = before
            self._show(arrived[shown:] if shown else arrived, updates)
        finally:
            self.is_flushing = False
            written, self.written = self.written, []
            for each in written:
                each.write()

    def _show(self, arrived: list[tuple[Number, Tick]], updates: list[bytes]) -> None:
        for number, tick in arrived:
            shown = self._shown.get(number)
            if shown is None:
                shown = self._shown[number] = Streamed(tick)
            before = encoding.open_interest_of(shown)
            shown.move(tick)
            shown.interest_moved = encoding.open_interest_of(shown) != before
            wanted = self._wanted.get(number)
            if wanted:
                made: dict[str, bytes] = {}
                for each in tuple(wanted) if len(wanted) > 1 else wanted:
                    each.show(number, shown, made)
        for message in updates:
            for each in tuple(self._sockets):
                if isinstance(each, OrderSocket):
                    each.tell(message)
