"""Mailboxes that an actor may choose instead of the unbounded default, a bare deque.

    class Ticker(RuntimeActor):
        mailbox = Conflating(lambda message: message.symbol if isinstance(message, Tick) else None)

Messages of an actor to itself (timers, outcomes) are always accepted, and never dropped for another. Control messages
do not pass through mailboxes.
"""

from __future__ import annotations

import threading
from collections import deque
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeAlias

import msgspec

from ...domain.wording import expect_number, expect_word
from ...messages.supervision import Unavailable
from .endpoint import Endpoint

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from .endpoint import Envelope

RETRY_AFTER_S = 0.1
"""`retry_after_s` of `Unavailable` to a refused sender: enough to handle a batch of messages."""


AtLimit: TypeAlias = Literal["refuse", "drop_oldest", "block_caller"]


class Mailbox(Protocol):
    """A queue of envelopes: `append` from any thread, the rest from the cell's own."""

    dropped: int
    conflated: int

    def append(self, envelope: Envelope, /) -> object:
        """Take an envelope, or refuse it by the mailbox's policy."""
        ...

    def appendleft(self, envelope: Envelope, /) -> object:
        """Put an envelope back."""
        ...

    def popleft(self) -> Envelope:
        """Remove and return the oldest."""
        ...

    def __len__(self) -> int: ...


class MailboxKind(Protocol):
    """Makes the mailbox of one cell."""

    def make(self, owner: Endpoint, on_actor_thread: Callable[[], bool]) -> Mailbox:
        """Make an empty mailbox; `on_actor_thread` says whether its caller is an actor, which may not wait."""
        ...


class Bounded(msgspec.Struct, frozen=True):
    """At most `limit` messages; `at_limit` says what happens to one more.

    `refuse`: its sender is answered `Unavailable`. `drop_oldest`: the oldest message is dropped for it; the sender of
    that is answered `Unavailable` only if it was a request. `block_caller`: a caller outside of the system waits until
    there is room; an actor, which may not wait, is refused.

    Raises:
        ValueError: on construction: `limit` below 1, or an unknown `at_limit`.
    """

    limit: int
    at_limit: AtLimit = "refuse"

    def __post_init__(self) -> None:
        expect_word("at_limit", self.at_limit, AtLimit)
        expect_number("limit", self.limit, least=1, is_whole=True)

    def make(self, owner: Endpoint, on_actor_thread: Callable[[], bool]) -> Mailbox:
        """Make one for this cell."""
        return BoundedMailbox(owner, self, on_actor_thread)


class Conflating(msgspec.Struct, frozen=True):
    """Of all waiting messages with one key only the newest is kept, in the position of the first.

    `key` is called on the sender's thread, and returns None for a message that is never conflated. Nor is one conflated
    at which it raises, or whose key cannot be hashed: that is no failure of the sender.
    """

    key: Callable[[Any], Hashable]

    def make(self, owner: Endpoint, _on_actor_thread: Callable[[], bool]) -> Mailbox:
        """Make one for this cell."""
        return ConflatingMailbox(owner, self.key)


class BoundedMailbox:
    """A queue with a limit, exact among many senders."""

    def __init__(self, owner: Endpoint, kind: Bounded, on_actor_thread: Callable[[], bool]) -> None:
        self._owner = owner
        self._on_actor_thread = on_actor_thread
        self._kind = kind
        self._queue: deque[Envelope] = deque()
        self._changed = threading.Condition()
        self.dropped = 0
        self.conflated = 0

    def __len__(self) -> int:
        return len(self._queue)

    def append(self, envelope: Envelope) -> None:
        """Take it, or apply `at_limit`."""
        with self._changed:
            if len(self._queue) < self._kind.limit or envelope[1] is self._owner:
                self._queue.append(envelope)
                return
            drops_oldest = self._kind.at_limit == "drop_oldest"
            if drops_oldest:
                self._queue.append(envelope)
                envelope = self._take_oldest()
            if self._kind.at_limit == "block_caller" and not self._on_actor_thread():
                self._changed.wait_for(lambda: len(self._queue) < self._kind.limit)
                self._queue.append(envelope)
                return
            self.dropped += 1
        sender = envelope[1]
        if isinstance(sender, Endpoint) and (not drops_oldest or getattr(sender, "wants_answer", False)):
            reason = f"its mailbox has its {self._kind.limit} messages"
            answer = Unavailable(actor=self._owner.name, reason=reason, retry_after_s=RETRY_AFTER_S)
            sender.deliver(answer, self._owner, envelope[2])

    def _take_oldest(self) -> Envelope:
        """Remove the oldest message that is not from the owner itself; there is one, the new one at least."""
        place = next(place for place, envelope in enumerate(self._queue) if envelope[1] is not self._owner)
        envelope = self._queue[place]
        del self._queue[place]
        return envelope

    def appendleft(self, envelope: Envelope) -> None:
        """Put an envelope back, regardless of the limit."""
        with self._changed:
            self._queue.appendleft(envelope)

    def popleft(self) -> Envelope:
        """Remove and return the oldest, and let a waiting caller put its message."""
        with self._changed:
            self._changed.notify()
            return self._queue.popleft()


class ConflatingMailbox:
    """A queue of places; a place holds the newest envelope of its key."""

    def __init__(self, owner: Endpoint, key: Callable[[Any], Hashable]) -> None:
        self._owner = owner
        self._key = key
        self._places: deque[tuple[Hashable, list[Envelope]]] = deque()
        self._newest: dict[Hashable, list[Envelope]] = {}
        self._lock = threading.Lock()
        self.dropped = 0
        self.conflated = 0

    def __len__(self) -> int:
        return len(self._places)

    def append(self, envelope: Envelope) -> None:
        """Take it, in the place of an older one of its key if one waits."""
        key = None if envelope[1] is self._owner else self._key_of(envelope[0])
        with self._lock:
            place = None if key is None else self._newest.get(key)
            if place is not None:
                place[0] = envelope
                self.conflated += 1
                return
            place = [envelope]
            if key is not None:
                self._newest[key] = place
            self._places.append((key, place))

    def _key_of(self, message: Any) -> Hashable:
        try:
            key = self._key(message)
            hash(key)
        except Exception:  # noqa: BLE001  code of the actor's class, on the thread of whoever sends to it
            return None
        return key

    def appendleft(self, envelope: Envelope) -> None:
        """Put an envelope back, without conflating it."""
        with self._lock:
            self._places.appendleft((None, [envelope]))

    def popleft(self) -> Envelope:
        """Remove the oldest place and return its envelope."""
        with self._lock:
            key, place = self._places.popleft()
            if key is not None:
                del self._newest[key]
            return place[0]
