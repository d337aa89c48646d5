"""What belongs together across mailboxes, and what caused what.

Every envelope says to which conversation its message belongs. Mostly that is a number, which everything that follows
from a message carries on unchanged: 30 ns a hop. A conversation that has a name (an order, by its client order id), and
one in `every` of the others, is recorded: its envelopes carry a `Stamp` instead, and each handling leaves a `Hop` with
the time that the message waited and the time that its handler took.
"""

from __future__ import annotations

import itertools
import threading
from collections import deque
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import msgspec

from ...messages.trace import Hop

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .clock import Clock

EVERY: Final = 1_024
"""Of so many conversations without a name one is recorded."""

HOPS_MAX: Final = 50_000
"""The newest are kept."""

NAMED_MAX: Final = 10_000
"""Conversations that can be taken up again by name; of one more the oldest begins anew."""

NO_CONVERSATION: Final = 0
"""Of what the runtime itself has to say."""


class Stamp(msgspec.Struct, frozen=True, gc=False):
    """What a message of a recorded conversation carries."""

    correlation_id: str
    causation_id: int
    """The hop that sent it; 0: it began outside."""

    sent_ns: int
    """Monotonic."""

    def stamp(self) -> Stamp:
        """Go on as it is: the message was passed on, not sent anew."""
        return self


class Span:
    """One handling of a message of a recorded conversation, or the beginning of one; stamps what it sends."""

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
"""A number, or what stamps. In an envelope: a number, or a `Stamp`."""


class Tracer:
    """Begins conversations, and keeps the newest hops of those that are recorded. For all threads."""

    def __init__(self, clock: Clock, *, every: int = EVERY, first_id: int = 1) -> None:
        """Make one.

        Args:
            clock: tells how long a message waited.
            every: record one conversation without a name in so many; 1: each.
            first_id: of conversations and hops; so that those of two processes differ.
        """
        self.every: Final = every
        self.numbers: Final = itertools.count(first_id)
        self._hop_ids: Final = itertools.count(first_id)
        self._clock: Final = clock
        self._hops: deque[Hop] = deque(maxlen=HOPS_MAX)
        self._newest: dict[str, Span] = {}
        self._lock: Final = threading.Lock()

    def begin(self) -> int | Span:
        """Begin a conversation without a name."""
        number = next(self.numbers)
        return number if number % self.every else self.sampled(number)

    def sampled(self, number: int) -> Span:
        """Record this conversation, since it is the one in `every`."""
        return Span(self._clock, 0, Stamp(str(number), 0, 0))

    def join(self, correlation_id: str, cause: Trace = NO_CONVERSATION) -> int | Span:
        """Take up a conversation where its newest hop was; one that is not known begins, because of `cause`.

        Without a name a new one without a name begins.
        """
        if not correlation_id:
            return self.begin()
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
        """Keep what became of a message."""
        self._hops.append(
            Hop(
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
        )

    def add(self, hops: Iterable[Hop]) -> None:
        """Keep what another process recorded."""
        self._hops.extend(hops)

    def hops(self, correlation_id: str = "", hops_max: int = HOPS_MAX) -> tuple[Hop, ...]:
        """Return the newest kept hops of a conversation, or of all, in the order they ended, by the wall clock."""
        ahead_ns = self._clock.now_ns() - self._clock.monotonic_ns()
        chosen = [hop for hop in self._hops.copy() if not correlation_id or hop.correlation_id == correlation_id]
        return tuple(
            msgspec.structs.replace(
                hop,
                sent_ns=hop.sent_ns + ahead_ns,
                begun_ns=hop.begun_ns + ahead_ns,
                ended_ns=hop.ended_ns + ahead_ns,
            )
            for hop in chosen[max(0, len(chosen) - hops_max) :]
        )

    def _keep(self, span: Span) -> Span:
        with self._lock:
            self._newest[span.correlation_id] = span
            while len(self._newest) > NAMED_MAX:
                self._newest.pop(next(iter(self._newest)))
        return span


def correlation_of(trace: Trace) -> str:
    """Name the conversation; empty: none."""
    return str(trace or "") if trace.__class__ is int else trace.correlation_id  # type: ignore[union-attr]


def causation_of(trace: Trace) -> int:
    """Name the hop that sent the message in hand; of a conversation that is not recorded, its number."""
    return trace if trace.__class__ is int else trace.causation_id  # type: ignore[union-attr]
