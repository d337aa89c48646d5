"""What a client asks over a market feed's socket in the protocol before the present one: packets in both directions.

An address without a query is opened; the first packet has the token, each later one subscribes to up to 100 instruments
or leaves them. The traps: the fields are padded with zeros, and the length in a packet's header is no length of the
packet (of a subscription it leaves out the padding, and one client writes it elsewhere), so the frame's is taken.
"""

from __future__ import annotations

import struct
from typing import Final, Literal, NamedTuple, TypeAlias

import msgspec

from .packets import SEGMENTS
from .subscriptions import FeedRequest, Listed, SubscriptionError

BinaryMode: TypeAlias = Literal["ticker", "quote", "depth"]

LOGIN: Final = 11
BINARY_SUBSCRIBE: Final[dict[BinaryMode, int]] = {"ticker": 15, "quote": 17, "depth": 19}
BINARY_MODES: Final[dict[int, BinaryMode]] = {code: mode for mode, code in BINARY_SUBSCRIBE.items()}

HEADER: Final = struct.Struct("<BH30s50s")
"""Code, length, client id, zeros."""

TOKEN_BYTES: Final = 500
"""It is padded to so many; a longer one is not cut."""

KIND: Final = b"2P"
"""How the client logs in: behind the token."""

COUNT: Final = struct.Struct("<I")
INSTRUMENT: Final = struct.Struct("<B20s")
"""Number of the segment, security id."""


class BinaryLogin(NamedTuple):
    """Who logs in."""

    client_id: str
    token: str


def read_login(packet: bytes) -> BinaryLogin:
    """Read the first packet of a client.

    Raises:
        SubscriptionError: it is none.
    """
    if len(packet) < HEADER.size + len(KIND) or packet[0] != LOGIN or not packet.endswith(KIND):
        raise SubscriptionError(f"a packet that logs in wanted, found {len(packet)} bytes of code {packet[:1].hex()}")
    client_id = HEADER.unpack_from(packet)[2]
    return BinaryLogin(_text(client_id), _text(packet[HEADER.size : -len(KIND)]))


def read_binary_request(packet: bytes) -> FeedRequest:
    """Read a packet that subscribes, unsubscribes or ends the connection.

    Raises:
        SubscriptionError: it is none.
    """
    if len(packet) < HEADER.size:
        raise SubscriptionError(f"a header of {HEADER.size} bytes wanted, found {len(packet)} bytes")
    code = packet[0]
    if len(packet) == HEADER.size:
        return FeedRequest(request_code=code)
    begin = HEADER.size + COUNT.size
    if len(packet) < begin:
        raise SubscriptionError(f"a count of instruments wanted, found {len(packet) - HEADER.size} bytes")
    (count,) = COUNT.unpack_from(packet, HEADER.size)
    held = (len(packet) - begin) // INSTRUMENT.size
    if count > held:
        raise SubscriptionError(f"{count} instruments wanted, found {held}")
    listed = tuple(_listed(packet, begin + number * INSTRUMENT.size) for number in range(count))
    return FeedRequest(request_code=code, instrument_count=count, instrument_list=listed)


def _listed(packet: bytes, offset: int) -> Listed:
    segment, security_id = INSTRUMENT.unpack_from(packet, offset)
    try:
        return msgspec.convert({"ExchangeSegment": SEGMENTS.get(segment), "SecurityId": _text(security_id)}, Listed)
    except msgspec.ValidationError as fault:
        raise SubscriptionError(f"an instrument at {offset} wanted, found {fault}") from fault


def _text(padded: bytes) -> str:
    try:
        return padded.rstrip(b"\0").decode("ascii")
    except UnicodeDecodeError as fault:
        raise SubscriptionError(f"a text of ASCII wanted, found {fault}") from fault
