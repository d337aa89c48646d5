"""Whether a new list has all segments of the one before, and means the same by its numbers. Pure.

An order leaves by number. A list whose numbers are another's is well formed, as long as the one before, and sends every
order to another instrument: a column that is moved by a row, two columns changed for each other, a list of elsewhere.
One that lacks a segment is well formed, too, and most of it is there: no order of that segment would leave for a day.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from .errors import ListRefusedError

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from datetime import date

    from ...domain.instruments import Instrument

RENAMED_SHARE_MAX: Final = 0.02
"""Of the instruments that both lists have; a company that takes another name has some hundred contracts."""

RENAMED_MIN: Final = 20

SEGMENT_MIN: Final = 100
"""Instruments of a segment from which on it is missed."""

Number = tuple[str, str]


def expect_every_segment(instruments: Collection[Instrument], before: Collection[Number]) -> None:
    """Compare how many instruments of each segment a new list has with those of the one before.

    Args:
        instruments: of the new list.
        before: segments and security ids of the one before, without the contracts that have expired.

    Raises:
        ListRefusedError: of a segment there are less than half of those that there were.
    """
    found = Counter[str](each.segment for each in instruments)
    for segment, known in Counter(segment for segment, _ in before).items():
        wanted = -(-known // 2)
        if known >= SEGMENT_MIN and found[segment] < wanted:
            raise ListRefusedError(
                f"rows of {segment}: at least {wanted:,} (half of those in use) wanted, found {found[segment]:,}"
            )


def expect_same_numbers(instruments: Collection[Instrument], before: Mapping[Number, str], day: date) -> None:
    """Compare a new list with the one before.

    Args:
        instruments: of the new list.
        before: symbols of the one before, by segment and security id; without the contracts that have expired, whose
            numbers are given to others.
        day: today.

    Raises:
        ListRefusedError: a number is that of an instrument that has another one, or too many have another symbol.
    """
    both = 0
    renamed: dict[Number, str] = {}
    for each in instruments:
        number: Number = (each.segment, each.security_id)
        symbol = before.get(number)
        if symbol is not None and (each.expiry is None or each.expiry >= day):
            both += 1
            if symbol != each.symbol:
                renamed[number] = each.symbol
    if not renamed:
        return
    listed, known = {each.symbol for each in instruments}, set(before.values())
    for number, symbol in renamed.items():
        if symbol in known and before[number] in listed:
            raise ListRefusedError(f"{_told(number)}: {before[number]} wanted, as before, found {symbol}")
    most = max(RENAMED_MIN, int(both * RENAMED_SHARE_MAX))
    if len(renamed) > most:
        number, symbol = next(iter(renamed.items()))
        raise ListRefusedError(
            f"symbols: at most {most:,} others than before wanted, found {len(renamed):,} of {both:,}: "
            f"{_told(number)} was {before[number]}, and is {symbol}"
        )


def _told(number: Number) -> str:
    return ":".join(number)
