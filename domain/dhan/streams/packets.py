"""Packets of the market feed: little-endian, prices as 32-bit floats in rupees, quantities in units.

A frame holds one packet or several; each says its own length, header included. Source: the documentation of the live
market feed, and dhanhq 2.3, whose layouts these are.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Final, TypeAlias

from ...time import IST_OFFSET_NS, SECOND_NS

HEARTBEAT: Final = 0
"""Code of a packet without content: the service is alive, or has taken a request."""

INDEX: Final = 1
"""Code that is documented without a layout; indices come as tickers."""

TICKER: Final = 2
BOOK: Final = 3
"""Of the protocol before the present one (`binary_requests`): never sent to who speaks this one."""

QUOTE: Final = 4
OPEN_INTEREST: Final = 5
PREVIOUS_CLOSE: Final = 6
STATUS: Final = 7
FULL: Final = 8
DISCONNECT: Final = 50

HEADER: Final = struct.Struct("<BHBI")
"""Code, length of the whole packet in bytes, number of the segment, security id."""

TICKER_LAYOUT: Final = struct.Struct("<BHBIfI")
"""Header, last price, its time."""

PREVIOUS_CLOSE_LAYOUT: Final = struct.Struct("<BHBIfI")
"""Header, close of the previous day, open interest of the previous day."""

OPEN_INTEREST_LAYOUT: Final = struct.Struct("<BHBII")
"""Header, open interest."""

QUOTE_LAYOUT: Final = struct.Struct("<BHBIfHIfIIIffff")
"""Header, last price, its quantity, its time, average price, volume, total sell and buy quantity, open, close, high,
low."""

LEVELS: Final = 5
"""Levels of the book in a full packet."""

FULL_LAYOUT: Final = struct.Struct("<BHBIfHIfIIIIIIffff" + LEVELS * "IIHHff")
"""As a quote up to the total quantities; then open interest, its highest and lowest of the day, open, close, high, low,
and for each level, best first: bid and ask quantity, bid and ask orders, bid and ask price."""

BOOK_LAYOUT: Final = struct.Struct("<BHBIf" + LEVELS * "IIHHff")
"""Header, last price, and the levels as in a full packet."""

FULL_LEVELS_AT: Final = 18
"""Number of the first value of the levels in `FULL_LAYOUT`."""

LEVEL_VALUES: Final = 6

STATUS_LAYOUT: Final = HEADER
DISCONNECT_LAYOUT: Final = struct.Struct("<BHBIH")
"""Header, reason: one of `Reason`."""

LAYOUTS: Final = {
    TICKER: TICKER_LAYOUT,
    QUOTE: QUOTE_LAYOUT,
    OPEN_INTEREST: OPEN_INTEREST_LAYOUT,
    PREVIOUS_CLOSE: PREVIOUS_CLOSE_LAYOUT,
    STATUS: STATUS_LAYOUT,
    FULL: FULL_LAYOUT,
    DISCONNECT: DISCONNECT_LAYOUT,
}
"""By code. A packet of another code is passed over by its length."""

QUANTITY_MAX: Final = 65_535
"""Units of the last trade that fit its 16 bits; a larger trade is told modulo 65,536."""

SEGMENT_NUMBERS: Final = {
    "IDX_I": 0,
    "NSE_EQ": 1,
    "NSE_FNO": 2,
    "NSE_CURRENCY": 3,
    "BSE_EQ": 4,
    "MCX_COMM": 5,
    "BSE_CURRENCY": 7,
    "BSE_FNO": 8,
}
"""Number of a segment on the sockets; NSE_COMM has none."""

SEGMENTS: Final = {number: segment for segment, number in SEGMENT_NUMBERS.items()}

REASONS: Final = {
    800: "internal server error",
    804: "too many instruments",
    805: "too many connections",
    806: "data APIs are not subscribed",
    807: "access token expired",
    808: "client id or access token wrong",
    809: "access token invalid",
    810: "client id invalid",
}
"""Why the service ends a connection, by the number in a disconnect packet."""

TOO_MANY_CONNECTIONS: Final = 805
TOKEN_REASONS: Final = frozenset({807, 808, 809})
"""After one of these a connection with the same token ends in the same way."""

_START: Final = struct.Struct("<BH")

Span: TypeAlias = tuple[int, int]
"""Code of a packet, and where it begins."""


class PacketError(ValueError):
    """A frame is none of packets as they are documented: what was wanted and found, and where."""


def packets_of(frame: bytes) -> Iterator[Span]:
    """Yield the packets of a frame; each lies within it, and has its layout's length.

    Raises:
        PacketError: it ends in a packet, or a length is not that of the code; the packets before it were yielded.
    """
    offset, end = 0, len(frame)
    while offset < end:
        if end - offset < HEADER.size:
            raise PacketError(f"a header of {HEADER.size} bytes at {offset} wanted, found {end - offset} bytes")
        code, length = _START.unpack_from(frame, offset)
        layout = LAYOUTS.get(code)
        wanted = HEADER.size if layout is None else layout.size
        if length < wanted or (layout is not None and length != wanted):
            raise PacketError(f"a packet of code {code} at {offset} of {wanted} bytes wanted, found {length} bytes")
        if offset + length > end:
            raise PacketError(f"a packet of {length} bytes at {offset} wanted, found the frame's end at {end}")
        yield code, offset
        offset += length


def feed_time_of(time_ns: int) -> int:
    """Return a time (nanoseconds since 1970-01-01 UTC) as packets tell it: in seconds, India's clock taken for UTC."""
    return (time_ns + IST_OFFSET_NS) // SECOND_NS
