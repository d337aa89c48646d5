"""How long to wait before a socket is opened again. Pure: chance comes in as a number."""

from __future__ import annotations

from typing import Final

import msgspec

FIRST_S: Final = 1.0
MAX_S: Final = 30.0
MIN_S: Final = 0.1
DOUBLINGS_MAX: Final = 16
SETTLED_S: Final = 30.0
"""Seconds after which a connection that ended counts as no failure: the next wait is the shortest."""


class Reconnecting(msgspec.Struct, frozen=True):
    """The failures in a row, connections that ended early included.

    Full jitter: each wait is drawn from nothing to its bound, which doubles; so clients that were cut off together come
    back one by one.
    """

    failures: int = 0

    def after(self, *, lived_s: float, settled_s: float = SETTLED_S) -> Reconnecting:
        """Return the state after a connection of so long a life, or an attempt, that has ended."""
        return Reconnecting(1 if lived_s >= settled_s else self.failures + 1)

    def wait_s(
        self,
        *,
        chance: float,
        is_told_to_wait: bool = False,
        first_s: float = FIRST_S,
        max_s: float = MAX_S,
        min_s: float = MIN_S,
    ) -> float:
        """Return the wait.

        Args:
            chance: a random number from 0 to below 1.
            is_told_to_wait: the service said "too many": at least half of the longest wait.
            first_s: bound of the first wait.
            max_s: bound of all.
            min_s: shortest wait.
        """
        if is_told_to_wait:
            return max_s * (1 + chance) / 2
        doublings = min(max(self.failures - 1, 0), DOUBLINGS_MAX)
        return max(min_s, chance * min(max_s, first_s * 2.0**doublings))
