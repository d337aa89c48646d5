"""The files of an open journal: the active segment, the closed ones, the mark and the reserve.

Faults come out as `OSError`, but for a full disk; `journal.py` decides what they mean.
"""

from __future__ import annotations

import contextlib
import errno
from collections.abc import Callable
from hashlib import blake2b
from pathlib import Path
from typing import Final

from .disk import Disk, DiskFile
from .errors import JournalFullError
from .header import NO_HASH, Seal, SegmentHeader
from .keys import KeyTable
from .mark import MarkKeeper
from .records import FORMATS
from .recovery import Cut, Position, Recovered
from .reserve import NEW_SUFFIX, Reserve
from .segments import Segment, keys_path, segment_path

DISK_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT})


class SegmentFiles:
    """Where the next bytes go, and what is there already. Made by `Journal.open` from what recovery has found."""

    def __init__(
        self, disk: Disk, directory: Path, *, now_ns: Callable[[], int], segment_bytes: int, recovered: Recovered
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

        self._now_ns: Final = now_ns
        self._segment_bytes: Final = segment_bytes
        self._held: Final = contextlib.ExitStack()
        with contextlib.ExitStack() as held:
            self._start(recovered, held)
            self._held.push(held.pop_all())

    def write_mark(self, *, synced: bool = False, failed_first_sequence: int = 0) -> None:
        """Say in the mark how far the journal is durable."""
        self._mark.write(
            oldest_sequence=self.segments[0].first_sequence,
            sequence=self.position.sequence,
            last_hash=self.position.last_hash,
            failed_first_sequence=failed_first_sequence,
            synced=synced,
        )

    def rotate(self, *, outcome: bool) -> None:
        """Close the active segment and go on in a new one; the old file is not touched.

        One without a single acknowledged record is replaced, since the new one begins with the same sequence.

        Raises:
            JournalFullError: no space, and (unless an outcome asks) the reserve is not for this.
        """
        active = self.segments[-1]
        is_empty = self.position.sequence < active.first_sequence
        seal = active.header.previous if is_empty else self.position.seal(active.first_sequence)
        file = self._make_segment(seal, outcome=outcome)
        if is_empty:
            self.segments.remove(active)
        else:
            active.seal = seal
        self.file.close()
        self.file = file
        self.capacity = file.size()
        self.write_mark(synced=True)

    def forget_before(self, time_ns: int) -> tuple[Segment, ...]:
        """Remove the oldest archived segments whose records are all older; the mark says so first."""
        leaving = []
        for segment in self.segments[:-1]:
            if not segment.archived or segment.seal is None or segment.seal.latest_ns >= time_ns:
                break
            leaving.append(segment)
        if leaving:
            del self.segments[: len(leaving)]
            self.write_mark(synced=True)
            for segment in leaving:
                self.disk.remove(segment.path)
                with contextlib.suppress(FileNotFoundError):
                    self.disk.remove(keys_path(self.directory, segment.first_sequence))
            self.disk.sync_directory(self.directory)
        return tuple(leaving)

    def close(self) -> None:
        """Give the files free."""
        self._held.close()

    def _start(self, recovered: Recovered, held: contextlib.ExitStack) -> None:
        for name in self.disk.names(self.directory):
            if name.endswith(NEW_SUFFIX):
                self.disk.remove(self.directory / name)
        # The life before may have failed between making a name and syncing it.
        self.disk.sync_directory(self.directory)
        if recovered.position is None:
            self._journal_id = blake2b(f"{self.directory} {self._now_ns()}".encode(), digest_size=16).digest()
            self.position = Position(offset=0, crc=0, sequence=0, last_hash=NO_HASH)
            self.file = self._make_segment(Seal(), outcome=False)
        else:
            self._journal_id = self.segments[-1].header.journal_id
            self.position = recovered.position
            self.file = self.disk.open(self.segments[-1].path, writable=True)
        held.callback(self._close_file)
        self.capacity = self.file.size()
        if recovered.cut is not None:
            self._cut(recovered.cut)
        # What a killed process wrote last is in the page cache, perhaps not on the disk: readers may act on it now.
        self.file.sync()
        self.reserve.restore(self._now_ns())
        self._mark = MarkKeeper(self.disk, self.directory, journal_id=self._journal_id, newest=recovered.mark)
        held.callback(self._mark.close)
        if recovered.active_failed or self.segments[-1].format is not self.format:
            self.rotate(outcome=True)
        # The second of two: no slot speaks of a failed segment any more.
        self.write_mark(synced=True)

    def _cut(self, cut: Cut) -> None:
        """Blank a torn tail, and keep a copy of it beside the segment as long as there is space for one."""
        torn = self.file.read(cut.offset, cut.size)
        with contextlib.suppress(OSError):  # a courtesy to whoever looks into it: a full disk must not stop us here
            copy = self.disk.create(cut.path.with_name(f"{cut.path.stem}.torn-{cut.offset}"), cut.size)
            copy.write(torn, 0)
            copy.sync()
            copy.close()
        self.file.write(bytes(cut.size), cut.offset)

    def _make_segment(self, seal: Seal, *, outcome: bool) -> DiskFile:
        """Make the file that the next record goes to; on a full disk outcomes get the reserve."""
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
            source = self.reserve.take()
            file = self.disk.open(source, writable=True)
        encoded = header.encode()
        file.write(encoded, 0)
        file.sync()
        self.disk.rename(source, path)
        self.disk.sync_directory(self.directory)
        segment = Segment(self.directory, header)
        segment.keys = KeyTable()
        self.segments.append(segment)
        self.position = self.position.at_start_of(encoded)
        return file

    def _close_file(self) -> None:
        self.file.close()  # whichever is active then
