"""How nothing on the way between two nodes is lost, doubled or overtaken, whatever the server in between does (pure).

What is sent is numbered, and kept until the other end has confirmed it; what is not confirmed in time is sent again,
from the oldest on. The other end takes each number once, in order, and drops what comes too early: it will come again.
A link ends with either of its ends, and a new one begins with number 1.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

T = TypeVar("T")

BATCH_MAX: Final = 256
"""Messages sent at once."""

ON_THE_WAY_MAX: Final = 1_024
"""Sent and not confirmed; more has to wait."""


class Outgoing(Generic[T]):
    """Messages to be sent over a link, and those not confirmed."""

    def __init__(self, *, waiting_max: int, again_ns: int) -> None:
        """Begin a link.

        Args:
            waiting_max: so many may wait to be confirmed.
            again_ns: the oldest is sent again when it was not confirmed in so long.
        """
        self._waiting_max: Final = waiting_max
        self._again_ns: Final = again_ns
        self._kept: deque[T] = deque()
        self._confirmed = 0
        self._sent = 0
        self._sent_ns = 0
        self.repeats = 0
        """What was sent once more."""

    def __len__(self) -> int:
        """Return how many are not confirmed."""
        return len(self._kept)

    def push(self, item: T) -> bool:
        """Add a message to send; False: too many wait."""
        if len(self._kept) >= self._waiting_max:
            return False
        self._kept.append(item)
        return True

    def replace(self, replaced: Callable[[T], T]) -> None:
        """Put others in the place of what is not confirmed: it may have arrived, or the other one will."""
        self._kept = deque(map(replaced, self._kept))

    def confirm(self, number: int) -> None:
        """Forget the messages that the other end has, up to this number."""
        while self._confirmed < number and self._kept:
            self._kept.popleft()
            self._confirmed += 1
        self._sent = max(self._sent, self._confirmed)

    def due(self, now_ns: int) -> tuple[int, tuple[T, ...]] | None:
        """Return what to send now, and the number of the first of it; None: nothing."""
        if now_ns - self._sent_ns >= self._again_ns:
            self.repeats += self._sent - self._confirmed
            self._sent = self._confirmed
        begin = self._sent - self._confirmed
        end = min(len(self._kept), begin + BATCH_MAX, ON_THE_WAY_MAX)
        if end <= begin:
            return None
        first = self._sent + 1
        self._sent += end - begin
        self._sent_ns = now_ns
        return first, tuple(self._kept[index] for index in range(begin, end))


class Incoming:
    """What came over a link."""

    def __init__(self) -> None:
        """Begin a link."""
        self.taken = 0
        """The number up to which everything has come: what is confirmed."""

    def take(self, first: int, items: Sequence[T]) -> Sequence[T]:
        """Return what is new of it, in order; nothing of what came too early."""
        if first > self.taken + 1:
            return ()
        fresh = items[self.taken + 1 - first :]
        self.taken += len(fresh)
        return fresh
