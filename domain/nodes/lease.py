"""Who may run a strategy: a record on a server that its holder writes anew, and others watch (pure).

The problem: two nodes must never run one strategy at once, and the server that they meet at may hang, answer late, be
emptied, or come back with what it knew earlier. The idea: nothing expires by itself. Whoever wants the lease takes it
when it has seen one and the same record for a whole lease by its own clock; the holder counts from when it asked for
its last renewal, and gives up earlier than that. The trap: a renewal may be carried out long after it was asked for;
so what counts is when it was asked, and a record of one's own that was let run out is watched like anybody's.

Source: the lock client of DynamoDB, for the watching; Kleppmann, "How to do distributed locking", for the fence.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import msgspec

from ..time import SECOND_NS

RENEWALS_A_LEASE: Final = 5
STOPS_AT: Final = 0.5
"""Part of a lease without a renewal after which the holder stops what it runs."""

ENDS_AT: Final = 0.8
"""Part of a lease without a renewal after which it is the holder no more; the rest is a margin for unlike clocks."""


class Lease(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """The record."""

    fence: int
    """Greater at each new holder."""

    holder: str
    """Of one life of a node."""

    beat: int
    """Greater at each renewal."""


class Seen(NamedTuple):
    """What was read."""

    lease: Lease | None
    server: str
    """Names the life of the server and of its data: another name, and it may have gone back in time."""


class Tenure:
    """What one life of a node knows of the lease of one strategy. Times are of its own monotonic clock."""

    def __init__(self, holder: str, *, lease_s: float) -> None:
        """Hold nothing, and have seen nothing."""
        self._holder: Final = holder
        self._lease_ns: Final = round(lease_s * SECOND_NS)
        self._floor = 0
        self._held: Lease | None = None
        self._held_from_ns = 0
        self._asked: dict[Lease, int] = {}
        self._watched: Seen | None = None
        self._watched_from_ns = 0
        self._beat = 0

    @property
    def fence(self) -> int:
        """Of the lease that is held, or was held last; 0: none was."""
        return 0 if self._held is None else self._held.fence

    def is_held(self, now_ns: int) -> bool:
        """Tell whether it holds the lease: whatever runs under it may say something now."""
        return self._held is not None and now_ns < self._held_from_ns + round(self._lease_ns * ENDS_AT)

    def should_run(self, now_ns: int) -> bool:
        """Tell whether the strategy should run: while the lease is held, and renewed in time."""
        return self._held is not None and now_ns < self._held_from_ns + round(self._lease_ns * STOPS_AT)

    def outbid(self, fence: int) -> None:
        """Take note of a fence that was given: the own one has to be greater, from the next renewal on."""
        self._floor = max(self._floor, fence)

    def let_go(self) -> None:
        """Hold it no more: it runs out for the others."""
        self._held = None
        self._asked.clear()
        self._watched = None

    def read(self, seen: Seen, *, asked_ns: int, now_ns: int) -> Lease | None:
        """Take in what the server has, and return what to write in its place; None: nothing.

        Args:
            seen: what it is.
            asked_ns: when it was asked for.
            now_ns: when the answer was there.
        """
        if seen.lease in self._asked:  # carried out, whenever its answer was lost
            self._renewed(seen.lease)
        self._asked = {each: at_ns for each, at_ns in self._asked.items() if now_ns - at_ns < self._lease_ns}
        if self.is_held(now_ns):
            if seen.lease is None or seen.lease == self._held:
                return self._next(seen.lease, asked_ns=asked_ns)
            self.let_go()  # another's
        elif self._held is not None:
            self.let_go()
        if seen != self._watched:
            self._watched, self._watched_from_ns = seen, now_ns
            return None
        if asked_ns - self._watched_from_ns < self._lease_ns:
            return None
        return self._next(seen.lease, asked_ns=asked_ns)

    def wrote(self, lease: Lease) -> None:
        """Take note that the server has written what `read` returned. Of what is not known to be, nothing is told."""
        if lease in self._asked:
            self._renewed(lease)

    def _renewed(self, lease: Lease) -> None:
        from_ns = self._asked[lease]
        self._asked = {each: asked_ns for each, asked_ns in self._asked.items() if each.beat > lease.beat}
        self._held, self._held_from_ns, self._watched = lease, from_ns, None

    def _next(self, before: Lease | None, *, asked_ns: int) -> Lease:
        """Return the record to write; what it will be worth counts from when its predecessor was asked for."""
        self._beat += 1
        if self._held is not None and self._held.fence > self._floor:
            fence = self._held.fence
        else:
            fence = max(self._floor, 0 if before is None else before.fence, self.fence) + 1
        lease = Lease(fence=fence, holder=self._holder, beat=self._beat)
        self._asked[lease] = asked_ns
        return lease
