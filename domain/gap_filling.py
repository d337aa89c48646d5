"""Which gaps of the feed are filled next, and when: pure, with time passed in.

A gap is a time of one symbol in which nothing was heard of it, in whole minutes, since that is what charts have. What
is open is all that was told less what was filled, in whatever order both became known. One request has the candles of a
symbol for whole days, so it fills all of its gaps whose candles can be seen by then.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

import msgspec

from .calendar import MINUTE_NS
from .history import VISIBLE_S
from .spans import united, without
from .time import SECOND_NS, day_of

if TYPE_CHECKING:
    from .calendar import Span

SETTLED_S: Final = 600.0
"""So long after the end of a gap charts have all that there will ever be: a minute without a candle had no trade."""

RETRY_S: Final = 30.0
RETRY_MAX_S: Final = 900.0
"""Pauses between attempts for one symbol: they double."""

_VISIBLE_NS: Final = round(VISIBLE_S * SECOND_NS)


class Filling(msgspec.Struct, frozen=True, kw_only=True):
    """One request for the candles of a symbol, and the gaps that it is for."""

    symbol: str
    spans: tuple[Span, ...]

    @property
    def days(self) -> tuple[int, int]:
        """The first day, and the one after the last: days in India since 1970-01-01."""
        return day_of(self.spans[0][0]), day_of(self.spans[-1][1] - 1) + 1


class _Symbol(msgspec.Struct):
    told: tuple[Span, ...] = ()
    filled: tuple[Span, ...] = ()
    failures: int = 0
    not_before_ns: int = 0
    is_under_way: bool = False
    open: tuple[Span, ...] = ()


class GapBook:
    """The gaps that are known."""

    def __init__(self) -> None:
        self._symbols: dict[str, _Symbol] = {}
        self._open: dict[str, _Symbol] = {}
        """Those of which a gap is open."""

    def tell(self, symbol: str, start_ns: int, end_ns: int) -> None:
        """Note a gap."""
        known = self._symbols.setdefault(symbol, _Symbol())
        known.told = united([*known.told, minutes_of(start_ns, end_ns)])
        self._subtract(symbol, known)

    def fill(self, symbol: str, start_ns: int, end_ns: int) -> None:
        """Note that a time was filled."""
        known = self._symbols.setdefault(symbol, _Symbol())
        known.filled = united([*known.filled, minutes_of(start_ns, end_ns)])
        self._subtract(symbol, known)

    def _subtract(self, symbol: str, known: _Symbol) -> None:
        known.open = without(known.told, known.filled)
        if known.open:
            self._open[symbol] = known
        else:
            self._open.pop(symbol, None)
            known.failures = 0

    @property
    def open(self) -> int:
        """How many gaps are open."""
        return sum(len(each.open) for each in self._open.values())

    def begin(self, now_ns: int, rank: Callable[[str], int]) -> Filling | None:
        """Return the next request; None: none now.

        Args:
            now_ns: nanoseconds since 1970-01-01 UTC.
            rank: of a symbol; the lowest is first, and of the same rank the oldest gap.
        """
        due = [
            (rank(symbol), known.open[0], symbol)
            for symbol, known in self._open.items()
            if not known.is_under_way and known.not_before_ns <= now_ns and known.open[0][1] <= now_ns - _VISIBLE_NS
        ]
        if not due:
            return None
        _, _, symbol = min(due)
        spans = tuple(span for span in self._open[symbol].open if span[1] <= now_ns - _VISIBLE_NS)
        self._symbols[symbol].is_under_way = True
        return Filling(symbol=symbol, spans=spans)

    def failed(self, symbol: str, now_ns: int) -> None:
        """Note that a request failed, or was answered in part: it is made again after a while."""
        known = self._symbols[symbol]
        pause_s = min(RETRY_MAX_S, RETRY_S * 2.0 ** min(known.failures, 10))
        known.failures += 1
        known.not_before_ns = now_ns + round(pause_s * SECOND_NS)
        known.is_under_way = False

    def ended(self, symbol: str) -> None:
        """Note that a request has had its answer."""
        self._symbols[symbol].is_under_way = False

    def next_ns(self) -> int | None:
        """Tell when `begin` may have something; None: not before another gap is told, or a request has ended."""
        times = [
            max(known.not_before_ns, known.open[0][1] + _VISIBLE_NS)
            for known in self._open.values()
            if not known.is_under_way
        ]
        return min(times, default=None)


def is_whole(span: Span, newest_end_ns: int, now_ns: int) -> bool:
    """Tell whether charts that end with a candle that ends at `newest_end_ns` have all of a gap."""
    return newest_end_ns >= span[1] or now_ns >= span[1] + round(SETTLED_S * SECOND_NS)


def minutes_of(start_ns: int, end_ns: int) -> Span:
    """Return the whole minutes that a time touches, one at least."""
    first = start_ns // MINUTE_NS
    return first * MINUTE_NS, max(first + 1, -(-end_ns // MINUTE_NS)) * MINUTE_NS
