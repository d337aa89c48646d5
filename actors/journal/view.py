"""Reading the journal by sequence, time, type and key, on any thread or in any process, without the owner's help."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from itertools import islice, pairwise
from pathlib import Path
from typing import Any, Final

from ...messages.codec import UndecodableMessageError
from ...messages.journal import JournalPage, JournalRecord, key_of
from .disk import Disk, ReadableFile
from .header import HEADER_SIZE
from .keys import TYPES_NOTED, Entry, KeyFile, KeysBrokenError, key_of_type
from .live import LiveWalk, expect_marked, look_at, unless_forgotten
from .records import RawRecord, RecordBrokenError
from .segments import Segment, keys_path, open_segment
from .walk import LANDMARK_STRIDE, Walk, record_at

YEAR_9999_NS: Final = 1 << 62


class JournalView:
    """A snapshot of the durable records at one moment, which costs nothing and never changes.

    Every record is checked as it is read (CRC and sequence), so damage is an error and never a wrong answer: all
    methods raise `JournalDamagedError`.
    """

    def __init__(self, disk: Disk, segments: tuple[Segment, ...], *, last_sequence: int, active_end: int) -> None:
        self.last_sequence: Final = last_sequence
        self._disk: Final = disk
        self._segments: Final = segments
        self._active_end: Final = active_end

    @classmethod
    def of_directory(cls, disk: Disk, directory: Path) -> JournalView:
        """Open a journal that another process may be writing to, up to the last whole append."""
        mark, listed = look_at(disk, directory)
        if not listed:
            return cls(disk, (), last_sequence=0, active_end=HEADER_SIZE)
        active = listed[-1]
        file = open_segment(disk, active)
        try:
            walk = LiveWalk(disk, active, file)
            for _ in walk:
                pass
        finally:
            file.close()
        expect_marked(active, mark, last_sequence=walk.sequence)
        return cls(disk, tuple(listed), last_sequence=walk.sequence, active_end=walk.offset)

    @property
    def oldest_sequence(self) -> int:
        """Sequence of the first record; 1 in an empty journal."""
        return self._segments[0].first_sequence if self._segments else 1

    def raw(self, after_sequence: int = 0) -> Iterator[RawRecord]:
        """Yield the records after this sequence, not decoded, in order."""
        for segment, end, last in self.extents():
            if last > after_sequence:
                yield from self._raw_of(segment, end, max(after_sequence, segment.first_sequence - 1), last)

    def place_of(self, sequence: int) -> tuple[Segment, int, RawRecord] | None:
        """Find one record: its segment, its offset there, and itself; None if the journal does not have it."""
        for segment, end, last in self.extents():
            if segment.first_sequence <= sequence <= last:
                file = open_segment(self._disk, segment)
                try:
                    walk = self._walk_near(segment, file, end, sequence)
                    found = next((raw for raw in walk if raw.sequence == sequence), None)
                finally:
                    file.close()
                if found is None:
                    raise segment.damaged(walk.fault or "it ends here", offset=walk.offset, sequence=walk.sequence)
                return segment, walk.offset - len(found.raw), found
        return None

    def record_there(self, sequence: int, *, first_sequence: int, offset: int) -> RawRecord | None:
        """Read a record where it should be; None if it is not there."""
        for segment, end, _ in self.extents():
            if segment.first_sequence == first_sequence and offset < end:
                try:
                    found = self._read_at(segment, end, [(sequence, offset)])
                except (KeysBrokenError, RecordBrokenError, UnicodeDecodeError, OSError):
                    return None
                return found[0]
        return None

    def note_place(self, sequence: int, *, first_sequence: int, offset: int) -> None:
        """Have later reads begin at this record, whose place was proved, where that is nearest."""
        for segment in self._segments:
            if segment.first_sequence == first_sequence:
                segment.known_place = sequence, offset

    def page(self, after_sequence: int, records_max: int, **filters: Any) -> JournalPage:
        """Return the next records after this sequence, at most `records_max`; `filters` are those of `find`."""
        return JournalPage(
            records=tuple(islice(self.find(after_sequence=after_sequence, **filters), records_max)),
            last_sequence=self.last_sequence,
        )

    def find(
        self,
        *,
        after_sequence: int = 0,
        since_ns: int = 0,
        until_ns: int = YEAR_9999_NS,
        types: Collection[str] = (),
        key: str = "",
    ) -> Iterator[JournalRecord]:
        """Yield the matching records, in order of sequence; only those are decoded.

        Args:
            after_sequence: those with a larger sequence.
            since_ns: recorded at this time or later; nanoseconds since 1970-01-01 UTC.
            until_ns: recorded before this time.
            types: names of fact types; empty for all.
            key: a client order id, the name of a child, or the correlation id of a request; empty for all. With
                the segments' key files only the records that have it are read.
        """
        for segment, end, last in self.extents():
            seal = segment.seal
            if last <= after_sequence or (
                seal is not None and (seal.latest_ns < since_ns or seal.earliest_ns >= until_ns)
            ):
                continue
            if types and not key and self._has_none(segment, types):
                continue
            after = max(after_sequence, segment.first_sequence - 1)
            for raw in self._candidates(segment, end, after, last, key):
                if not since_ns <= raw.recorded_ns < until_ns or (types and raw.type_name not in types):
                    continue
                if not key:
                    yield self._decoded(raw)
                elif raw.correlation_id == key or key.encode("utf-8", "surrogatepass") in raw.payload:
                    record = self._decoded(raw)
                    if key in {record.correlation_id, key_of(record.fact)}:
                        yield record

    def extents(self) -> Iterator[tuple[Segment, int, int]]:
        """Yield each segment, the offset of the end of its records, and its last sequence."""
        for segment, successor in pairwise(self._segments):
            yield segment, successor.header.previous.used, successor.first_sequence - 1
        if self._segments:
            yield self._segments[-1], self._active_end, self.last_sequence

    def _candidates(self, segment: Segment, end: int, after: int, last: int, key: str) -> Iterator[RawRecord]:
        """Yield records that may have the key; none of a segment that retention has removed."""
        with unless_forgotten(self._disk, segment):
            raws = self._looked_up(segment, end, after, key) if key else None
            yield from self._raw_of(segment, end, after, last) if raws is None else raws

    def _raw_of(self, segment: Segment, end: int, after: int, last: int) -> Iterator[RawRecord]:
        file = open_segment(self._disk, segment)
        walk = self._walk_near(segment, file, end, after + 1)
        try:
            for record in walk:
                if record.sequence > after:
                    yield record
        except OSError as fault:
            raise segment.damaged(str(fault), sequence=after + 1) from fault
        finally:
            file.close()
            segment.read_on_at = walk.sequence, walk.offset
        if walk.sequence <= last:
            raise segment.damaged(walk.fault or "it ends here", offset=walk.offset, sequence=walk.sequence)

    def _looked_up(self, segment: Segment, end: int, after: int, key: str) -> list[RawRecord] | None:
        """Read the records that may have the key; None if the segment's keys are missing or broken."""
        try:
            places = [
                (segment.first_sequence + entry.step, entry.offset)
                for entry in self._entries(segment, key)
                if entry.offset < end and segment.first_sequence + entry.step > after
            ]
            return self._read_at(segment, end, places) if places else []
        except (KeysBrokenError, RecordBrokenError, UnicodeDecodeError, OSError):
            segment.has_key_file = False
            return None  # reading all records shows whether the keys or the records are damaged

    def _has_none(self, segment: Segment, types: Collection[str]) -> bool:
        """Say whether the keys of a segment prove that it has no fact of these types."""
        try:
            if not self._entries(segment, TYPES_NOTED):
                return False
            return not any(self._entries(segment, key_of_type(each)) for each in types)
        except (KeysBrokenError, OSError):
            return False

    def _read_at(self, segment: Segment, end: int, places: list[tuple[int, int]]) -> list[RawRecord]:
        file = open_segment(self._disk, segment)
        found = []
        try:
            for sequence, offset in places:
                raw = record_at(file, segment.format, offset=offset, end=end)
                if raw is None or raw.sequence != sequence:
                    raise KeysBrokenError(f"sequence {sequence} wanted at {offset} of {segment.path}")
                found.append(raw)
        finally:
            file.close()
        return found

    def _entries(self, segment: Segment, key: str) -> list[Entry]:
        keys = segment.keys
        if keys is not None:
            return keys.find(key)
        if segment.seal is None:
            raise KeysBrokenError("of the active segment of another process")
        file = self._disk.open(keys_path(segment.directory, segment.first_sequence))
        try:
            return KeyFile(file, segment.key_identity(segment.seal)).find(key)
        finally:
            file.close()

    @staticmethod
    def _walk_near(segment: Segment, file: ReadableFile, end: int, sequence: int) -> Walk:
        """Begin at the nearest place known from before, or at the first record."""
        places = [segment.known_place, segment.read_on_at]
        landmark = sequence // LANDMARK_STRIDE
        while landmark * LANDMARK_STRIDE > segment.first_sequence:
            offset = segment.landmarks.get(landmark)
            if offset is not None and offset < end:
                places.append((landmark * LANDMARK_STRIDE, offset))
                break
            landmark -= 1
        known, at = max((each for each in places if each[0] <= sequence and each[1] < end), default=(0, 0))
        if known <= segment.first_sequence:
            return segment.walk(file, end=end, chained=False)
        return Walk(file, segment.format, offset=at, end=end, sequence=known, landmarks=segment.landmarks)

    def _decoded(self, record: RawRecord) -> JournalRecord:
        try:
            return record.decoded()
        except UndecodableMessageError as fault:
            segment = next(s for s in reversed(self._segments) if s.first_sequence <= record.sequence)
            raise segment.damaged(f"{record.type_name}: {fault}", sequence=record.sequence) from fault
