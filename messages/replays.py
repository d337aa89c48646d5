"""Replays of journaled events and facts to one durable subscription."""

from typing import Annotated, Final

import msgspec
from msgspec import Meta

from .delivery import EventName, EventText, ReplayStatus
from .units import INTEGER_MAX, Cursor, Nanoseconds

_PREFIX: Final = "replay:"
"""No client order id begins so."""


def replay_id_of(begun_ns: int, number: int) -> str:
    """Return the id of a replay: when it was begun, and which of those of this moment it is."""
    return f"{_PREFIX}{begun_ns}-{number}"


def is_replay(correlation_id: str) -> bool:
    """Tell whether a conversation is that of a replay: what happens in it is of the past."""
    return correlation_id.startswith(_PREFIX)


class ReplayEvents(msgspec.Struct, frozen=True, kw_only=True, array_like=True, tag="ReplayEvents"):
    """To delivery: hand events and facts of the past over to one durable subscription again.

    Those that it wants and that fit all that is given here, in the order of the journal. Where the subscription is
    stays as it is, its new events come beside, and nobody else hears of it. An event whose handling fails is counted
    and left out: it is not tried again, and is no dead letter. Answered by `ReplayBegun` or `ReplayRefused`.
    """

    subscription: EventName
    after_sequence: Cursor = 0
    """Of the journal."""

    until_sequence: Cursor = INTEGER_MAX
    """The last one."""

    since_ns: Nanoseconds = 0
    """Occurred at this time or later: nanoseconds since 1970-01-01 UTC."""

    until_ns: Nanoseconds = INTEGER_MAX
    """Occurred before this time."""

    event_types: tuple[EventName, ...] = ()
    """Only these; empty for all that the subscription wants."""

    keys: tuple[EventText, ...] = ()
    """Only of these aggregates; empty for all."""

    correlation_id: EventText = ""
    """Only of this conversation; empty for all."""

    pace: Annotated[float, Meta(ge=0, le=1_000_000)] = 0.0
    """0: as fast as the handler can. 1: with the pauses between the times at which they occurred; 10: ten times as
    fast."""


class ReplayBegun(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="ReplayBegun"):
    """Answer to `ReplayEvents`."""

    replay_id: EventName
    """Also the correlation id under which its events are handed over."""


class ReplayRefused(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="ReplayRefused"):
    """Answer to `ReplayEvents`: nothing is handed over."""

    reason: str


class StopReplay(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="StopReplay"):
    """To delivery: hand nothing more of this replay over. Answered by `ReplayStopped`."""

    replay_id: EventName


class ReplayStopped(msgspec.Struct, frozen=True, kw_only=True, array_like=True, tag="ReplayStopped"):
    """Answer to `StopReplay`."""

    status: ReplayStatus | None = None
    """How far it was; None: there is no such replay."""
