"""The files of an open journal: the active segment, the closed ones, the mark and the reserve.

Faults come out as `OSError`, but for a full disk; `journal.py` decides what they mean.
"""

from __future__ import annotations

import contextlib
import errno
import itertools
import re
from collections.abc import Callable
from hashlib import blake2b
from pathlib import Path
from typing import Final

from .checkpoints import HEAD_SUFFIX, NAME, PAST_SUFFIX
from .day_seals import SEALS_NAME
from .disk import NEW_SUFFIX, Disk, DiskFile, DiskLock
from .errors import JournalFullError
from .header import FOOTER_SIZE, NO_HASH, Seal, SegmentHeader
from .keys import KeyTable
from .mark import MarkKeeper
from .records import FORMATS
from .recovery import Cut, Position, Recovered
from .reserve import RESERVE_NAME, Reserve
from .segments import Segment, archive_path, keys_path, segment_path
from .waypoint import STRIDE_BYTES_MIN, STRIDES, WAYPOINT_NAME, Waypoint

LOCK_NAME: Final = "journal.lock"
DISK_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT})

_UNFINISHED: Final = re.compile(
    rf"(\d{{20}}\.(journal|journal\.gz|keys)|{re.escape(RESERVE_NAME)}|{re.escape(WAYPOINT_NAME)}|{re.escape(SEALS_NAME)}"
    rf"|({NAME})({re.escape(HEAD_SUFFIX)}|{re.escape(PAST_SUFFIX)})){re.escape(NEW_SUFFIX)}"
)
"""Names of files that were being created when the process ended. No other file is ever removed at a start."""


class SegmentFiles:
    """The position of the next write, and the segments. Created by `Journal.open` from the result of recovery."""

    def __init__(  # noqa: PLR0913  what it works on, and what recovery has found
        self,
        disk: Disk,
        directory: Path,
        *,
        lock: DiskLock,
        now_ns: Callable[[], int],
        segment_bytes: int,
        recovered: Recovered,
    ) -> None:
        self.disk: Final = disk
        self.directory: Final = directory
        self.format: Final = FORMATS[max(FORMATS)]
        self.reserve: Final = Reserve(disk, directory, size=segment_bytes)
        self.segments: Final = recovered.segments
        """Oldest first; the last is the active one."""

        self.position: Position
        """Where the active segment ends: everything up to there is durable."""

        self.file: DiskFile
        """The active segment."""

        self._waypoint = (0, 0)
        """First sequence of the segment of the newest waypoint, and the stride that it is behind."""

        self._lock: Final = lock
        self._now_ns: Final = now_ns
        self._segment_bytes: Final = segment_bytes
        self._held: Final = contextlib.ExitStack()
        with contextlib.ExitStack() as held:
            self._start(recovered, held)
            self._held.push(held.pop_all())

    @property
    def journal_id(self) -> bytes:
        """16 bytes that no other journal has."""
        return self._journal_id

    @property
    def newest_ns(self) -> int:
        """Latest time of a record in the newest segment with any: nanoseconds since 1970-01-01 UTC; 0: none."""
        has_records = self.position.sequence >= self.segments[-1].first_sequence
        return self.position.latest_ns if has_records else self.segments[-1].header.previous.latest_ns

    @property
    def is_locked(self) -> bool:
        """Whether the lock file is in place; a look of 4 us."""
        return self._lock.is_in_place()

    @property
    def may_be_shared(self) -> bool:
        """Whether another process can have opened these files: they are in place, and the lock is not."""
        return not self._lock.is_in_place() and self.file.is_at(self._active_path)

    def misplaced(self) -> Path | None:
        """Return a file that is not in place any more: records written to it now would be lost.

        Looks at the active segment, the mark and the lock, 4 us each. A segment shorter than it was created counts,
        too: its records are lost.
        """
        if not self.file.is_at(self._active_path, size_min=self.capacity + FOOTER_SIZE):
            return self._active_path
        if not self._lock.is_in_place():
            return self.directory / LOCK_NAME
        return self._mark.misplaced()

    def missing(self) -> Segment | None:
        """Return a closed segment that has neither its plain file nor its archive."""
        for segment in self.segments[:-1]:
            # In this order: an archive is there before its plain file goes.
            paths = (segment_path, archive_path)
            if not any(self.disk.exists(path(self.directory, segment.first_sequence)) for path in paths):
                return segment
        return None

    def write_mark(self, *, synced: bool = False, failed_first_sequence: int = 0) -> None:
        """Write to the mark how far the journal is durable."""
        self._mark.write(
            oldest_sequence=self.segments[0].first_sequence,
            sequence=self.position.sequence,
            last_hash=self.position.last_hash,
            failed_first_sequence=failed_first_sequence,
            synced=synced,
        )

    def rotate(self, *, outcome: bool, failed: bool = False) -> None:
        """Close the active segment and go on in a new one; the old file, if it has `failed`, is not touched.

        One without a single acknowledged record is replaced, since the new one begins with the same sequence.

        Raises:
            JournalFullError: no space, and the reserve is for outcomes only, or used up.
        """
        active = self.segments[-1]
        is_empty = self.position.sequence < active.first_sequence
        seal = active.header.previous if is_empty else self.position.seal(active.first_sequence)
        file = self._make_segment(seal, outcome=outcome, replaces=is_empty)
        if is_empty:
            self.segments.remove(active)
        else:
            active.close(self.segments[-1].header)
            if not failed:
                _write_footer(self.file, active.footer, seal.used)
        self.file.close()
        self._go_on_in(file)
        self.write_mark(synced=True)

    def next_waypoint(self) -> Waypoint | None:
        """Return the waypoint that is due, once; None: less than a stride was written since the last."""
        position, active = self.position, self.segments[-1]
        stride = position.offset // max(STRIDE_BYTES_MIN, self._segment_bytes // STRIDES)
        if not stride or (active.first_sequence, stride) <= self._waypoint:
            return None
        assert active.keys is not None, "those of the active segment are in memory"
        self._waypoint = active.first_sequence, stride
        return Waypoint(
            journal_id=self._journal_id,
            first_sequence=active.first_sequence,
            offset=position.offset,
            crc=position.crc,
            sequence=position.sequence,
            last_hash=position.last_hash,
            earliest_ns=position.earliest_ns,
            latest_ns=position.latest_ns,
            keys=active.keys.columns(),
        )

    def forget(self, segments: tuple[Segment, ...]) -> None:
        """Remove the oldest segments; the mark is written first."""
        del self.segments[: len(segments)]
        self.write_mark(synced=True)
        for segment in segments:
            self.disk.remove(segment.path)
            with contextlib.suppress(FileNotFoundError):
                self.disk.remove(keys_path(self.directory, segment.first_sequence))
        self.disk.sync_directory(self.directory)

    def close(self) -> None:
        """Close the files and release the lock."""
        self._held.close()

    def _start(self, recovered: Recovered, held: contextlib.ExitStack) -> None:
        for name in self.disk.names(self.directory):
            if _UNFINISHED.fullmatch(name):
                self.disk.remove(self.directory / name)
        # The life before may have failed between making a name and syncing it.
        self.disk.sync_directory(self.directory)
        if recovered.position is None:
            self._journal_id = blake2b(f"{self.directory} {self._now_ns()}".encode(), digest_size=16).digest()
            self.position = Position(offset=0, crc=0, sequence=0, last_hash=NO_HASH)
            self._go_on_in(self._make_segment(Seal(), outcome=False))
        else:
            self._journal_id = self.segments[-1].header.journal_id
            self.position = recovered.position
            self._go_on_in(self.disk.open(self.segments[-1].path, writable=True))
        held.callback(self._close_file)
        if recovered.cut is not None:
            self._cut(recovered.cut)
        # What a killed process wrote last is in the page cache, perhaps not on the disk: readers may act on it now.
        self.file.sync()
        self.reserve.restore(self._now_ns())
        self._mark = MarkKeeper(self.disk, self.directory, journal_id=self._journal_id, newest=recovered.mark)
        held.callback(self._mark.close)
        if recovered.active_failed or self.segments[-1].format is not self.format:
            self.rotate(outcome=True, failed=recovered.active_failed)
        self._complete_footers()
        # The second of two: no slot speaks of a failed segment any more.
        self.write_mark(synced=True)

    def _cut(self, cut: Cut) -> None:
        """Blank a torn tail, and keep a copy of it beside the segment as long as there is space for one."""
        torn = self.file.read(cut.offset, cut.size)
        with contextlib.suppress(OSError):  # the copy is for analysis only: a full disk must not stop us here
            copy = self.disk.create(self._free_path(f"{cut.path.stem}.torn-{cut.offset}"), cut.size)
            copy.write(torn, 0)
            copy.sync()
            copy.close()
        self.file.write(bytes(cut.size), cut.offset)

    def _free_path(self, name: str) -> Path:
        names = itertools.chain((name,), (f"{name}-{number}" for number in itertools.count(2)))
        return next(path for each in names if not self.disk.exists(path := self.directory / each))

    def _go_on_in(self, file: DiskFile) -> None:
        self.file = file
        self.capacity = file.size() - FOOTER_SIZE
        self._active_path = self.segments[-1].path

    def _complete_footers(self) -> None:
        """Write the footers that a crash, or an earlier version, has left out."""
        for segment, successor in itertools.pairwise(self.segments):
            if segment.archived:
                continue
            used = successor.header.previous.used
            with contextlib.suppress(OSError):  # only a later start needs it: this one has found all segments
                file = self.disk.open(segment.path, writable=True)
                try:
                    found = file.read(used, FOOTER_SIZE)
                    if found != segment.footer and not found.startswith(segment.format.magic):
                        _write_footer(file, segment.footer, used)
                finally:
                    file.close()

    def _make_segment(self, seal: Seal, *, outcome: bool, replaces: bool = False) -> DiskFile:
        """Create the file for the next record; on a full disk outcomes get the reserve."""
        header = SegmentHeader(
            version=self.format.version,
            journal_id=self._journal_id,
            first_sequence=self.position.sequence + 1,
            created_ns=self._now_ns(),
            previous=seal,
        )
        path = segment_path(self.directory, header.first_sequence)
        source = path.with_name(path.name + NEW_SUFFIX)
        try:
            file = self.disk.create(source, self._segment_bytes)
        except OSError as fault:
            if fault.errno not in DISK_FULL:
                raise
            if not (outcome and self.reserve.held):
                raise JournalFullError(f"no space for a new segment in {self.directory}: {fault}") from fault
            self.disk.rename(self.reserve.take(), source)
            file = self.disk.open(source, writable=True)
        encoded = header.encode()
        file.write(encoded, 0)
        file.sync()
        (self.disk.replace if replaces else self.disk.rename)(source, path)
        self.disk.sync_directory(self.directory)
        segment = Segment(self.directory, header)
        segment.keys = KeyTable()
        self.segments.append(segment)
        self.position = self.position.at_start_of(encoded)
        return file

    def _close_file(self) -> None:
        self.file.close()  # whichever is active then


def _write_footer(file: DiskFile, footer: bytes, offset: int) -> None:
    """Write a footer after the last record of a closed segment; if that fails, the next start does it."""
    if offset + len(footer) > file.size():  # written by a version that left no room for it
        return
    with contextlib.suppress(OSError):
        file.write(footer, offset)
        file.sync()
