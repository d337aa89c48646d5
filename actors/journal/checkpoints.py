"""Checkpoints: what a reader has built of the records up to one, kept beside them, so that it need not read them again.

    NAME.checkpoint   magic, BLAKE2b of all that follows, then the head: of which journal, which record and its hash,
                      made by which version; how much of the other file belongs to it, with its CRC; the state
    NAME.past         what never changes any more; each checkpoint adds to it

A checkpoint is derived and never trusted over the records. It counts only where the record that it stands for is in
this journal, with this hash: since each record has the hash of the one before, so is everything up to there. One that
is damaged, of another version or another journal, or of more than there is, is refused with a reason, and its reader
reads the whole. Whatever a crash leaves is one of both: the head is replaced in one step, when the past is on the disk,
and what lies behind the past that the head names does not count.
"""

from __future__ import annotations

import re
import zlib
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, Final, get_args

import msgspec

from ...config.files import NotOursError
from ...messages.journal import CheckpointKept, CheckpointName, CheckpointRead, KeepCheckpoint, ReadCheckpoint
from .disk import put_whole
from .records import HASH_SIZE

if TYPE_CHECKING:
    from .disk import Disk
    from .view import JournalView

HEAD_SUFFIX: Final = ".checkpoint"
PAST_SUFFIX: Final = ".past"
NAME: Final = "|".join(get_args(CheckpointName))
_FILES: Final = re.compile(f"({NAME})({re.escape(HEAD_SUFFIX)}|{re.escape(PAST_SUFFIX)})")
_MAGIC: Final = b"NJC1"
_START: Final = len(_MAGIC) + HASH_SIZE


class _RefusedError(Exception):
    """There is no valid checkpoint; the text says why, and is empty where there is none at all."""


class _Head(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    journal_id: bytes
    name: str
    version: str
    sequence: int
    record_hash: bytes
    first_sequence: int
    """Of the segment that the record is in."""

    offset: int
    """Of the record there."""

    past_bytes: int
    past_crc: int
    state: bytes


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(_Head)


def is_checkpoint(name: str) -> bool:
    """Say whether a file of this name is of a checkpoint."""
    return _FILES.fullmatch(name) is not None


class Checkpoints:
    """The checkpoints of one journal. Not for several threads at once."""

    def __init__(self, disk: Disk, directory: Path, journal_id: bytes) -> None:
        self._disk: Final = disk
        self._directory: Final = directory
        self._journal_id: Final = journal_id

    def read(self, view: JournalView, request: ReadCheckpoint) -> CheckpointRead:
        """Read the newest, if it counts.

        Raises:
            JournalDamagedError: the segment of its record is gone.
        """
        try:
            head = self._head(request.name)
            self._expect(head, view, request.version)
            if request.only_looks:
                return CheckpointRead(name=request.name, sequence=head.sequence)
            past = self._past(request.name, head)
        except _RefusedError as refusal:
            return CheckpointRead(name=request.name, reason=str(refusal))
        view.note_place(head.sequence, first_sequence=head.first_sequence, offset=head.offset)
        return CheckpointRead(name=request.name, sequence=head.sequence, past=past, state=head.state)

    def keep(self, view: JournalView, request: KeepCheckpoint) -> CheckpointKept:
        """Keep one, behind that which it follows.

        Raises:
            JournalDamagedError: its record in the journal is damaged.
        """
        try:
            before = self._followed(request, view)
            place = view.place_of(request.sequence)
            if place is None:
                found = f"found {view.oldest_sequence} to {view.last_sequence}"
                return CheckpointKept(name=request.name, reason=f"record {request.sequence} wanted, {found}")
            segment, offset, record = place
            size, crc = (0, 0) if before is None else (before.past_bytes, before.past_crc)
            self._add(request, size)
            head = _Head(
                journal_id=self._journal_id,
                name=request.name,
                version=request.version,
                sequence=request.sequence,
                record_hash=record.hash(),
                first_sequence=segment.first_sequence,
                offset=offset,
                past_bytes=size + len(request.past),
                past_crc=zlib.crc32(request.past, crc),
                state=request.state,
            )
            body = _encoder.encode(head)
            put_whole(self._disk, self._path(request.name, HEAD_SUFFIX), _MAGIC + _hash(body) + body)
        except _RefusedError as refusal:
            reason = f"the one of sequence {request.follows} wanted, found none: {refusal}"
            return CheckpointKept(name=request.name, reason=reason)
        except OSError as fault:
            return CheckpointKept(name=request.name, reason=f"it cannot be written: {fault}")
        return CheckpointKept(name=request.name, sequence=request.sequence)

    def _followed(self, request: KeepCheckpoint, view: JournalView) -> _Head | None:
        if not request.follows:
            return None
        head = self._head(request.name)
        self._expect(head, view, request.version)
        if head.sequence != request.follows:
            raise _RefusedError(f"it is of sequence {head.sequence}")
        return head

    def _head(self, name: str) -> _Head:
        data = self._content(self._path(name, HEAD_SUFFIX))
        if not data.startswith(_MAGIC) or data[len(_MAGIC) : _START] != _hash(data[_START:]):
            raise _RefusedError("it is damaged: its sum is not that of its bytes")
        try:
            return _decoder.decode(data[_START:])
        except msgspec.DecodeError as fault:  # of another release
            raise _RefusedError(f"it cannot be read: {fault}") from fault

    def _expect(self, head: _Head, view: JournalView, version: str) -> None:
        if head.journal_id != self._journal_id:
            raise _RefusedError("it is of another journal")
        if head.version != version:
            raise _RefusedError(f"version {version!r} wanted, found {head.version!r}: other code made it")
        if not view.oldest_sequence <= head.sequence <= view.last_sequence:
            found = f"{view.oldest_sequence} to {view.last_sequence}"
            raise _RefusedError(f"it is of record {head.sequence}, and the journal has {found}")
        record = view.record_there(head.sequence, first_sequence=head.first_sequence, offset=head.offset)
        if record is None or record.hash() != head.record_hash:
            raise _RefusedError(f"record {head.sequence} is another one in this journal")

    def _past(self, name: str, head: _Head) -> bytes:
        path = self._path(name, PAST_SUFFIX)
        past = self._content(path)[: head.past_bytes] if head.past_bytes else b""
        if len(past) < head.past_bytes:
            raise _RefusedError(f"{head.past_bytes} bytes of {path.name} wanted, found {len(past)}")
        if zlib.crc32(past) != head.past_crc:
            raise _RefusedError(f"{path.name} is damaged: its CRC is not that of its bytes")
        return past

    def _content(self, path: Path) -> bytes:
        try:
            file = self._disk.open(path)
        except FileNotFoundError:
            raise _RefusedError("") from None
        except NotOursError as fault:
            raise _RefusedError(str(fault)) from fault
        except OSError as fault:
            raise _RefusedError(f"{path.name} cannot be opened: {fault}") from fault
        try:
            return file.read(0, file.size())
        except OSError as fault:
            raise _RefusedError(f"{path.name} cannot be read: {fault}") from fault
        finally:
            file.close()

    def _add(self, request: KeepCheckpoint, size: int) -> None:
        """Write the addition to the disk, after so many bytes."""
        path = self._path(request.name, PAST_SUFFIX)
        if size == 0:
            put_whole(self._disk, path, request.past or b"\0")
        elif request.past:
            file = self._disk.open(path, writable=True)
            try:
                file.write(request.past, size)
                file.sync()
            finally:
                file.close()

    def _path(self, name: str, suffix: str) -> Path:
        return self._directory / f"{name}{suffix}"


def _hash(data: bytes) -> bytes:
    return blake2b(data, digest_size=HASH_SIZE).digest()
