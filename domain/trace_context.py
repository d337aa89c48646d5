"""W3C trace context (pure): the same conversation is one trace in every process, without a table of who is who.

The ids are made of what each envelope carries anyway, the name of its conversation and the hop that sent it, so that
nothing more crosses a mailbox. A conversation that is named by a `traceparent` of another system continues its trace.
"""

from __future__ import annotations

import re
from hashlib import blake2b
from typing import Final

import msgspec

TRACE_ID_BYTES: Final = 16
SPAN_ID_BYTES: Final = 8

_TRACEPARENT: Final = re.compile(r"00-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}")


class TraceContext(msgspec.Struct, frozen=True, gc=False):
    """A place in a trace."""

    trace_id: int
    span_id: int


def parsed(traceparent: str) -> TraceContext | None:
    """Read the header of the W3C; None: it is none, or its ids are all zeros."""
    found = _TRACEPARENT.fullmatch(traceparent)
    if found is None:
        return None
    trace_id, span_id = int(found[1], 16), int(found[2], 16)
    return TraceContext(trace_id, span_id) if trace_id and span_id else None


def root_of(correlation_id: str) -> TraceContext:
    """Return where a conversation begins: the place that its name says, if that is a `traceparent`, or its own."""
    return parsed(correlation_id) or TraceContext(
        _number(f"trace {correlation_id}", TRACE_ID_BYTES), _number(f"root {correlation_id}", SPAN_ID_BYTES)
    )


def place_of(correlation_id: str, hop_id: int) -> TraceContext:
    """Return the place of a hop; 0: before the first."""
    root = root_of(correlation_id)
    return TraceContext(root.trace_id, _number(f"{correlation_id} {hop_id}", SPAN_ID_BYTES)) if hop_id else root


def traceparent(place: TraceContext) -> str:
    """Return the header of the W3C for a request to another system: it is recorded."""
    return f"00-{place.trace_id:032x}-{place.span_id:016x}-01"


def _number(text: str, size: int) -> int:
    return int.from_bytes(blake2b(text.encode("utf-8", "surrogatepass"), digest_size=size).digest(), "big") or 1
