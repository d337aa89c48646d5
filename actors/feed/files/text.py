"""Bytes of a file as text: in which encoding they are, and by what a line is divided."""

from __future__ import annotations

import codecs
from typing import Final

import msgspec

DIVIDERS: Final = (",", ";", "\t", "|")
"""What may stand between two fields; the first one that is most frequent in the first line does."""

_NO_WINDOWS_TEXT = frozenset(b"\x81\x8d\x8f\x90\x9d\xff")
"""Bytes that Windows text does not have; `ÿ` begins or ends no word, but broken files are full of it."""

_EXCEL_HINT = "sep="
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_HALF = 0.4


class Written(msgspec.Struct, frozen=True, kw_only=True):
    """How a file was written."""

    kind: str
    """CSV, JSON, Parquet or DuckDB."""

    packing: str = ""
    """gzip, zip or zstd; empty: none."""

    encoding: str = ""
    """Of its text, as Python calls it."""

    divider: str = ""
    """Between two fields of a line."""

    layout: str = ""
    """Whose file it is, where that is known."""

    renamed: dict[str, str] = {}
    """What columns are called in the file, by the names that they are read by, where these differ."""

    notes: tuple[str, ...] = ()
    """What was guessed, for the user."""


def encoding_of(head: bytes) -> str:
    """Tell the encoding from the first bytes: by its mark, by the zeros of UTF-16, else UTF-8, else Windows-1252."""
    for mark, encoding in _MARKS:
        if head.startswith(mark):
            return encoding
    even, odd = head[0::2], head[1::2]
    if odd.count(0) > _HALF * len(odd) and not even.count(0):
        return "utf-16-le"
    if even.count(0) > _HALF * len(even) and not odd.count(0):
        return "utf-16-be"
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        return "utf-8" if _NO_WINDOWS_TEXT.intersection(head) else "cp1252"
    return "utf-8"


def divider_of(line: str) -> str:
    """Tell what divides the fields of a header; a comma where nothing does."""
    hint = line.strip()
    if is_hint(hint):
        return hint[len(_EXCEL_HINT)]
    outside = "".join(line.split('"')[0::2])
    return max(DIVIDERS, key=outside.count)


def is_hint(line: str) -> bool:
    """Return whether a line is what spreadsheets write above the header to say what divides it: `sep=;`."""
    return len(line.strip()) == len(_EXCEL_HINT) + 1 and line.lower().startswith(_EXCEL_HINT)
