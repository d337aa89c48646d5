"""Which subscriber wants which events. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from .topics import TopicTable

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from ...messages.delivery import EventPublished, SubscribeDurably, SubscribeEvents

FOUND_MAX: Final = 50_000
"""Kinds of events of which it is remembered who wants them; all are forgotten when there are more."""


class Interest(msgspec.Struct, frozen=True, kw_only=True):
    """What one subscriber wants: events of one of the topics, and of the types and aggregates where some are named."""

    patterns: tuple[str, ...] = ("**",)
    event_types: frozenset[str] = frozenset()
    keys: frozenset[str] = frozenset()
    kinds: frozenset[str] = frozenset()

    @classmethod
    def of(cls, request: SubscribeEvents | SubscribeDurably) -> Interest:
        """Return what a subscription asks for."""
        return cls(
            patterns=request.patterns,
            event_types=frozenset(request.event_types),
            keys=frozenset(request.keys),
            kinds=frozenset(getattr(request, "kinds", ())),
        )

    def has(self, event: EventPublished) -> bool:
        """Tell whether an event is among them whose topic is."""
        return (
            (not self.event_types or event.event_type in self.event_types)
            and (not self.keys or event.aggregate_id in self.keys)
            and (not self.kinds or event.kind in self.kinds)
        )


class Interests:
    """What each subscriber wants, by name. An event like one before it costs one look-up, however many want it or not.

    Those who name aggregates are asked for events of these alone, and others who name types for events of these.
    """

    def __init__(self) -> None:
        self._interests: dict[str, Interest] = {}
        self._order: dict[str, int] = {}
        """When each came."""

        self._came = 0
        self._of_all = TopicTable[str]()
        self._of_keys: dict[str, TopicTable[str]] = {}
        self._of_types: dict[str, TopicTable[str]] = {}
        self._found: dict[tuple[str, str, str, str], tuple[str, ...]] = {}
        """Who wants an event of this topic, type, aggregate and kind."""

        self._alike: dict[tuple[str, ...], tuple[str, ...]] = {}
        """Equal ones are one."""

    def __len__(self) -> int:
        return len(self._interests)

    def __contains__(self, subscriber: str) -> bool:
        return subscriber in self._interests

    def __iter__(self) -> Iterator[str]:
        return iter(self._interests)

    def set(self, subscriber: str, interest: Interest) -> None:
        """Set what a subscriber wants, instead of what it wanted before.

        Raises:
            PatternInvalidError: a pattern is none; nothing has changed.
        """
        table = TopicTable[str]()
        for pattern in interest.patterns:
            table.add(pattern, subscriber)
        self.remove(subscriber)
        self._forget()
        self._interests[subscriber] = interest
        self._came += 1
        self._order[subscriber] = self._came
        if interest.keys:
            tables = [self._of_keys.setdefault(key, TopicTable()) for key in interest.keys]
        elif interest.event_types:
            tables = [self._of_types.setdefault(name, TopicTable()) for name in interest.event_types]
        else:
            tables = [self._of_all]
        for table in tables:
            for pattern in interest.patterns:
                table.add(pattern, subscriber)

    def remove(self, subscriber: str) -> None:
        """Forget a subscriber; no effect for one that is not known."""
        interest = self._interests.pop(subscriber, None)
        if interest is None:
            return
        self._forget()
        del self._order[subscriber]
        if interest.keys:
            _remove(self._of_keys, interest.keys, interest.patterns, subscriber)
        elif interest.event_types:
            _remove(self._of_types, interest.event_types, interest.patterns, subscriber)
        else:
            for pattern in interest.patterns:
                self._of_all.remove(pattern, subscriber)

    def of(self, event: EventPublished) -> tuple[str, ...]:
        """Return who wants an event, in the order in which they came."""
        kind = event.topic, event.event_type, event.aggregate_id, event.kind
        found = self._found.get(kind)
        if found is None:
            if len(self._found) >= FOUND_MAX:
                self._forget()
            found = self._found[kind] = self._find(event)
        return found

    def _forget(self) -> None:
        self._found.clear()
        self._alike.clear()

    def _find(self, event: EventPublished) -> tuple[str, ...]:
        tables = self._of_all, self._of_keys.get(event.aggregate_id), self._of_types.get(event.event_type)
        found = (
            name
            for table in tables
            if table is not None
            for name in table.targets(event.topic)
            if self._interests[name].has(event)
        )
        names = tuple(sorted(found, key=self._order.__getitem__))
        return self._alike.setdefault(names, names)


def _remove(
    tables: dict[str, TopicTable[str]], names: Iterable[str], patterns: Collection[str], subscriber: str
) -> None:
    for name in names:
        table = tables[name]
        for pattern in patterns:
            table.remove(pattern, subscriber)
        if not len(table):
            del tables[name]
