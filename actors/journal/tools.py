"""`natya journal verify|stat|tail|export` as plain functions over a directory, which a system may be writing to."""

from __future__ import annotations

import zlib
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec

from ...messages.codec import UndecodableMessageError
from ...messages.journal import JournalRecord
from .beginning import expect_beginning
from .disk import Disk, ReadableFile, RealDisk
from .header import HEADER_SIZE, Seal
from .live import LiveWalk, expect_marked, look_at, unless_forgotten
from .recovery import verify_closed
from .segments import Segment, open_segment, stored_bytes
from .view import JournalView
from .walk import footer_fault


class VerifyReport(msgspec.Struct, frozen=True, kw_only=True):
    """The result of a full verification."""

    segments: int
    records: int
    oldest_sequence: int
    last_sequence: int
    last_hash: str
    """Hash of the last record in hexadecimal; by the hash chain it covers all records."""

    torn_bytes: int
    """Size of an unfinished commit, which the next start cuts (or which is being written now)."""


class SegmentStat(msgspec.Struct, frozen=True, kw_only=True):
    """One segment file."""

    path: str
    first_sequence: int
    last_sequence: int
    file_bytes: int
    """Size of the file: preallocated, or compressed."""

    archived: bool


class JournalStat(msgspec.Struct, frozen=True, kw_only=True):
    """The segments, without reading all records."""

    path: str
    records: int
    oldest_sequence: int
    last_sequence: int
    segments: tuple[SegmentStat, ...]


def verify(directory: Path, disk: Disk | None = None) -> VerifyReport:
    """Read every record of every segment, archived ones too: CRC, sequence, hash chain, seals, the mark, every payload.

    Raises:
        JournalDamagedError: names file, offset and sequence of the first damage.
        JournalCutError: the beginning is lost.
        JournalTooNewError: a later version wrote it.
    """
    disk = disk or RealDisk()
    mark, segments = look_at(disk, directory)
    records, last_sequence, last_hash, torn_bytes = 0, 0, b"", 0
    for segment in segments:
        with unless_forgotten(disk, segment):
            counted = Counted(disk, segment)
            records += counted.records
            last_sequence, last_hash, torn_bytes = counted.last_sequence, counted.last_hash, counted.torn_bytes
    if segments:
        expect_marked(segments[-1], mark, last_sequence=last_sequence)
        expect_beginning(directory, JournalView.of_directory(disk, directory))
    return VerifyReport(
        segments=len(segments),
        records=records,
        oldest_sequence=last_sequence - records + 1,
        last_sequence=last_sequence,
        last_hash=last_hash.hex(),
        torn_bytes=torn_bytes,
    )


def check(directory: Path, disk: Disk | None = None) -> None:
    """Check all acknowledged bytes by their CRC, without decoding records: 1 s a gigabyte.

    Raises:
        JournalDamagedError: names file, offset and sequence of the first damage.
        JournalCutError: the beginning is lost.
        JournalTooNewError: a later version wrote it.
    """
    disk = disk or RealDisk()
    view = JournalView.of_directory(disk, directory)
    for segment, _, _ in view.extents():
        if segment.seal is not None:
            with unless_forgotten(disk, segment):
                verify_closed(disk, segment, segment.seal)
    expect_beginning(directory, view)


def stat(directory: Path, disk: Disk | None = None) -> JournalStat:
    """Return the segment files and their sequences.

    Raises:
        JournalDamagedError: a header is broken or a segment is missing.
    """
    disk = disk or RealDisk()
    view = JournalView.of_directory(disk, directory)
    segments = []
    for segment, _, last_sequence in view.extents():
        with unless_forgotten(disk, segment):
            found = SegmentStat(
                path=str(segment.path),
                first_sequence=segment.first_sequence,
                last_sequence=last_sequence,
                file_bytes=stored_bytes(disk, segment),
                archived=segment.archived,
            )
            segments.append(found)
    oldest_sequence = segments[0].first_sequence if segments else 1
    return JournalStat(
        path=str(directory),
        records=view.last_sequence - oldest_sequence + 1,
        oldest_sequence=oldest_sequence,
        last_sequence=view.last_sequence,
        segments=tuple(segments),
    )


def tail(
    directory: Path,
    *,
    records_max: int = 10,
    where: Callable[[JournalRecord], bool] = lambda _record: True,
    disk: Disk | None = None,
    **filters: Any,
) -> tuple[JournalRecord, ...]:
    """Return the newest matching records for which `where` is true, oldest first; `filters` are of `JournalView.find`.

    To follow a journal, `export` after the last sequence seen.

    Raises:
        JournalDamagedError: they cannot be read.
    """
    view = JournalView.of_directory(disk or RealDisk(), directory)
    near = max(0, view.last_sequence - records_max)
    newest = deque(filter(where, view.find(after_sequence=near, **filters)), maxlen=records_max)
    if len(newest) < records_max and near:
        newest = deque(filter(where, view.find(**filters)), maxlen=records_max)
    return tuple(newest)


def export(directory: Path, *, disk: Disk | None = None, **filters: Any) -> Iterator[bytes]:
    """Yield each matching record as one line of JSON; `filters` are those of `JournalView.find`.

    A line has the record's `sequence`, `recorded_ns` and `correlation_id`, the fact's `type`, and its fields by name.

    Raises:
        JournalDamagedError: a record cannot be read.
    """
    view = JournalView.of_directory(disk or RealDisk(), directory)
    for record in view.find(**filters):
        yield to_json_line(record)


def to_json_line(record: JournalRecord) -> bytes:
    """Return a record as a JSON object with a line feed."""
    fact = record.fact
    line = {
        "sequence": record.sequence,
        "recorded_ns": record.recorded_ns,
        "correlation_id": record.correlation_id,
        "type": type(fact).__name__,
        **{name: getattr(fact, name) for name in fact.__struct_fields__},
    }
    return msgspec.json.encode(line, enc_hook=str) + b"\n"


class Counted:
    """The counts of one segment, every record of it read and decoded."""

    def __init__(self, disk: Disk, segment: Segment) -> None:
        self.records = self.torn_bytes = 0
        self.last_sequence = segment.first_sequence - 1
        self.last_hash = b""
        file = open_segment(disk, segment)
        try:
            if segment.seal is None:
                self._read_active(LiveWalk(disk, segment, file), segment)
            else:
                self._read_closed(file, segment, segment.seal)
        except OSError as fault:
            raise segment.damaged(str(fault)) from fault
        finally:
            file.close()

    def _read_active(self, walk: LiveWalk, segment: Segment) -> None:
        for record in walk:
            _check_payload(segment, record.sequence, record.decoded)
            self.records += 1
        self.last_sequence, self.last_hash, self.torn_bytes = walk.sequence, walk.last_hash, walk.torn_bytes

    def _read_closed(self, file: ReadableFile, segment: Segment, seal: Seal) -> None:
        walk = segment.walk(file, end=seal.used)
        crc = zlib.crc32(file.read(0, HEADER_SIZE))
        for record in walk:
            crc = zlib.crc32(record.raw, crc)
            _check_payload(segment, record.sequence, record.decoded)
            self.records += 1
        self.last_sequence, self.last_hash = walk.sequence - 1, walk.previous_hash or b""
        fault = walk.fault or footer_fault(file, segment.format, used=seal.used, footer=segment.footer)
        if fault or (crc, self.last_hash) != (seal.crc, seal.last_hash):
            reason = fault or "its records are whole, but not those that were written"
            raise segment.damaged(reason, offset=walk.offset, sequence=walk.sequence)


def _check_payload(segment: Segment, sequence: int, decoded: Any) -> None:
    try:
        decoded()
    except UndecodableMessageError as fault:
        raise segment.damaged(str(fault), sequence=sequence) from fault
