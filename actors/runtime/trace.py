"""Traces: which messages belong to one conversation, and which caused which.

Every envelope has the conversation of its message. Mostly that is a number, which is copied to every message that is
sent as a consequence: 30 ns a hop. A named conversation (an order, by its client order id), and one in `every` of the
others, is recorded: its envelopes carry a `Stamp` instead, and each handling of a message adds a `Hop`, with the time
that the message waited and the time that its handler took.
"""

from __future__ import annotations

import contextlib
import itertools
import threading
from collections import deque
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import msgspec

from ...messages.trace import Hop
from ...messages.units import INTEGER_MAX

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from .clock import Clock

EVERY: Final = 1_024
"""One in so many unnamed conversations is recorded."""

HOPS_MAX: Final = 50_000
"""Hops kept: the newest."""

NAMED_MAX: Final = 10_000
"""Named conversations that can be continued; beyond it the oldest is forgotten, and begins anew when joined."""

NO_CONVERSATION: Final = 0
"""The trace of the runtime's own messages."""


_conversation: Final[ContextVar[str]] = ContextVar("conversation", default="")

conversation_here: Final = _conversation.get
"""Returns the correlation id of the `conversation` block in which it is called; outside of any an empty text."""


@contextlib.contextmanager
def conversation(correlation_id: str) -> Iterator[None]:
    """Make what this thread or task asks of actors, within the block, part of a named conversation."""
    token = _conversation.set(correlation_id)
    try:
        yield
    finally:
        _conversation.reset(token)


class Stamp(msgspec.Struct, frozen=True, gc=False):
    """What a message of a recorded conversation carries."""

    correlation_id: str
    causation_id: int
    """The hop that sent it; 0: it came from outside."""

    sent_ns: int
    """Monotonic."""

    def stamp(self) -> Stamp:
        """Return itself: a forwarded message keeps its stamp."""
        return self


class Span:
    """The handling of one message of a recorded conversation, or the start of one; it stamps the messages sent."""

    __slots__ = ("_clock", "begun_ns", "causation_id", "correlation_id", "hop_id", "sent_ns")

    def __init__(self, clock: Clock, hop_id: int, cause: Stamp) -> None:
        self._clock = clock
        self.correlation_id: Final = cause.correlation_id
        self.hop_id: Final = hop_id
        self.causation_id: Final = cause.causation_id
        self.sent_ns: Final = cause.sent_ns
        self.begun_ns: Final = clock.monotonic_ns()

    def stamp(self) -> Stamp:
        """Stamp a message that is sent now."""
        return Stamp(self.correlation_id, self.hop_id, self._clock.monotonic_ns())


Trace: TypeAlias = "int | Span | Stamp"
"""A number (not recorded), or what stamps. In an envelope: a number, or a `Stamp`."""


class Tracer:
    """Begins conversations, and keeps the newest hops of recorded ones. Thread-safe."""

    def __init__(self, clock: Clock, *, every: int = EVERY, first_id: int = 1) -> None:
        """Make one.

        Args:
            clock: measures how long a message waited.
            every: record one unnamed conversation in so many; 1: each; 0: record nothing, of named ones neither.
            first_id: first number of conversations and hops; it differs between processes.
        """
        self.records: Final = every > 0
        """Else a named conversation is its name alone, which goes with its messages."""

        self.every: Final = every or INTEGER_MAX
        self.numbers: Final = itertools.count(first_id)
        self._hop_ids: Final = itertools.count(first_id)
        self._clock: Final = clock
        self._hops: deque[Hop] = deque(maxlen=HOPS_MAX)
        self._new: deque[Hop] | None = None
        """Hops that `new_hops` has not returned; None: it was never called."""

        self._newest: dict[str, Span] = {}
        self._lock: Final = threading.Lock()

    def begin(self) -> int | Span:
        """Begin an unnamed conversation."""
        number = next(self.numbers)
        return number if number % self.every else self.sampled(number)

    def sampled(self, number: int) -> Span:
        """Begin a recorded conversation with this number: the one in `every`."""
        return Span(self._clock, 0, Stamp(str(number), 0, 0))

    def join(self, correlation_id: str, cause: Trace = NO_CONVERSATION) -> Trace:
        """Continue a named conversation after its newest hop, or begin it, as caused by `cause`.

        With an empty name it is the one of the `conversation` block, and outside of one an unnamed one begins.
        """
        correlation_id = correlation_id or conversation_here()
        if not correlation_id:
            return self.begin()
        if not self.records:
            return Stamp(correlation_id, 0, 0)
        known = self._newest.get(correlation_id)
        if known is not None:
            return known
        hop_id = cause.hop_id if isinstance(cause, Span) else 0
        return self._keep(Span(self._clock, hop_id, Stamp(correlation_id, hop_id, 0)))

    def receive(self, stamp: Stamp) -> Span:
        """Begin to handle a message of a recorded conversation."""
        span = Span(self._clock, next(self._hop_ids), stamp)
        if stamp.correlation_id in self._newest:
            self._newest[stamp.correlation_id] = span
        return span

    def record(self, span: Span, actor: str, message: Any, *, failed: bool) -> None:
        """Add the hop of a handled message."""
        hop = Hop(
            correlation_id=span.correlation_id,
            hop_id=span.hop_id,
            causation_id=span.causation_id,
            actor=actor,
            message_type=type(message).__name__,
            sent_ns=span.sent_ns,
            begun_ns=span.begun_ns,
            ended_ns=self._clock.monotonic_ns(),
            failed=failed,
        )
        self._hops.append(hop)
        if self._new is not None:
            self._new.append(hop)

    def add(self, hops: Iterable[Hop]) -> None:
        """Add hops that another process recorded."""
        hops = tuple(hops)
        self._hops.extend(hops)
        if self._new is not None:
            self._new.extend(hops)

    def new_hops(self) -> tuple[Hop, ...]:
        """Return the hops since the last call, at most the newest `HOPS_MAX`; the first call returns none."""
        if self._new is None:
            self._new = deque(maxlen=HOPS_MAX)
        return self._by_wall_clock([self._new.popleft() for _ in range(len(self._new))])

    def hops(self, correlation_id: str = "", hops_max: int = HOPS_MAX) -> tuple[Hop, ...]:
        """Return the newest hops of a conversation, or of all, in the order they ended; times by the wall clock."""
        chosen = [hop for hop in self._hops.copy() if not correlation_id or hop.correlation_id == correlation_id]
        return self._by_wall_clock(chosen[max(0, len(chosen) - hops_max) :])

    def _by_wall_clock(self, hops: list[Hop]) -> tuple[Hop, ...]:
        ahead_ns = self._clock.now_ns() - self._clock.monotonic_ns()
        return tuple(
            msgspec.structs.replace(
                hop,
                sent_ns=hop.sent_ns + ahead_ns,
                begun_ns=hop.begun_ns + ahead_ns,
                ended_ns=hop.ended_ns + ahead_ns,
            )
            for hop in hops
        )

    def _keep(self, span: Span) -> Span:
        with self._lock:
            self._newest[span.correlation_id] = span
            while len(self._newest) > NAMED_MAX:
                self._newest.pop(next(iter(self._newest)))
        return span


def correlation_of(trace: Trace) -> str:
    """Return the name or number of the conversation; empty: none."""
    return str(trace or "") if trace.__class__ is int else trace.correlation_id  # type: ignore[union-attr]


def causation_of(trace: Trace) -> int:
    """Return the hop that sent the current message; of an unrecorded conversation, its number."""
    return trace if trace.__class__ is int else trace.causation_id  # type: ignore[union-attr]
