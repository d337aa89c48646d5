"""The header and footer of a segment file: pure functions over bytes.

    header    magic, format version, journal id, first sequence, time of creation; the seal of the segment before it
              (first sequence, bytes used, their CRC, times, last hash); CRC
    footer    after the last record of a closed segment: magic, first sequence of the next segment, CRC. It is used
              only if that segment is missing: then it proves that the end of the journal is lost

All numbers are little-endian. The header is the same in all format versions; the records of a version are read by its
`RecordFormat` (records.py).
"""

from __future__ import annotations

import struct
import zlib
from typing import Final

import msgspec

SEGMENT_MAGIC: Final = b"NATYAJNL"
_HEADER: Final = struct.Struct("<8sHHI16sQqQQIIqq32s4xI")
HEADER_SIZE: Final = _HEADER.size
_CRC_SIZE: Final = 4

_FOOTER: Final = struct.Struct("<8sQI")
FOOTER_MAGIC: Final = b"NATYAEND"
FOOTER_SIZE: Final = _FOOTER.size

NO_HASH: Final = bytes(32)
"""The previous hash in the very first record."""


class HeaderBrokenError(ValueError):
    """These bytes are no valid segment header; the text says why."""


class Seal(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The content of a closed segment in numbers; written into the header of the next segment."""

    first_sequence: int = 0
    """0: there is no segment before."""

    used: int = 0
    """Bytes from the start of the file to the end of its last record."""

    crc: int = 0
    """CRC-32 of those bytes."""

    earliest_ns: int = 0
    """Smallest `recorded_ns` in it."""

    latest_ns: int = 0
    """Largest `recorded_ns` in it."""

    last_hash: bytes = NO_HASH


class SegmentHeader(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The header of a segment file."""

    version: int
    """Format of its records."""

    journal_id: bytes
    """16 bytes, the same in all segments of one journal, so that a file of another journal is recognised."""

    first_sequence: int
    created_ns: int
    """Nanoseconds since 1970-01-01 UTC."""

    previous: Seal

    def encode(self) -> bytes:
        """Encode it as `HEADER_SIZE` bytes."""
        seal = self.previous
        head = _HEADER.pack(
            SEGMENT_MAGIC,
            self.version,
            HEADER_SIZE,
            0,
            self.journal_id,
            self.first_sequence,
            self.created_ns,
            seal.first_sequence,
            seal.used,
            seal.crc,
            0,
            seal.earliest_ns,
            seal.latest_ns,
            seal.last_hash,
            0,
        )[:-_CRC_SIZE]
        return head + zlib.crc32(head).to_bytes(_CRC_SIZE, "little")

    @classmethod
    def decode(cls, data: bytes) -> SegmentHeader:
        """Decode and check it.

        Raises:
            HeaderBrokenError: too short, no segment header, or changed.
        """
        if len(data) < HEADER_SIZE:
            raise HeaderBrokenError(f"a segment header has {HEADER_SIZE} bytes, found {len(data)}")
        fields = _HEADER.unpack_from(data)
        if fields[0] != SEGMENT_MAGIC:
            raise HeaderBrokenError(f"a segment begins with {SEGMENT_MAGIC!r}, found {fields[0]!r}")
        crc = zlib.crc32(data[: HEADER_SIZE - _CRC_SIZE])
        if crc != fields[-1]:
            raise HeaderBrokenError(f"the header's CRC is {fields[-1]:08x}, of its bytes {crc:08x}")
        _, version, _, _, journal_id, first, created, before, used, used_crc, _, earliest, latest, last_hash, _ = fields
        return cls(
            version=version,
            journal_id=journal_id,
            first_sequence=first,
            created_ns=created,
            previous=Seal(
                first_sequence=before,
                used=used,
                crc=used_crc,
                earliest_ns=earliest,
                latest_ns=latest,
                last_hash=last_hash,
            ),
        )


def encode_footer(next_sequence: int) -> bytes:
    """Encode the footer of a segment; `next_sequence` is the first sequence of the next one."""
    head = _FOOTER.pack(FOOTER_MAGIC, next_sequence, 0)[:-_CRC_SIZE]
    return head + zlib.crc32(head).to_bytes(_CRC_SIZE, "little")


def decode_footer(data: bytes) -> int | None:
    """Decode the first sequence of the next segment; None if these bytes are no whole footer."""
    if len(data) < FOOTER_SIZE:
        return None
    next_sequence = int(_FOOTER.unpack_from(data)[1])
    return next_sequence if data[:FOOTER_SIZE] == encode_footer(next_sequence) else None
