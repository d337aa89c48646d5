"""Archiving closed segments: packed with gzip, verified, then the plain file goes. For a thread of its own.

A reader that finds the plain file gone takes the archive, so nobody waits. A crash in between leaves both: the plain
one counts, and the archive is made anew.
"""

from __future__ import annotations

import gzip
from typing import Final

from .disk import Disk
from .errors import JournalFullError
from .recovery import verify_closed
from .reserve import NEW_SUFFIX
from .segments import Segment, archive_path, segment_path

COMPRESSION_LEVEL: Final = 6


def archive_segment(disk: Disk, segment: Segment) -> int:
    """Pack a closed segment; returns the bytes of its archive.

    Raises:
        JournalDamagedError: the segment, or the archive read back, is not what was written; the plain file stays.
        JournalFullError: no space for the archive; the plain file stays.
    """
    seal = segment.seal
    if seal is None:
        raise ValueError(f"only a closed segment can be archived: {segment.path}")
    verify_closed(disk, segment, seal)
    plain_path = segment_path(segment.directory, segment.first_sequence)
    path = archive_path(segment.directory, segment.first_sequence)
    plain = disk.open(plain_path)
    try:
        # A fixed time stamp: the same segment always gives the same archive.
        packed = gzip.compress(plain.read(0, seal.used), COMPRESSION_LEVEL, mtime=0)
    finally:
        plain.close()
    new = path.with_name(path.name + NEW_SUFFIX)
    try:
        file = disk.create(new, len(packed))
        file.write(packed, 0)
        file.sync()
        file.close()
        disk.rename(new, path)
        disk.sync_directory(segment.directory)
    except OSError as fault:
        raise JournalFullError(f"{path} could not be written: {fault}") from fault
    segment.archived = True
    try:
        verify_closed(disk, segment, seal)
    except Exception:
        segment.archived = False
        raise
    disk.remove(plain_path)
    disk.sync_directory(segment.directory)
    return len(packed)
