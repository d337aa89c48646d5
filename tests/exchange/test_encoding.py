"""Packets without prices: each byte, as the clients read them."""

from natya.actors.exchange.streams import encoding
from natya.domain.dhan.streams import depth, packets


def test_a_status_is_a_header_of_its_segment_alone():
    assert encoding.status(2) == packets.HEADER.pack(packets.STATUS, packets.HEADER.size, 2, 0)


def test_an_end_has_its_reason_behind_an_empty_header():
    layout = packets.DISCONNECT_LAYOUT

    assert encoding.ended(807) == layout.pack(packets.DISCONNECT, layout.size, 0, 0, 807)


def test_an_end_of_depth_has_its_reason_behind_an_empty_header():
    found = encoding.depth_ended(807)

    assert depth.HEADER.unpack_from(found) == (len(found), depth.DISCONNECT, 0, 0, 0)
    assert found[depth.HEADER.size :] == (807).to_bytes(2, "little")
