"""Subscriptions: which actor is sent which types of messages."""

from __future__ import annotations

import msgspec

from .units import Count, Cursor


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


class Unsubscribe(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="Unsubscribe"):
    """To the events router: deliver nothing more to the actor of that name. Answered by `Unsubscribed`."""

    subscriber: str


class Subscribed(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="Subscribed"):
    """Answer to `Subscribe`."""

    subscriber: str


class Unsubscribed(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="Unsubscribed"):
    """Answer to `Unsubscribe`."""

    subscriber: str


class EventsStatistics(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="EventsStatistics"):
    """What the router counts since it started."""

    ticks: Count
    facts: Count
    delivered: Count
    subscribers: Count
    dead_letters: Count
    last_sequence: Cursor
    """Newest journal sequence that was delivered."""
