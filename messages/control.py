"""Between a process of the same user and the control socket: a question for an actor, and what becomes of it.

These are the outer frames. Question and answer lie inside as bytes of the codec, so the socket can refuse a question
without reading it, and pass on an answer without knowing its type.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

import msgspec

from .units import Count, Seconds

RefusalKind: TypeAlias = Literal["busy", "forbidden", "malformed", "timed_out", "too_large"]
"""Busy: ask again later. Forbidden, malformed, too large: ask something else. Timed out: it may still be handled."""


class Ask(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="Ask"):
    """From a client to the control socket: put this to an actor. Answered by `Answer` or `AskRefused`, in any order."""

    request_id: Count
    """Chosen by the client; no other question in flight on this connection has it."""

    actor: str
    """Name of the actor."""

    message: bytes
    """The question, as the codec writes it; only some types are let through."""

    timeout_s: Seconds
    """How long the actor may take."""

    correlation_id: str = ""
    """A name for the question, under which it can be traced afterwards; empty: it need not be."""


class Answer(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="Answer"):
    """Answer to `Ask`: what the actor said, `Failed` and `Unavailable` included."""

    request_id: Count
    message: bytes
    """As the codec writes it."""


class AskRefused(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="AskRefused"):
    """Answer to `Ask`, or to bytes that are none: no answer of an actor will come."""

    request_id: Count
    """0 where no question could be read; the connection is closed after it."""

    kind: RefusalKind
    reason: str


class ControlStatistics(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="ControlStatistics"):
    """What the control socket counts since it was opened."""

    connections: Count
    """Open now."""

    accepted: Count
    """Connections ever accepted."""

    turned_away: Count
    """Connections closed at once: another user's, or one too many."""

    dropped: Count
    """Connections closed for what they did: bytes that are no question, a stall, answers not read."""

    asks: Count
    """Questions put to actors."""

    refused: Count
    """Questions refused, timed out ones included."""
