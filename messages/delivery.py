"""Domain events on their way: published, journaled, delivered to durable subscriptions, and dead-lettered."""

from __future__ import annotations

from typing import Annotated, Final, Literal, TypeAlias

import msgspec
from msgspec import Meta

from .units import Count, Cursor, Nanoseconds

EVENTS_AT_ONCE_MAX: Final = 10_000
PAYLOAD_BYTES_MAX: Final = 1024 * 1024

EventKind: TypeAlias = Literal["domain", "integration"]
EventName: TypeAlias = Annotated[str, Meta(min_length=1, max_length=200)]
EventText: TypeAlias = Annotated[str, Meta(max_length=500)]
EventVersion: TypeAlias = Annotated[int, Meta(ge=1, le=1_000_000)]


class EventPublished(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="EventPublished"):
    """Fact: somebody published an event, of a type that only its publisher and its subscribers need to know."""

    event_id: EventName
    """A UUID of version 7; later events of one publisher have larger ones."""

    event_type: EventName
    """Name of its class."""

    version: EventVersion
    """Of the class that wrote it."""

    aggregate_id: EventText
    """What it is about; events of one aggregate are delivered in order."""

    occurred_ns: Nanoseconds
    """Nanoseconds since 1970-01-01 UTC; on its way to the journal 0: now."""

    correlation_id: EventText = ""
    """Of the conversation that it belongs to."""

    causation_id: EventText = ""
    """Id of the event or message that caused it."""

    topic: EventText = ""
    """Words joined by dots."""

    kind: EventKind = "domain"

    payload: Annotated[bytes, Meta(max_length=PAYLOAD_BYTES_MAX)] = b"\x80"
    """The fields that its class adds, by name, as a map of msgpack."""


class PublishEvents(msgspec.Struct, frozen=True, kw_only=True, array_like=True, tag="PublishEvents"):
    """To delivery: publish these, in this order. Answered by `EventsPublished` or `PublishRefused`.

    Those of the safe lane are durable, all or none, before the answer; those of the fast lane have been sent on.
    """

    events: Annotated[tuple[EventPublished, ...], Meta(max_length=EVENTS_AT_ONCE_MAX)]

    is_durable: bool = True
    """The safe lane: journaled first, delivered at least once. Else the fast lane: at most once, to who is there."""


class EventsPublished(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="EventsPublished"):
    """Answer to `PublishEvents`."""

    first_sequence: Cursor = 0
    """Of the first in the journal, the others follow without gaps; 0 in the fast lane."""


class PublishRefused(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="PublishRefused"):
    """Answer to `PublishEvents`: none of them is durable, and none was delivered."""

    reason: str

    may_be_durable: bool = False
    """The journal did not answer: they may have become durable all the same. A repeat with the same ids is safe."""


class SubscribeEvents(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="SubscribeEvents"):
    """To delivery: send the events of these kinds to the actor of that name, from now on, at most once each.

    Answered by `EventsSubscribed`. A repeat replaces the subscription.
    """

    subscriber: EventName

    patterns: tuple[EventText, ...] = ("**",)
    """Of topics: an event is wanted if one matches."""

    event_types: tuple[EventName, ...] = ()
    """Only these; empty for all."""

    keys: tuple[EventText, ...] = ()
    """Only of these aggregates; empty for all."""


class EventsSubscribed(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="EventsSubscribed"):
    """Answer to `SubscribeEvents`."""

    subscriber: str

    refusal: str = ""
    """Why it is not subscribed; empty: it is."""


class UnsubscribeEvents(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="UnsubscribeEvents"):
    """To delivery: send nothing more to the actor of that name. Answered by `EventsUnsubscribed`."""

    subscriber: EventName


class EventsUnsubscribed(
    msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="EventsUnsubscribed"
):
    """Answer to `UnsubscribeEvents`."""

    subscriber: str


class DeliveryStatistics(
    msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="DeliveryStatistics"
):
    """What delivery counts since it started."""

    published: Count
    """Events that were published, by either lane."""

    refused: Count
    """Events that the journal refused, or did not answer for."""

    sent: Count
    """Events that were sent to subscribers, once for each."""

    subscribers: Count
    last_sequence: Cursor
    """Newest journal sequence that was looked at."""


EventFact: TypeAlias = EventPublished
