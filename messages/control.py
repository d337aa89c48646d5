"""Between a process of the same user and the control socket: a request for an actor, and its answer or refusal.

These are the outer frames. Request and answer are inside as bytes of the codec, so that the socket can refuse a request
without decoding it, and pass on an answer without knowing its type.
"""

from typing import Literal, TypeAlias

import msgspec

from .units import Count, Nanoseconds, Seconds

RefusalKind: TypeAlias = Literal["busy", "forbidden", "malformed", "timed_out", "too_large"]
"""`busy`: try again later. `forbidden`, `malformed`, `too_large`: a repeat is refused too. `timed_out`: the actor may
still handle it."""


class Ask(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="Ask"):
    """From a client to the control socket: ask an actor this. Answered by `Answer` or `AskRefused`, in any order."""

    request_id: Count
    """Chosen by the client; unique among the requests in flight on this connection."""

    actor: str
    """Name of the actor."""

    message: bytes
    """The message for the actor, as the codec writes it; only some types are let through."""

    timeout_s: Seconds
    """How long the actor may take."""

    correlation_id: str = ""
    """Under which the request can be traced afterwards; empty: not traced."""


class Answer(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="Answer"):
    """Answer to `Ask`: what the actor said, `Failed` and `Unavailable` included."""

    request_id: Count
    message: bytes
    """As the codec writes it."""


class AskRefused(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="AskRefused"):
    """Answer to `Ask`, or to bytes that are no `Ask`: no answer of an actor will come."""

    request_id: Count
    """0 where no request could be read; the connection is then closed."""

    kind: RefusalKind
    reason: str


class OperationAsked(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="OperationAsked"):
    """Fact: someone asked for an audited operation; from control, as it passes the operation on."""

    request: str
    """Unique in this data directory; `OperationAnswered` has it, too."""

    operation: str
    role: str
    actor: str
    """Who carries it out."""

    who: str
    """`user 1000, process 4711` through the socket, the client's address over HTTP."""

    arguments: str
    """In JSON, each shortened, and hidden where its name is that of a secret."""

    occurred_ns: Nanoseconds
    """Nanoseconds since 1970-01-01 UTC."""


class OperationAnswered(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="OperationAnswered"):
    """Fact: the outcome of an audited operation; from control. Without this fact the outcome is not known."""

    request: str
    operation: str
    answer: str
    """Type of the answer, or of the error."""

    occurred_ns: Nanoseconds
    """Nanoseconds since 1970-01-01 UTC."""


ControlFact: TypeAlias = OperationAsked | OperationAnswered


class ShowHttp(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="ShowHttp"):
    """To control: where are operations served over HTTP? Answered by `HttpShown`."""


class HttpShown(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="HttpShown"):
    """Answer to `ShowHttp`."""

    url: str
    """`http://127.0.0.1:40123`; empty: nowhere."""

    token_file: str
    """Path of the file with the token."""

    reason: str = ""
    """Why nowhere."""


class ControlStatistics(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="ControlStatistics"):
    """What the control socket counts since it was opened."""

    connections: Count
    """Open now."""

    accepted: Count
    """Connections ever accepted."""

    turned_away: Count
    """Connections closed at once: another user's, or one too many."""

    dropped: Count
    """Connections closed for what they did: bytes that are no request, a stall, answers not read."""

    asks: Count
    """Requests passed to actors."""

    refused: Count
    """Requests refused, timed out ones included."""

    http_turned_away: Count = 0
    """Requests over HTTP without the token, or of a page of another site."""
