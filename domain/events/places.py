"""Where a durable subscription is: all up to a position is settled, and a few behind it. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


class Place:
    """A position that only moves forward: older news never unsettles what is settled."""

    __slots__ = ("_done", "kept_ns", "position")

    def __init__(self, position: int) -> None:
        self.position = position
        self._done: set[int] = set()
        self.kept_ns: int | None = None
        """When the position was last journaled: nanoseconds since 1970-01-01 UTC; None: never."""

    @property
    def done(self) -> tuple[int, ...]:
        """Sequences after the position that are settled."""
        return tuple(sorted(self._done))

    def settle(self, position: int, done: Iterable[int] = ()) -> None:
        """Take note that all up to this position is settled, and these."""
        self.position = max(self.position, position)
        self._done = {each for each in (*self._done, *done) if each > self.position}


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
