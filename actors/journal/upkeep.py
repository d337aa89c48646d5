"""Upkeep of closed segments: key files, archiving, and the check for retention. Runs on a thread of its own.

An archive is compressed with gzip and verified, then the plain file is removed; a reader that finds no plain file takes
the archive. A crash in between leaves both: the plain one counts, and is removed when the archive has been verified. An
archive is never overwritten; a key file is, since it is derived.
"""

from __future__ import annotations

import contextlib
import gzip
import itertools
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Final, TypeAlias

from ...domain.retention import is_forgettable
from ...messages.codec import UndecodableMessageError
from .disk import Disk, ReadableFile, put_whole
from .errors import UpkeepFailedError
from .header import Seal
from .keys import KeyFile, KeysBrokenError, KeyTable
from .recovery import verify_closed
from .segments import Segment, archive_path, keys_path, open_segment, segment_path

COMPRESSION_LEVEL: Final = 6

Chore: TypeAlias = Callable[[Disk, Segment], int]
"""Works on one closed segment; returns the number of bytes written."""


def next_chore(
    segments: Iterable[Segment], plain_segments_max: int, *, forget_before_ns: int = 0
) -> tuple[Chore, Segment] | None:
    """Return the next chore and its segment; None when all is done.

    Args:
        segments: closed ones, oldest first.
        plain_segments_max: that may stay unarchived.
        forget_before_ns: nanoseconds since 1970-01-01 UTC: older segments are checked for retention; 0: none.
    """
    segments = tuple(segments)
    for segment in segments:
        if not segment.has_key_file:  # first: it is quick, and frees the keys in memory
            return keep_keys, segment
    plain = [segment for segment in segments if not segment.archived]
    if len(plain) > plain_segments_max:
        return archive_segment, plain[0]
    for segment in segments:
        if not _is_old(segment, forget_before_ns) or segment.is_forgettable is False:
            break
        if segment.is_forgettable is None:
            return look_through, segment
    return None


def forgettable(segments: Iterable[Segment], before_ns: int) -> tuple[Segment, ...]:
    """Return the oldest of the closed segments that may be removed, without a gap between them."""
    return tuple(itertools.takewhile(lambda each: _is_old(each, before_ns) and each.is_forgettable, segments))


def _is_old(segment: Segment, before_ns: int) -> bool:
    """Tell whether it is archived and all its records are older."""
    return segment.archived and _seal_of(segment).latest_ns < before_ns


def look_through(disk: Disk, segment: Segment) -> int:
    """Check whether a closed segment may be removed; it is read up to the first fact that must be kept.

    Raises:
        JournalDamagedError: the segment is not what was written.
        UpkeepFailedError: it cannot be opened now.
    """
    file = _opened(disk, segment)
    try:
        walk = segment.walk(file, end=_seal_of(segment).used)
        segment.is_forgettable = all(is_forgettable(raw.type_name) for raw in walk)
    except OSError as fault:
        raise segment.damaged(str(fault)) from fault
    finally:
        file.close()
    if walk.fault:
        raise segment.damaged(walk.fault, offset=walk.offset, sequence=walk.sequence)
    return 0


def archive_segment(disk: Disk, segment: Segment) -> int:
    """Archive a closed segment.

    Raises:
        JournalDamagedError: the segment, or the archive read back, is not what was written; the plain file stays.
        UpkeepFailedError: no space, or a failing disk.
    """
    seal = _seal_of(segment)
    _verify(disk, segment, seal)
    plain_path = segment_path(segment.directory, segment.first_sequence)
    path = archive_path(segment.directory, segment.first_sequence)
    written_bytes = 0
    if not disk.exists(path):
        with _attempt(plain_path):
            plain = disk.open(plain_path)
            try:
                # With a fixed time stamp the same segment always gives the same archive.
                packed = gzip.compress(plain.read(0, seal.used), COMPRESSION_LEVEL, mtime=0)
            finally:
                plain.close()
        _put(disk, path, packed)
        written_bytes = len(packed)
    segment.archived = True
    try:
        _verify(disk, segment, seal)
    except Exception:
        segment.archived = False
        raise
    with _attempt(plain_path):
        disk.remove(plain_path)
        disk.sync_directory(segment.directory)
    return written_bytes


def keep_keys(disk: Disk, segment: Segment) -> int:
    """Write the key file of a closed segment if it is missing or broken, from the keys in memory if there are any.

    Raises:
        JournalDamagedError: the segment is not what was written.
        UpkeepFailedError: no space, or a failing disk.
    """
    identity = segment.key_identity(_seal_of(segment))
    path = keys_path(segment.directory, segment.first_sequence)
    table = segment.keys
    if table is None:
        if _are_whole(disk, path, identity):
            segment.has_key_file = True
            return 0
        table = _read_keys(disk, segment)
    pages = table.pages(identity)
    _put(disk, path, pages, replaces=True)
    segment.has_key_file = True
    segment.keys = None
    return len(pages)


def _seal_of(segment: Segment) -> Seal:
    if segment.seal is None:
        raise ValueError(f"a closed segment is wanted, found the active one: {segment.path}")
    return segment.seal


def _are_whole(disk: Disk, path: Path, identity: bytes) -> bool:
    try:
        file = disk.open(path)
    except OSError:  # there is none, or what has its name cannot be read: it is written anew
        return False
    try:
        KeyFile(file, identity).check()
    except (KeysBrokenError, OSError):
        return False
    finally:
        file.close()
    return True


def _read_keys(disk: Disk, segment: Segment) -> KeyTable:
    table, seal = KeyTable(), _seal_of(segment)
    file = _opened(disk, segment)
    try:
        walk = segment.walk(file, end=seal.used, chained=False)
        for raw in walk:
            offset = walk.offset - len(raw.raw)
            try:
                record = raw.decoded()
            except UndecodableMessageError as fault:
                raise segment.damaged(str(fault), offset=offset, sequence=raw.sequence) from fault
            table.add((record,), (len(raw.raw),), step=raw.sequence - segment.first_sequence, offset=offset)
    except OSError as fault:
        raise segment.damaged(str(fault), offset=walk.offset, sequence=walk.sequence) from fault
    finally:
        file.close()
    if walk.fault:
        raise segment.damaged(walk.fault, offset=walk.offset, sequence=walk.sequence)
    return table


def _opened(disk: Disk, segment: Segment) -> ReadableFile:
    with _attempt(segment.path, "opened"):
        return open_segment(disk, segment)


def _verify(disk: Disk, segment: Segment, seal: Seal) -> None:
    with _attempt(segment.path, "opened"):  # what cannot be read once it is open is damage
        verify_closed(disk, segment, seal)


def _put(disk: Disk, path: Path, data: bytes, *, replaces: bool = False) -> None:
    """Create a file with this content, or none."""
    with _attempt(path):
        put_whole(disk, path, data, replaces=replaces)


@contextlib.contextmanager
def _attempt(path: Path, work: str = "written") -> Iterator[None]:
    try:
        yield
    except OSError as fault:
        raise UpkeepFailedError(f"{path} could not be {work}: {fault}") from fault
