"""Which appends rely on which: an append is refused if its predecessor was not taken. Pure.

A writer may have several appends on their way. Where one of them is lost, with the journal's life in which it waited
or by a full disk, those behind it that rely on it must not become durable either: a book that is read back would have
a hole that nobody looks for. So a writer numbers its appends, and names the one that each relies on.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from ...messages.journal import Append

WRITERS_MAX: Final = 64
"""Writers that are remembered; an append of a forgotten one that relies on an earlier append is refused."""

MISSING_MAX: Final = 10_000


class _Chain:
    __slots__ = ("first", "missing", "newest")

    def __init__(self, number: int) -> None:
        self.first = number
        self.newest = number - 1
        self.missing: set[int] = set()


class Chains:
    """The outcomes of each writer's appends since the journal actor started."""

    def __init__(self) -> None:
        self._chains: OrderedDict[str, _Chain] = OrderedDict()

    def admits(self, append: Append) -> bool:
        """Take note of an append, and tell whether what it relies on was taken; one without a writer relies on none."""
        if not append.writer:
            return True
        chain, number = self._chain(append), append.number
        came_late = range(chain.newest + 1, number)
        if len(chain.missing) + len(came_late) > MISSING_MAX:
            chain.first = number
            chain.missing.clear()
        else:
            chain.missing.update(came_late)
        chain.newest = max(chain.newest, number)
        if append.follows and (append.follows < chain.first or append.follows in chain.missing):
            chain.missing.add(number)
            return False
        return True

    def lost(self, append: Append) -> None:
        """Take note that one was refused after all."""
        if append.writer:
            self._chain(append).missing.add(append.number)

    def _chain(self, append: Append) -> _Chain:
        chain = self._chains.get(append.writer)
        if chain is None:
            chain = self._chains[append.writer] = _Chain(append.number)
            if len(self._chains) > WRITERS_MAX:
                self._chains.popitem(last=False)
        return chain
