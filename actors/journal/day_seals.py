"""Seals of days: a file beside the segments that says with which record each day ended.

    days.seals   a line of JSON for each day on which something was recorded, oldest first

The problem. The hash chain shows a record that was changed, but not an end that was cut off, and not a journal that
was written anew from some record on: its chain is whole. The idea. When the first record of another day comes, the
day before is closed: its last sequence and that record's hash, which by the chain binds everything up to there, are
written beside the journal. A line has the hash of the one before it, too, and with `journal.seal_key` an
HMAC-SHA-256, which cannot be made from the files alone. Each has a hash of itself besides: else nothing would bind
what stands in the last line alone, such as when it was made. The trap. Without a key, a program that can write all
files can write the seals anew as well: a copy of this file kept elsewhere, or its lines in the log of another machine,
prove what was there.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Iterable, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Final

import msgspec

from ...config.files import NotOursError
from ...domain.time import day_of, day_of_number, day_start_ns
from .disk import Disk, put_whole
from .errors import JournalDamagedError, JournalForeignFileError

SEALS_NAME: Final = "days.seals"


class DaySeal(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One line: a day in India, and the record that it ended with."""

    day: str
    """As `2026-11-27`."""

    last_sequence: int
    last_hash: str
    """Of that record, in hexadecimal."""

    sealed_ns: int
    """When: nanoseconds since 1970-01-01 UTC."""

    journal_id: str
    previous: str
    """SHA-256 of the line before, without its line feed; empty in the first."""

    hmac: str = ""
    """HMAC-SHA-256 of this line with this field empty and without `line_hash`; empty: there was no key."""

    line_hash: str | msgspec.UnsetType = msgspec.UNSET
    """SHA-256 of this line without this field; lines of earlier releases have none."""

    def line(self) -> bytes:
        """Return it as in the file, without the line feed."""
        return msgspec.json.encode(self)

    def signed(self, key: bytes) -> DaySeal:
        """Return it with its HMAC, if there is a key, and with its own hash."""
        seal = msgspec.structs.replace(self, hmac=self.hmac_by(key)) if key else self
        return msgspec.structs.replace(seal, line_hash=seal.own_hash())

    def hmac_by(self, key: bytes) -> str:
        """Return the HMAC that it must have with this key."""
        body = msgspec.structs.replace(self, hmac="", line_hash=msgspec.UNSET)
        return hmac.digest(key, body.line(), "sha256").hex()

    def own_hash(self) -> str:
        """Return the hash that it must have."""
        return sha256(msgspec.structs.replace(self, line_hash=msgspec.UNSET).line()).hexdigest()


_decoder = msgspec.json.Decoder(DaySeal)


class SealBrokenError(ValueError):
    """A line of seals is not as it was written; the text says which and why."""


def day_text(day: int) -> str:
    """Format a day (days since 1970-01-01) as `2026-11-27`."""
    return day_of_number(day).isoformat()


def seals_of(data: bytes) -> tuple[DaySeal, ...]:
    """Read all lines, and check that each follows the one before.

    Raises:
        SealBrokenError: names the first that was changed.
    """
    found: list[DaySeal] = []
    previous = b""
    lines = data.split(b"\n")
    if lines.pop():
        raise SealBrokenError("it ends within a line")
    for number, line in enumerate(lines, start=1):
        try:
            seal = _decoder.decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError) as fault:
            raise SealBrokenError(f"line {number}: {fault}") from fault
        if seal.line() != line:
            raise SealBrokenError(f"line {number}, day {seal.day}: it is written otherwise than a seal")
        if seal.previous != (sha256(previous).hexdigest() if previous else ""):
            raise SealBrokenError(f"line {number}, day {seal.day}: it does not follow the line before it")
        if found and (seal.journal_id != found[0].journal_id or seal.last_sequence <= found[-1].last_sequence):
            raise SealBrokenError(f"line {number}, day {seal.day}: it does not go on where the line before it ended")
        may_lack = not found or found[-1].line_hash is msgspec.UNSET
        if seal.line_hash != seal.own_hash() and not (may_lack and seal.line_hash is msgspec.UNSET):
            raise SealBrokenError(f"line {number}, day {seal.day}: its own hash is not that of the line")
        found.append(seal)
        previous = line
    return tuple(found)


def unsigned(seals: Iterable[DaySeal], key: bytes) -> DaySeal | None:
    """Return the first that lacks the HMAC of this key: none may, once one has one."""
    has_begun = False
    for seal in seals:
        has_begun = has_begun or bool(seal.hmac)
        if has_begun and not hmac.compare_digest(seal.hmac, seal.hmac_by(key)):
            return seal
    return None


def read_seals(disk: Disk, directory: Path) -> tuple[DaySeal, ...]:
    """Read the seals beside a journal; none where there is no such file.

    Raises:
        JournalDamagedError: a line was changed, or the file cannot be read.
        JournalForeignFileError: a link has its name.
    """
    path = directory / SEALS_NAME
    try:
        file = disk.open(path)
    except FileNotFoundError:
        return ()
    except NotOursError as fault:
        raise JournalForeignFileError(str(fault)) from fault
    try:
        return seals_of(file.read(0, file.size()))
    except (SealBrokenError, OSError) as fault:
        raise JournalDamagedError(path, offset=0, sequence=0, reason=f"{fault}: put a copy of it back") from fault
    finally:
        file.close()


def write_seals(disk: Disk, directory: Path, seals: Iterable[DaySeal]) -> None:
    """Write them, durably, all or none.

    Raises:
        OSError: what was there is there still.
    """
    put_whole(disk, directory / SEALS_NAME, b"".join(seal.line() + b"\n" for seal in seals))


def expect_own_seals(directory: Path, seals: Sequence[DaySeal], journal_id: bytes) -> None:
    """Check that these are the seals of this journal.

    Raises:
        JournalDamagedError: they are of another.
    """
    if seals and seals[0].journal_id != journal_id.hex():
        reason = "these are the seals of another journal"
        raise JournalDamagedError(directory / SEALS_NAME, offset=0, sequence=0, reason=reason)


def expect_sealed(directory: Path, seals: Sequence[DaySeal], last_sequence: int) -> None:
    """Check that a journal that ends with this sequence has everything that was sealed.

    Raises:
        JournalDamagedError: names the day whose end is missing.
    """
    missing = next((seal for seal in seals if seal.last_sequence > last_sequence), None)
    if missing is not None:
        reason = (
            f"day {missing.day} was sealed up to sequence {missing.last_sequence}, and the journal ends with "
            f"{last_sequence}: what was after it is cut off"
        )
        raise JournalDamagedError(directory, offset=0, sequence=last_sequence + 1, reason=reason)


class SealedDays:
    """The days of an open journal: makes a seal of each that is over, and writes those. Not for several threads."""

    def __init__(  # noqa: PLR0913  what it writes, and where
        self,
        disk: Disk,
        directory: Path,
        seals: tuple[DaySeal, ...],
        *,
        journal_id: bytes,
        key: bytes,
        now_ns: Callable[[], int],
    ) -> None:
        """Go on from what is sealed; nothing is written."""
        self._disk: Final = disk
        self._directory: Final = directory
        self._seals = seals
        self._journal_id: Final = journal_id
        self._key: Final = key
        self._now_ns: Final = now_ns
        self._new: list[DaySeal] = []
        self._fault = ""
        self._begin_ns, self._end_ns = 0, 0
        """Of the day that is open; both 0: none is."""

        self.owed: list[DaySeal] = []
        """Seals that are not written yet."""

    @property
    def _last_sequence(self) -> int:
        newest = self.owed or self._seals
        return newest[-1].last_sequence if newest else 0

    def begin(self, newest_ns: int, last_sequence: int) -> None:
        """Open the day of the last record, if it is not sealed."""
        if last_sequence > self._last_sequence:
            self._open(newest_ns)

    def is_over(self, now_ns: int) -> bool:
        """Whether the open day is another than that of this time."""
        return not self._begin_ns <= now_ns < self._end_ns

    def end(self, now_ns: int, *, last_sequence: int, last_hash: bytes) -> None:
        """Make the seal of the open day, with its last record, and open the day of this time. `write` writes it."""
        if last_sequence > self._last_sequence:
            before = (*self._seals, *self.owed)[-1:]
            seal = DaySeal(
                day=day_text(day_of(self._begin_ns)),
                last_sequence=last_sequence,
                last_hash=last_hash.hex(),
                sealed_ns=self._now_ns(),
                journal_id=self._journal_id.hex(),
                previous=sha256(before[0].line()).hexdigest() if before else "",
            )
            self.owed.append(seal.signed(self._key))
        self._open(now_ns)

    def write(self) -> None:
        """Write the seals that were made, durably; a seal that cannot be written is tried again later."""
        if not self.owed:
            return
        try:
            write_seals(self._disk, self._directory, (*self._seals, *self.owed))
        except OSError as fault:
            self._fault = f"day {self.owed[0].day} is not sealed yet: {fault}"
            return
        self._seals, self._fault = (*self._seals, *self.owed), ""
        self._new += self.owed
        self.owed = []

    def take(self) -> tuple[tuple[DaySeal, ...], str]:
        """Return what was sealed since the last call, and what hinders the next."""
        new, self._new = tuple(self._new), []
        return new, self._fault

    def _open(self, time_ns: int) -> None:
        day = day_of(time_ns)
        self._begin_ns, self._end_ns = day_start_ns(day), day_start_ns(day + 1)
