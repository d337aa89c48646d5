"""Words for people: counts in sentences, and text that any terminal can show.

Imports nothing, so that the command line starts fast.
"""

from __future__ import annotations


def counted(number: int, noun: str) -> str:
    """Return a number and its noun, in the plural unless it is 1: `1 row`, `2,000 rows`."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def printable(text: str, length_max: int = 64) -> str:
    """Return text as ASCII with escapes, at most `length_max` characters of it, for any file, log and terminal."""
    return text[:length_max].encode("ascii", "backslashreplace").decode("ascii")
