"""The control server: one thread, one listening socket, and its connections.

    server = ControlServer(data_dir, ControlSettings.default(), on_ask=..., on_gone=..., monotonic_ns=...)
    server.serve()       # on a thread of its own; returns after close()
    server.close()       # from another

It needs no actors: `on_ask` is called with each `Request`, which is answered once, from any thread; `on_gone` with the
`asker` of each request whose connection closed before. Input is not trusted: a length is checked before memory is
allocated for it, every wait has an end, and an error of a client costs its own connection only.
"""

from __future__ import annotations

import contextlib
import functools
import selectors
import socket
from collections import deque
from typing import TYPE_CHECKING, Final, TypeAlias

from ...config.forks import close_in_forks
from ...domain.time import SECOND_NS
from ...messages.codec import MESSAGE_SIZE_MAX_BYTES, UndecodableMessageError, decode
from ...messages.control import Ask, ControlStatistics
from ...messages.framing import framed
from . import socket_path
from .connection import Connection, HungUpError
from .errors import FrameError, SlowReaderError
from .peer import is_welcome, peer_of
from .request import Request, refusal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from ...config.sections.control import ControlSettings
    from .peer import Peer

ACCEPT_PAUSE_NS: Final = SECOND_NS
"""Pause of accepting when the process has no file descriptor left; else the ready socket would keep the thread busy."""

IDLE_NS: Final = 60 * SECOND_NS
"""At the limit of connections, one that was idle for so long is closed to make room for another."""

_Posted: TypeAlias = "tuple[Request, bytes, bool]"
"""Request, payload of its answer, whether it is a refusal."""


class ControlServer:
    """Serves one data directory.

    Raises:
        SocketNotOpenedError: see `socket_path.listen`.
    """

    def __init__(  # noqa: PLR0913  two callbacks, and two functions that a test replaces
        self,
        data_dir: Path,
        limits: ControlSettings,
        *,
        on_ask: Callable[[Request], object],
        on_gone: Callable[[str], object] = lambda _: None,
        monotonic_ns: Callable[[], int],
        credentials: Callable[[socket.socket], Peer] = peer_of,
    ) -> None:
        """Open the socket. `on_ask` and `on_gone` are called on the thread of `serve`; they neither block nor raise."""
        self._answer_bytes_max: Final = min(MESSAGE_SIZE_MAX_BYTES, limits.unsent_bytes_max)
        self.life: Final = f"{monotonic_ns():x}"
        """First part of each `asker`, which differs between restarts of the server."""

        self._data_dir = data_dir
        self._limits = limits
        self._on_ask = on_ask
        self._on_gone = on_gone
        self._monotonic_ns = monotonic_ns
        self._credentials = credentials
        self._listener = socket_path.listen(data_dir)
        self._listener.setblocking(False)
        self._alarm, self._bell = socket.socketpair()
        self._alarm.setblocking(False)
        self._bell.setblocking(False)
        self._rung = False
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._listener, selectors.EVENT_READ, self._accept)
        self._selector.register(self._alarm, selectors.EVENT_READ, self._post_all)
        self._accept_again_ns: int | None = None
        self._outbox: deque[_Posted] = deque()
        self._connections: dict[int, Connection] = {}
        self._end_of_forks = close_in_forks(self._leave_to_parent)
        self._closing = False
        self._unclaimed = [None]
        """A token: the one that pops it, `serve` or an earlier `close`, closes the sockets."""

        self._accepted = self._turned_away = self._dropped = self._asks = self._refused = 0

    # Thread-safe.

    def _post(self, request: Request, payload: bytes, refused: bool) -> None:  # noqa: FBT001  see `Post`
        """Queue the answer to one request for the thread that serves."""
        if self._closing:
            return
        self._outbox.append((request, payload, refused))
        self._ring()

    def statistics(self) -> ControlStatistics:
        """Return the counts."""
        return ControlStatistics(
            connections=len(self._connections),
            accepted=self._accepted,
            turned_away=self._turned_away,
            dropped=self._dropped,
            asks=self._asks,
            refused=self._refused,
        )

    def close(self) -> None:
        """Remove the socket and make `serve` return, which closes every connection without waiting.

        To be called on the thread that answers requests, or when none does any more: an answer at the same time would
        write to a closed descriptor.
        """
        if self._closing:
            return
        self._closing = True
        self._end_of_forks()
        socket_path.remove(self._data_dir)
        if self._claim():
            self._let_go()
        else:
            self._ring()
        self._bell.close()

    def _leave_to_parent(self) -> None:
        """Close the sockets in a forked child, which would keep them listening after the parent's end."""
        for stream in (self._listener, *(each.stream for each in self._connections.values())):
            stream.close()

    def _ring(self) -> None:
        # The flag is cleared before the outbox is emptied, so a payload queued while it is set is still seen.
        if not self._rung:
            self._rung = True
            with contextlib.suppress(OSError):  # `serve` has returned
                self._bell.send(b"!")

    # On the thread of `serve`.

    def serve(self) -> None:
        """Serve until `close`; may be called once."""
        if not self._claim():
            return
        try:
            while not self._closing:
                for key, events in self._selector.select(self._wait_s()):
                    key.data(events)
                self._drop_overdue()
            self._post_all(selectors.EVENT_READ)
        finally:
            self._let_go()

    def _claim(self) -> bool:
        try:
            self._unclaimed.pop()
        except IndexError:
            return False
        return True

    def _let_go(self) -> None:
        for connection in self._connections.values():
            connection.stream.close()
        self._connections.clear()
        self._selector.close()
        self._listener.close()
        self._alarm.close()

    def _wait_s(self) -> float | None:
        due = [each.must_move_by_ns() for each in self._connections.values()]
        soonest = min((each for each in (*due, self._accept_again_ns) if each is not None), default=None)
        return None if soonest is None else max(0, soonest - self._monotonic_ns()) / SECOND_NS

    def _drop_overdue(self) -> None:
        now_ns = self._monotonic_ns()
        if self._accept_again_ns is not None and self._accept_again_ns <= now_ns:
            self._accept_again_ns = None
            self._selector.register(self._listener, selectors.EVENT_READ, self._accept)
        for connection in tuple(self._connections.values()):
            due_ns = connection.must_move_by_ns()
            if due_ns is not None and due_ns <= now_ns:
                self._drop(connection)

    def _accept(self, _: int) -> None:
        try:
            stream, _address = self._listener.accept()
        except (BlockingIOError, ConnectionError):  # the client has disconnected already
            return
        except OSError:
            self._selector.unregister(self._listener)
            self._accept_again_ns = self._monotonic_ns() + ACCEPT_PAUSE_NS
            return
        try:
            peer = self._credentials(stream)
        except OSError:
            peer = None
        if peer is not None and is_welcome(peer):
            self._welcome(stream, peer)
            return
        self._turned_away += 1
        stream.close()

    def _welcome(self, stream: socket.socket, peer: Peer) -> None:
        if self._has_room():
            self._accepted += 1
            connection = Connection(stream, self._limits, number=self._accepted, peer=peer, now_ns=self._monotonic_ns())
            self._connections[connection.number] = connection
            self._selector.register(stream, selectors.EVENT_READ, functools.partial(self._attend, connection))
        else:
            self._turned_away += 1
            with stream:
                stream.setblocking(False)
                reason = f"connections_max ({self._limits.connections_max}) are open"
                with contextlib.suppress(OSError):
                    stream.send(framed(refusal(0, "busy", reason)))

    def _has_room(self) -> bool:
        """Tell whether one more may be open, after closing the one that is idle for the longest, if for long enough."""
        if len(self._connections) < self._limits.connections_max:
            return True
        idle = [
            (since_ns, each) for each in self._connections.values() if (since_ns := each.idle_since_ns()) is not None
        ]
        since_ns, longest = min(idle, key=lambda each: each[0], default=(0, None))
        if longest is None or self._monotonic_ns() - since_ns < IDLE_NS:
            return False
        self._drop(longest)
        return True

    def _attend(self, connection: Connection, events: int) -> None:
        if connection.number not in self._connections:  # dropped since the events were read
            return
        now_ns = self._monotonic_ns()
        with self._blaming(connection):
            if events & selectors.EVENT_WRITE:
                connection.flush(now_ns)
            if events & selectors.EVENT_READ:
                for payload in connection.receive(now_ns):
                    self._take(connection, payload, now_ns)

    def _take(self, connection: Connection, payload: bytes, now_ns: int) -> None:
        if connection.hanging_up:
            return
        ask = decode(payload)
        if not isinstance(ask, Ask):
            raise FrameError(f"an Ask is wanted, found {type(ask).__name__}")
        if ask.request_id in connection.in_flight:
            raise FrameError(f"request id {ask.request_id} is in flight already")
        if len(connection.in_flight) >= self._limits.in_flight_max:
            self._refused += 1
            reason = f"in_flight_max ({self._limits.in_flight_max}) questions of this connection wait"
            connection.say(refusal(ask.request_id, "busy", reason), now_ns)
            return
        self._asks += 1
        request = connection.in_flight[ask.request_id] = Request(
            ask,
            connection=connection.number,
            peer=connection.peer,
            asker=f"{self.life}-{self._asks}",
            answer_bytes_max=self._answer_bytes_max,
            post=self._post,
        )
        self._on_ask(request)

    def _post_all(self, _: int) -> None:
        with contextlib.suppress(BlockingIOError):
            self._alarm.recv(64)
        self._rung = False
        while self._outbox:
            request, payload, refused = self._outbox.popleft()
            connection = self._connections.get(request.connection)
            if connection is None or connection.in_flight.get(request.ask.request_id) is not request:
                continue  # the client has disconnected, or the request has its answer already
            del connection.in_flight[request.ask.request_id]
            self._refused += refused
            with self._blaming(connection):
                connection.say(payload, self._monotonic_ns())

    @contextlib.contextmanager
    def _blaming(self, connection: Connection) -> Iterator[None]:
        """Run the block; an error in it closes this connection only."""
        try:
            yield
        except HungUpError:
            self._hang_up(connection)
        except SlowReaderError:
            self._drop(connection)
        except (FrameError, UndecodableMessageError) as fault:
            self._dropped += 1
            connection.hanging_up = True
            with contextlib.suppress(HungUpError, SlowReaderError):
                connection.say(refusal(0, "malformed", str(fault)), self._monotonic_ns())
        if connection.number in self._connections:
            self._look_out(connection)

    def _look_out(self, connection: Connection) -> None:
        # Nothing is read from a client that does not read its answers, which bounds the memory it can take.
        if connection.has_unsent:
            events = selectors.EVENT_WRITE
        elif connection.hanging_up:
            self._hang_up(connection)
            return
        else:
            events = selectors.EVENT_READ
        key = self._selector.get_key(connection.stream)
        if key.events != events:
            self._selector.modify(connection.stream, events, key.data)

    def _drop(self, connection: Connection) -> None:
        self._dropped += not connection.hanging_up  # else it has been counted
        self._hang_up(connection)

    def _hang_up(self, connection: Connection) -> None:
        del self._connections[connection.number]
        self._selector.unregister(connection.stream)
        connection.stream.close()
        for request in connection.in_flight.values():
            self._on_gone(request.asker)
