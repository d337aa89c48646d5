"""Where a durable subscription is: all up to a sequence is settled, but a few that are open. Pure."""

from __future__ import annotations

import msgspec


class Settled(msgspec.Struct, frozen=True):
    """Which sequences of the journal a subscription is done with: as large as what is open, not as what is done.

    One event that is tried for a minute is one open sequence, and not a hundred thousand behind it that are settled.
    """

    upto: int
    """All up to this one, except `open`."""

    open: frozenset[int] = frozenset()

    beyond: frozenset[int] = frozenset()
    """And these behind it."""

    @property
    def position(self) -> int:
        """The sequence up to which all are settled."""
        return min(self.open) - 1 if self.open else self.upto

    def has(self, sequence: int) -> bool:
        """Tell whether a sequence is settled."""
        return sequence not in self.open if sequence <= self.upto else sequence in self.beyond

    def with_(self, other: Settled) -> Settled:
        """Return what is settled by one of them: older news never unsettles what is settled."""
        upto = max(self.upto, other.upto)
        both = self.open | other.open
        return Settled(
            upto=upto,
            open=frozenset(each for each in both if not self.has(each) and not other.has(each)),
            beyond=frozenset(each for each in self.beyond | other.beyond if each > upto),
        )


class Place:
    """What a subscription has settled, as far as it is known, and when that was journaled."""

    __slots__ = ("kept_ns", "settled")

    def __init__(self, settled: Settled) -> None:
        self.settled = settled
        self.kept_ns: int | None = None
        """When it was last journaled: nanoseconds since 1970-01-01 UTC; None: never."""

    def settle(self, settled: Settled) -> None:
        """Take note that these are settled, too."""
        self.settled = self.settled.with_(settled)


class Passed:
    """Records of the journal, without a gap, that no subscription wants: whoever is at them is behind them."""

    __slots__ = ("_after", "_upto")

    def __init__(self) -> None:
        self._after = self._upto = 0

    def add(self, after: int, upto: int) -> None:
        """Take those behind one sequence up to another; they follow the ones before, or take their place."""
        if after != self._upto:
            self._after = after
        self._upto = upto

    def from_(self, sequence: int) -> int:
        """Return the position of a subscription that had reached this sequence."""
        return self._upto if self._after <= sequence < self._upto else sequence
