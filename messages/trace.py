"""Traces: the recorded path of a request or an order, from mailbox to mailbox."""

import msgspec

from .units import Count, Nanoseconds


class Hop(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="Hop"):
    """One message handled by one actor."""

    correlation_id: str
    """Of the conversation that it belongs to: a client order id, or a number."""

    hop_id: Count
    causation_id: Count
    """The hop that sent it; 0: it came from outside."""

    actor: str
    message_type: str
    sent_ns: Nanoseconds
    """Nanoseconds since 1970-01-01 UTC, as are the next two; until `begun_ns` it waited in the mailbox."""

    begun_ns: Nanoseconds
    ended_ns: Nanoseconds
    failed: bool = False
    """Its handler raised."""


class ReadTrace(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="ReadTrace"):
    """To any actor; answered by `TraceRead`."""

    correlation_id: str = ""
    """Of one conversation; empty: the newest hops of all."""

    hops_max: Count = 10_000


class TraceRead(msgspec.Struct, frozen=True, kw_only=True, array_like=True, tag="TraceRead"):
    """Answer to `ReadTrace`: hops in the order in which they ended; old ones are dropped."""

    hops: tuple[Hop, ...]
