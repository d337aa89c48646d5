"""A file as a table, whatever kind it is: told by its first bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from .arranged import arranged
from .csv_table import CsvTable
from .frames import flattened
from .json_table import JsonTable
from .packing import BUFFER_BYTES, packing_of, unpacked
from .table import FileTable, open_regular
from .text import encoding_of

if TYPE_CHECKING:
    import contextlib
    from io import BufferedReader
    from pathlib import Path

    from .layouts import Layout

_PARQUET_MAGIC: Final = b"PAR1"
_HEAD_BYTES: Final = 64
"""First bytes that tell JSON from lines of text."""


def open_table(path: Path, stack: contextlib.ExitStack) -> tuple[FileTable, Layout | None]:
    """Open a file, until the stack is closed; return its table, and its layout where that is a known one.

    Raises:
        OSError: it is missing, no file, or cannot be read.
        csv.Error: its first row is too long.
    """
    return arranged(flattened(_table(path, stack)))


def is_packed(file: BufferedReader) -> bool:
    """Tell from its first bytes whether an open file holds more than its size says."""
    head = file.peek(_HEAD_BYTES)
    return head.startswith(_PARQUET_MAGIC) or bool(packing_of(head))


def _table(path: Path, stack: contextlib.ExitStack) -> FileTable:
    file = stack.enter_context(open_regular(path))
    if file.peek(len(_PARQUET_MAGIC)).startswith(_PARQUET_MAGIC):
        from .database_table import DatabaseTable  # noqa: PLC0415  DuckDB is loaded where it is needed

        return DatabaseTable(path, stack)
    plain, packing = unpacked(file, stack)
    head = plain.read(BUFFER_BYTES) if plain is file else plain.peek(BUFFER_BYTES)
    if plain is file:
        file.seek(0)
    first = head[:_HEAD_BYTES].decode(encoding_of(head), errors="replace").lstrip("\ufeff \t\r\n")
    if first.startswith(("{", "[")):
        return JsonTable(plain, packing, head)
    return CsvTable(file, plain, packing, head, stack)
