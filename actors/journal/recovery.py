"""Opening the files of a journal: verify everything there is, cut a torn tail, and find where to go on.

Closed segments are compared with the CRC that their successor keeps of them (1 s a gigabyte); archived ones have gzip's
own and are read when somebody reads them or runs `natya journal verify`. The active segment is walked record by record.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from pathlib import Path

import msgspec

from ...messages.codec import UndecodableMessageError
from .disk import Disk, ReadableFile
from .errors import JournalDamagedError
from .header import HEADER_SIZE, Seal
from .keys import KeyTable
from .mark import Mark, read_mark
from .records import RawRecord
from .reserve import RESERVE_NAME
from .segments import KEYS_NAME, Segment, list_segments, open_segment
from .walk import WINDOW_SIZE, footer_fault, judge_tail


class Position(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Where the active segment ends: what the next record and the next header must say."""

    offset: int
    crc: int
    """Of the segment from its start to `offset`."""

    sequence: int
    """Of the last record; 0 for none at all."""

    last_hash: bytes
    earliest_ns: int = 0
    """Smallest `recorded_ns` in this segment; means nothing while it is empty."""

    latest_ns: int = 0

    def at_start_of(self, encoded_header: bytes) -> Position:
        """Move to the first record of a new segment."""
        return Position(
            offset=len(encoded_header),
            crc=zlib.crc32(encoded_header),
            sequence=self.sequence,
            last_hash=self.last_hash,
        )

    def after(self, data: bytes | bytearray, *, records: int, last_hash: bytes, times_ns: Iterable[int]) -> Position:
        """Move behind `data`, which holds so many records with these times."""
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
        """Say what the segment contains, now that it is closed."""
        return Seal(
            first_sequence=first_sequence,
            used=self.offset,
            crc=self.crc,
            earliest_ns=self.earliest_ns,
            latest_ns=self.latest_ns,
            last_hash=self.last_hash,
        )


class Cut(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A torn tail that was cut: it was never acknowledged."""

    path: Path
    offset: int
    size: int
    """Bytes."""

    sequence: int
    """Of the first record that is not there."""

    reason: str


class Recovered(msgspec.Struct, frozen=True, kw_only=True):
    """What the files hold."""

    segments: list[Segment]
    position: Position | None
    """None: there is no journal yet."""

    mark: Mark | None
    cut: Cut | None = None
    active_failed: bool = False
    """An fsync of the active segment has failed once: it takes nothing more."""


def recover(disk: Disk, directory: Path) -> Recovered:
    """Verify the journal in `directory`. Changes nothing: the owner cuts what `cut` names.

    Raises:
        JournalDamagedError: acknowledged records are gone or changed.
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
    for segment in segments[:-1]:
        if segment.seal is not None and not segment.archived:
            verify_closed(disk, segment, segment.seal)
    active = segments[-1]
    file = open_segment(disk, active)
    try:
        position, cut, failed = _find_end(file, active, mark)
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
    """Compare a closed segment with its seal; walk it only to name the record that is damaged.

    Raises:
        JournalDamagedError: it is not what it was.
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
    """Refuse a directory where a journal has been: its reserve and key files were made after its first segment."""
    traces = [name for name in disk.names(directory) if name == RESERVE_NAME or KEYS_NAME.fullmatch(name)]
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


def _find_end(file: ReadableFile, active: Segment, mark: Mark | None) -> tuple[Position, Cut | None, bool]:
    """Walk the active segment to its end, which is the end of the last whole append."""
    failed = mark is not None and mark.failed_first_sequence == active.first_sequence
    start = Position(offset=0, crc=0, sequence=active.first_sequence - 1, last_hash=active.header.previous.last_hash)
    position = start.at_start_of(file.read(0, HEADER_SIZE))
    pending: list[RawRecord] = []
    active.keys = KeyTable()
    walk = active.walk(file, end=file.size())
    for record in walk:
        if failed and mark is not None and record.sequence > mark.sequence:
            return position, None, True
        last_hash = walk.previous_hash or b""  # it is chained: there is one
        if mark is not None and record.sequence == mark.sequence and last_hash != mark.last_hash:
            raise active.damaged(
                "the record is not the one that was acknowledged", offset=walk.offset, sequence=record.sequence
            )
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
    if failed:
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
            raise active.damaged(str(fault), offset=offset, sequence=raw.sequence) from fault
    active.note_keys(records, [len(raw.raw) for raw in raws], offset)
