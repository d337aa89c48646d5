"""What a user's code hands over, made exact or refused in his own stack (pure).

Numbers come from numpy and pandas as often as from Python. What is a whole number, or a real one, is taken as such; the
rest is refused here, where the traceback shows the line: in an order it would arrive as an ill-typed message.
"""

from __future__ import annotations

import operator
from decimal import Decimal
from numbers import Real
from typing import Any


def text(found: Any, what: str) -> str:
    """Return a text that a message can carry; `what` is how an error calls it.

    Raises:
        TypeError: it is no text.
        ValueError: it is empty, or has half of a surrogate pair, which nobody can write down.
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
    """Return a number of shares; its range is the order's to check.

    Raises:
        TypeError: it is no whole number by its type. 10.0 is none: whoever divides says how it is rounded.
    """
    if not isinstance(found, bool):
        try:
            return operator.index(found)
        except TypeError:
            pass
    raise TypeError(f"quantity is a whole number of shares, found {found!r} ({type(found).__name__})")


def limit_price(found: Any) -> float | None:
    """Return a price in rupees, or None for none; its range is the order's to check.

    Raises:
        TypeError: it is no real number by its type.
        ValueError: it is larger than any price.
    """
    if found is None:
        return None
    if isinstance(found, bool) or not isinstance(found, Real | Decimal):
        raise TypeError(f"limit_price is a number of rupees or None, found {found!r} ({type(found).__name__})")
    try:
        return float(found)
    except OverflowError as fault:
        raise ValueError(f"limit_price is a number of rupees that a float can hold, found {found!r}") from fault
