"""Words for people: counts in sentences, and text that any terminal can show.

Imports nothing of natya, so that the command line starts fast.
"""

from __future__ import annotations

from typing import Any, get_args


def counted(number: int, noun: str) -> str:
    """Return a number and its noun, in the plural unless it is 1: `1 row`, `2,000 rows`."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def printable(text: str, length_max: int = 64) -> str:
    """Return text as ASCII with escapes, at most `length_max` characters of it, for any file, log and terminal."""
    return text[:length_max].encode("ascii", "backslashreplace").decode("ascii")


def expect_word(field: str, found: Any, words: Any) -> None:
    """Check that a value is one of the words of a `Literal`, which no constructor does.

    Raises:
        ValueError: it is not; the text names the field, the words and what was found.
    """
    known = get_args(words)
    if found not in known:
        raise ValueError(f"{field}: one of {', '.join(map(repr, known))} is wanted, found {found!r}")
