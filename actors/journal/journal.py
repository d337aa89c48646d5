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
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, NoReturn

from ...config.files import NotOursError
from ...messages.journal import Fact, JournalRecord, JournalShortened
from .batch import Batch, encode_append
from .beginning import SHORTENED_KEY, expect_beginning
from .checkpoints import Checkpoints
from .day_seals import DaySeal, SealedDays, expect_own_seals, expect_sealed, read_seals
from .disk import Disk, DiskLockedError, RealDisk
from .errors import (
    AppendInvalidError,
    JournalBusyError,
    JournalError,
    JournalFailedError,
    JournalForeignFileError,
    JournalFullError,
    JournalMisplacedError,
    JournalMovedError,
)
from .files import DISK_FULL, LOCK_NAME, SegmentFiles
from .header import FOOTER_SIZE, HEADER_SIZE, NO_HASH
from .outcomes import are_outcomes
from .place import Place, Ticket, expect_same
from .recovery import Cut, Position, recover
from .segments import Segment
from .upkeep import forgettable
from .view import JournalView
from .waypoint import Waypoint


class Journal:
    """Owner of one journal directory. Not for several threads at once; a `view()` may go to any thread."""

    def __init__(
        self,
        directory: Path,
        *,
        now_ns: Callable[[], int],
        segment_bytes: int = 64 << 20,
        disk: Disk | None = None,
        seal_key: bytes = b"",
    ) -> None:
        """Take a directory; nothing is opened. With a key the seals of days have its HMAC."""
        self.directory: Final = directory
        self.disk: Final[Disk] = RealDisk() if disk is None else disk
        self.commits = self.appended = self.bytes_written = 0
        self._now_ns: Final = now_ns
        self._segment_bytes: Final = segment_bytes
        self._seal_key: Final = seal_key
        self._days: SealedDays
        self._files: SegmentFiles
        self._held = contextlib.ExitStack()
        self._durable: list[JournalRecord] = []
        self._buffer = bytearray()
        self._buffered: list[Batch] = []
        self._next_sequence, self._last_hash = 1, NO_HASH
        self._failure = f"journal {directory} is not open"

    def open(self, after: Place | None = None) -> Cut | None:
        """Take the directory, verify what is there, and be ready to append. Returns the torn tail that was cut, if any.

        Args:
            after: the state before a restart within this process: the journal must be the same and contain it.
                None: any journal, or a new one.

        Raises:
            JournalBusyError: another process has it.
            JournalMovedError: the journal is not the one of `after`, or ends before it; nothing was touched.
            JournalDamagedError: acknowledged records are gone or changed; nothing was touched.
            JournalCutError: its beginning is lost; nothing was touched.
            JournalTooNewError: a later version wrote it.
            JournalForeignFileError: a link, or what is no file of the journal's, has the name of one.
            JournalFullError: the disk is full and there is no journal here yet.
            JournalFailedError: the disk does not work.
        """
        with contextlib.ExitStack() as held:
            try:
                if after is None:
                    self.disk.make_directory(self.directory)
                lock = self.disk.lock(self.directory / LOCK_NAME)
                held.callback(lock.release)
                recovered = recover(self.disk, self.directory)
                expect_same(self.directory, after, recovered)
                seals = read_seals(self.disk, self.directory)
                if recovered.position is not None:
                    expect_own_seals(self.directory, seals, recovered.segments[-1].header.journal_id)
                    expect_sealed(self.directory, seals, recovered.position.sequence)
                    expect_beginning(self.directory, _view_of(self.disk, recovered.segments, recovered.position))
                self._files = SegmentFiles(
                    self.disk,
                    self.directory,
                    lock=lock,
                    now_ns=self._now_ns,
                    segment_bytes=self._segment_bytes,
                    recovered=recovered,
                )
                held.callback(self._files.close)
            except DiskLockedError as fault:
                raise JournalBusyError(self.directory, fault.holder_pid) from fault
            except NotOursError as fault:
                raise JournalForeignFileError(str(fault)) from fault
            except OSError as fault:
                if after is not None and isinstance(fault, FileNotFoundError):
                    raise JournalMovedError(f"{self.directory}, or a file in it, is gone: {fault}") from fault
                error: type[JournalError] = JournalFullError if fault.errno in DISK_FULL else JournalFailedError
                if isinstance(fault, (FileExistsError, NotADirectoryError)):
                    error = JournalMisplacedError
                raise error(f"journal {self.directory} cannot be opened: {fault}") from fault
            self._held = held.pop_all()
        self._days = SealedDays(
            self.disk, self.directory, seals, journal_id=self._files.journal_id, key=self._seal_key, now_ns=self._now_ns
        )
        self._durable = []
        self._failure = ""
        self._drop_buffer()
        self._days.begin(self._files.newest_ns, self.last_sequence)
        self.end_day()
        return recovered.cut

    @property
    def place(self) -> Place:
        """Identity and durable position, for the next life."""
        position = self._files.position
        return Place(journal_id=self._files.journal_id, sequence=position.sequence, last_hash=position.last_hash)

    @property
    def last_sequence(self) -> int:
        """Newest durable sequence; 0 for none."""
        return self._files.position.sequence

    @property
    def oldest_sequence(self) -> int:
        """First sequence that is still in the journal."""
        return self._files.segments[0].first_sequence

    @property
    def buffered_bytes(self) -> int:
        """What the next commit will write."""
        return len(self._buffer)

    @property
    def closed_segments(self) -> tuple[Segment, ...]:
        """All but the active one, oldest first."""
        return tuple(self._files.segments[:-1])

    @property
    def active_segment(self) -> Segment:
        """The segment that is written to."""
        return self._files.segments[-1]

    @property
    def reserve_held(self) -> bool:
        """Whether the reserve is allocated; without it only outcomes are taken."""
        return self._files.reserve.held

    def view(self) -> JournalView:
        """Return a view of what is durable now, for a reader."""
        return _view_of(self.disk, self._files.segments, self._files.position)

    def checkpoints(self) -> Checkpoints:
        """Return its checkpoints; they go by a `view()`."""
        return Checkpoints(self.disk, self.directory, self._files.journal_id)

    def next_waypoint(self) -> Waypoint | None:
        """Return the waypoint that is due, once; None: none is."""
        return self._files.next_waypoint()

    def append(self, facts: Sequence[Fact], correlation_id: str = "") -> Ticket:
        """Buffer facts that belong together; they become durable as a whole or not at all.

        Raises:
            AppendInvalidError: no facts, one that cannot be decoded again, or more than a segment holds.
            JournalFullError: the disk is full, and these facts may not use the reserve (or it is used up).
            JournalFailedError: the file takes nothing more.
        """
        self._check_open()
        if type(facts) is list:  # its creator may change it
            facts = tuple(facts)
        recorded_ns, files = self._now_ns(), self._files
        if self._days.is_over(recorded_ns):
            self._end_day(recorded_ns)
        first_sequence = self._next_sequence
        batch = encode_append(
            files.format,
            facts,
            correlation_id,
            first_sequence=first_sequence,
            durable_sequence=files.position.sequence,
            recorded_ns=recorded_ns,
            previous_hash=self._last_hash,
        )
        if not (files.reserve.held or are_outcomes(facts) or files.reserve.restore(recorded_ns)):
            raise JournalFullError("the disk is full: only outcomes of orders are taken until space returns")
        if files.position.offset + len(self._buffer) + len(batch.data) > files.capacity:
            self._make_room(len(batch.data), outcome=are_outcomes(facts))
        self._buffer += batch.data
        self._buffered.append(batch)
        self._last_hash = batch.last_hash
        self._next_sequence += len(batch.records)
        return Ticket(first_sequence=first_sequence, last_sequence=self._next_sequence - 1)

    def commit(self) -> None:
        """Make durable what is buffered, with one write and one `fdatasync`.

        Raises:
            JournalFullError: not written, the buffer is dropped; a later append may work.
            JournalMovedError: the files are not where they were, the buffer is dropped.
            JournalFailedError: the buffer is dropped, and the file takes nothing more.
        """
        self._check_open()
        if not self._buffer:
            return
        data, buffered, last_hash = self._buffer, self._buffered, self._last_hash
        offset = self._files.position.offset
        self._drop_buffer()
        if not self._files.is_locked:  # before the write: another process may write to the same place now
            self._expect_in_place()
        try:
            self._files.file.write(data, offset)
        except OSError as fault:
            self._take_back(offset, len(data), fault)
        try:
            self._files.file.sync()
        except OSError as fault:
            self._fail("fsync", fault)
        # After the sync: what is acknowledged was at its place when it had become durable.
        self._expect_in_place(written=(offset, len(data)))
        records = [record for batch in buffered for record in batch.records]
        self._files.segments[-1].note_keys(records, (size for batch in buffered for size in batch.sizes), offset)
        self._files.position = self._files.position.after(
            data,
            records=len(records),
            last_hash=last_hash,
            times_ns=[record.recorded_ns for record in records],
        )
        self._next_sequence, self._last_hash = self._files.position.sequence + 1, last_hash
        self._durable += records
        self.commits += 1
        self.appended += len(records)
        self.bytes_written += len(data)
        self._write_mark()

    def take_durable(self) -> tuple[JournalRecord, ...]:
        """Return the records that became durable since the last call, also after a commit that failed."""
        durable, self._durable = tuple(self._durable), []
        return durable

    def end_day(self) -> None:
        """Seal the day of the last record, if that is over. A disk that does not take the seal is asked again later."""
        self._check_open()
        now_ns = self._now_ns()
        if self._days.is_over(now_ns):
            self._end_day(now_ns)
        self._days.write()

    def take_sealed(self) -> tuple[tuple[DaySeal, ...], str]:
        """Return the days that were sealed since the last call, and why one could not be; empty: all were."""
        return self._days.take()

    def forgettable(self, before_ns: int) -> tuple[Segment, ...]:
        """Return the oldest segments that may be removed: archived, older, and with no fact that a book needs."""
        return forgettable(self.closed_segments, before_ns)

    def forget_before(self, time_ns: int) -> tuple[Segment, ...]:
        """Remove the segments that are `forgettable`; returns them. What is buffered is committed.

        The journal says so first, as a fact that later starts find, then the mark: a crash in between is no damage.

        Raises:
            JournalFullError: there is no room for that fact; nothing was removed.
            JournalFailedError: the disk does not work.
        """
        self._check_open()
        leaving = self.forgettable(time_ns)
        if leaving:
            kept = self._files.segments[len(leaving)].first_sequence
            self.append((JournalShortened(oldest_sequence=kept, occurred_ns=self._now_ns()),), SHORTENED_KEY)
            self.commit()
            try:
                self._files.forget(leaving)
            except OSError as fault:
                self._fail("removing old segments", fault)
        return leaving

    def look(self) -> None:
        """Check that the files are in place, while nothing is committed.

        Raises:
            JournalMovedError: they are not; no append is acknowledged any more.
        """
        self._check_open()
        self._expect_in_place()

    def prove(self) -> None:
        """Write and sync the mark, as an append would be; what is buffered waits for its own commit.

        Raises:
            JournalFailedError: it cannot be done; no append is acknowledged any more.
            JournalMovedError: the files are not in place.
        """
        self.look()
        self._write_mark(synced=True)

    def close(self) -> None:
        """Release the directory. Buffered appends were never acknowledged and are dropped."""
        try:
            if not self._failure:
                self._days.write()
                self._write_mark(synced=True)
        finally:
            self._held.close()
            self._failure = f"journal {self.directory} is not open"

    def _write_mark(self, *, synced: bool = False) -> None:
        try:
            self._files.write_mark(synced=synced)
        except OSError as fault:
            self._failure = f"writing the mark failed: {fault}"
            raise JournalFailedError(self._failure) from fault

    def _make_room(self, size: int, *, outcome: bool) -> None:
        room = self._segment_bytes - HEADER_SIZE - FOOTER_SIZE
        if size > room:
            raise AppendInvalidError(f"an append has at most {room} bytes, found {size}")
        self.commit()
        missing = self._files.missing()
        if missing is not None:
            raise missing.damaged("the file is gone")
        try:
            self._files.rotate(outcome=outcome)
        except OSError as fault:
            self._fail("making a segment", fault)

    def _end_day(self, now_ns: int) -> None:
        """Commit what is buffered: it is of the day that ended. The seal itself may come later (`end_day`)."""
        self.commit()
        self._days.end(now_ns, last_sequence=self.last_sequence, last_hash=self._files.position.last_hash)

    def _expect_in_place(self, *, written: tuple[int, int] | None = None) -> None:
        """Check that the files are in place, else fail; the last write (offset, size) is refused and blanked."""
        path = self._files.misplaced()
        if path is None:
            return
        self._failure = f"{path} was moved, removed or replaced, or cut short, while the journal was open"
        if written is not None and not self._files.may_be_shared:
            offset, size = written
            with contextlib.suppress(OSError):  # the files may be gone already
                self._files.file.write(bytes(size), offset)
                self._files.file.sync()
            with contextlib.suppress(OSError):  # the mark alone refuses what could not be blanked, too
                self._files.write_mark(synced=True, failed_first_sequence=self._files.segments[-1].first_sequence)
        self._drop_buffer()
        raise JournalMovedError(self._failure)

    def _take_back(self, offset: int, size: int, fault: OSError) -> NoReturn:
        """A write failed half way. If the disk was full, blank what arrived and go on; anything else is final."""
        if fault.errno not in DISK_FULL:
            self._fail("write", fault)
        try:
            self._files.file.write(bytes(size), offset)
            self._files.file.sync()
        except OSError as second:
            self._fail("write on a full disk", second)
        raise JournalFullError(f"the disk is full: {fault}") from fault

    def _drop_buffer(self) -> None:
        self._buffer, self._buffered = bytearray(), []
        self._next_sequence = self._files.position.sequence + 1
        self._last_hash = self._files.position.last_hash

    def _fail(self, action: str, fault: OSError) -> NoReturn:
        """Give up this file: the kernel drops dirty pages after a failed fsync, so a second one proves nothing.

        The mark says where the file ends, else a later start might read refused records back from the page cache.
        """
        self._failure = f"{action} failed: {fault}; the journal is closed until it is opened again"
        self._drop_buffer()
        with contextlib.suppress(OSError):  # on a dying disk; the failure itself is reported below
            self._files.write_mark(synced=True, failed_first_sequence=self._files.segments[-1].first_sequence)
        raise JournalFailedError(self._failure) from fault

    def _check_open(self) -> None:
        if self._failure:
            raise JournalFailedError(self._failure)


def _view_of(disk: Disk, segments: list[Segment], position: Position) -> JournalView:
    return JournalView(disk, tuple(segments), last_sequence=position.sequence, active_end=position.offset)
