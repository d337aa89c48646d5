"""Rupees: exact while they are worked out, rounded once, where they are shown.

A price travels as the float that is nearest to a decimal number. What it means is that number, the shortest that reads
back as the float: 1490.05, and not the 1490.0499999999999545… that the float is.
"""

from __future__ import annotations

from decimal import Context, Decimal, Inexact
from typing import Final

PAISA_PLACES: Final = 2
"""Decimal places of an amount of cash that is shown."""

COST_PLACES: Final = 18
"""Decimal places of what is paid for an open position: profit is worked out with it, and rounded again."""

PRICE_PLACES: Final = 4
"""Decimal places of an average price that is shown; no exchange has a finer tick (currency futures: 0.0025)."""


_EXACT: Final = Context(prec=400, traps=[Inexact])
"""Digits enough for the sum of a price below a femto-rupee and one of RUPEES_MAX; the 28 of Python's are not."""


def exact(price: float) -> Decimal:
    """Return the decimal number that a price stands for."""
    return Decimal(repr(price))


def exact_value(price: float, quantity: int) -> Decimal:
    """Return quantity times price, with every digit."""
    return _EXACT.multiply(exact(price), quantity)


def exact_sum(first: Decimal, second: Decimal) -> Decimal:
    """Return the sum, with every digit."""
    return _EXACT.add(first, second)


def rounded(numerator: int, denominator: int, places: int) -> Decimal:
    """Return a fraction (denominator above 0) as a decimal number of so many places; a tie goes to the even digit.

    Exact for integers of any size: no context of `decimal` has a part in it.
    """
    units, rest = divmod(numerator * 10**places, denominator)
    twice = 2 * rest
    units += twice > denominator or (twice == denominator and units & 1)
    return Decimal(f"{units}e-{places}")
