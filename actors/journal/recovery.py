"""Recovery: verify the files of a journal, find its end, and tell a torn tail from damage.

The problem. After a crash the last commit may have arrived in part. That part was never acknowledged and must be cut,
else the journal could not go on. But acknowledged records that were changed or lost must never be cut: they are orders.
Both look alike, as bytes that are no record.

The idea. Every record says which sequence was durable when it was written and chains to the hash of the one before; the
file is preallocated with zeros; every closed segment is sealed in the header of the next; the mark says how far the
journal was durable at least. Only an end without any proof against it, and with at least one sector missing, is a torn
tail (`walk.judge_tail`); everything else is damage, and nothing is changed.

The trap. Three ends must not be confused: of the last record, of the last whole append (an append of several facts
counts as a whole or not at all), and of the file. The journal goes on at the second; and a segment whose fsync failed
ends where the mark says, even if later records can be read back from the page cache.

Closed segments are compared with the CRC in the next segment's header (1 s a gigabyte); archived ones have gzip's own
CRC and are checked when they are read, or by `natya journal verify`. The active segment is walked record by record,
from its waypoint on if it has one (`waypoint.py`).
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path
from typing import Final

import msgspec

from ...messages.codec import UndecodableMessageError
from .checkpoints import is_checkpoint
from .day_seals import SEALS_NAME
from .disk import Disk, ReadableFile
from .errors import JournalDamagedError
from .header import HEADER_SIZE, Seal
from .keys import KeyTable
from .mark import Mark, read_mark
from .records import RawRecord
from .reserve import RESERVE_NAME
from .segments import KEYS_NAME, Segment, list_segments, open_segment
from .walk import WINDOW_SIZE, footer_fault, judge_tail
from .waypoint import WAYPOINT_NAME, Waypoint, waypoint_of

NOT_ACKNOWLEDGED: Final = "the record is not the one that was acknowledged"
"""What damage is called where the record that the mark names has another hash."""


class Position(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The end of the active segment: what the next record and the next header refer to."""

    offset: int
    crc: int
    """CRC of the segment from its start to `offset`."""

    sequence: int
    """Sequence of the last record; 0: none."""

    last_hash: bytes
    earliest_ns: int = 0
    """Smallest `recorded_ns` in this segment; means nothing while it is empty."""

    latest_ns: int = 0

    def at_start_of(self, encoded_header: bytes) -> Position:
        """Return the position of the first record of a new segment."""
        return Position(
            offset=len(encoded_header),
            crc=zlib.crc32(encoded_header),
            sequence=self.sequence,
            last_hash=self.last_hash,
        )

    def after(self, data: bytes | bytearray, *, records: int, last_hash: bytes, times_ns: Iterable[int]) -> Position:
        """Return the position after `data`, which has so many records with these times."""
        if self.offset > HEADER_SIZE:
            times_ns = (self.earliest_ns, self.latest_ns, *times_ns)
        times_ns = tuple(times_ns)
        return Position(
            offset=self.offset + len(data),
            crc=zlib.crc32(data, self.crc),
            sequence=self.sequence + records,
            last_hash=last_hash,
            earliest_ns=min(times_ns),
            latest_ns=max(times_ns),
        )

    def seal(self, first_sequence: int) -> Seal:
        """Return the seal of the segment, which is closed now."""
        return Seal(
            first_sequence=first_sequence,
            used=self.offset,
            crc=self.crc,
            earliest_ns=self.earliest_ns,
            latest_ns=self.latest_ns,
            last_hash=self.last_hash,
        )


class Cut(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A torn tail to be cut: it was never acknowledged."""

    path: Path
    offset: int
    size: int
    """Bytes."""

    sequence: int
    """Sequence of the first record that is missing."""

    reason: str


class Recovered(msgspec.Struct, frozen=True, kw_only=True):
    """The state of the files."""

    segments: list[Segment]
    position: Position | None
    """None: there is no journal yet."""

    mark: Mark | None
    cut: Cut | None = None
    active_failed: bool = False
    """An fsync of the active segment has failed: nothing more may be written to it."""


def recover(disk: Disk, directory: Path) -> Recovered:
    """Verify the journal in `directory`. Nothing is changed: the owner cuts the torn tail.

    Raises:
        JournalDamagedError: acknowledged records are missing or changed.
        JournalTooNewError: a later version wrote it.
    """
    mark = read_mark(disk, directory)
    segments = list_segments(disk, directory)
    if not segments:
        if mark is not None:
            raise JournalDamagedError(
                directory, offset=0, sequence=mark.oldest_sequence, reason="there is a mark, but no segment"
            )
        _expect_no_traces(disk, directory)
        return Recovered(segments=[], position=None, mark=None)
    if mark is not None:
        _check_identity(segments[0], mark)
    for segment, successor in pairwise(segments):
        if not segment.archived:
            verify_closed(disk, segment, successor.header.previous)
    active = segments[-1]
    file = open_segment(disk, active)
    try:
        position, cut, failed = _find_end(disk, file, active, mark)
    finally:
        file.close()
    if mark is not None and mark.sequence > position.sequence:
        raise active.damaged(
            f"the journal ends here, but sequence {mark.sequence} was durable",
            offset=position.offset,
            sequence=position.sequence + 1,
        )
    return Recovered(segments=segments, position=position, mark=mark, cut=cut, active_failed=failed)


def verify_closed(disk: Disk, segment: Segment, seal: Seal) -> None:
    """Compare a closed segment with its seal; walk it only to name the damaged record.

    Raises:
        JournalDamagedError: it does not match its seal.
    """
    file = open_segment(disk, segment)
    try:
        crc, offset = 0, 0
        while offset < seal.used:
            window = file.read(offset, min(WINDOW_SIZE, seal.used - offset))
            if not window:
                break
            crc = zlib.crc32(window, crc)
            offset += len(window)
        if offset == seal.used and crc == seal.crc:
            fault = footer_fault(file, segment.format, used=seal.used, footer=segment.footer)
            if fault:
                raise segment.damaged(fault, offset=seal.used)
            return
        walk = segment.walk(file, end=seal.used)
        for _ in walk:
            pass
        reason = walk.fault or "its records are whole, but not those that were written"
        raise segment.damaged(reason, offset=walk.offset, sequence=walk.sequence)
    except OSError as error:
        raise segment.damaged(str(error)) from error
    finally:
        file.close()


def _expect_no_traces(disk: Disk, directory: Path) -> None:
    """Refuse a directory whose segments were deleted: a file beside them shows that there was a journal."""
    names = disk.names(directory)
    traces = [
        each
        for each in names
        if each in {RESERVE_NAME, WAYPOINT_NAME, SEALS_NAME} or KEYS_NAME.fullmatch(each) or is_checkpoint(each)
    ]
    if traces:
        raise JournalDamagedError(directory, offset=0, sequence=1, reason=f"there is {traces[0]}, but no segment")


def _check_identity(oldest: Segment, mark: Mark) -> None:
    if oldest.header.journal_id != mark.journal_id:
        raise oldest.damaged("it belongs to another journal than the mark")
    if oldest.first_sequence > mark.oldest_sequence:
        raise oldest.damaged(
            f"segments before it are missing: the journal begins with {mark.oldest_sequence}",
            sequence=mark.oldest_sequence,
        )


def _position_at(waypoint: Waypoint) -> Position:
    return Position(
        offset=waypoint.offset,
        crc=waypoint.crc,
        sequence=waypoint.sequence,
        last_hash=waypoint.last_hash,
        earliest_ns=waypoint.earliest_ns,
        latest_ns=waypoint.latest_ns,
    )


def _find_end(disk: Disk, file: ReadableFile, active: Segment, mark: Mark | None) -> tuple[Position, Cut | None, bool]:
    """Walk the active segment; return the end of the last whole append, a torn tail, and whether its fsync failed."""
    failed_at = mark.sequence if mark is not None and mark.failed_first_sequence == active.first_sequence else None
    start = Position(offset=0, crc=0, sequence=active.first_sequence - 1, last_hash=active.header.previous.last_hash)
    position = start.at_start_of(file.read(0, HEADER_SIZE))
    pending: list[RawRecord] = []
    active.keys = KeyTable()
    walk = active.walk(file, end=file.size())
    proved = waypoint_of(disk, active, file, mark) if failed_at is None else None
    if proved is not None:
        waypoint, active.keys = proved
        position = _position_at(waypoint)
        walk = active.walk_on(file, position.offset, sequence=position.sequence + 1, previous_hash=position.last_hash)
        active.known_place = position.sequence + 1, position.offset
    for record in walk:
        if failed_at is not None and record.sequence > failed_at:
            return position, None, True
        last_hash = walk.previous_hash or b""  # the walk is chained, so there is one
        if mark is not None and record.sequence == mark.sequence and last_hash != mark.last_hash:
            raise active.damaged(NOT_ACKNOWLEDGED, offset=walk.offset - len(record.raw), sequence=record.sequence)
        pending.append(record)
        if record.remaining == 0:
            _note_keys(active, pending, position.offset)
            position = position.after(
                b"".join(one.raw for one in pending),
                records=len(pending),
                last_hash=last_hash,
                times_ns=[one.recorded_ns for one in pending],
            )
            pending = []
    tail = judge_tail(file, active.format, offset=walk.offset, sequence=walk.sequence)
    if failed_at is not None:
        return position, None, True
    if active.archived or tail.kind in {"damaged", "closed"}:
        reason = tail.reason or "it is archived, so another segment followed it, which is missing"
        raise active.damaged(reason, offset=walk.offset, sequence=walk.sequence)
    size = walk.offset + tail.size - position.offset
    if size == 0:
        return position, None, False
    cut = Cut(
        path=active.path,
        offset=position.offset,
        size=size,
        sequence=position.sequence + 1,
        reason=tail.reason or "an append of several facts that did not finish",
    )
    return position, cut, False


def _note_keys(active: Segment, raws: list[RawRecord], offset: int) -> None:
    records = []
    for raw in raws:
        try:
            records.append(raw.decoded())
        except UndecodableMessageError as fault:
            before = sum(len(each.raw) for each in raws[: len(records)])
            raise active.damaged(str(fault), offset=offset + before, sequence=raw.sequence) from fault
    active.note_keys(records, [len(raw.raw) for raw in raws], offset)
