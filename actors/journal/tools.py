"""`natya journal verify|stat|tail|export` as plain functions over a directory, which a system may be writing to."""

from __future__ import annotations

import zlib
from collections import Counter, deque
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import msgspec

from ...messages.codec import UndecodableMessageError
from ...messages.journal import Fact, JournalRecord, JournalShortened
from .beginning import expect_beginning, expect_shortened
from .day_seals import (
    SEALS_NAME,
    DaySeal,
    SealBrokenError,
    expect_own_seals,
    expect_sealed,
    read_seals,
    seals_of,
    unsigned,
)
from .disk import Disk, ReadableFile, RealDisk
from .errors import JournalDamagedError
from .header import HEADER_SIZE, Seal
from .live import LiveWalk, expect_marked, look_at, unless_forgotten
from .mark import Mark
from .records import RawRecord
from .recovery import NOT_ACKNOWLEDGED, verify_closed
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

    of_type: dict[str, int]
    """How many records of each type of fact."""

    sealed_days: int
    sealed_day: str
    """The last one, as `2026-11-27`; empty: no day is sealed."""

    sealed_sequence: int
    """With which record it ended; what came after is not sealed yet."""

    hmacs: int
    """How many of the seals have one."""


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


def verify(
    directory: Path, disk: Disk | None = None, *, seal_key: bytes = b"", kept_seals: bytes | None = None
) -> VerifyReport:
    """Read every record of every segment once, archived ones too: CRC, sequence, hash chain, seals, the mark, payloads.

    Args:
        directory: of the journal.
        disk: None: the real one.
        seal_key: checks the HMACs of the seals of days; empty: they are not checked.
        kept_seals: a copy of the seals that was kept elsewhere: those here must go on from it.

    Raises:
        JournalDamagedError: names file, offset and sequence of the first damage.
        JournalCutError: the beginning is lost.
        JournalTooNewError: a later version wrote it.
    """
    disk = disk or RealDisk()
    seals = _checked_seals(disk, directory, seal_key, kept_seals)  # before the records, which are never behind them
    mark, segments = look_at(disk, directory)
    if segments:
        expect_own_seals(directory, seals, segments[0].header.journal_id)
    seen = Seen(seals, mark)
    records, last_sequence, last_hash, torn_bytes = 0, 0, b"", 0
    for segment in segments:
        with unless_forgotten(disk, segment):
            counted = Counted(disk, segment, seen)
            records += counted.records
            last_sequence, last_hash, torn_bytes = counted.last_sequence, counted.last_hash, counted.torn_bytes
    expect_sealed(directory, seals, last_sequence)
    if segments:
        expect_marked(segments[-1], mark, last_sequence=last_sequence)
        oldest = segments[0].first_sequence
        if oldest > 1:
            expect_shortened(directory, oldest, seen.shortenings)
    return VerifyReport(
        segments=len(segments),
        records=records,
        oldest_sequence=last_sequence - records + 1,
        last_sequence=last_sequence,
        last_hash=last_hash.hex(),
        torn_bytes=torn_bytes,
        of_type=dict(seen.of_type),
        sealed_days=len(seals),
        sealed_day=seals[-1].day if seals else "",
        sealed_sequence=seals[-1].last_sequence if seals else 0,
        hmacs=sum(bool(seal.hmac) for seal in seals),
    )


def _checked_seals(disk: Disk, directory: Path, key: bytes, kept: bytes | None) -> tuple[DaySeal, ...]:
    seals, path = read_seals(disk, directory), directory / SEALS_NAME
    if kept is not None:
        try:
            there = seals_of(kept)
        except SealBrokenError as fault:
            raise JournalDamagedError(path, offset=0, sequence=0, reason=f"the copy of it: {fault}") from fault
        for number, seal in enumerate(there):
            if number >= len(seals) or seals[number] != seal:
                found = seals[number].day if number < len(seals) else "none"
                reason = f"the seal of day {seal.day} is not that of the copy: found {found}"
                raise JournalDamagedError(path, offset=0, sequence=seal.last_sequence, reason=reason)
    forged = unsigned(seals, key) if key else None
    if forged is not None:
        reason = f"the seal of day {forged.day} was not made with this key"
        raise JournalDamagedError(path, offset=0, sequence=forged.last_sequence, reason=reason)
    return seals


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


class Seen:
    """What one pass over all records has shown of them, and compared with the seals of days and with the mark."""

    def __init__(self, seals: tuple[DaySeal, ...], mark: Mark | None) -> None:
        """Begin before the first record."""
        self.of_type: Counter[str] = Counter()
        self.shortenings: list[Fact] = []
        self._seals: Final = {seal.last_sequence: seal for seal in seals}
        self._mark: Final = mark

    def note(self, segment: Segment, record: RawRecord) -> None:
        """Decode a record, and compare it with the seal of the day that it ended, and with the mark that names it.

        Raises:
            JournalDamagedError: it cannot be decoded, or is not the one that was sealed or acknowledged.
        """
        try:
            fact = record.decoded().fact
        except UndecodableMessageError as fault:
            raise segment.damaged(str(fault), sequence=record.sequence) from fault
        self.of_type[record.type_name] += 1
        if isinstance(fact, JournalShortened):
            self.shortenings.append(fact)
        seal = self._seals.get(record.sequence)
        if seal is not None and record.hash().hex() != seal.last_hash:
            reason = f"day {seal.day} was sealed with another record here: that day, or one before it, was rewritten"
            raise segment.damaged(reason, sequence=record.sequence)
        mark = self._mark
        if mark is not None and record.sequence == mark.sequence and record.hash() != mark.last_hash:
            raise segment.damaged(NOT_ACKNOWLEDGED, sequence=record.sequence)


class Counted:
    """The counts of one segment, every record of it read and decoded."""

    def __init__(self, disk: Disk, segment: Segment, seen: Seen) -> None:
        self._seen: Final = seen
        self.records = self.last_sequence = self.torn_bytes = 0
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
            self._seen.note(segment, record)
            self.records += 1
        self.last_sequence, self.last_hash, self.torn_bytes = walk.sequence, walk.last_hash, walk.torn_bytes

    def _read_closed(self, file: ReadableFile, segment: Segment, seal: Seal) -> None:
        walk = segment.walk(file, end=seal.used)
        crc = zlib.crc32(file.read(0, HEADER_SIZE))
        for record in walk:
            crc = zlib.crc32(record.raw, crc)
            self._seen.note(segment, record)
            self.records += 1
        self.last_sequence, self.last_hash = walk.sequence - 1, walk.previous_hash or b""
        fault = walk.fault or footer_fault(file, segment.format, used=seal.used, footer=segment.footer)
        if fault or (crc, self.last_hash) != (seal.crc, seal.last_hash):
            reason = fault or "its records are whole, but not those that were written"
            raise segment.damaged(reason, offset=walk.offset, sequence=walk.sequence)
