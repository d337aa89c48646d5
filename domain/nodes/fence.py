"""Whose orders count: for each strategy those of the greatest fence ever admitted (pure)."""

from __future__ import annotations

from typing import Final, NamedTuple


class Fence(NamedTuple):
    """One tenure of a strategy."""

    number: int
    holder: str


class Fences:
    """The newest tenure of each strategy, as the journal has it. Only greater numbers follow."""

    def __init__(self) -> None:
        """Know of none."""
        self._newest: Final[dict[str, Fence]] = {}
        self._proposed: Final[dict[str, Fence]] = {}

    def newest(self, strategy: str) -> Fence | None:
        """Return the tenure that counts; None: there was none yet."""
        return self._newest.get(strategy)

    def counts(self, strategy: str, fence: Fence) -> bool:
        """Whether messages under this tenure count."""
        return self._newest.get(strategy) == fence

    def propose(self, strategy: str, fence: Fence) -> bool:
        """Tell whether a tenure may follow the one that counts; then no other of this number may, nor an older one.

        What was proposed may become durable although nobody was told so: it is as good as admitted for all but itself.
        """
        newest, proposed = self._newest.get(strategy), self._proposed.get(strategy)
        if newest is not None and fence.number <= newest.number:
            return False
        if proposed is not None and fence.number <= proposed.number and fence != proposed:
            return False
        self._proposed[strategy] = fence
        return True

    def above(self, strategy: str, fence: Fence) -> int:
        """Return the greatest number that another tenure has, or may have by now; 0: there is none but this one."""
        others = (each for each in (self._newest.get(strategy), self._proposed.get(strategy)) if each is not None)
        return max((each.number for each in others if each != fence), default=0)

    def admit(self, strategy: str, fence: Fence) -> bool:
        """Take in a tenure that is durable; False, and nothing changes: a newer one was proposed meanwhile."""
        if self._proposed.get(strategy) != fence:
            return False
        self._newest[strategy] = fence
        return True

    def recall(self, strategy: str, fence: Fence) -> None:
        """Take in a tenure from the journal, where they are in order; of two of one number the later one counts."""
        newest = self._newest.get(strategy)
        if newest is None or fence.number >= newest.number:
            self._newest[strategy] = fence
