"""What a client asks over a market feed's socket: JSON, answered by packets alone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Annotated, Final, Literal, TypeAlias

import msgspec
from msgspec import Meta

from ..words import Segment

Mode: TypeAlias = Literal["ticker", "quote", "full"]

DISCONNECT: Final = 12
DEPTH: Final = 23
DEPTH_ENDS: Final = frozenset({24, 25})
"""The client ends depth with one, the documentation has the other, too."""

SUBSCRIBE: Final[dict[Mode, int]] = {"ticker": 15, "quote": 17, "full": 21}
MODES: Final[dict[int, Mode]] = {code: mode for mode, code in SUBSCRIBE.items()}

INSTRUMENTS_A_MESSAGE: Final = 100
INSTRUMENTS_A_CONNECTION: Final = 5_000
CONNECTIONS_MAX: Final = 5
DEPTH_INSTRUMENTS_MAX: Final = 50
"""Of a connection of 20 levels, and of a message to it; one of 200 levels has one."""

REQUEST_BYTES_MAX: Final = 64 * 1024

SecurityId: TypeAlias = Annotated[str, Meta(min_length=1, max_length=20, pattern=r"^[0-9]+$")]


class Listed(msgspec.Struct, frozen=True, gc=False, rename="pascal"):
    """An instrument, as the sockets name it."""

    exchange_segment: Segment
    security_id: SecurityId


class FeedRequest(msgspec.Struct, frozen=True, kw_only=True, rename="pascal", omit_defaults=True):
    """Subscribe, unsubscribe (the code above it), or end the connection."""

    request_code: int
    instrument_count: int = 0
    instrument_list: tuple[Listed, ...] = ()


class DeepRequest(msgspec.Struct, frozen=True, kw_only=True, rename="pascal"):
    """Subscribe to 200 levels: one instrument a connection."""

    request_code: int
    exchange_segment: Segment
    security_id: SecurityId


_READ: Final = msgspec.json.Decoder(FeedRequest, strict=False)
_READ_DEEP: Final = msgspec.json.Decoder(DeepRequest, strict=False)


class SubscriptionError(ValueError):
    """A request is none: what was wanted and found."""


def requests(code: int, instruments: Iterable[Listed]) -> Iterator[bytes]:
    """Write the requests of one code about instruments, as many a message as it may have."""
    listed = tuple(instruments)
    for begin in range(0, len(listed), INSTRUMENTS_A_MESSAGE):
        batch = listed[begin : begin + INSTRUMENTS_A_MESSAGE]
        yield msgspec.json.encode(FeedRequest(request_code=code, instrument_count=len(batch), instrument_list=batch))


def deep_request(code: int, instrument: Listed) -> bytes:
    """Write a request about 200 levels."""
    return msgspec.json.encode(
        DeepRequest(request_code=code, exchange_segment=instrument.exchange_segment, security_id=instrument.security_id)
    )


def disconnect_request() -> bytes:
    """Write the request that ends a connection."""
    return msgspec.json.encode(FeedRequest(request_code=DISCONNECT))


def read_request(text: bytes) -> FeedRequest:
    """Read a client's request.

    Raises:
        SubscriptionError: it is none.
    """
    try:
        return _READ.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as fault:
        raise SubscriptionError(f"a request to the feed wanted, found {fault}") from fault


def read_deep_request(text: bytes) -> DeepRequest:
    """Read a client's request to a connection of 200 levels.

    Raises:
        SubscriptionError: it is none.
    """
    try:
        return _READ_DEEP.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as fault:
        raise SubscriptionError(f"a request for 200 levels wanted, found {fault}") from fault
