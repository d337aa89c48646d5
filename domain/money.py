"""Rupees: exact in calculations, rounded once, for display.

A price is carried as the float nearest to a decimal number. It stands for that number, the shortest that reads back as
the same float: 1490.05, not the float's exact binary value 1490.0499999999999545….
"""

from __future__ import annotations

from decimal import Context, Decimal, Inexact
from typing import Any, Final

PAISA_PLACES: Final = 2
"""Decimal places of an amount of cash that is shown."""

COST_PLACES: Final = 18
"""Decimal places of the cost of an open position: fine enough that profit computed from it rounds as the exact one."""

PRICE_PLACES: Final = 4
"""Decimal places of an average price that is shown; no exchange has a finer tick (currency futures: 0.0025)."""


_FLOAT_BYTES: Final = 8

_EXACT: Final = Context(prec=400, traps=[Inexact])
"""Precise enough for the sum of the smallest and the largest price; Python's default of 28 digits is not."""


def as_float(number: Any) -> float:
    """Return a real number of any type, numpy's too, as the float nearest to the decimal number that it stands for.

    One of 32 bits or less stands for the shortest that reads back as it: 1480.1, not 1480.0999755859375.
    """
    if type(number) is float:
        return number
    is_short = getattr(number, "itemsize", _FLOAT_BYTES) < _FLOAT_BYTES
    return float(str(number) if is_short else number)


def exact(price: float) -> Decimal:
    """Return the decimal number that a price (rupees) stands for."""
    return Decimal(repr(price))


def exact_value(price: float, quantity: int) -> Decimal:
    """Return price (rupees a share) times quantity (shares), without rounding."""
    return _EXACT.multiply(exact(price), quantity)


def exact_sum(first: Decimal, second: Decimal) -> Decimal:
    """Return the sum, without rounding."""
    return _EXACT.add(first, second)


def rounded(numerator: int, denominator: int, places: int) -> Decimal:
    """Return a fraction (denominator above 0) as a decimal number of so many places; a tie goes to the even digit.

    Exact for integers of any size: the context of `decimal` is not used.
    """
    units, rest = divmod(numerator * 10**places, denominator)
    twice = 2 * rest
    units += twice > denominator or (twice == denominator and units & 1)
    return Decimal(f"{units}e-{places}")
