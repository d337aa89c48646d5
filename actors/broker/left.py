"""How many requests that place an order, or change one, have left, by the id that each of them has itself (plain)."""

from __future__ import annotations

from typing import Generic, TypeVar

Key = TypeVar("Key")
"""An order's id; of a change that and the broker's."""


class Left(Generic[Key]):
    """Counts them as long as the session lasts, and knows of which orders has not been told yet."""

    def __init__(self) -> None:
        """Begin with none."""
        self._counts: dict[Key, int] = {}
        self._untold: dict[Key, None] = {}

    def add(self, key: Key) -> bool:
        """Count one; say whether it is the first since orders was told."""
        self._counts[key] = self._counts.get(key, 0) + 1
        is_first = not self._untold
        self._untold[key] = None
        return is_first

    def begin_again(self) -> bool:
        """Say whether orders has not been told of some of them: the timer of before went with the session."""
        return bool(self._untold)

    def take(self) -> tuple[tuple[Key, int], ...]:
        """Return those that it has not been told of, and how often each has left so far."""
        untold, self._untold = self._untold, {}
        return tuple((key, self._counts[key]) for key in untold)
