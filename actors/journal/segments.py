"""Segment files: their names, opening them plain or archived, and listing them."""

from __future__ import annotations

import gzip
import io
import re
import zlib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

import msgspec

from ...config.files import NotOursError
from ...messages.journal import JournalRecord
from .disk import Disk, DiskFile, ReadableFile
from .errors import JournalDamagedError, JournalError, JournalForeignFileError, JournalTooNewError
from .header import HEADER_SIZE, HeaderBrokenError, Seal, SegmentHeader, encode_footer
from .keys import KeyTable
from .records import FORMATS, RecordFormat
from .walk import Landmarks, Walk

SUFFIX: Final = ".journal"
ARCHIVE_SUFFIX: Final = ".journal.gz"
KEYS_SUFFIX: Final = ".keys"
DIGITS: Final = 20
KEYS_NAME: Final = re.compile(r"\d{20}\.keys")


def segment_path(directory: Path, first_sequence: int) -> Path:
    """Return the path of the segment that begins with this sequence."""
    return directory / f"{first_sequence:0{DIGITS}d}{SUFFIX}"


def archive_path(directory: Path, first_sequence: int) -> Path:
    """Return the path of the same segment's archive."""
    return directory / f"{first_sequence:0{DIGITS}d}{ARCHIVE_SUFFIX}"


def keys_path(directory: Path, first_sequence: int) -> Path:
    """Return the path of the same segment's key file."""
    return directory / f"{first_sequence:0{DIGITS}d}{KEYS_SUFFIX}"


class ArchiveFile:
    """An archived segment, read like a plain one: a gzip stream (a tenth of the size), best read forward."""

    def __init__(self, file: DiskFile) -> None:
        packed = file.read(0, file.size())
        file.close()
        self._stream: Final = gzip.GzipFile(fileobj=io.BytesIO(packed), mode="rb")

    def read(self, offset: int, size: int) -> bytes:
        """Read unpacked bytes.

        Raises:
            OSError: the stream is broken (gzip's own checks).
        """
        try:
            self._stream.seek(offset)
            return self._stream.read(size)
        except (EOFError, zlib.error) as fault:
            raise OSError(f"the archive is broken: {fault}") from fault

    def size(self) -> int:
        """Return the unpacked length, by reading to the end."""
        return self._stream.seek(0, io.SEEK_END)

    def close(self) -> None:
        """Free the memory."""
        self._stream.close()


class Segment:
    """One segment file. Immutable except for its seal (set when the next one begins) and what speeds up reading."""

    def __init__(self, directory: Path, header: SegmentHeader, *, archived: bool = False) -> None:
        self.directory: Final = directory
        self.header: Final = header
        self.first_sequence: Final = header.first_sequence
        self.archived = archived
        """As listed; `open_segment` tries the other form if this one has been removed."""

        self.seal: Seal | None = None
        """From the next segment's header; None for the active segment."""

        self.footer = b""
        """The footer that a closed segment has after its records; see `header.py`."""

        self.landmarks: Final[Landmarks] = {}
        """Offsets noted by earlier walks."""

        self.known_place = (0, 0)
        """Sequence and offset of a record whose place is proved; (0, 0): of none."""

        self.read_on_at = (0, 0)
        """The same of where the newest read ended: a reader goes on there, page by page."""

        self.keys: KeyTable | None = None
        """Keys of all its records, in memory until its key file is written."""

        self.is_forgettable: bool | None = None
        """Whether all its facts may be removed (`domain.retention`); None: not checked yet."""

        self.has_key_file = False
        """Whether its key file was found intact."""

    def close(self, successor: SegmentHeader) -> None:
        """Take seal and footer from the next segment's header."""
        self.seal = successor.previous
        self.footer = encode_footer(successor.first_sequence)

    @property
    def path(self) -> Path:
        """Its path, plain or archived, as last found."""
        return (archive_path if self.archived else segment_path)(self.directory, self.first_sequence)

    @property
    def format(self) -> RecordFormat:
        """The format of its records."""
        return FORMATS[self.header.version]

    def note_keys(self, records: Sequence[JournalRecord], sizes: Iterable[int], offset: int) -> None:
        """Add records of these sizes (bytes), from `offset` on, to the keys in memory, if this segment has them."""
        if self.keys is not None:
            self.keys.add(records, sizes, step=records[0].sequence - self.first_sequence, offset=offset)

    def key_identity(self, seal: Seal) -> bytes:
        """Return bytes that identify this closed segment in the checksums of its key file."""
        return self.header.journal_id + msgspec.msgpack.encode(seal)

    def damaged(self, reason: str, *, offset: int = 0, sequence: int | None = None) -> JournalDamagedError:
        """Return the error for damage in it; by default at its start."""
        return JournalDamagedError(
            self.path, offset=offset, sequence=self.first_sequence if sequence is None else sequence, reason=reason
        )

    def walk(self, file: ReadableFile, *, end: int, chained: bool = True) -> Walk:
        """Return a walk over its records from the first, with or without checking the hash chain."""
        return Walk(
            file,
            self.format,
            offset=HEADER_SIZE,
            end=end,
            sequence=self.first_sequence,
            previous_hash=self.header.previous.last_hash if chained else None,
            landmarks=self.landmarks,
        )

    def walk_on(self, file: ReadableFile, offset: int, *, sequence: int, previous_hash: bytes) -> Walk:
        """Return a chained walk to the end of the file, from the record of this sequence and offset."""
        return Walk(
            file,
            self.format,
            offset=offset,
            end=file.size(),
            sequence=sequence,
            previous_hash=previous_hash,
            landmarks=self.landmarks,
        )


def open_segment(disk: Disk, segment: Segment) -> ReadableFile:
    """Open it for reading, plain or archived: it may have been archived since it was listed.

    Raises:
        JournalDamagedError: the file is missing.
    """
    file = _open_stored(disk, segment)
    return ArchiveFile(file) if segment.archived else file


def stored_bytes(disk: Disk, segment: Segment) -> int:
    """Return the size of its file in bytes.

    Raises:
        JournalDamagedError: the file is missing.
    """
    file = _open_stored(disk, segment)
    try:
        return file.size()
    finally:
        file.close()


def _open_stored(disk: Disk, segment: Segment) -> DiskFile:
    # An archive is complete before its plain file is removed, and a plain file is never restored.
    for archived in (segment.archived, not segment.archived):
        path = (archive_path if archived else segment_path)(segment.directory, segment.first_sequence)
        try:
            file = disk.open(path)
        except FileNotFoundError:
            continue
        segment.archived = archived
        return file
    raise segment.damaged("the file is gone")


def list_segments(disk: Disk, directory: Path) -> list[Segment]:
    """Read the headers of all segments, oldest first, and check that they belong together.

    Raises:
        JournalDamagedError: a header is broken, a segment is missing between others, or belongs to another journal.
        JournalTooNewError: a segment has a format this version does not know.
    """
    names = disk.names(directory)
    plain = {int(name[:DIGITS]) for name in names if _is_segment(name, SUFFIX)}
    archived = {int(name[:DIGITS]) for name in names if _is_segment(name, ARCHIVE_SUFFIX)}
    segments: list[Segment] = []
    for first_sequence in sorted(plain | archived):
        segment = _read_segment(disk, directory, first_sequence, archived=first_sequence not in plain)
        if segments:
            _check_neighbours(segments[-1], segment)
            segments[-1].close(segment.header)
        segments.append(segment)
    return segments


def _is_segment(name: str, suffix: str) -> bool:
    number, behind = name[:DIGITS], name[DIGITS:]
    return behind == suffix and number.isascii() and number.isdecimal()


def _read_segment(disk: Disk, directory: Path, first_sequence: int, *, archived: bool) -> Segment:
    path = (archive_path if archived else segment_path)(directory, first_sequence)
    try:
        file: ReadableFile = ArchiveFile(disk.open(path)) if archived else disk.open(path)
        try:
            header = SegmentHeader.decode(file.read(0, HEADER_SIZE))
        finally:
            file.close()
    except HeaderBrokenError as fault:
        raise JournalDamagedError(path, offset=0, sequence=first_sequence, reason=str(fault)) from fault
    except NotOursError as fault:
        raise JournalForeignFileError(str(fault)) from fault
    except OSError as fault:
        if not archived:
            raise JournalError(f"{path} cannot be read: {fault}") from fault
        raise JournalDamagedError(path, offset=0, sequence=first_sequence, reason=str(fault)) from fault
    if header.version not in FORMATS:
        raise JournalTooNewError(f"{path} has format {header.version}, this version knows {max(FORMATS)}")
    if header.first_sequence != first_sequence:
        reason = f"it begins with sequence {header.first_sequence}, its name says {first_sequence}"
        raise JournalDamagedError(path, offset=0, sequence=first_sequence, reason=reason)
    return Segment(directory, header, archived=archived)


def _check_neighbours(before: Segment, segment: Segment) -> None:
    if segment.header.journal_id != before.header.journal_id:
        raise segment.damaged("it belongs to another journal than the segment before it")
    if segment.header.previous.first_sequence != before.first_sequence:
        wanted = segment.header.previous.first_sequence
        raise segment.damaged(f"the segment before it, {wanted}, is missing: found {before.first_sequence} instead")
