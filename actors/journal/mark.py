"""The mark: a small file with the newest durable sequence, written after each commit, before its answers.

It is not synced with each commit, which would double the cost, so after a power cut it may be out of date, but it is
never ahead of the journal. After a process was killed it is exact. So a journal that ends before its mark has lost
acknowledged records: a file was deleted or shortened, replaced by an old copy, or its last page was zeroed. Two slots
are written in turn, each with a CRC, so that a torn write of one leaves the other.
"""

from __future__ import annotations

import struct
import zlib
from pathlib import Path
from typing import Final

import msgspec

from ...config.files import NotOursError
from .disk import Disk

MARK_NAME: Final = "journal.mark"
MARK_SIZE: Final = 8192
_SLOT_OFFSETS: Final = (0, 4096)
_SLOT: Final = struct.Struct("<4s16sQQQQ32s")
_MAGIC: Final = b"NJM1"
_CRC_SIZE: Final = 4


class Mark(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The journal was durable at least up to `sequence`."""

    generation: int
    """Number of the mark; of two valid slots the higher counts."""

    journal_id: bytes
    oldest_sequence: int
    """First sequence kept; above 1 only when retention removed older segments."""

    sequence: int
    """Newest durable sequence; 0 for none yet."""

    last_hash: bytes
    """Of the record `sequence`."""

    failed_first_sequence: int = 0
    """First sequence of a segment whose fsync failed: it ends at `sequence`, whatever follows there. 0: none."""

    @classmethod
    def decode(cls, data: bytes) -> Mark | None:
        """Decode one slot; None if it was never written, or is broken."""
        if len(data) < _SLOT.size + _CRC_SIZE:
            return None
        body = data[: _SLOT.size]
        crc = int.from_bytes(data[_SLOT.size : _SLOT.size + _CRC_SIZE], "little")
        if not body.startswith(_MAGIC) or crc != zlib.crc32(body):
            return None
        _, journal_id, generation, oldest, sequence, failed, last_hash = _SLOT.unpack(body)
        return cls(
            generation=generation,
            journal_id=journal_id,
            oldest_sequence=oldest,
            sequence=sequence,
            failed_first_sequence=failed,
            last_hash=last_hash,
        )


def read_mark(disk: Disk, directory: Path) -> Mark | None:
    """Read the newest valid slot; None if there is none: then only the records themselves are checked."""
    try:
        file = disk.open(directory / MARK_NAME)
    except FileNotFoundError:
        return None
    try:
        slots = [Mark.decode(file.read(offset, _SLOT.size + _CRC_SIZE)) for offset in _SLOT_OFFSETS]
    finally:
        file.close()
    return max((mark for mark in slots if mark is not None), key=lambda mark: mark.generation, default=None)


class MarkKeeper:
    """Writes the marks of an open journal; makes the file when there is none.

    All methods raise OSError.
    """

    def __init__(self, disk: Disk, directory: Path, *, journal_id: bytes, newest: Mark | None) -> None:
        self._journal_id: Final = journal_id
        self._generation = 0 if newest is None else newest.generation
        self._path: Final = directory / MARK_NAME
        try:
            self._file = disk.open(self._path, writable=True)
        except FileNotFoundError:
            self._file = disk.create(self._path, MARK_SIZE)
            disk.sync_directory(directory)
        found = tuple(self._file.read(offset, len(_MAGIC)) for offset in _SLOT_OFFSETS)
        if not any(each.startswith(_MAGIC) for each in found) and any(each.strip(b"\0") for each in found):
            self._file.close()
            raise NotOursError(self._path, f"is no mark of a journal: it begins with {found[0]!r}")

    def misplaced(self) -> Path | None:
        """Name the mark, if it is not at its path any more."""
        return None if self._file.is_at(self._path) else self._path

    def write(
        self,
        *,
        oldest_sequence: int,
        sequence: int,
        last_hash: bytes,
        failed_first_sequence: int = 0,
        synced: bool = False,
    ) -> None:
        """Write the next mark into the older slot; `synced` waits until it is on the disk."""
        self._generation += 1
        body = _SLOT.pack(
            _MAGIC, self._journal_id, self._generation, oldest_sequence, sequence, failed_first_sequence, last_hash
        )
        slot = body + zlib.crc32(body).to_bytes(_CRC_SIZE, "little")
        self._file.write(slot, _SLOT_OFFSETS[self._generation % len(_SLOT_OFFSETS)])
        if synced:
            self._file.sync()

    def close(self) -> None:
        """Close the file."""
        self._file.close()
