"""Packets of the feeds of 20 and 200 levels: bid and ask apart, prices as 64-bit floats in rupees.

The header begins with the length, other than that of the market feed. With 20 levels a frame holds the bids and asks of
one instrument or several; a connection of 200 levels has one instrument, and a packet as many rows as there are levels.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Final, NamedTuple

from .packets import PacketError

BID: Final = 41
ASK: Final = 51
DISCONNECT: Final = 50

SHOWN: Final = 5
"""Levels that the market feed itself shows."""

LEVELS: Final = 20
LEVELS_MAX: Final = 200

HEADER: Final = struct.Struct("<HBBII")
"""Length of the whole packet in bytes, code, number of the segment, security id; with 20 levels a sequence that says
nothing, with 200 the number of rows."""

ROW: Final = struct.Struct("<dII")
"""Price, quantity, orders."""

REASON: Final = struct.Struct("<H")
"""What follows the header of a disconnect packet."""

PACKET_BYTES: Final = HEADER.size + LEVELS * ROW.size
SEGMENTS: Final = frozenset({"NSE_EQ", "NSE_FNO"})
"""Only these have such depth."""


class Side(NamedTuple):
    """One side of a book, best level first."""

    code: int
    """`BID` or `ASK`."""

    segment_number: int
    security_id: int
    prices: tuple[float, ...]
    quantities: tuple[int, ...]
    orders: tuple[int, ...]


class Ended(NamedTuple):
    """The service ends the connection."""

    reason: int
    """See `packets.REASONS`; 0: it gives none."""


def sides_of(frame: bytes, *, levels: int = LEVELS) -> Iterator[Side | Ended]:
    """Yield what a frame says.

    Args:
        frame: one packet or several.
        levels: 20 or 200, as the connection is.

    Raises:
        PacketError: it is none of such packets; what was before was yielded.
    """
    offset, end = 0, len(frame)
    while offset < end:
        if end - offset < HEADER.size:
            raise PacketError(f"a header of {HEADER.size} bytes at {offset} wanted, found {end - offset} bytes")
        length, code, segment_number, security_id, count = HEADER.unpack_from(frame, offset)
        begin = offset + HEADER.size
        if code == DISCONNECT:  # one length is documented, another was seen; nothing follows it
            yield Ended(REASON.unpack_from(frame, begin)[0] if end - begin >= REASON.size else 0)
            return
        if code not in {BID, ASK}:
            raise PacketError(f"a packet of code {BID}, {ASK} or {DISCONNECT} at {offset} wanted, found {code}")
        rows = count if levels > LEVELS else LEVELS
        wanted = HEADER.size + rows * ROW.size
        if rows > levels or length != wanted or offset + length > end:
            raise PacketError(
                f"a packet of at most {levels} rows and {wanted} bytes at {offset} wanted, "
                f"found one of {length} with {end - offset} left"
            )
        found = list(ROW.iter_unpack(memoryview(frame)[begin : offset + length]))
        prices, quantities, orders = zip(*found, strict=True) if found else ((), (), ())
        yield Side(code, segment_number, security_id, prices, quantities, orders)
        offset += length
