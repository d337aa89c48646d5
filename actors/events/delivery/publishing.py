"""Durable events on their way to the journal: appended together, each publication answered by itself.

A request to the journal costs as much as the rest of a publication: at 5,000 events/s one each is too many.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from ....messages.delivery import EventPublished, EventsPublished, PublishRefused
from ....messages.journal import Append, Appended, AppendRefused
from ....messages.supervision import Unavailable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ...runtime import ActorAddress, Outcome, RuntimeActor, Trace
    from .settings import DeliverySettings

GROUP_MAX: Final = 256
"""About so many events are collected while the mailbox is not empty."""

GROUP_BYTES_MAX: Final = 32_768
"""Bytes of events that go to the journal in one append, about; a larger request goes alone. Below half of the smallest
segment: what alone is small enough must not be refused for what it is together with."""

EVENT_BYTES: Final = 64
"""Bytes of an event beside its texts and its payload, about."""


class Publication(NamedTuple):
    """Durable events of one request, and the sender to answer."""

    events: tuple[EventPublished, ...]
    sender: ActorAddress
    trace: Trace
    came_ns: int
    """The time that events without one are given."""


class Publications:
    """The waiting publications. Called on the actor's thread alone.

    Args:
        actor: asks the journal, and answers the senders.
        settings: of delivery.
    """

    def __init__(self, actor: RuntimeActor, settings: DeliverySettings) -> None:
        self._actor: Final = actor
        self._settings: Final = settings
        self._waiting: list[Publication] = []
        self._count = 0
        self.refused = 0
        """Events that did not become durable, or may not have."""

    def add(self, events: tuple[EventPublished, ...], sender: ActorAddress, came_ns: int) -> None:
        """Take the events of one request; they are appended with those that come until the mailbox is empty."""
        self._waiting.append(Publication(events, sender, self._actor.trace, came_ns))
        self._count += len(events)
        if self._count >= GROUP_MAX:
            self.append_all()

    def append_all(self) -> None:
        """Have the journal make all that waits durable at once; each publication is answered for itself."""
        waiting, self._waiting, self._count = self._waiting, [], 0
        for group in _groups(waiting):
            self._append(group)

    def _append(self, group: tuple[Publication, ...]) -> None:
        actor = self._actor

        def answer(outcome: Outcome) -> None:
            told = outcome.value
            if isinstance(told, Appended):
                first_sequence = told.first_sequence
                for each in group:
                    actor.trace = each.trace
                    actor.send(each.sender, EventsPublished(first_sequence=first_sequence, occurred_ns=each.came_ns))
                    first_sequence += len(each.events)
                return
            is_certain = isinstance(told, AppendRefused | Unavailable)
            reason = told.reason if isinstance(told, AppendRefused | Unavailable) else unsure(outcome)
            for each in group:
                actor.trace = each.trace
                self.refused += len(each.events)
                actor.send(each.sender, PublishRefused(reason=reason, may_be_durable=not is_certain))

        actor.trace = group[0].trace
        events = tuple(event for each in group for event in each.events)
        append = Append(facts=events, correlation_id=events[0].correlation_id)
        actor.ask(self._settings.journal, append, timeout_s=self._settings.append_s, then=answer)


def _groups(waiting: Iterable[Publication]) -> Iterator[tuple[Publication, ...]]:
    """Cut them, in order, into appends: each of one conversation, and not too large."""
    group: list[Publication] = []
    size = 0
    for each in waiting:
        own = sum(map(_bytes_of, each.events))
        if group and (
            size + own > GROUP_BYTES_MAX or each.events[0].correlation_id != group[0].events[0].correlation_id
        ):
            yield tuple(group)
            group, size = [], 0
        group.append(each)
        size += own
    if group:
        yield tuple(group)


def _bytes_of(event: EventPublished) -> int:
    return EVENT_BYTES + len(event.payload) + len(event.topic) + len(event.aggregate_id) + len(event.event_type)


def unsure(outcome: Outcome) -> str:
    """Return that it is not known whether the journal has what it was asked to append."""
    return f"the journal did not say whether it has them: {outcome.error or outcome.value}"
