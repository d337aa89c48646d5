"""How many requests that place or change an order have left, by the id in the request itself (plain)."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from typing import Final, Generic, TypeVar

FORGOTTEN_PART: Final = 100
"""Of orders that are remembered, one of so many is forgotten in one go: a dict is searched from its beginning."""

Key = TypeVar("Key")
"""A client order id; for a change also the broker's order id."""


def to_forget(settled: Iterable[Key], remembered_max: int) -> list[Key]:
    """Return which of the settled orders, oldest first, make room where so many are remembered; empty: none can."""
    return [*itertools.islice(settled, max(1, remembered_max // FORGOTTEN_PART))]


class Left(Generic[Key]):
    """Counts requests until they are forgotten, and knows which orders has not been told of yet."""

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

    def __iter__(self) -> Iterator[Key]:
        """Yield what is counted."""
        return iter(self._counts)

    def forget(self, keys: Iterable[Key]) -> None:
        """Count these no more."""
        for key in keys:
            self._counts.pop(key, None)
            self._untold.pop(key, None)

    def begin_again(self) -> bool:
        """Say whether orders has to be told of some: the timer of the earlier instance is gone."""
        return bool(self._untold)

    def take(self) -> tuple[tuple[Key, int], ...]:
        """Return the requests that orders has not been told of, and how often each has left so far."""
        untold, self._untold = self._untold, {}
        return tuple((key, self._counts[key]) for key in untold)
