"""Domain events on their way: published, journaled, delivered to durable subscriptions, and dead-lettered."""

from typing import Annotated, Final, Literal, TypeAlias

import msgspec
from msgspec import Meta

from .units import Count, Cursor, Nanoseconds, Seconds, Sequence

EVENTS_AT_ONCE_MAX: Final = 10_000
PAYLOAD_BYTES_MAX: Final = 1024 * 1024

EventKind: TypeAlias = Literal["domain", "integration", "fact"]
"""`fact`: one of natya's own, as the journal has it."""
EventName: TypeAlias = Annotated[str, Meta(min_length=1, max_length=200)]
EventText: TypeAlias = Annotated[str, Meta(max_length=500)]
EventTopic: TypeAlias = Annotated[str, Meta(max_length=1_000)]
"""Longer than the name of a class and an aggregate together, of which one is made."""

LETTER_CHARACTERS_MAX: Final = 250
LetterId: TypeAlias = Annotated[str, Meta(min_length=1, max_length=LETTER_CHARACTERS_MAX)]
"""The subscription and the sequence of the event: `billing-17`. Longer than the longest name of a subscription."""

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

    topic: EventTopic = ""
    """Words joined by dots."""

    kind: EventKind = "domain"

    payload: Annotated[bytes, Meta(max_length=PAYLOAD_BYTES_MAX)] = b"\x80"
    """The fields that its class adds, by name, as a map of msgpack."""

    origin: EventText = ""
    """The node that it was published at; empty: this one."""


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

    occurred_ns: Nanoseconds = 0
    """The time given to events without one: nanoseconds since 1970-01-01 UTC; 0 in a frame of an earlier release."""


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


class DeliveryTerms(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="DeliveryTerms"):
    """How a durable subscription is served."""

    partitions: Annotated[int, Meta(ge=1, le=256)] = 8
    """Events of one aggregate are in one partition, and handled one after another; partitions side by side. Where one
    fails, the later ones of its aggregate wait for it, and those of others do not."""

    batch_max: Annotated[int, Meta(ge=1, le=10_000)] = 100
    """Events that are handed over at once."""

    linger_s: Seconds = 0.0
    """Seconds that a batch below `batch_max` waits for more events."""

    attempts_max: Annotated[int, Meta(ge=1, le=1_000)] = 8
    """An event whose handling failed so often is a dead letter."""

    retry_first_s: Seconds = 0.5
    """Longest wait before the second attempt; it doubles from one attempt to the next, and chance shortens it."""

    retry_max_s: Seconds = 60.0

    handling_s: Annotated[float, Meta(gt=0, le=86_400)] = 30.0
    """A handler that takes longer with an event has failed. Behind a tenth of it no other event of a batch is begun."""

    pending_max: Annotated[int, Meta(ge=1, le=100_000)] = 2_000
    """Events that wait in memory; the others wait in the journal."""

    window_max: Annotated[int, Meta(ge=0, le=1_000_000)] = 10_000
    """Ids of the newest handled events that are remembered, so that a repeat is handled once."""

    fail_max: Annotated[int, Meta(ge=1, le=1_000)] = 5
    """So many events in a row that fail at their first attempt, or without an answer, and nothing is handed over for
    `reset_s`: the subscriber is unhealthy, not an event."""

    reset_s: Seconds = 10.0
    """Seconds until the subscriber is tried again, with one event: one that was not tried before, if there is any."""


class SubscribeDurably(msgspec.Struct, frozen=True, kw_only=True, array_like=True, tag="SubscribeDurably"):
    """To delivery: hand these journaled facts and events to an actor, each at least once, in order for each aggregate.

    Answered by `EventsSubscribed`. The subscription has its position for good: whoever subscribes by its name again
    goes on there. The actor is sent `DeliverEvents`.
    """

    subscription: EventName
    subscriber: EventName
    """Name of the actor."""

    patterns: tuple[EventText, ...] = ("**",)
    event_types: tuple[EventName, ...] = ()
    keys: tuple[EventText, ...] = ()

    begins: Literal["now", "oldest"] = "now"
    """Where a new subscription begins: with the next event, or with the oldest that is journaled."""

    terms: DeliveryTerms = DeliveryTerms()

    kinds: tuple[EventKind, ...] = ()
    """Only these; empty for all."""


class DeliverEvents(msgspec.Struct, frozen=True, kw_only=True, array_like=True, tag="DeliverEvents"):
    """To the subscriber of a durable subscription: handle these, in this order.

    Answered by `EventsHandled` or `EventsNotHandled`; `Failed` counts as the latter.
    """

    subscription: str
    partition: Count
    events: tuple[EventPublished, ...]

    replay_id: str = ""
    """The replay that hands these events of the past over again; empty: they are new."""


class EventsHandled(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="EventsHandled"):
    """Answer to `DeliverEvents`: they are handled."""

    handled: Count = 0
    """Only so many, from the first on, and the others were not begun: they are handed over again. 0: all of them."""


class EventsNotHandled(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="EventsNotHandled"):
    """Answer to `DeliverEvents`: one could not be handled, and those after it were not tried."""

    handled: Count
    """So many before it are handled."""

    error: str
    """Name of the error's type."""

    reason: str
    traceback: str = ""

    is_permanent: bool = False
    """Another attempt would fail as well, since the event cannot be read."""


class SubscriptionMoved(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="SubscriptionMoved"):
    """Fact: a durable subscription is done with all that was journaled up to its position, and with most behind it."""

    subscription: EventName
    position: Cursor
    done: tuple[Sequence, ...] = ()
    """Sequences behind `upto` that are done, too; in a fact of an earlier release all behind the position that are."""

    occurred_ns: Nanoseconds = 0
    """Nanoseconds since 1970-01-01 UTC."""

    upto: Cursor = 0
    """It is done with all up to this one, except `open`; 0 in a fact of an earlier release."""

    open: tuple[Sequence, ...] = ()
    """Sequences behind the position that it is not done with."""


class EventDeadLettered(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="EventDeadLettered"):
    """Fact: a durable subscription has given an event up. It stays, with its bytes, until a person decides."""

    letter_id: LetterId
    """The subscription and the sequence of the event: `billing-17`."""

    subscription: EventName
    sequence: Cursor
    """Of the event in the journal."""

    event: EventPublished
    error: str
    """Name of the type of the newest error."""

    reason: str
    traceback: str
    attempts: Count
    first_failed_ns: Nanoseconds
    """Nanoseconds since 1970-01-01 UTC."""

    last_failed_ns: Nanoseconds
    """Nanoseconds since 1970-01-01 UTC."""


LetterChange: TypeAlias = Literal["requeued", "handled", "dropped", "expired"]


class DeadLettersChanged(msgspec.Struct, frozen=True, kw_only=True, array_like=True, tag="DeadLettersChanged"):
    """Fact: somebody decided about dead letters, or a requeued one was handled, or it was kept long enough."""

    letter_ids: tuple[LetterId, ...]
    change: LetterChange
    occurred_ns: Nanoseconds
    """Nanoseconds since 1970-01-01 UTC."""

    payload: Annotated[bytes, Meta(max_length=PAYLOAD_BYTES_MAX)] | None = None
    """Of a requeued one: the fields that it has from now on, as a map of msgpack. None: those that it had."""


class ListDeadLetters(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="ListDeadLetters"):
    """To delivery: which dead letters are there? The oldest first. Answered by `DeadLettersListed`."""

    letter_id: EventText = ""
    """Only this one."""

    subscription: EventText = ""
    event_type: EventText = ""
    error: EventText = ""
    key: EventText = ""
    """Id of an aggregate."""

    after: EventText = ""
    """The last one of the page before."""

    rows_max: Annotated[int, Meta(ge=1, le=1_000)] = 100


class DeadLettersListed(msgspec.Struct, frozen=True, kw_only=True, array_like=True, tag="DeadLettersListed"):
    """Answer to `ListDeadLetters`."""

    letters: tuple[EventDeadLettered, ...]
    requeued: tuple[str, ...] = ()
    """Ids of those among them that are on their way to their subscriber again."""

    found: Count = 0
    """How many there are in all."""


class ChangeDeadLetters(msgspec.Struct, frozen=True, kw_only=True, array_like=True, tag="ChangeDeadLetters"):
    """To delivery: requeue or drop dead letters. Answered by `DeadLettersChangeDone`; a repeat changes nothing."""

    letter_ids: Annotated[tuple[LetterId, ...], Meta(max_length=EVENTS_AT_ONCE_MAX)]
    change: Literal["requeued", "dropped"]
    payload: Annotated[bytes, Meta(max_length=PAYLOAD_BYTES_MAX)] | None = None
    """Requeue the only one of them with these fields instead, a map of msgpack."""


class DeadLettersChangeDone(
    msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="DeadLettersChangeDone"
):
    """Answer to `ChangeDeadLetters`."""

    changed: Count
    refusal: str = ""
    """Why nothing was changed."""


class SubscriptionStatus(
    msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="SubscriptionStatus"
):
    """The state of a durable subscription."""

    subscription: str
    subscriber: str
    """Empty: nobody has subscribed by its name since the start."""

    position: Cursor
    behind: Count
    """Records of the journal that it has not looked at."""

    pending: Count
    """Events that wait in memory or are being handled."""

    handled: Count
    retries: Count
    duplicates: Count
    """Events that came again and were not handled again."""

    dead_letters: Count
    breaker: str
    """`closed`, `open` or `half-open`."""

    last_error: str


class ReplayStatus(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="ReplayStatus"):
    """How far a replay is."""

    replay_id: str
    subscription: str
    sequence: Cursor
    """Of the journal: all before it were looked at."""

    handled: Count
    """Events that were handled."""

    failed: Count
    """Events whose handling failed."""

    is_over: bool
    error: str = ""
    """Of the newest that failed, or why it ended early."""


class DeliveryStatistics(msgspec.Struct, frozen=True, kw_only=True, array_like=True, tag="DeliveryStatistics"):
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

    subscriptions: tuple[SubscriptionStatus, ...] = ()
    """The durable ones."""

    dead_letters: Count = 0
    oldest_dead_letter_ns: Nanoseconds = 0
    """When the oldest failed for the last time; 0: there is none."""

    replays: tuple[ReplayStatus, ...] = ()
    """The running ones, and the newest that are over."""


EventFact: TypeAlias = EventPublished | SubscriptionMoved | EventDeadLettered | DeadLettersChanged
