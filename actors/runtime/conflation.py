"""Market data of a receiver that is behind: of each symbol only the newest waits, in its place among the others.

Who is behind: more waits for it than it handles in a turn. What is left out is counted, so that of all that was sent to
a receiver, published = delivered + conflated + queued, exactly. Everything else (facts, answers, candles) is kept. What
remains keeps its order: a price that came after a fill is not seen before it.

Only of an actor whose class says `conflates`, and never in a simulated market, which waits for everyone instead.

An actor on the shared loop conflates its own mailbox, at the beginning of a turn: nobody else takes from it, so that no
lock is needed, and its senders append as ever. Its turn is a share of time, not of messages: the rest waits, and is
conflated, while others have theirs. One on a thread of its own may be in a handler for seconds, while its mailbox
grows: `KeepingUp` conflates where it is sent to, under a lock. One in a worker process: see `workers/stand_in.py`.
"""

from __future__ import annotations

import sys
import threading
from collections import deque
from typing import TYPE_CHECKING, Any, Final, cast

from ...domain.freshness import is_late
from ...messages.market import CONFLATED

if TYPE_CHECKING:
    from .endpoint import Envelope

BEHIND: Final = 64
"""Waiting messages from which on an actor is behind: more than it handles in a turn."""

NEVER: Final = sys.maxsize
"""Waiting messages of an actor that is never conflated."""

SHARE_NS: Final = 2_000_000
"""Nanoseconds of a turn in which many messages wait: all other actors on the loop wait that long."""

UNTIMED: Final = 4
"""Messages of a turn that is not timed: reading the clock costs a tenth of a message."""


def newest_of(envelopes: list[Envelope]) -> list[Envelope]:
    """Return the envelopes, last first, of the market data of each symbol only the newest: a late tick is not it."""
    kept: list[Envelope | None] = []
    seen: dict[str, int] = {}
    has_late = False
    for envelope in reversed(envelopes):
        message: Any = envelope[0]
        if type(message) in CONFLATED:
            place = seen.setdefault(message.symbol, len(kept))
            if place < len(kept):
                after: Any = kept[place]
                if not is_late(after[0].exchange_ns, message.exchange_ns, after[0].received_ns):
                    continue
                kept[place], seen[message.symbol], has_late = None, len(kept), True
        kept.append(envelope)
    return [each for each in kept if each is not None] if has_late else cast("list[Envelope]", kept)


def conflate(queue: deque[Envelope]) -> int:
    """Remove all but the newest market data of each symbol from a queue; return how many messages were removed.

    Only this thread may take from the queue.

    Raises:
        IndexError: another thread did; what was taken here is put back.
    """
    taken: list[Envelope] = []
    take = queue.popleft
    try:
        taken.extend(take() for _ in range(len(queue)))
    finally:
        kept = newest_of(taken)
        queue.extendleft(kept)  # one by one to the left: the newest is the first, so that they stand in order
    return len(taken) - len(kept)


def behind_at(remaining: int) -> int:
    """Return from how many waiting messages another look is worth it, given how many remained at the last."""
    return max(BEHIND, 2 * remaining)


def share_of(taken_ns: int, count: int) -> int:
    """Return how many messages fit into a turn, when so many took so long."""
    return max(1, min(BEHIND, SHARE_NS * count // max(1, taken_ns)))


class KeepingUp:
    """The mailbox of an actor on its own thread: conflated where it is sent to."""

    def __init__(self) -> None:
        self._queue: deque[Envelope] = deque()
        self._lock = threading.Lock()
        self._behind_at = BEHIND
        self.dropped = 0
        self.conflated = 0

    def __len__(self) -> int:
        return len(self._queue)

    def append(self, envelope: Envelope) -> None:
        """Take it; leave out what it and others have made old."""
        with self._lock:
            self._queue.append(envelope)
            if len(self._queue) > self._behind_at:
                self.conflated += conflate(self._queue)
                self._behind_at = behind_at(len(self._queue))

    def appendleft(self, envelope: Envelope) -> None:
        """Put an envelope back."""
        with self._lock:
            self._queue.appendleft(envelope)

    def popleft(self) -> Envelope:
        """Remove and return the oldest."""
        with self._lock:
            envelope = self._queue.popleft()
            if not self._queue:
                self._behind_at = BEHIND
            return envelope
