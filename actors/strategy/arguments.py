"""Checks of the arguments of a user's calls (pure).

Numbers come from numpy and pandas as often as from Python. Whole and real numbers of any type are converted; everything
else is refused here, where the traceback shows the user's line, instead of later as an ill-typed message.
"""

from __future__ import annotations

import operator
from decimal import Decimal
from numbers import Real
from typing import Any, TypeVar

from ...domain.money import as_float

Word = TypeVar("Word", bound=str)


def text(found: Any, what: str) -> str:
    """Check a text that a message has to carry, and return it; `what` names the argument in errors.

    Raises:
        TypeError: it is no text.
        ValueError: it is empty, or not valid in UTF-8 (a lone surrogate).
    """
    if not isinstance(found, str):
        raise TypeError(f"{what} is a text, found {found!r} ({type(found).__name__})")
    exact = str(found)
    if not exact:
        raise ValueError(f"{what} is at least 1 character, found none")
    try:
        exact.encode()
    except UnicodeEncodeError as fault:
        raise ValueError(f"{what} is a text that UTF-8 can write, found {found!a}") from fault
    return exact


def quantity(found: Any) -> int:
    """Return a number of shares; its range is checked by `SubmitOrder`.

    Raises:
        TypeError: its type is not that of a whole number. 10.0 is refused, too: the caller decides how to round.
    """
    try:
        return whole(found, "quantity")
    except TypeError:
        raise TypeError(f"quantity is a whole number of shares, found {found!r} ({type(found).__name__})") from None


def whole(found: Any, what: str) -> int:
    """Return a whole number; `what` names the argument in errors.

    Raises:
        TypeError: its type is not that of a whole number.
    """
    if not isinstance(found, bool):
        try:
            return operator.index(found)
        except TypeError:
            pass
    raise TypeError(f"{what} is a whole number, found {found!r} ({type(found).__name__})")


def price(found: Any, what: str) -> float | None:
    """Return a price in rupees, or None; its range is checked by `SubmitOrder`. `what` names the argument in errors.

    Raises:
        TypeError: its type is not that of a real number.
        ValueError: it is too large for a float.
    """
    if found is None:
        return None
    if isinstance(found, bool) or not isinstance(found, Real | Decimal):
        raise TypeError(f"{what} is a number of rupees or None, found {found!r} ({type(found).__name__})")
    try:
        return as_float(found)
    except OverflowError as fault:
        raise ValueError(f"{what} is a number of rupees that a float can hold, found {found!r}") from fault


def one_of(known: tuple[Word, ...], found: Any, what: str) -> Word:
    """Return one of the known words; `what` names the argument in errors.

    Raises:
        ValueError: it is none of them.
    """
    for word in known:
        if word == found:
            return word
    raise ValueError(f"{what} is one of {', '.join(known)}, found {found!r}")
