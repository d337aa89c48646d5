"""One connection: uvicorn's HTTP/1.1 on httptools, with bounds on what a client may send and how long it may take.

uvicorn bounds neither the bytes of a head nor of a body, nor the time that either takes, nor how long an answer is not
read; it bounds the time between two requests only. All of that is here. No timer is set for a request: a connection
has the time by which it must move on, and the server looks at all of them several times a second. Where as many are
open as there may be, the one that has waited longest for its client makes room for another; only where every one is
being answered is one more refused. Else anybody on this machine could hold all of them, and lock its user out.

What is refused is answered, and then read and thrown away for a moment: a socket that is closed with unread bytes
resets the connection, and the client would not see why.
"""

from __future__ import annotations

import asyncio
import functools
import logging
import math
import socket
import struct
import urllib.parse
from typing import TYPE_CHECKING, Any, Final, cast

import httptools
import msgspec
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from .cycle import Cycle

if TYPE_CHECKING:
    from ...config.sections.web import WebSettings

PIPELINED_MAX: Final = 16
"""Requests that one connection may send ahead of their answers."""

FRAMING_TIMES_MAX: Final = 8
"""Bytes round each byte of a body that comes in chunks, beside those of a head: a chunk of one byte has five."""

ADDRESSES_KEPT: Final = 256
"""Addresses whose parts are known; most requests are to the same few."""

LINGER_S: Final = 2.0
"""How long the rest of a refused request is read."""

LINGER_BYTES_MAX: Final = 16 * 1024 * 1024

REASONS: Final = {
    400: "a request of HTTP/1.1 is wanted",
    408: "the request did not come in time",
    413: "a shorter body is wanted",
    431: "a shorter head is wanted",
    503: "too many connections are open",
}

# What uvicorn would write about clients is counted instead: a hostile one could fill a log.
_QUIET: Final = logging.getLogger("natya.web.uvicorn")
_QUIET.setLevel(logging.CRITICAL + 1)


class Counts(msgspec.Struct):
    """What is counted of all connections, on the server's thread."""

    accepted: int = 0
    turned_away: int = 0
    dropped: int = 0


class RefusedRequestError(Exception):
    """Inside the parser: this request is refused."""


class BoundedProtocol(HttpToolsProtocol):
    """A connection that is closed when it breaks a bound."""

    def __init__(self, bounds: WebSettings, counts: Counts, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.logger = self.access_logger = _QUIET
        self.access_log = False
        self._bounds: Final = bounds
        self._counts: Final = counts
        self._in_head = self._in_message = self._begins_here = self._lingers = self._began_behind = False
        self._is_idle_before = True
        self._head_bytes = self._body_bytes = self._fed_bytes = self._behind_head_bytes = 0
        self._refused_with = 0
        self._extensions: Final = {"natya.abort": self.abort}
        self._move_by_s = self._write_by_s = self._ask_by_s = math.inf
        self.waits_since_s = math.inf
        """Since when nothing is done for it until its client does something; infinite while a request is answered."""

    # What the transport calls.

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take a connection, for which another may have to make room; or turn it away."""
        super().connection_made(transport)
        self.waits_since_s = self.loop.time()
        if not self._is_given_room():
            self._counts.turned_away += 1
            self._refuse(503)
            return
        self._counts.accepted += 1
        self._move_by_s = self.waits_since_s + self._bounds.head_timeout_s

    def data_received(self, data: bytes) -> None:
        """Parse what has come."""
        if self._lingers:
            self._head_bytes += len(data)
            if self._head_bytes > LINGER_BYTES_MAX:
                self.transport.abort()
            return
        self._ask_by_s = math.inf
        was_idle = not self._in_message
        if not self._in_head:  # a request that begins here begins the count anew
            self._behind_head_bytes += len(data)
        if self._move_by_s == math.inf and not self._is_answering():  # whatever it sends, a request must come of it
            self._move_by_s = self.loop.time() + self._bounds.head_timeout_s
        self._begins_here = False
        self._is_idle_before = was_idle
        self._fed_bytes = len(data) + self._head_bytes
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade:  # to no protocol that is offered: the request is answered as it is
            if self.cycle is not None:
                self.cycle.keep_alive = False
        except httptools.HttpParserError:
            self._drop(self._refused_with or 400)
            return
        self._bound(len(data), was_idle=was_idle)

    def eof_received(self) -> bool:  # type: ignore[override]  # uvicorn closes whatever is asked
        """Answer what has come whole, and then close: a client may end its side as soon as it has asked.

        It may as well be gone, which only writing shows: so an answer that has begun, and may never end, is not waited
        for.
        """
        cycle = self.cycle
        if self._in_message or cycle is None or cycle.response_started:
            return False
        cycle.keep_alive = False  # it is the last one: of those before it each begins the next
        return True

    def pause_writing(self) -> None:
        """Wait until the client reads, for so long."""
        self.waits_since_s = self.loop.time()
        self._write_by_s = self.waits_since_s + self._bounds.stall_s
        super().pause_writing()

    def resume_writing(self) -> None:
        """Go on: it has read."""
        self._write_by_s = math.inf
        if self._is_answering():
            self.waits_since_s = math.inf
        super().resume_writing()

    # What the parser calls.

    def on_message_begin(self) -> None:
        """Begin a request."""
        super().on_message_begin()
        self.scope["extensions"] = self._extensions  # type: ignore[typeddict-item]  # a name of our own
        self._in_head = self._in_message = self._begins_here = True
        self._began_behind = not self._is_idle_before  # another message, whose end its first bytes came with
        self._head_bytes = self._body_bytes = self._behind_head_bytes = 0
        self.waits_since_s = self.loop.time()
        if self._move_by_s == math.inf:
            self._move_by_s = self.waits_since_s + self._bounds.head_timeout_s

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header; one behind a body (a trailer) is none, and is left out."""
        if self._in_head:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Pass the request on, unless its head or its body is too long."""
        self._in_head = False
        self._move_by_s = self.loop.time() + self._bounds.body_timeout_s
        if self._fed_bytes > self._bounds.head_bytes_max or self._began_behind:  # else it cannot be too long
            head_bytes = len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers)
            if head_bytes > self._bounds.head_bytes_max:
                self._refuse_in_parser(431)
        if len(self.pipeline) >= PIPELINED_MAX:
            self._refuse_in_parser(400)
        for name, value in self.headers:
            if name == b"content-length" and int(value) > self._bounds.body_bytes_max:
                self._refuse_in_parser(413)
        self._begin_cycle()

    def on_body(self, body: bytes) -> None:
        """Take a part of the body."""
        self._body_bytes += len(body)
        if self._body_bytes > self._bounds.body_bytes_max:
            self._refuse_in_parser(413)
        super().on_body(body)

    def on_message_complete(self) -> None:
        """End a request: what follows is the application's time."""
        self._in_message = False
        self._move_by_s = self.waits_since_s = math.inf
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """Begin the next request that has come, or wait for one."""
        if self.transport.is_closing():
            return
        self.flow.resume_reading()
        if self.pipeline:
            self._start_asgi_task(*self.pipeline.pop())
        else:
            self.waits_since_s = self.loop.time()
            self._ask_by_s = self.waits_since_s + self._bounds.idle_s

    # What the server calls.

    def shutdown(self) -> None:
        """Close after the answer that is being made."""
        if self._lingers:
            self.transport.close()
        else:
            super().shutdown()

    def look(self, now_s: float) -> None:
        """Close the connection if it has not moved on in time."""
        if self.transport.is_closing():  # it waits for the client to read the rest of an answer
            self._write_by_s = min(self._write_by_s, now_s + self._bounds.stall_s)
        if self._write_by_s <= now_s or (self._lingers and self._move_by_s <= now_s):
            self._counts.dropped += not self._lingers
            self.transport.abort()
        elif self._move_by_s <= now_s:
            self._drop(408)
        elif self._ask_by_s <= now_s:
            self.transport.close()

    def abort(self) -> None:
        """Cut the connection: the client finds it reset. An application may ask for it (`natya.abort`)."""
        own = self.transport.get_extra_info("socket")
        if own is not None:
            own.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        if self.cycle is not None:
            self.cycle.disconnected = True
        self.transport.abort()

    # Helpers.

    def _is_answering(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _bound(self, length: int, *, was_idle: bool) -> None:
        """Refuse the request that is coming in if what came of it, with this many bytes at last, is too long."""
        if self._in_head and (was_idle or not self._begins_here):  # else it may be the end of a body, for the most part
            self._head_bytes += length
            if self._head_bytes > self._bounds.head_bytes_max:
                self._drop(431)
        elif self._in_message and not self._in_head and self._is_mostly_framing():
            self._drop(413)

    def _is_mostly_framing(self) -> bool:
        """Tell whether what came behind the head is neither body nor what chunks of it need: the parser keeps all."""
        framing_bytes = self._behind_head_bytes - self._body_bytes
        return framing_bytes > self._bounds.head_bytes_max + FRAMING_TIMES_MAX * self._body_bytes

    def _is_given_room(self) -> bool:
        """Where as many are open as may be, close the one that has waited longest for its client; False: none waits.

        Else whoever opens as many as there may be, and asks nothing, keeps everybody else out.
        """
        every = cast("set[BoundedProtocol]", self.connections)  # the server makes no others
        others = [each for each in every if each is not self and not each.transport.is_closing()]
        if len(others) < self._bounds.connections_max:  # the rest is about to be gone
            return True
        longest = min(others, key=lambda each: each.waits_since_s)
        if longest.waits_since_s == math.inf:
            return False
        self._counts.dropped += 1
        longest.transport.abort()
        return True

    def _begin_cycle(self) -> None:
        """Have a request answered: at once, or behind those that came before it. As uvicorn does, with our `Cycle`."""
        parser, scope, before = self.parser, self.scope, self.cycle
        version = parser.get_http_version()
        scope["method"] = parser.get_method().decode("ascii")
        if version != "1.1":
            scope["http_version"] = version
        scope["path"], scope["raw_path"], scope["query_string"] = _address(self.url)
        self.cycle = Cycle(
            scope=scope,
            transport=self.transport,
            flow=self.flow,
            logger=self.logger,
            access_logger=self.access_logger,
            access_log=self.access_log,
            default_headers=self.server_state.default_headers,
            message_event=asyncio.Event(),
            expect_100_continue=self.expect_100_continue,
            keep_alive=version != "1.0" and parser.should_keep_alive(),
            on_response=self.on_response_complete,
        )
        self.cycle.on_last = self._close_behind
        if before is None or before.response_complete:
            self._start_asgi_task(self.cycle, self.app)
        else:
            self.flow.pause_reading()
            self.pipeline.appendleft((self.cycle, self.app))

    def _close_behind(self) -> None:
        """Close behind an answer; one that came before the end of its request, only when that has been thrown away."""
        if self._in_message:
            self._linger()
        else:
            self.transport.close()

    def _linger(self) -> None:
        """Read, and throw away, what still comes, for a moment."""
        self._lingers = True
        self._head_bytes = 0
        self._move_by_s = self.loop.time() + LINGER_S
        self.flow.resume_reading()
        self.transport.write_eof()

    def _refuse_in_parser(self, status: int) -> None:
        self._refused_with = status
        raise RefusedRequestError

    def _drop(self, status: int) -> None:
        self._counts.dropped += 1
        self._refuse(status)

    def _refuse(self, status: int) -> None:
        """Answer the request that is coming in, if that is the next answer this client waits for, and close."""
        cycle = self.cycle
        is_next = cycle is None or cycle.response_complete
        if not is_next and self._in_message and not self._in_head and not self.pipeline and not cycle.response_started:
            is_next = True  # the request whose body is coming: its application has not answered
        if cycle is not None:
            cycle.disconnected = True
            cycle.message_event.set()
        if not is_next:
            self.transport.abort()
            return
        body = msgspec.json.encode({"error": REASONS[status]})
        head = b"content-type: application/json\r\nconnection: close\r\ncontent-length: %d\r\n\r\n" % len(body)
        self.transport.write(STATUS_LINE[status] + head + body)
        self._linger()


@functools.lru_cache(maxsize=ADDRESSES_KEPT)
def _address(url: bytes) -> tuple[str, bytes, bytes]:
    """Return path, raw path and query of a request."""
    parsed = httptools.parse_url(url)
    path = parsed.path.decode("ascii")
    return urllib.parse.unquote(path) if "%" in path else path, parsed.path, parsed.query or b""
