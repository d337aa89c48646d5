"""The waypoint: how far the active segment was walked once, so that a start walks only what is behind it.

    journal.waypoint    magic, BLAKE2b of all that follows, then: of which journal and segment; where its last record
                        ends, the sequence and hash of that; the CRC of the segment up to there; the keys of its records

A closed segment is compared with the CRC of its seal, 1 s a gigabyte; records are walked and decoded at some 100,000 a
second. The waypoint is a seal of the part of the active segment that no append changes any more. It is derived, and
never trusted over the records: where it is damaged, of another segment, or its CRC is not that of the bytes, every
record is walked, and damage is found and named as if there were no waypoint. So it is where the mark is older than it,
as after a power cut: the record that the mark names is always one that is walked, or the very one of the waypoint.
"""

from __future__ import annotations

import zlib
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from .disk import put_whole
from .errors import UpkeepFailedError
from .keys import KeyTable
from .records import HASH_SIZE
from .walk import WINDOW_SIZE

if TYPE_CHECKING:
    from .disk import Disk, ReadableFile
    from .mark import Mark
    from .segments import Segment

WAYPOINT_NAME: Final = "journal.waypoint"
STRIDES: Final = 16
"""Of a segment: after each a waypoint is written."""

STRIDE_BYTES_MIN: Final = 4_096

_MAGIC: Final = b"NJW1"
_START: Final = len(_MAGIC) + HASH_SIZE


class Waypoint(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """A place in the active segment, and the verified state of everything before it."""

    journal_id: bytes
    first_sequence: int
    """Of the segment."""

    offset: int
    crc: int
    sequence: int
    last_hash: bytes
    earliest_ns: int
    latest_ns: int
    keys: tuple[bytes, bytes, bytes]
    """See `KeyTable.columns`."""


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Waypoint)


def write_waypoint(waypoint: Waypoint, disk: Disk, segment: Segment) -> int:
    """Replace the previous waypoint; return 0 (a task of upkeep returns a size; this one's is not counted).

    Raises:
        UpkeepFailedError: no space, or a failing disk.
    """
    body = _encoder.encode(waypoint)
    try:
        put_whole(disk, segment.directory / WAYPOINT_NAME, _MAGIC + _hash(body) + body)
    except OSError as fault:
        raise UpkeepFailedError(f"a waypoint of {segment.path} cannot be written: {fault}") from fault
    return 0


def waypoint_of(
    disk: Disk, segment: Segment, file: ReadableFile, mark: Mark | None
) -> tuple[Waypoint, KeyTable] | None:
    """Return the waypoint of an active segment, and the keys up to it, if it is proved; else None."""
    found = _read(disk, segment.directory)
    if found is None or mark is None or found.journal_id != segment.header.journal_id:
        return None
    if found.first_sequence != segment.first_sequence or mark.sequence < found.sequence:
        return None
    if mark.sequence == found.sequence and mark.last_hash != found.last_hash:
        return None
    try:
        keys = KeyTable.of_columns(found.keys)
    except ValueError:
        return None
    crc, offset = 0, 0
    while offset < found.offset:
        window = file.read(offset, min(WINDOW_SIZE, found.offset - offset))
        if not window:
            return None
        crc, offset = zlib.crc32(window, crc), offset + len(window)
    return (found, keys) if crc == found.crc else None


def _read(disk: Disk, directory: Path) -> Waypoint | None:
    try:
        file = disk.open(directory / WAYPOINT_NAME)
    except OSError:  # there is none, or a link has its name
        return None
    try:
        data = file.read(0, file.size())
    except OSError:
        return None
    finally:
        file.close()
    if not data.startswith(_MAGIC) or data[len(_MAGIC) : _START] != _hash(data[_START:]):
        return None
    try:
        return _decoder.decode(data[_START:])
    except msgspec.DecodeError:
        return None


def _hash(data: bytes) -> bytes:
    return blake2b(data, digest_size=HASH_SIZE).digest()
