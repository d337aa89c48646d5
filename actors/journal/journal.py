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
from collections.abc import Callable
from pathlib import Path
from typing import Final, NoReturn

import msgspec

from ...messages.journal import Fact, JournalRecord
from .batch import Batch, encode_append
from .disk import Disk, DiskLockedError, RealDisk
from .errors import AppendInvalidError, JournalBusyError, JournalFailedError, JournalFullError
from .files import DISK_FULL, SegmentFiles
from .header import HEADER_SIZE, NO_HASH
from .outcomes import are_outcomes
from .recovery import Cut, recover
from .segments import Segment
from .view import JournalView

LOCK_NAME: Final = "journal.lock"


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
        self._files: SegmentFiles
        self._held = contextlib.ExitStack()
        self._durable: list[JournalRecord] = []
        self._buffer = bytearray()
        self._buffered: list[Batch] = []
        self._next_sequence, self._last_hash = 1, NO_HASH
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
                self._files = SegmentFiles(
                    self.disk,
                    self.directory,
                    now_ns=self._now_ns,
                    segment_bytes=self._segment_bytes,
                    recovered=recovered,
                )
                held.callback(self._files.close)
            except DiskLockedError as fault:
                raise JournalBusyError(self.directory, fault.holder_pid) from fault
            except OSError as fault:
                error = JournalFullError if fault.errno in DISK_FULL else JournalFailedError
                raise error(f"journal {self.directory} cannot be opened: {fault}") from fault
            self._held = held.pop_all()
        self._durable = []
        self._failure = ""
        self._drop_buffer()
        return recovered.cut

    @property
    def last_sequence(self) -> int:
        """Newest durable sequence; 0 for none."""
        return self._files.position.sequence

    @property
    def oldest_sequence(self) -> int:
        """First sequence there is."""
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
    def reserve_held(self) -> bool:
        """Whether the reserve is allocated; without it only outcomes are taken."""
        return self._files.reserve.held

    def view(self) -> JournalView:
        """Give what is durable now to a reader."""
        files = self._files
        return JournalView(
            self.disk, tuple(files.segments), last_sequence=self.last_sequence, active_end=files.position.offset
        )

    def append(self, facts: tuple[Fact, ...], correlation_id: str = "") -> Ticket:
        """Buffer facts that belong together; they become durable as a whole or not at all.

        Raises:
            AppendInvalidError: no facts, something that nobody could read back, or more than a segment holds.
            JournalFullError: the disk is full, and these facts may not use the reserve (or it is used up).
            JournalFailedError: the file takes nothing more.
        """
        self._check_open()
        recorded_ns, files = self._now_ns(), self._files
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
            JournalFailedError: the buffer is dropped, and the file takes nothing more.
        """
        self._check_open()
        if not self._buffer:
            return
        data, buffered, last_hash = self._buffer, self._buffered, self._last_hash
        offset = self._files.position.offset
        self._drop_buffer()
        try:
            self._files.file.write(data, offset)
        except OSError as fault:
            self._take_back(offset, len(data), fault)
        try:
            self._files.file.sync()
        except OSError as fault:
            self._fail("fsync", fault)
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
        """Hand out the records that became durable since the last time, also after a commit that failed."""
        durable, self._durable = tuple(self._durable), []
        return durable

    def forget_before(self, time_ns: int) -> tuple[Segment, ...]:
        """Remove archived segments whose records are all older than this (nanoseconds UTC); returns them.

        Only the oldest go, so that no gap opens. The mark says so first: a crash in between is no damage.

        Raises:
            JournalFailedError: the disk does not work.
        """
        self._check_open()
        try:
            return self._files.forget_before(time_ns)
        except OSError as fault:
            self._fail("removing old segments", fault)

    def close(self) -> None:
        """Give the directory free. What is buffered was never acknowledged and is dropped."""
        try:
            if not self._failure:
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
        if size > self._segment_bytes - HEADER_SIZE:
            raise AppendInvalidError(f"an append has at most {self._segment_bytes - HEADER_SIZE} bytes, found {size}")
        self.commit()
        try:
            self._files.rotate(outcome=outcome)
        except OSError as fault:
            self._fail("making a segment", fault)

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
        """Be done with this file: the kernel drops dirty pages after a failed fsync, so a second one proves nothing.

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
