"""Whether a fault occurs: by its probability, its bounds, and a seed. Pure."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence


class Bounded(Protocol):
    """Bounds of how often a fault occurs."""

    @property
    def chance(self) -> float:
        """Probability on each occasion: 0 to 1."""

    @property
    def times(self) -> int:
        """At most; 0 for no bound."""

    @property
    def after(self) -> int:
        """Occasions that it leaves alone before."""


class Drawing:
    """The same seed and the same occasions in the same order give the same faults."""

    def __init__(self, faults: Sequence[Bounded], seed: int) -> None:
        """Begin.

        Args:
            faults: all of a plan, by their numbers.
            seed: of all that is drawn.
        """
        self._faults = faults
        self._seen = [0] * len(faults)
        self.fallen = [0] * len(faults)
        """How often each has fallen."""

        self.random = random.Random(seed)  # noqa: S311  a plan is repeated, not guessed

    def falls(self, number: int) -> bool:
        """Say whether a fault falls on an occasion that it may fall on, and count it."""
        fault = self._faults[number]
        self._seen[number] += 1
        is_drawn = self.random.random() < fault.chance  # drawn always, so that one fault does not shift another
        is_spent = fault.times and self.fallen[number] >= fault.times
        if not is_drawn or is_spent or self._seen[number] <= fault.after:
            return False
        self.fallen[number] += 1
        return True
