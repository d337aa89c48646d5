"""Walking over the records of a segment, and judging bytes that are no record: pure rules over bytes.

A crash leaves a *torn tail*: of the last group commit, never acknowledged, some sectors arrived and others are still
the zeros of the preallocation. Everything else is *damage* to acknowledged records, and is never cut. It is damage if

- a later record says that the faulty one was durable before it was written;
- the file ends within a record: a crash does not shorten a preallocated file;
- no sector of the faulty record is all zeros: nothing of it is missing, so it has been changed.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, Literal, TypeAlias

import msgspec

from .disk import ReadableFile
from .header import decode_footer
from .records import RawRecord, RecordBrokenError, RecordFormat

WINDOW_SIZE: Final = 1 << 20
"""Bytes read at a time."""

SECTOR_SIZE: Final = 512
"""Bytes that a disk writes as a whole or not at all."""

LANDMARK_STRIDE: Final = 512
"""A walk notes the offset of one in so many records."""

_ZEROS: Final = bytes(WINDOW_SIZE)

Landmarks: TypeAlias = dict[int, int]
"""`sequence // LANDMARK_STRIDE` to the offset of the record with the sequence `key * LANDMARK_STRIDE`."""


class Walk:
    """One pass over consecutive records; it stops at `end`, or where there is no record.

    Each record is checked: CRC, sequence without gaps, and the hash chain if `previous_hash` is given. After the pass
    `offset`, `sequence` (of the next record) and `previous_hash` are where it stopped, and `fault` is why, if that was
    before `end`.
    """

    def __init__(  # noqa: PLR0913  a place in a file has these parts
        self,
        file: ReadableFile,
        record_format: RecordFormat,
        *,
        offset: int,
        end: int,
        sequence: int,
        landmarks: Landmarks,
        previous_hash: bytes | None = None,
    ) -> None:
        self.offset = offset
        self.sequence = sequence
        self.previous_hash = previous_hash
        self.fault = ""
        self._file: Final = file
        self._format: Final = record_format
        self._end: Final = end
        self._landmarks: Final = landmarks

    def __iter__(self) -> Iterator[RawRecord]:
        window, position = b"", 0
        size = WINDOW_SIZE
        while self.offset < self._end:
            try:
                record = self._format.decode(window, position)
                if record is not None:
                    self._check(record)
            except (RecordBrokenError, UnicodeDecodeError) as fault:
                self.fault = str(fault)
                return
            if record is None:
                if position == 0 and len(window) == self._end - self.offset:
                    self.fault = f"a record goes on behind the end at {self._end}"
                    return
                # A record longer than the window: read twice as much.
                size = size * 2 if window and position == 0 else WINDOW_SIZE
                found = self._file.read(self.offset, min(size, self._end - self.offset))
                if position == 0 and window and len(found) <= len(window):
                    self.fault = f"the file ends at {self.offset + len(found)}, within a record"
                    return
                if not found:
                    self.fault = f"the file ends at {self.offset}"
                    return
                window, position = found, 0
                continue
            if record.sequence % LANDMARK_STRIDE == 0:
                self._landmarks[record.sequence // LANDMARK_STRIDE] = self.offset
            position += len(record.raw)
            self.offset += len(record.raw)
            self.sequence += 1
            yield record

    def _check(self, record: RawRecord) -> None:
        if record.sequence != self.sequence:
            raise RecordBrokenError(f"sequence {self.sequence} wanted, found {record.sequence}")
        if self.previous_hash is not None:
            if record.previous_hash != self.previous_hash:
                raise RecordBrokenError("the record does not follow the one before it: the hash chain is broken")
            self.previous_hash = record.hash()


def record_at(file: ReadableFile, record_format: RecordFormat, *, offset: int, end: int) -> RawRecord | None:
    """Read the record at an offset; None if it goes beyond `end`. Reads forward only, since archives are slow backward.

    Raises:
        RecordBrokenError: there is no whole record.
    """
    head = file.read(offset, min(record_format.header_size, end - offset))
    if len(head) < record_format.header_size:
        return None
    size = min(record_format.length(head, 0), end - offset)
    return record_format.decode(head + file.read(offset + len(head), max(0, size - len(head))), 0)


class Tail(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What follows the last good record."""

    kind: Literal["clean", "torn", "damaged", "closed"]
    """`clean`: zeros; `closed`: a footer, so another segment must follow."""

    size: int = 0
    """Bytes up to the last one that is not zero."""

    reason: str = ""


def judge_tail(file: ReadableFile, record_format: RecordFormat, *, offset: int, sequence: int) -> Tail:
    """Judge the bytes from `offset`, where the record `sequence` would be next, to the end of the file."""
    end = file.size()
    if is_zero(file, offset, end):
        return Tail(kind="clean")
    data = file.read(offset, end - offset)
    size = len(data.rstrip(b"\0"))
    next_sequence = decode_footer(data)
    if next_sequence is not None:
        return Tail(kind="closed", reason=f"the segment after it, {next_sequence}, is missing")
    behind = _records_behind(data, record_format)
    later = [record for _, record in behind if record.sequence > sequence and record.durable_sequence >= sequence]
    if later:
        return Tail(
            kind="damaged", size=size, reason=f"record {later[0].sequence} behind it was written after it was durable"
        )
    claimed = max(record_format.header_size, _claimed_length(data, record_format))
    if claimed > len(data):  # the journal never begins a record that does not fit
        reason = f"a record of {claimed} bytes or more, and the file ends after {len(data)}"
        return Tail(kind="damaged", size=size, reason=reason)
    bound = behind[0][0] if behind else max(size, claimed)
    if size < claimed or _lacks_sector(data[:bound], offset):
        return Tail(kind="torn", size=size, reason=f"{size} bytes of a commit that did not finish")
    return Tail(
        kind="damaged", size=size, reason="a record was changed: nothing of it is missing, and its CRC is wrong"
    )


def footer_fault(file: ReadableFile, record_format: RecordFormat, *, used: int, footer: bytes) -> str:
    """Return what is wrong after the records of a closed segment; empty if nothing is.

    There may be its footer, no footer (an archive has none), a part of it, or records that were refused after a failed
    fsync, but nothing else.
    """
    found = file.read(used, len(footer))
    if found.startswith(record_format.magic) or all(byte in {0, own} for byte, own in zip(found, footer, strict=False)):
        return ""
    return "its footer was changed"


def is_zero(file: ReadableFile, offset: int, end: int) -> bool:
    """Tell whether there are only zeros from `offset` to `end`."""
    while offset < end:
        window = file.read(offset, min(WINDOW_SIZE, end - offset))
        if not window or window != _ZEROS[: len(window)]:
            return not window
        offset += len(window)
    return True


def _records_behind(data: bytes, record_format: RecordFormat) -> list[tuple[int, RawRecord]]:
    found = []
    position = data.find(record_format.magic, 1)
    while position >= 0:
        try:
            record = record_format.decode(data, position)
        except (RecordBrokenError, UnicodeDecodeError):
            record = None
        if record is not None:
            found.append((position, record))
        position = data.find(record_format.magic, position + (len(record.raw) if record is not None else 1))
    return found


def _claimed_length(data: bytes, record_format: RecordFormat) -> int:
    if len(data) < record_format.header_size or not data.startswith(record_format.magic):
        return 0
    return record_format.length(data, 0)


def _lacks_sector(data: bytes, offset: int) -> bool:
    start = 0
    while start < len(data):
        stop = start + SECTOR_SIZE - (offset + start) % SECTOR_SIZE
        if not any(data[start:stop]):
            return True
        start = stop
    return False
