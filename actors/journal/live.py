"""Reading a journal while its owner, perhaps in another process, appends, closes, archives and removes segments.

Records that were durable when reading began are found whole, or reported as damaged; later ones may be found or not.
Work of the owner in progress must not look like damage: the directory is listed again if it has changed meanwhile, and
a walk goes on where more has been written.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from ...config.files import NotOursError
from .disk import Disk, ReadableFile
from .errors import JournalDamagedError, JournalError, JournalForeignFileError
from .header import HEADER_SIZE
from .mark import Mark, read_mark
from .records import RawRecord
from .segments import Segment, list_segments
from .walk import Tail, Walk, judge_tail

LOOKS_MAX: Final = 3
"""A fault at the end that is found so many times in a row is damage, and not work in progress."""


def look_at(disk: Disk, directory: Path) -> tuple[Mark | None, list[Segment]]:
    """Read the mark and the headers of all segments, oldest first.

    Raises:
        JournalDamagedError: segments are missing, broken, or of another journal.
        JournalTooNewError: a later version wrote them.
        JournalForeignFileError: a link has the name of a file of the journal.
    """
    while True:
        names = disk.names(directory)
        try:
            mark = read_mark(disk, directory)  # before the segments: the records are never behind an older mark
            segments = list_segments(disk, directory)
            _expect_beginning(directory, segments, mark)
        except (JournalError, FileNotFoundError):
            if disk.names(directory) == names:
                raise
        except NotOursError as fault:
            raise JournalForeignFileError(str(fault)) from fault
        else:
            return mark, segments


@contextmanager
def unless_forgotten(disk: Disk, segment: Segment) -> Iterator[None]:
    """End the block quietly if retention has removed the segment since it was listed; any other damage is raised.

    The mark is updated before the file is removed, so it tells both apart.
    """
    try:
        yield
    except JournalDamagedError:
        mark = read_mark(disk, segment.directory)
        if mark is None or mark.oldest_sequence <= segment.first_sequence:
            raise


def expect_marked(active: Segment, mark: Mark | None, *, last_sequence: int) -> None:
    """Check that the newest segment has all records that the mark says were durable.

    Raises:
        JournalDamagedError: the end of the journal is missing.
    """
    if mark is not None and mark.sequence > last_sequence:
        reason = f"the journal ends with sequence {last_sequence}, but {mark.sequence} was durable"
        raise active.damaged(reason, sequence=last_sequence + 1)


class LiveWalk:
    """One pass over the newest segment, which goes on while its owner appends.

    After the pass `offset` is the end of the last whole append, `sequence` and `last_hash` are those of its last
    record, and `torn_bytes` is the size of an unfinished commit after it.
    """

    def __init__(self, disk: Disk, segment: Segment, file: ReadableFile) -> None:
        self.offset = HEADER_SIZE
        self.sequence = segment.first_sequence - 1
        self.last_hash = segment.header.previous.last_hash
        self.torn_bytes = 0
        self._disk: Final = disk
        self._segment: Final = segment
        self._file: Final = file

    def __iter__(self) -> Iterator[RawRecord]:
        """Yield the records of whole appends.

        Raises:
            JournalDamagedError: acknowledged records are changed, or the segment after this one is missing.
        """
        looks, before = 0, None
        while True:
            walk = Walk(
                self._file,
                self._segment.format,
                offset=self.offset,
                end=self._file.size(),
                sequence=self.sequence + 1,
                previous_hash=self.last_hash,
                landmarks=self._segment.landmarks,
            )
            append: list[RawRecord] = []
            for record in walk:
                append.append(record)
                if record.remaining == 0:
                    self.offset, self.sequence = walk.offset, record.sequence
                    self.last_hash = walk.previous_hash or b""
                    yield from append
                    append = []
            tail = judge_tail(self._file, self._segment.format, offset=walk.offset, sequence=walk.sequence)
            found = (self.sequence, tail)
            looks, before = looks + 1 if found == before else 1, found
            if tail.kind in {"clean", "closed"} or looks == LOOKS_MAX:
                break
        self.torn_bytes = walk.offset + tail.size - self.offset
        if tail.kind == "damaged" or self._lacks_successor(tail):
            reason = tail.reason or "it is archived, so another segment followed it, which is missing"
            raise self._segment.damaged(reason, offset=walk.offset, sequence=walk.sequence)

    def _lacks_successor(self, tail: Tail) -> bool:
        """Tell whether the next segment is missing; lists again, since this one may have been closed meanwhile."""
        if tail.kind != "closed" and not self._segment.archived:
            return False
        _, segments = look_at(self._disk, self._segment.directory)
        return all(each.first_sequence <= self._segment.first_sequence for each in segments)


def _expect_beginning(directory: Path, segments: list[Segment], mark: Mark | None) -> None:
    if mark is None:
        return
    if not segments or segments[0].first_sequence > mark.oldest_sequence:
        reason = f"segments are missing: the journal begins with sequence {mark.oldest_sequence}"
        raise JournalDamagedError(directory, offset=0, sequence=mark.oldest_sequence, reason=reason)
