"""Dhan's market feed: up to five connections on one thread, each opened, watched, and opened again.

The problem: a socket of this feed may close, be reset, fall silent, send what is none, or not be taken at all; a market
that stands still looks the same. The idea: whatever ends a connection ends it in one way (`_end`), which notes when its
last data came; once all its instruments are subscribed to again, what lies between is told as a gap. The trap: the
service remembers nothing and repeats nothing, and it ends the oldest of six connections, so one that it ended for that
is left alone for a while.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import threading
from typing import TYPE_CHECKING, Final

from .....domain.calendar import session_at
from .....domain.dhan.streams.subscriptions import INSTRUMENTS_A_CONNECTION, SUBSCRIBE, requests
from .....domain.freshness import Moment, elapsed_ns
from .....domain.time import SECOND_NS
from .....domain.venues import traded_between, venue_of
from ...live_source import Gap, LiveCounts, LiveSurroundings, Status
from ...queue import TickQueue
from .connection import Channel, Connection
from .decoding import AHEAD_MAX_NS, SIMULATED_AHEAD_MAX_NS, Decoder
from .deep import DeepFeed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from .....config.sections.feed import FeedSettings
    from .....domain.calendar import Market
    from .....domain.dhan.streams.subscriptions import Listed
    from .....domain.instruments import Instrument
    from .....messages.market import Tick
    from .settings import DhanFeedOptions

LOOK_S: Final = 0.1
"""Between two looks at the connections."""

STATUS_AGAIN_NS: Final = SECOND_NS
"""Within this time another status of the same segment is a repeat from another connection."""

_MARKETS: Final[tuple[Market, ...]] = ("CASH", "UNDERLYING")

AHEAD_TOLD_NS: Final = 60 * SECOND_NS
"""How long the trouble is shown after a packet with a time in the future."""

LEAVE_S: Final = 2.0
"""For the service to answer that connections end."""


class DhanStream:
    """See `LiveSource`."""

    def __init__(self, settings: FeedSettings, options: DhanFeedOptions, surroundings: LiveSurroundings) -> None:
        """Open nothing yet.

        Args:
            settings: of the feed; `exchange` says whose hours of trading count, `none`: all hours.
            options: of this source.
            surroundings: instruments, token, clocks.
        """
        self._options: Final = options
        self._given: Final = surroundings
        self._exchange: Final = settings.exchange
        ahead_max_ns = SIMULATED_AHEAD_MAX_NS if options.is_simulated else AHEAD_MAX_NS
        self._decoder: Final = Decoder(surroundings.source, ahead_max_ns=ahead_max_ns)
        self._ahead_until_ns = 0
        """On the monotonic clock: until when it is told that packets came whose time had not."""

        self._queue: Final = TickQueue(surroundings.ticks_max)
        self._gaps: list[Gap] = []
        self._statuses: list[Status] = []
        self._guard: Final = threading.Lock()
        self._closing = False
        self._end: Callable[[], object] = lambda: None
        """Ends `_main`, on any thread; nothing before that has begun, which looks by itself whether it is to."""

        self._fault: Exception | None = None
        self._trouble_seen = ""
        self._refused_token = ""
        """The token that the service rejected: it is not sent again."""

        self.left_out = max(0, len(surroundings.instruments) - options.connections_max * INSTRUMENTS_A_CONNECTION)
        """Instruments that no connection has room for."""

        parts = _parts(surroundings.instruments, options.connections_max)
        channel = Channel(f"{options.url}?version=2&", self._requests, self._receive)
        self._lines: Final = tuple(Connection(self, channel, part) for part in parts)
        self._deep: Final = DeepFeed(self, surroundings.instruments)
        books = self._deep.by_symbol
        for each in surroundings.instruments:
            self._decoder.add(each.segment, each.security_id, each.symbol, each.grid, book=books.get(each.symbol))
        self.reconnects = 0
        self._status_ns: dict[str, int] = {}
        """By segment, when its newest status was heard, on the monotonic clock."""

    # For the actor.

    def run(self) -> None:
        """Receive until `close`."""
        asyncio.run(self._main())

    def close(self) -> None:
        """End `run`."""
        with self._guard:
            self._closing = True
        with contextlib.suppress(RuntimeError):  # the loop has closed
            self._end()

    def take(self, most: int) -> list[Tick]:
        """Remove and return the oldest ticks."""
        return self._queue.take(most)

    def take_gaps(self) -> list[Gap]:
        """Remove and return the gaps that have ended."""
        with self._guard:
            gaps, self._gaps = self._gaps, []
        return gaps

    def take_statuses(self) -> list[Status]:
        """Remove and return the segments whose market has opened or closed."""
        with self._guard:
            statuses, self._statuses = self._statuses, []
        return statuses

    def counts(self) -> LiveCounts:
        """Return the counts."""
        arrived, conflated, queued = self._queue.counts()
        return LiveCounts(
            arrived=arrived,
            conflated=conflated,
            queued=queued,
            unknown=self._decoder.unknown + self._deep.unknown,
            damaged=self._decoder.damaged + self._deep.damaged,
            connections=sum(line.line.state == "open" for line in self._lines),
            reconnects=self.reconnects,
            silent=sum(len(line.silence.silent) for line in self._lines),
        )

    @property
    def trouble(self) -> str:
        """Say what keeps it from being whole."""
        parts = [_down(self._lines, "connections"), _down(self._deep.connections, "connections of depth")]
        if self._given.monotonic_ns() < self._ahead_until_ns:
            parts.append(
                f"{self._decoder.ahead} packets are left out, since the machine's clock is behind their times: "
                f"{self._decoder.fault}"
            )
        if self.left_out:
            room = self._options.connections_max * INSTRUMENTS_A_CONNECTION
            parts.append(f"{self.left_out} instruments are left out: {room} have room")
        if self._deep.left_out:
            parts.append(f"{self._deep.left_out} instruments keep five levels: {self._deep.room} have room for more")
        return "; ".join(filter(None, parts))

    # On its thread.

    async def _main(self) -> None:
        told = asyncio.Event()
        with self._guard:
            self._end = functools.partial(asyncio.get_running_loop().call_soon_threadsafe, told.set)
            if self._closing:
                told.set()
        try:
            while not told.is_set():
                self._look()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(LOOK_S):
                        await told.wait()
        finally:
            for line in self._connections:
                line.leave()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LEAVE_S):
                    await asyncio.gather(*(line.gone() for line in self._connections))
        if self._fault is not None:
            raise self._fault

    def _look(self) -> None:
        monotonic_ns = self._given.monotonic_ns()
        since_ns: dict[Market, int | None] = {each: self._trading_since_ns(monotonic_ns, each) for each in _MARKETS}
        for line in self._connections:
            line.look(monotonic_ns, since_ns[line.market])
        trouble = self.trouble
        if trouble != self._trouble_seen:
            self._trouble_seen = trouble
            self._given.wake()

    def _trading_since_ns(self, monotonic_ns: int, market: Market) -> int | None:
        """Return since when a market of the exchange trades, on the monotonic clock; None while it does not."""
        if self._exchange == "none":
            return 0
        now_ns = self._given.now_ns()
        session = session_at(now_ns, self._exchange, market)
        for start_ns, end_ns in session.spans if session is not None else ():
            if start_ns <= now_ns < end_ns:
                return monotonic_ns - (now_ns - start_ns)
        return None

    # For its connections.

    def token(self) -> str | None:
        """Return a token that the service has not refused; None: there is none."""
        token = self._given.token()
        return None if not token or token == self._refused_token else token

    def refuse_token(self, token: str) -> None:
        """Never send this one again."""
        if token != self._refused_token:
            self._refused_token = token
            self._given.token_refused()

    @property
    def _connections(self) -> tuple[Connection, ...]:
        return self._lines + self._deep.connections

    def _requests(self, listed: Sequence[Listed]) -> Iterable[bytes]:
        return requests(SUBSCRIBE[self._options.mode], listed)

    def _receive(self, frame: bytes, line: Connection) -> bool:
        decoder = self._decoder
        decoder.broken, decoder.reason = "", 0
        ahead = decoder.ahead
        found = decoder.decode(frame, self._given.now_ns())
        if decoder.ahead != ahead:
            self._ahead_until_ns = self._given.monotonic_ns() + AHEAD_TOLD_NS
        if found:
            now_ns = self._given.monotonic_ns()
            for symbol, since_ns in line.silence.heard(found, now_ns):
                began = Moment(self._given.now_ns() - (now_ns - since_ns), since_ns)
                self.gap((symbol,), began, "nothing came of it")
            if self._queue.put(found):
                self._given.wake()
        is_told = bool(decoder.statuses)
        if is_told:
            self._hear_statuses(line)
        if decoder.reason:
            line.end_for(decoder.reason)
        elif decoder.broken:
            line.end(f"a damaged frame: {decoder.broken}")
        return bool(found) or is_told

    def _hear_statuses(self, line: Connection) -> None:
        """Note whose market has opened or closed, once although every connection is told."""
        segments, self._decoder.statuses = self._decoder.statuses, []
        now_ns, heard_ns = self._given.now_ns(), self._given.monotonic_ns()
        for segment in segments:
            line.silence.rest(line.segments.get(segment, ()))
            if heard_ns - self._status_ns.get(segment, -STATUS_AGAIN_NS) < STATUS_AGAIN_NS:
                continue
            self._status_ns[segment] = heard_ns
            session = session_at(now_ns, *venue_of(segment, ""))
            is_open = session is not None and session.has(now_ns)
            status = Status(segment=segment, is_open=is_open, at_ns=now_ns)
            with self._guard:
                self._statuses.append(status)
            self._given.wake()

    def fail(self, fault: Exception) -> None:
        """Let `run` raise this."""
        self._fault = self._fault or fault
        self._end()

    def moment(self) -> Moment:
        """Return the present one."""
        return Moment(self._given.now_ns(), self._given.monotonic_ns())

    def gap(self, symbols: tuple[str, ...], since: Moment, cause: str) -> None:
        """Note that a gap has ended now, of what was traded in it; a clock that was set back hides none."""
        now = self.moment()
        end_ns = now.wall_ns
        start_ns = end_ns - elapsed_ns(since, now)
        if end_ns <= start_ns:
            return
        if self._exchange != "none":
            symbols = traded_between(symbols, start_ns, end_ns, self._exchange)
        if not symbols:
            return
        with self._guard:
            self._gaps.append(Gap(symbols=symbols, start_ns=start_ns, end_ns=end_ns, cause=cause))
        self._given.wake()

    @property
    def given(self) -> LiveSurroundings:
        """What it was given."""
        return self._given

    @property
    def options(self) -> DhanFeedOptions:
        """Of this source."""
        return self._options


def _down(connections: Sequence[Connection], what: str) -> str:
    """Say which are not open, and why; empty: all are."""
    down = [each for each in connections if each.line.state != "open"]
    causes = ", ".join(sorted({each.cause for each in down if each.cause})) or "being opened"
    return f"{len(down)} of {len(connections)} {what} are not open: {causes}" if down else ""


def _parts(instruments: Sequence[Instrument], connections_max: int) -> list[Sequence[Instrument]]:
    """Divide them among as few connections as have room."""
    size = INSTRUMENTS_A_CONNECTION
    return [instruments[begin : begin + size] for begin in range(0, len(instruments), size)][:connections_max]
