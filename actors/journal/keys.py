"""The keys of a segment: an index by client order id, child or correlation id, to the offsets of records.

It is derived from the records and never trusted over them. A page is valid only with its CRC, which includes the seal
of the segment, and an entry only when the record at its offset was read. If a page is missing or broken the whole
segment is read, and its key file is written anew.

    key file   pages of 4,096 bytes; the entries of all pages together are sorted by hash
    page       CRC, number of entries, entries, zeros
    entry      CRC-32 of the key, sequence less the segment's first, offset in the segment (unpacked)

The active segment's keys are in memory: 12 bytes an entry, one a record where key and correlation id are the same.
The first fact of each type has an entry besides.
"""

from __future__ import annotations

import struct
from array import array
from bisect import bisect_left
from collections.abc import Iterable
from typing import Final, NamedTuple, Self
from zlib import crc32

import numpy as np

from ...messages.journal import JournalRecord, key_of
from .disk import ReadableFile

PAGE_SIZE: Final = 4_096
_HEAD: Final = struct.Struct("<II")
_ENTRY: Final = struct.Struct("<III")
PAGE_ENTRIES: Final = (PAGE_SIZE - _HEAD.size) // _ENTRY.size
_CRC_SIZE: Final = 4

TYPES_NOTED: Final = "type:"
"""The key of a table that has the types of its facts among its keys; those of earlier releases have not."""


def key_of_type(name: str) -> str:
    """Return the key under which the first fact of a type is found, so that a segment without any need not be read."""
    return f"{TYPES_NOTED}{name}"


class KeysBrokenError(Exception):
    """These are not valid keys of this segment."""


class Entry(NamedTuple):
    """A possible record with a key: keys are compared by hash, so the record has to be read."""

    step: int
    """Its sequence less the first of its segment."""

    offset: int
    """In the segment, in bytes."""


class KeyTable:
    """The keys of a segment in memory, in order of sequence."""

    def __init__(self) -> None:
        self._hashes: Final = array("I")
        self._steps: Final = array("I")
        self._offsets: Final = array("I")
        self._types: Final[set[type]] = set()

    def add(self, records: Iterable[JournalRecord], sizes: Iterable[int], *, step: int, offset: int) -> None:
        """Add consecutive records of these sizes in bytes; the first one has this step and offset.

        Each is indexed by the key of its fact, and by its correlation id if that differs.
        """
        if not self._hashes:
            self._note(_hash(TYPES_NOTED), step, offset)
        correlation_id, of_correlation = "", 0
        for record, size in zip(records, sizes, strict=True):
            fact = record.fact
            kind = type(fact)
            if kind not in self._types:
                self._types.add(kind)
                if not self.find(name := key_of_type(kind.__name__)):  # it may be in a copy that this goes on with
                    self._note(_hash(name), step, offset)
            key = key_of(fact)
            if key:
                self._note(_hash(key), step, offset)
            if record.correlation_id != correlation_id:  # the records of one append have the same
                correlation_id = record.correlation_id
                of_correlation = _hash(correlation_id)
            if correlation_id and correlation_id != key:
                self._note(of_correlation, step, offset)
            step += 1
            offset += size

    def _note(self, hashed: int, step: int, offset: int) -> None:
        self._steps.append(step)
        self._offsets.append(offset)
        # Last: a reader on another thread searches the hashes.
        self._hashes.append(hashed)

    def columns(self) -> tuple[bytes, bytes, bytes]:
        """Return a copy: hashes, steps and offsets, as this machine writes them."""
        return self._hashes.tobytes(), self._steps.tobytes(), self._offsets.tobytes()

    @classmethod
    def of_columns(cls, columns: tuple[bytes, bytes, bytes]) -> Self:
        """Return the table of such a copy.

        Raises:
            ValueError: they are none.
        """
        table = cls()
        for column, data in zip((table._hashes, table._steps, table._offsets), columns, strict=True):
            column.frombytes(data)
        if not len(table._hashes) == len(table._steps) == len(table._offsets):
            raise ValueError("columns of one length wanted")
        return table

    def find(self, key: str) -> list[Entry]:
        """Return the entries that may have this key, in order of sequence. Thread-safe."""
        hashed, place = _hash(key), -1
        found: list[Entry] = []
        while True:
            try:
                place = self._hashes.index(hashed, place + 1)
            except ValueError:
                return found
            found.append(Entry(self._steps[place], self._offsets[place]))

    def pages(self, identity: bytes) -> bytes:
        """Encode them as a key file; `identity` is `Segment.key_identity`."""
        # numpy's sort releases the interpreter lock, so writers go on meanwhile.
        columns = [np.frombuffer(column, dtype=np.uint32) for column in (self._hashes, self._steps, self._offsets)]
        entries = np.column_stack(columns).astype("<u4", copy=False)
        entries = entries[np.argsort(entries[:, 0], kind="stable")]
        count = max(1, -(-len(entries) // PAGE_ENTRIES))
        pages = []
        for number in range(count):
            body = entries[number * PAGE_ENTRIES : (number + 1) * PAGE_ENTRIES].tobytes()
            page = _HEAD.pack(0, len(body) // _ENTRY.size) + body
            page += bytes(PAGE_SIZE - len(page))
            crc = _page_crc(identity, count, number, page)
            pages.append(crc.to_bytes(_CRC_SIZE, "little") + page[_CRC_SIZE:])
        return b"".join(pages)


class KeyFile:
    """The keys of a closed segment, in a file. All methods raise KeysBrokenError, or OSError."""

    def __init__(self, file: ReadableFile, identity: bytes) -> None:
        self._file: Final = file
        self._identity: Final = identity
        size = file.size()
        self._count: Final = size // PAGE_SIZE
        if size == 0 or size % PAGE_SIZE:
            raise KeysBrokenError(f"a key file has whole pages of {PAGE_SIZE} bytes, found {size}")

    def find(self, key: str) -> list[Entry]:
        """Return the entries that may have this key, in order of sequence."""
        hashed = _hash(key)
        found: list[Entry] = []
        for number in range(bisect_left(range(self._count), hashed, key=self._last_hash), self._count):
            entries = self._entries(number)
            found += [Entry(step, offset) for each, step, offset in entries if each == hashed]
            if not entries or entries[-1][0] > hashed:
                break
        return found

    def check(self) -> None:
        """Read and check every page."""
        for number in range(self._count):
            self._page(number)

    def _last_hash(self, number: int) -> int:
        page, count = self._page(number)
        return int(_ENTRY.unpack_from(page, _HEAD.size + (count - 1) * _ENTRY.size)[0]) if count else 1 << 32

    def _entries(self, number: int) -> list[tuple[int, int, int]]:
        page, count = self._page(number)
        return list(_ENTRY.iter_unpack(page[_HEAD.size : _HEAD.size + count * _ENTRY.size]))

    def _page(self, number: int) -> tuple[bytes, int]:
        page = self._file.read(number * PAGE_SIZE, PAGE_SIZE)
        if len(page) < PAGE_SIZE:
            raise KeysBrokenError(f"page {number} ends after {len(page)} bytes")
        crc, count = _HEAD.unpack_from(page)
        found = _page_crc(self._identity, self._count, number, page)
        if crc != found or count > PAGE_ENTRIES:
            raise KeysBrokenError(f"the CRC of page {number} is {crc:08x}, of its bytes {found:08x}")
        return page, count


def _hash(key: str) -> int:
    return crc32(key.encode("utf-8", "surrogatepass"))


def _page_crc(identity: bytes, count: int, number: int, page: bytes) -> int:
    """Return the CRC of a page, which includes its number and its segment, so that no other page has it."""
    return crc32(page[_CRC_SIZE:], crc32(struct.pack("<II", count, number), crc32(identity)))
