"""Files as they come packed: gzip, zip and Zstandard, known by their first bytes and not by their names.

What a file unpacks to is bounded. Market data packs five to twenty times; a file that unpacks to more than
`UNPACKED_RATIO_MAX` times itself is no market data, and would fill a disk or an afternoon.
"""

from __future__ import annotations

import gzip
import io
import os
import sys
import zipfile
import zlib
from typing import IO, TYPE_CHECKING, Final, Literal, TypeAlias

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

if TYPE_CHECKING:
    import contextlib
    from io import BufferedReader

    from _typeshed import WriteableBuffer

Packing: TypeAlias = Literal["", "gzip", "zip", "zstd"]

Unpacking: TypeAlias = IO[bytes] | gzip.GzipFile | zstd.ZstdFile

UNPACKED_RATIO_MAX: Final = 300
"""Bytes that one byte of a file may unpack to, on the average, beyond `UNPACKED_FREE_BYTES`."""

UNPACKED_FREE_BYTES: Final = 64 << 20
BUFFER_BYTES: Final = 1 << 16

_MAGICS: tuple[tuple[bytes, Packing], ...] = (
    (b"\x1f\x8b", "gzip"),
    (b"PK\x03\x04", "zip"),
    (b"PK\x05\x06", "zip"),
    (b"\x28\xb5\x2f\xfd", "zstd"),
)
_SPREADSHEETS = (b"\xd0\xcf\x11\xe0", b"[Content_Types].xml")
_FAULTS = (EOFError, zlib.error, zipfile.BadZipFile, zstd.ZstdError, RuntimeError)
"""Exceptions of the libraries for a broken file; `RuntimeError` is an encrypted zip, or an unknown packing."""


class PackingError(OSError):
    """What the file holds cannot be unpacked."""


def packing_of(head: bytes) -> Packing:
    """Tell from a file's first bytes how it is packed; empty: it is not."""
    return next((packing for magic, packing in _MAGICS if head.startswith(magic)), "")


def unpacked(file: BufferedReader, stack: contextlib.ExitStack) -> tuple[BufferedReader, Packing]:
    """Return what an open file holds, and how it was packed.

    Raises:
        PackingError: it is a spreadsheet, or a zip of none or several files; or, while it is read, it is broken, or
            unpacks to more than can be market data.
        OSError: it cannot be read.
    """
    head = file.read(len(_SPREADSHEETS[0]))
    file.seek(0)
    packing = packing_of(head)
    if head == _SPREADSHEETS[0]:
        raise _spreadsheet()
    if not packing:
        return file, packing
    stream: Unpacking
    try:
        if packing == "gzip":
            stack.enter_context(stream := gzip.GzipFile(fileobj=file))
        elif packing == "zstd":
            stack.enter_context(stream := zstd.ZstdFile(file))
        else:
            stream = _only_member(stack.enter_context(zipfile.ZipFile(file)), stack)
    except _FAULTS as fault:
        raise PackingError(str(fault)) from fault
    bounded = _Bounded(stream, os.fstat(file.fileno()).st_size)
    return stack.enter_context(io.BufferedReader(bounded, BUFFER_BYTES)), packing


def _only_member(archive: zipfile.ZipFile, stack: contextlib.ExitStack) -> IO[bytes]:
    names = [each.filename for each in archive.infolist() if not each.is_dir()]
    if _SPREADSHEETS[1].decode() in names:
        raise _spreadsheet()
    files = [name for name in names if not name.startswith("__MACOSX/")]
    if len(files) != 1:
        raise PackingError(f"a zip of one file, found {len(files)}: {', '.join(files[:3])!r}")
    return stack.enter_context(archive.open(files[0]))


def _spreadsheet() -> PackingError:
    return PackingError("a spreadsheet, which is saved as CSV to be read here")


class _Bounded(io.RawIOBase):
    """Unpacks no more than `UNPACKED_RATIO_MAX` times what is packed."""

    def __init__(self, stream: Unpacking, packed_bytes: int) -> None:
        super().__init__()
        self._stream: Final = stream
        self._left = UNPACKED_FREE_BYTES + UNPACKED_RATIO_MAX * packed_bytes

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        view = memoryview(buffer).cast("B")
        filled = 0
        try:
            # Filled as far as it goes: the encoding is told from the first buffer.
            while some := self._stream.read(len(view) - filled):
                view[filled : filled + len(some)] = some
                filled += len(some)
        except _FAULTS as fault:
            raise PackingError(str(fault)) from fault
        self._left -= filled
        if self._left < 0:
            raise PackingError(f"more than {UNPACKED_RATIO_MAX} times its own size, unpacked")
        return filled
