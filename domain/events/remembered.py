"""Ids of the newest events that a durable subscription has had. Pure.

A thousand subscriptions that want the same events remember the same ids, but each up to a place of its own. So ids are
kept in parts that end at ids which all choose alike: equal parts are kept once for all.
"""

from __future__ import annotations

import zlib
from collections import deque
from typing import Final
from weakref import WeakValueDictionary

PARTS: Final = 16
"""Of a window, about. Each is looked into for an id; one more than the window has is kept."""

PART_MAX: Final = 4
"""So many times its usual size a part is at most."""


class SharedParts:
    """Parts that somebody has, each once. Used on one thread."""

    def __init__(self) -> None:
        self._parts: Final = WeakValueDictionary[int, frozenset[str]]()

    def __len__(self) -> int:
        return len(self._parts)

    def of(self, part: frozenset[str]) -> frozenset[str]:
        """Return the one that is equal to it, if somebody has that."""
        kept = self._parts.setdefault(hash(part), part)
        return kept if kept == part else part


class RememberedIds:
    """The newest `window` ids at least, and few more.

    Args:
        window: ids; 0: none.
        shared: parts of others that may have the same.
    """

    __slots__ = ("_count", "_open", "_part", "_parts", "_shared", "_window")

    def __init__(self, window: int, shared: SharedParts) -> None:
        self._window: Final = window
        self._shared: Final = shared
        self._part: Final = max(1, window // PARTS)
        self._parts: Final[deque[frozenset[str]]] = deque()
        self._count = 0
        """Ids in the parts."""

        self._open: set[str] = set()
        """Those behind them."""

    def __len__(self) -> int:
        return self._count + len(self._open)

    def __contains__(self, event_id: str) -> bool:
        if event_id in self._open:
            return True
        for part in self._parts:  # noqa: SIM110  a third of the time that `any` takes
            if event_id in part:
                return True
        return False

    def add(self, event_id: str) -> None:
        """Remember one, as the newest."""
        if not self._window:
            return
        self._open.add(event_id)
        is_end = zlib.crc32(event_id.encode("utf-8", "surrogatepass")) % self._part == 0
        if is_end or len(self._open) >= PART_MAX * self._part:
            self._close()

    def _close(self) -> None:
        part = self._shared.of(frozenset(self._open))
        self._open = set()
        self._parts.append(part)
        self._count += len(part)
        while self._count - len(self._parts[0]) >= self._window:
            self._count -= len(self._parts.popleft())
