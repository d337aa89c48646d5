"""The journal: append-only segment files with group commit, owned by one process.

A plain object; usable without actors:

    journal = Journal(Path("journal"), now_ns=time.time_ns)
    journal.open()
    ticket = journal.append((fact,), correlation_id="A-1")   # buffered
    journal.commit()                                         # one fdatasync for all that was buffered
    assert ticket.last_sequence <= journal.last_sequence     # only now it may be acknowledged
"""

from __future__ import annotations

import contextlib
import errno
from collections.abc import Callable
from hashlib import blake2b
from pathlib import Path
from typing import Final, NoReturn

import msgspec

from ...messages.journal import Fact, JournalRecord
from .disk import Disk, DiskFile, DiskLockedError, RealDisk
from .errors import AppendInvalidError, JournalBusyError, JournalFailedError, JournalFullError
from .layout import FORMATS, HEADER_SIZE, NO_HASH, Seal, SegmentHeader, hash_of
from .mark import MarkKeeper
from .outcomes import are_outcomes
from .recovery import Cut, Position, Recovered, recover
from .reserve import NEW_SUFFIX, Reserve
from .segments import Segment, segment_path
from .view import JournalView

LOCK_NAME: Final = "journal.lock"
CORRELATION_SIZE_MAX: Final = 65_535
_DISK_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT})


class Ticket(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """An append that was buffered; it is durable when the journal's `last_sequence` has reached its own."""

    first_sequence: int
    last_sequence: int


class Journal:
    """Owner of one journal directory. Not for several threads at once; a `view()` may go to any thread."""

    def __init__(
        self, directory: Path, *, now_ns: Callable[[], int], segment_bytes: int = 64 << 20, disk: Disk | None = None
    ) -> None:
        self.directory: Final = directory
        self.disk: Final[Disk] = RealDisk() if disk is None else disk
        self.commits = self.appended = self.bytes_written = 0
        self._now_ns: Final = now_ns
        self._segment_bytes: Final = segment_bytes
        self._format: Final = FORMATS[max(FORMATS)]
        self._reserve: Final = Reserve(self.disk, directory, size=segment_bytes)
        self._held = contextlib.ExitStack()
        self._segments: list[Segment] = []
        self._position = Position(offset=0, crc=0, sequence=0, last_hash=NO_HASH)
        self._durable: list[JournalRecord] = []
        self._next_sequence, self._last_hash = 1, NO_HASH
        self._buffer = bytearray()
        self._buffered: list[JournalRecord] = []
        self._file: DiskFile
        self._failure = f"journal {directory} is not open"

    def open(self) -> Cut | None:
        """Take the directory, verify what is there, and be ready to append. Returns the torn tail that was cut, if any.

        Raises:
            JournalBusyError: another process has it.
            JournalDamagedError: acknowledged records are gone or changed; nothing was touched.
            JournalTooNewError: a later version wrote it.
            JournalFullError: the disk is full and there is no journal here yet.
            JournalFailedError: the disk does not work.
        """
        with contextlib.ExitStack() as held:
            try:
                self.disk.make_directory(self.directory)
                held.callback(self.disk.lock(self.directory / LOCK_NAME).release)
                recovered = recover(self.disk, self.directory)
                self._start(recovered, held)
            except DiskLockedError as fault:
                raise JournalBusyError(self.directory, fault.holder_pid) from fault
            except OSError as fault:
                error = JournalFullError if fault.errno in _DISK_FULL else JournalFailedError
                raise error(f"journal {self.directory} cannot be opened: {fault}") from fault
            self._held = held.pop_all()
        return recovered.cut

    @property
    def last_sequence(self) -> int:
        """Newest durable sequence; 0 for none."""
        return self._position.sequence

    @property
    def oldest_sequence(self) -> int:
        """First sequence there is."""
        return self._segments[0].first_sequence

    @property
    def buffered_bytes(self) -> int:
        """What the next commit will write."""
        return len(self._buffer)

    @property
    def closed_segments(self) -> tuple[Segment, ...]:
        """All but the active one, oldest first."""
        return tuple(self._segments[:-1])

    @property
    def reserve_held(self) -> bool:
        """Whether the reserve is allocated; without it only outcomes are taken."""
        return self._reserve.held

    def view(self) -> JournalView:
        """Give what is durable now to a reader."""
        return JournalView(
            self.disk, tuple(self._segments), last_sequence=self.last_sequence, active_end=self._position.offset
        )

    def append(self, facts: tuple[Fact, ...], correlation_id: str = "") -> Ticket:
        """Buffer facts that belong together; they become durable as a whole or not at all.

        Raises:
            AppendInvalidError: no facts, something that is no fact, or more than a segment holds.
            JournalFullError: the disk is full, and these facts may not use the reserve (or it is used up).
            JournalFailedError: the file takes nothing more.
        """
        self._check_open()
        correlation = correlation_id.encode()
        if not facts or len(correlation) > CORRELATION_SIZE_MAX:
            found = f"{len(facts)} facts and {len(correlation)} bytes of correlation id"
            raise AppendInvalidError(f"an append has at least 1 fact and {CORRELATION_SIZE_MAX} bytes, found {found}")
        recorded_ns = self._now_ns()
        if not self._reserve.held and not (are_outcomes(facts) or self._reserve.restore(recorded_ns)):
            raise JournalFullError("the disk is full: only outcomes of orders are taken until space returns")
        first, last_hash, durable = self._next_sequence, self._last_hash, self._position.sequence
        sequence, end = first, first + len(facts)
        data, records = bytearray(), []
        for fact in facts:
            try:
                raw = self._format.encode(
                    fact,
                    correlation,
                    sequence=sequence,
                    durable_sequence=durable,
                    recorded_ns=recorded_ns,
                    remaining=end - 1 - sequence,
                    previous_hash=last_hash,
                )
            except (TypeError, ValueError, OverflowError) as fault:
                raise AppendInvalidError(f"a fact cannot be written: {fault}") from fault
            last_hash = hash_of(raw)
            data += raw
            records.append(
                JournalRecord(sequence=sequence, recorded_ns=recorded_ns, correlation_id=correlation_id, fact=fact)
            )
            sequence += 1
        if self._position.offset + len(self._buffer) + len(data) > self._capacity:
            self._make_room(len(data), outcome=are_outcomes(facts))
        self._buffer += data
        self._buffered += records
        self._last_hash = last_hash
        self._next_sequence = end
        return Ticket(first_sequence=first, last_sequence=end - 1)

    def commit(self) -> None:
        """Make durable what is buffered, with one write and one `fdatasync`.

        Raises:
            JournalFullError: not written, the buffer is dropped; a later append may work.
            JournalFailedError: the buffer is dropped, and the file takes nothing more.
        """
        self._check_open()
        if not self._buffer:
            return
        data, buffered = self._buffer, self._buffered
        last_hash = self._last_hash
        offset = self._position.offset
        self._drop_buffer()
        try:
            self._file.write(data, offset)
        except OSError as fault:
            self._take_back(offset, len(data), fault)
        try:
            self._file.sync()
        except OSError as fault:
            self._fail("fsync", fault)
        self._position = self._position.after(
            data,
            records=len(buffered),
            last_hash=last_hash,
            times_ns=[record.recorded_ns for record in buffered],
        )
        self._next_sequence, self._last_hash = self._position.sequence + 1, last_hash
        self._durable += buffered
        self.commits += 1
        self.appended += len(buffered)
        self.bytes_written += len(data)
        self._write_mark()

    def take_durable(self) -> tuple[JournalRecord, ...]:
        """Hand out the records that became durable since the last time, also after a commit that failed."""
        durable, self._durable = tuple(self._durable), []
        return durable

    def forget_before(self, time_ns: int) -> tuple[Segment, ...]:
        """Remove archived segments whose records are all older than this (nanoseconds UTC); returns them.

        Only the oldest go, so that no gap opens. The mark says so first: a crash in between is no damage.

        Raises:
            JournalFailedError: the mark could not be written.
        """
        self._check_open()
        leaving = []
        for segment in self._segments[:-1]:
            if not segment.archived or segment.seal is None or segment.seal.latest_ns >= time_ns:
                break
            leaving.append(segment)
        if leaving:
            del self._segments[: len(leaving)]
            self._write_mark(synced=True)
            for segment in leaving:
                self.disk.remove(segment.path)
            self.disk.sync_directory(self.directory)
        return tuple(leaving)

    def close(self) -> None:
        """Give the directory free. What is buffered was never acknowledged and is dropped."""
        try:
            if not self._failure:
                self._write_mark(synced=True)
        finally:
            self._held.close()
            self._failure = f"journal {self.directory} is not open"

    def _start(self, recovered: Recovered, held: contextlib.ExitStack) -> None:
        for name in self.disk.names(self.directory):
            if name.endswith(NEW_SUFFIX):
                self.disk.remove(self.directory / name)
        # The life before may have failed between making a name and syncing it.
        self.disk.sync_directory(self.directory)
        self._durable = []
        self._segments = recovered.segments
        if recovered.position is None:
            self._journal_id = blake2b(f"{self.directory} {self._now_ns()}".encode(), digest_size=16).digest()
            self._position = Position(offset=0, crc=0, sequence=0, last_hash=NO_HASH)
            self._file = self._make_segment(Seal(), outcome=False)
        else:
            self._journal_id = self._segments[-1].header.journal_id
            self._position = recovered.position
            self._file = self.disk.open(self._segments[-1].path, writable=True)
        held.callback(self._close_file)
        self._capacity = self._file.size()
        if recovered.cut is not None:
            self._cut(recovered.cut)
        # What a killed process wrote last is in the page cache, perhaps not on the disk: readers may act on it now.
        self._file.sync()
        self._drop_buffer()
        self._reserve.restore(self._now_ns())
        self._mark = MarkKeeper(self.disk, self.directory, journal_id=self._journal_id, newest=recovered.mark)
        held.callback(self._mark.close)
        self._failure = ""
        if recovered.active_failed or self._segments[-1].format is not self._format:
            self._rotate(outcome=True)
        # The second of two: no slot speaks of a failed segment any more.
        self._write_mark(synced=True)

    def _cut(self, cut: Cut) -> None:
        """Blank a torn tail, and keep a copy of it beside the segment as long as there is space for one."""
        torn = self._file.read(cut.offset, cut.size)
        with contextlib.suppress(OSError):  # a courtesy to whoever looks into it: a full disk must not stop us here
            copy = self.disk.create(cut.path.with_name(f"{cut.path.stem}.torn-{cut.offset}"), cut.size)
            copy.write(torn, 0)
            copy.sync()
            copy.close()
        self._file.write(bytes(cut.size), cut.offset)

    def _write_mark(self, *, synced: bool = False, failed_first_sequence: int = 0) -> None:
        try:
            self._mark.write(
                oldest_sequence=self._segments[0].first_sequence,
                sequence=self._position.sequence,
                last_hash=self._position.last_hash,
                failed_first_sequence=failed_first_sequence,
                synced=synced,
            )
        except OSError as fault:
            self._failure = self._failure or f"writing the mark failed: {fault}"
            raise JournalFailedError(self._failure) from fault

    def _make_room(self, size: int, *, outcome: bool) -> None:
        if size > self._segment_bytes - HEADER_SIZE:
            raise AppendInvalidError(f"an append has at most {self._segment_bytes - HEADER_SIZE} bytes, found {size}")
        self.commit()
        self._rotate(outcome=outcome)

    def _rotate(self, *, outcome: bool) -> None:
        """Close the active segment and go on in a new one; the old file is not touched.

        One without a single acknowledged record is replaced, since the new one begins with the same sequence.
        """
        active = self._segments[-1]
        is_empty = self._position.sequence < active.first_sequence
        seal = active.header.previous if is_empty else self._position.seal(active.first_sequence)
        try:
            file = self._make_segment(seal, outcome=outcome)
        except OSError as fault:
            self._fail("making a segment", fault)
        if is_empty:
            self._segments.remove(active)
        else:
            active.seal = seal
        self._file.close()
        self._file = file
        self._capacity = file.size()
        self._write_mark(synced=True)

    def _make_segment(self, seal: Seal, *, outcome: bool) -> DiskFile:
        """Make the file that the next record goes to; on a full disk outcomes get the reserve."""
        header = SegmentHeader(
            version=self._format.version,
            journal_id=self._journal_id,
            first_sequence=self._position.sequence + 1,
            created_ns=self._now_ns(),
            previous=seal,
        )
        path = segment_path(self.directory, header.first_sequence)
        source = path.with_name(path.name + NEW_SUFFIX)
        try:
            file = self.disk.create(source, self._segment_bytes)
        except OSError as fault:
            if fault.errno not in _DISK_FULL:
                raise
            if not (outcome and self._reserve.held):
                raise JournalFullError(f"no space for a new segment: {fault}") from fault
            source = self._reserve.take()
            file = self.disk.open(source, writable=True)
        encoded = header.encode()
        file.write(encoded, 0)
        file.sync()
        self.disk.rename(source, path)
        self.disk.sync_directory(self.directory)
        self._segments.append(Segment(self.directory, header))
        self._position = self._position.at_start_of(encoded)
        return file

    def _take_back(self, offset: int, size: int, fault: OSError) -> NoReturn:
        """A write failed half way. If the disk was full, blank what arrived and go on; anything else is final."""
        if fault.errno not in _DISK_FULL:
            self._fail("write", fault)
        try:
            self._file.write(bytes(size), offset)
            self._file.sync()
        except OSError as second:
            self._fail("write on a full disk", second)
        raise JournalFullError(f"the disk is full: {fault}") from fault

    def _drop_buffer(self) -> None:
        self._buffer, self._buffered = bytearray(), []
        self._next_sequence = self._position.sequence + 1
        self._last_hash = self._position.last_hash

    def _close_file(self) -> None:
        self._file.close()  # whichever is active then

    def _fail(self, action: str, fault: OSError) -> NoReturn:
        """Be done with this file: the kernel drops dirty pages after a failed fsync, so a second one proves nothing.

        The mark says where the file ends, else a later start might read refused records back from the page cache.
        """
        self._failure = f"{action} failed: {fault}; the journal is closed until it is opened again"
        self._drop_buffer()
        with contextlib.suppress(JournalFailedError):  # on a dying disk; the failure itself is reported below
            self._write_mark(synced=True, failed_first_sequence=self._segments[-1].first_sequence)
        raise JournalFailedError(self._failure) from fault

    def _check_open(self) -> None:
        if self._failure:
            raise JournalFailedError(self._failure)
