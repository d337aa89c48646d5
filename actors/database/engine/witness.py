"""The market file's witness: a small file beside it, which shows whether the market file was replaced by an older one.

A file whose write-ahead log was deleted, or an older copy in its place, opens without an error. The core file needs no
witness (the journal has all of its facts); market data is in no journal. So after every batch the
witness notes how far all sources together are recorded. It is not forced to the disk: a power cut may leave it behind
the file, never ahead of it. A file that is behind its witness has lost batches.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import re
import stat
import threading
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ....config.files import NotOursError, move_new, open_kept
from ..errors import DatabaseUnreachable
from .opening import MEMORY

if TYPE_CHECKING:
    import duckdb

_TOTAL = """
select identity, candle_batches + (select coalesce(sum(sequence), 0) from market.recorded) from market.origin
"""


_NOTE: Final = re.compile(rb"[0-9a-f\s\0-]*")
_NOTE_BYTES_MAX: Final = 200


class MarketWitness:
    """Holds `<market file>.witness` open; one line: the file's identity, how far it was, a checksum."""

    def __init__(self, market_path: str) -> None:
        self.path = f"{market_path}.witness"
        self.loss = ""
        """What the market file once held and lacks at this opening, in words; empty if nothing."""

        self._descriptor: int | None = None
        if market_path != MEMORY:
            try:
                self._descriptor = _opened(Path(self.path))
            except OSError as fault:
                raise DatabaseUnreachable(f"{self.path} cannot be opened: {fault}") from fault
        self._identity = ""
        self._total = 0
        self._guard = threading.Lock()

    def hear(self, cursor: duckdb.DuckDBPyConnection) -> None:
        """Compare with the market file; note in its table `losses` what it has lost. Run once, on its writer."""
        ((self._identity, total),) = cursor.execute(_TOTAL).fetchall()
        self._total = int(total)
        if self._descriptor is None:
            return
        identity, wanted = self._read()
        if identity and identity != self._identity:
            self.loss = f"it is another file than the one that was here, which was at {wanted}; it is at {self._total}"
        elif identity and wanted > self._total:
            self.loss = f"it was at {wanted} once, and is at {self._total}: the sum of its sources' last sequences"
        if self.loss:
            cursor.execute("insert into market.losses values (epoch_ns(now()), ?, ?)", [self.loss, self._identity])
        self._note()

    def advance(self, steps: int) -> None:
        """Note that `steps` more sequences are recorded, over all sources. Called after the commit, from any thread."""
        if steps:
            with self._guard:
                self._total += steps
                self._note()

    def close(self) -> None:
        """Close the file."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def _read(self) -> tuple[str, int]:
        """Read the note; empty and 0 if there is none or it is incomplete."""
        assert self._descriptor is not None, "there is a file"
        return _noted(os.pread(self._descriptor, _NOTE_BYTES_MAX, 0))

    def _note(self) -> None:
        if self._descriptor is not None:
            noted = f"{self._identity} {self._total:040d}"
            with contextlib.suppress(OSError):  # a full disk: a witness behind the file is harmless
                os.pwrite(self._descriptor, f"{noted} {zlib.crc32(noted.encode()):08x}\n".encode(), 0)


def is_witness(path: Path) -> bool:
    """Return whether a witness of ours is there, with a complete note."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        is_file = stat.S_ISREG(os.fstat(descriptor).st_mode)
        return is_file and _noted(os.pread(descriptor, _NOTE_BYTES_MAX, 0)) != ("", 0)
    finally:
        os.close(descriptor)


def _noted(held: bytes) -> tuple[str, int]:
    line = held.decode("ascii", "replace").strip()
    noted, _, checksum = line.rpartition(" ")
    identity, _, total = noted.partition(" ")
    if not total.isdecimal() or checksum != f"{zlib.crc32(noted.encode()):08x}":
        return "", 0
    return identity, int(total)


def _opened(path: Path) -> int:
    """Open or create the file; a file of this name that is no witness is moved aside, and a link is refused."""
    try:
        return open_kept(path, is_ours=lambda held: _NOTE.fullmatch(held) is not None)
    except NotOursError:
        if not stat.S_ISREG(path.lstat().st_mode):
            raise
    for number in itertools.count(1):
        with contextlib.suppress(FileExistsError):
            move_new(path, path.with_name(f"{path.name}.corrupt-{number}"))
            break
    return open_kept(path, is_ours=lambda held: not held)
