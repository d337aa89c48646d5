"""Which subscriptions a topic goes to. Pure.

A topic is words joined by dots: `ticks.NSE_EQ.RELIANCE`. In a pattern `*` stands for one word, and `**` at its end for
any number of them, none included.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator

    Target = TypeVar("Target", bound=Hashable)
else:
    Target = TypeVar("Target")

ONE: Final = "*"
REST: Final = "**"


class PatternInvalidError(ValueError):
    """No topic pattern; the text says why."""


class TopicTable(Generic[Target]):
    """Targets by pattern. A look is a walk through a tree by the words of a topic, however many patterns there are."""

    def __init__(self) -> None:
        self._root = _Node[Target]()
        self._order: dict[tuple[Target, str], int] = {}
        """When each pair was added; targets are matched in this order."""

        self._added = 0

    def __len__(self) -> int:
        return len(self._order)

    def add(self, pattern: str, target: Target) -> None:
        """Add a pattern of a target; a repeat changes nothing.

        Raises:
            PatternInvalidError: it is none.
        """
        words = words_of(pattern)
        if (target, pattern) in self._order:
            return
        self._added += 1
        self._order[target, pattern] = self._added
        node = self._root
        for word in words:
            node = node.below.setdefault(word, _Node())
        node.targets[target] = self._added

    def remove(self, pattern: str, target: Target) -> None:
        """Remove a pattern of a target; no effect if it is not there."""
        if self._order.pop((target, pattern), None) is None:
            return
        path = [self._root]
        words = words_of(pattern)
        for word in words:
            path.append(path[-1].below[word])
        del path[-1].targets[target]
        for word, above, node in zip(reversed(words), reversed(path[:-1]), reversed(path[1:]), strict=True):
            if node.targets or node.below:
                break
            del above.below[word]

    def targets(self, topic: str) -> tuple[Target, ...]:
        """Return the targets of a topic, each once, in the order in which they were added."""
        oldest: dict[Target, int] = {}
        for target, added in self._root.find(topic.split("."), 0):
            oldest[target] = min(added, oldest.get(target, added))
        return tuple(sorted(oldest, key=oldest.__getitem__))


class _Node(Generic[Target]):
    """The end of a pattern, and the words that may follow."""

    __slots__ = ("below", "targets")

    def __init__(self) -> None:
        self.below: dict[str, _Node[Target]] = {}
        self.targets: dict[Target, int] = {}

    def find(self, words: list[str], at: int) -> Iterator[tuple[Target, int]]:
        if (rest := self.below.get(REST)) is not None:
            yield from rest.targets.items()
        if at == len(words):
            yield from self.targets.items()
            return
        for word in (words[at], ONE):
            if (node := self.below.get(word)) is not None:
                yield from node.find(words, at + 1)


def words_of(pattern: str) -> list[str]:
    """Return the words of a pattern.

    Raises:
        PatternInvalidError: a word is empty, or has a star beside other characters, or `**` is not the last.
    """
    words = pattern.split(".")
    for place, word in enumerate(words, 1):
        if not word or (ONE in word and word not in {ONE, REST}) or (word == REST and place < len(words)):
            raise PatternInvalidError(
                f"words joined by dots wanted, each `*` or without a star, the last may be `**`; found {pattern!r}"
            )
    return words
