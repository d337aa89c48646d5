"""Subscriptions: which actor is sent which types of messages."""

import msgspec

from .journal import JournalRecord
from .units import Count, Cursor, Nanoseconds


class Subscribe(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="Subscribe"):
    """To the events router: deliver these to the actor of that name, from now on. Answered by `Subscribed`.

    A repeat changes nothing. A subscription is held by name, so it survives a restart of the subscriber.
    """

    subscriber: str
    """Name of the actor."""

    topics: tuple[str, ...]
    """Names of message types (`Tick`, `OrderFilled`), or `journal`: whole `Journaled` batches, in sequence."""

    symbols: tuple[str, ...] = ()
    """Only these symbols; empty for all."""

    intervals_ns: tuple[Nanoseconds, ...] = ()
    """Of `Candle`, only these lengths, whole seconds each: those of a recording where it has them, else made of its
    ticks, each once, when it is closed. Empty: the candles of a recording, of whatever length."""

    sequenced: bool = False
    """Facts come as the `JournalRecord` that they are in, those of other symbols too."""


class Unsubscribe(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="Unsubscribe"):
    """To the events router: deliver nothing more to the actor of that name. Answered by `Unsubscribed`."""

    subscriber: str


class Subscribed(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="Subscribed"):
    """Answer to `Subscribe`."""

    subscriber: str


class Unsubscribed(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="Unsubscribed"):
    """Answer to `Unsubscribe`."""

    subscriber: str


class HoldSubscription(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="HoldSubscription"):
    """To the events router: keep what comes for the actor of that name, from now on, until `ResumeSubscription`.

    All that came before has been sent to it. Answered by `SubscriptionHeld`. A repeat changes nothing.
    """

    subscriber: str


class SubscriptionHeld(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="SubscriptionHeld"):
    """Answer to `HoldSubscription`."""

    subscriber: str


class ResumeSubscription(
    msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="ResumeSubscription"
):
    """To the events router: send the actor of that name what was kept for it, in order, and then what comes.

    Answered by `SubscriptionResumed`.
    """

    subscriber: str


class SubscriptionResumed(
    msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="SubscriptionResumed"
):
    """Answer to `ResumeSubscription`."""

    subscriber: str
    sent: Count = 0
    """Messages that were kept, and are sent now."""

    conflated: Count = 0
    """Ticks that were not: so much came that of each symbol only the newest was kept."""


class DeliverRecord(msgspec.Struct, frozen=True, kw_only=True, array_like=True, tag="DeliverRecord"):
    """To the events router of a strategy node, from who has heard it of the broker node: send this one actor a fact.

    It comes in order with the market data, and is kept with that while the subscription is held.
    """

    subscriber: str
    record: JournalRecord


class Published(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="Published"):
    """What was sent to one subscriber: each of its ticks was handled, waits, or was conflated or dropped."""

    subscriber: str
    ticks: Count


class EventsStatistics(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="EventsStatistics"):
    """What the router counts since it started."""

    ticks: Count
    facts: Count
    delivered: Count
    subscribers: Count
    dead_letters: Count
    last_sequence: Cursor
    """Newest journal sequence that was delivered."""

    candles: Count = 0
    """Candles that were made of ticks."""

    late_ticks: Count = 0
    """Ticks that came when the candle of their time was closed: their price is in none."""

    partial_candles: Count = 0
    """Candles that were not sent, since not all of their time was listened to."""

    published: tuple[Published, ...] = ()
    """By subscriber, since it subscribed."""


class TransportStatistics(
    msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="TransportStatistics"
):
    """What the way to other systems counts since it started."""

    is_connected: bool
    sent: Count
    """Events of this system that were handed to the server, each once."""

    received: Count
    """Events of others that are durable here."""

    repeats: Count
    """Events of others that came again, and were left out."""

    unreadable: Count
    """Entries that were no events."""

    reconnects: Count
    reason: str = ""
    """Why it is not connected."""
