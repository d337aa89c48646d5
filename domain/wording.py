"""Words for people: counts in sentences, and text that any terminal can show.

Imports nothing of natya, so that the command line starts fast.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, get_args

if TYPE_CHECKING:
    from collections.abc import Sequence


def counted(number: int, noun: str) -> str:
    """Return a number and its noun, in the plural unless it is 1: `1 row`, `2,000 rows`."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def some(names: Sequence[str], number_max: int = 3) -> str:
    """Return the first names, and how many more there are: `INFY, SBIN, TCS and 2 more`."""
    more = len(names) - number_max
    return ", ".join(names[:number_max]) + (f" and {more:,} more" if more > 0 else "")


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


def expect_number(
    field: str, found: Any, *, least: float | None = None, above: float = 0, is_whole: bool = False
) -> None:
    """Check that a value is a finite number that is large enough, which no constructor does.

    Args:
        field: what the error calls it.
        found: the value.
        least: the smallest that is taken; None: every one above `above` is.
        above: counts without `least`.
        is_whole: only whole numbers are taken.

    Raises:
        ValueError: it is not; the text names the field, what is wanted and what was found.
    """
    is_number = isinstance(found, int if is_whole else int | float) and not isinstance(found, bool)
    if is_number and math.isfinite(found) and (found > above if least is None else found >= least):
        return
    bound = f"above {above:g}" if least is None else f"of at least {least:g}"
    raise ValueError(f"{field}: a {'whole ' if is_whole else ''}number {bound} is wanted, found {found!r}")
