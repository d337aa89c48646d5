"""How long to wait before a socket is opened again. Pure: chance comes in as a number."""

from __future__ import annotations

from typing import Final

import msgspec

FIRST_S: Final = 1.0
MAX_S: Final = 30.0
MIN_S: Final = 0.1
SETTLED_S: Final = 30.0
"""A connection that lived so long is no failure: the next wait is a first one."""


class Reconnecting(msgspec.Struct, frozen=True):
    """The failures in a row, connections that ended early included.

    Full jitter: each wait is drawn from nothing to its bound, which doubles; so clients that were cut off together come
    back one by one.
    """

    failures: int = 0

    def after(self, *, lived_s: float) -> Reconnecting:
        """Return the state after a connection of so long a life, or an attempt, that has ended."""
        return Reconnecting(1 if lived_s >= SETTLED_S else self.failures + 1)

    def wait_s(self, *, chance: float, is_told_to_wait: bool = False) -> float:
        """Return the wait.

        Args:
            chance: a random number from 0 to below 1.
            is_told_to_wait: the service said "too many": at least half of the longest wait.
        """
        if is_told_to_wait:
            return MAX_S * (1 + chance) / 2
        doublings = min(max(self.failures - 1, 0), 16)
        return max(MIN_S, chance * min(MAX_S, FIRST_S * 2.0**doublings))
