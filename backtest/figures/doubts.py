"""Positions that the market's prices do not tell the worth of: over a split, or beyond an expiry (pure)."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Final

import numpy as np

from ...domain.expiries import has_expired
from ...domain.instruments import is_contract
from ...domain.time import DAY_NS, IST_OFFSET_NS, day_of, day_of_number
from ...domain.wording import counted, some

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from .curve import Bars, Marks
    from .trades import Trade

_GAP: Final = 0.15
"""A night seldom takes so much of a share; a bonus of one share for five takes a sixth."""

_NEIGHBOURS_NS: Final = 7 * DAY_NS
"""Marks that are farther apart, behind a hole in the data, may differ by anything."""


def doubts_of(trades: Sequence[Trade], marks: Marks, last_ns: int) -> Iterator[str]:
    """Yield what to know of each night whose prices look like a split, and of what was held beyond its last price.

    Args:
        trades: all of them.
        marks: the prices.
        last_ns: end of the data: nanoseconds since 1970-01-01 UTC.
    """
    by_symbol: defaultdict[str, list[Trade]] = defaultdict(list)
    for trade in trades:
        by_symbol[trade.symbol].append(trade)
    for symbol, of_symbol in sorted(by_symbol.items()):
        if not is_contract(symbol):
            yield from _jumps(symbol, of_symbol, marks.bars[symbol])
    yield from _ended(trades, marks, last_ns)
    expired = sorted({trade.symbol for trade in trades if trade.is_open and has_expired(trade.symbol, last_ns)})
    if expired:
        yield (
            "held beyond its expiry, and counted at its last price, not at what the exchange settles it at: "
            f"{some(expired)}"
        )


def _ended(trades: Sequence[Trade], marks: Marks, last_ns: int) -> Iterator[str]:
    """Yield what is held of a symbol that has no price any more, though others have: a contract may have expired."""
    held = sorted({trade.symbol for trade in trades if trade.is_open and not has_expired(trade.symbol, last_ns)})
    ended = {symbol: day_of(int(marks.times[symbol][-1])) for symbol in held if len(marks.times[symbol])}
    told = [f"{name} ({day_of_number(day)})" for name, day in ended.items() if day < day_of(last_ns)]
    if told:
        yield (
            "held at the end, and without a price since the day that is told, as what was suspended or delisted: it "
            f"counts at that price, at which nobody may have sold it since: {some(told)}"
        )


def _jumps(symbol: str, trades: Sequence[Trade], bars: Bars) -> Iterator[str]:
    times, opens, closes = np.array(bars.times), np.array(bars.opens), np.array(bars.closes)
    days = (times + IST_OFFSET_NS) // DAY_NS
    is_next = (days[1:] > days[:-1]) & (times[1:] - times[:-1] <= _NEIGHBOURS_NS)
    ratios = opens[1:] / closes[:-1]
    for at in np.flatnonzero(is_next & ((ratios < 1 - _GAP) | (ratios > 1 / (1 - _GAP)))).tolist():
        day = day_of_number(int(days[at + 1]))
        held = sum(_held(trade, int(times[at])) for trade in trades)
        yield (
            f"{symbol} goes from {closes[at]:.2f} to {opens[at + 1]:.2f} in the night before {day}, as by a split or "
            f"a bonus that the prices are not adjusted for: {_over_it(held)}"
        )


def _over_it(held: int) -> str:
    if not held:
        return "nothing was held over it, but indicators take it for a move"
    return f"{counted(held, 'trade')} held over it took it for profit or loss"


def _held(trade: Trade, at_ns: int) -> bool:
    return trade.entry_ns <= at_ns and (trade.exit_ns is None or trade.exit_ns > at_ns)
