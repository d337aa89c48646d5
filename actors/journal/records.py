"""The bytes of a record, as pure functions.

    segment   header (header.py), consecutive records, zeros up to the preallocated size
    record    magic, CRC of all that follows, length, number of later facts of the same append, sequence, newest durable
              sequence at the time of writing, time, hash of the previous record, type, correlation id, payload, 0xA5

All numbers are little-endian. The payload is the fact as `messages.codec` writes it. The CRC is zlib's CRC-32: it finds
every burst of 32 bits and, unlike CRC-32C, is in the standard library (0.3 us for a record of 200 bytes). The hash is
BLAKE2b with 256 bits over the whole record before: 0.6 us, where SHA-256 took 0.9.
"""

from __future__ import annotations

import struct
import zlib
from hashlib import blake2b
from typing import Final, Protocol

import msgspec

from ...messages import codec
from ...messages.journal import JournalRecord

HASH_SIZE: Final = 32

_FACT_TYPES: Final = frozenset(codec.FACT_TYPES)


class RecordBrokenError(ValueError):
    """These bytes are no whole record; the text says why."""


class RawRecord(msgspec.Struct, frozen=True, gc=False):
    """One record as it is in the file, checked by its CRC but with its payload not decoded."""

    sequence: int
    durable_sequence: int
    """Newest sequence that was durable when this was written."""

    recorded_ns: int
    remaining: int
    """Facts of the same append that follow; 0 for its last. An append counts only as a whole."""

    previous_hash: bytes
    type_name: str
    correlation_id: str
    payload: bytes
    raw: bytes
    """The whole record."""

    def hash(self) -> bytes:
        """Return the hash that the next record must have as `previous_hash`."""
        return hash_of(self.raw)

    def decoded(self) -> JournalRecord:
        """Decode the payload.

        Raises:
            codec.UndecodableMessageError: it is no fact of this version, or not of the type that the record names.
        """
        fact = codec.decode(self.payload)
        found = type(fact)
        if found.__name__ != self.type_name or found not in _FACT_TYPES:
            raise codec.UndecodableMessageError(f"a fact {self.type_name!a} wanted, found {found.__name__}")
        return JournalRecord(
            sequence=self.sequence,
            recorded_ns=self.recorded_ns,
            correlation_id=self.correlation_id,
            fact=fact,
        )


def hash_of(raw: bytes) -> bytes:
    """Hash a whole record for the chain."""
    return blake2b(raw, digest_size=HASH_SIZE).digest()


class RecordFormat(Protocol):
    """How the records of one format version are written and read."""

    version: int
    magic: bytes
    """First bytes of each record, by which the next one is found after damage."""

    header_size: int
    """Smallest size of a record in bytes."""

    def encode(  # noqa: PLR0913  these are the fields of a record
        self,
        name: bytes,
        correlation: bytes,
        payload: bytes,
        *,
        sequence: int,
        durable_sequence: int,
        recorded_ns: int,
        remaining: int,
        previous_hash: bytes,
    ) -> bytes:
        """Encode one record: the name of its fact's type (ASCII), its correlation id (UTF-8), its payload."""
        ...

    def length(self, data: bytes, position: int) -> int:
        """Read the length that the record at `position` claims, unchecked; `header_size` bytes must be there."""
        ...

    def decode(self, data: bytes, position: int) -> RawRecord | None:
        """Decode and check the record at `position`; None if `data` ends within it.

        Raises:
            RecordBrokenError: there is no whole record.
        """
        ...


class RecordFormat1:
    """The first format."""

    version = 1
    magic = b"NJR1"
    _prefix: Final = struct.Struct("<4sI")
    _body: Final = struct.Struct("<IIQQqHH32s")
    _whole: Final = struct.Struct("<4sIIIQQqHH32s")
    header_size = _whole.size
    _end: Final = b"\xa5"

    def encode(  # noqa: PLR0913  these are the fields of a record
        self,
        name: bytes,
        correlation: bytes,
        payload: bytes,
        *,
        sequence: int,
        durable_sequence: int,
        recorded_ns: int,
        remaining: int,
        previous_hash: bytes,
    ) -> bytes:
        """Encode one record; name and correlation id have at most 65,535 bytes each."""
        length = self.header_size + len(name) + len(correlation) + len(payload) + 1
        body = b"".join(
            (
                self._body.pack(
                    length,
                    remaining,
                    sequence,
                    durable_sequence,
                    recorded_ns,
                    len(name),
                    len(correlation),
                    previous_hash,
                ),
                name,
                correlation,
                payload,
                self._end,
            )
        )
        return self._prefix.pack(self.magic, zlib.crc32(body)) + body

    def length(self, data: bytes, position: int) -> int:
        """Read the claimed length."""
        return int(self._whole.unpack_from(data, position)[2])

    def decode(self, data: bytes, position: int) -> RawRecord | None:
        """Decode and check one record."""
        if len(data) - position < self.header_size:
            return None
        fields = self._whole.unpack_from(data, position)
        magic, crc, length, remaining, sequence, durable, recorded_ns, name_size, correlation_size, before = fields
        if magic != self.magic:
            raise RecordBrokenError(f"a record begins with {self.magic!r}, found {magic!r}")
        start = self.header_size + name_size
        payload = start + correlation_size
        if length <= payload:
            raise RecordBrokenError(f"a record of {length} bytes cannot hold names of {name_size + correlation_size}")
        if len(data) - position < length:
            return None
        raw = data[position : position + length]
        found = zlib.crc32(memoryview(raw)[self._prefix.size :])
        if crc != found:
            raise RecordBrokenError(f"the record's CRC is {crc:08x}, of its bytes {found:08x}")
        return RawRecord(
            sequence,
            durable,
            recorded_ns,
            remaining,
            before,
            raw[self.header_size : start].decode("ascii"),
            raw[start:payload].decode(),
            raw[payload:-1],
            raw,
        )


FORMATS: Final[dict[int, RecordFormat]] = {1: RecordFormat1()}
"""Every format that this version reads. It writes the newest, in a new segment if the journal has an older one."""
