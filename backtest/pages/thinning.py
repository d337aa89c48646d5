"""Fewer bars and points than there are, for a picture: what is left out never hides an extreme (numpy, pure).

Bars are joined, several to one: its open is that of the first, its close that of the last, and its high and low are
those of all. Of a curve each stretch keeps its highest and its lowest value, at their own times.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec
import numpy as np

from ...domain.time import SECOND_NS

if TYPE_CHECKING:
    from ..figures.curve import Bars
    from ..figures.measures import Floats, Integers


class Joined(msgspec.Struct, frozen=True):
    """Bars, equally long columns."""

    seconds: Integers
    """End of each since 1970-01-01 UTC, each once, in order: what a picture tells apart."""

    ends_ns: Integers
    opens: Floats
    highs: Floats
    lows: Floats
    closes: Floats
    joined: int
    """At most so many to one; 1: all are as they were."""


def joined(bars: Bars, bars_max: int) -> Joined:
    """Join bars until there are at most `bars_max`; those that end in the same second are one in any case."""
    ends_ns = np.frombuffer(bars.times, np.int64)
    order = np.argsort(ends_ns, kind="stable")  # candles of several lengths come by their own starts
    opens, highs, lows, closes = (
        np.frombuffer(each, np.float64)[order] for each in (bars.opens, bars.highs, bars.lows, bars.closes)
    )
    ends_ns = ends_ns[order]
    seconds = ends_ns // SECOND_NS
    firsts = np.flatnonzero(np.concatenate(([True], seconds[1:] != seconds[:-1]))) if len(seconds) else _NONE
    step = -(-len(firsts) // bars_max) if len(firsts) else 1
    firsts = firsts[::step]
    if not len(firsts):
        return Joined(seconds, ends_ns, opens, highs, lows, closes, joined=1)
    lasts = np.append(firsts[1:], len(seconds)) - 1
    return Joined(
        seconds[lasts],
        ends_ns[lasts],
        opens[firsts],
        np.maximum.reduceat(highs, firsts),
        np.minimum.reduceat(lows, firsts),
        closes[lasts],
        joined=int(np.max(lasts - firsts)) + 1,
    )


_NONE: Final = np.zeros(0, np.int64)


def extremes(columns: list[Floats], stretches_max: int) -> Integers:
    """Return the places of the highest and lowest value of each column in each stretch, and of both ends, in order.

    All places, where there are no more than two to a stretch.
    """
    count = len(columns[0])
    if count <= 2 * stretches_max:
        return np.arange(count)
    size = -(-count // stretches_max)
    kept = [np.array([0, count - 1])]
    whole = count // size * size
    begins = np.arange(0, whole, size)
    for column in columns:
        rows = column[:whole].reshape(-1, size)
        kept += [begins + np.argmax(rows, axis=1), begins + np.argmin(rows, axis=1)]
        if whole < count:
            kept.append(np.array([whole + np.argmax(column[whole:]), whole + np.argmin(column[whole:])]))
    return np.unique(np.concatenate(kept))
