"""Candles of the past: which days have to be asked for, what an answer is worth, and what is missing. Pure.

The problem: history comes in requests of ninety days at most, a fetch may be killed between two of them, and nobody
says of a minute without a candle whether it had no trade. The idea: days that were asked for are remembered, so that
what is missing is a difference of ranges; and what is missing is told against the sessions of the exchange.

The trap: prices are adjusted backwards for splits and bonus issues. A year that was fetched in spring and continued in
autumn, after a bonus issue of one to one in between, shows a fall of one half on a day without any. So a range that
continues another overlaps it by one session, and where the two differ all of it is asked for again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from statistics import median
from typing import TYPE_CHECKING, Final, TypeAlias

import msgspec

from .calendar import MINUTE_NS, session
from .candles import start_of
from .spans import united, without
from .time import DAY_NS, day_of_number, day_start_ns
from .venues import venue_of

if TYPE_CHECKING:
    from ..messages.instruments import Segment
    from .calendar import Exchange, Market, Span

INTERVALS: Final = {
    "1m": MINUTE_NS,
    "5m": 5 * MINUTE_NS,
    "15m": 15 * MINUTE_NS,
    "1h": 60 * MINUTE_NS,
    "1d": DAY_NS,
}
"""Lengths of the candles that are fetched, by name."""

VISIBLE_S: Final = 120.0
"""Seconds after its end until the broker shows a candle, at most."""

ADJUSTED_SHARE: Final = 0.001
"""Prices of one candle that differ by more, as the median of all that overlap, were adjusted; less is a correction."""

Days: TypeAlias = tuple[int, int]
"""The first day, and the one after the last: days in India since 1970-01-01."""

_NEIGHBOUR_DAYS_MAX: Final = 30
"""Days within which a neighbouring session is looked for; the longest pause so far was five."""

_KNOWN: Final[frozenset[Segment]] = frozenset({"IDX_I", "NSE_EQ", "BSE_EQ", "NSE_FNO", "BSE_FNO"})
"""Segments whose sessions are known, so that missing minutes can be told."""


class Hours(msgspec.Struct, frozen=True):
    """When an instrument trades; of a market whose sessions are not known (`exchange` is None) on each day."""

    exchange: Exchange | None = "NSE"
    market: Market = "CASH"

    @classmethod
    def of(cls, segment: Segment, symbol: str = "", *, is_underlying: bool | None = None) -> Hours:
        """Return those of an instrument; of commodities and currencies they are not known.

        Args:
            segment: an exchange and what is traded there.
            symbol: natya's own name: shares that derivatives are of end earlier than others.
            is_underlying: whether it is one of these, where the list of instruments says so.
        """
        return cls(*venue_of(segment, symbol, is_underlying=is_underlying)) if segment in _KNOWN else cls(None)

    @property
    def are_known(self) -> bool:
        """Whether it can be said that something is missing."""
        return self.exchange is not None

    def trades_on(self, day: int) -> bool:
        """Whether there is a session on a day."""
        return self.exchange is None or session(day_of_number(day), self.exchange, self.market) is not None

    def spans(self, day: int) -> tuple[Span, ...]:
        """Return the hours of continuous trading of a day; none where they are not known."""
        found = None if self.exchange is None else session(day_of_number(day), self.exchange, self.market)
        return () if found is None else found.spans


class Missing(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Candles that the exchange's hours have room for, and that are not there; closed hours may lie between them."""

    start_ns: int
    """Of the first: nanoseconds since 1970-01-01 UTC."""

    end_ns: int
    """Of the last."""

    candles: int
    sessions: int = 0
    """Whole sessions among them. Without any, the minutes may have had no trade."""


# Which days are asked for.


def pieces(
    wanted: Days, had: Sequence[Days], hours: Hours, *, days_max: int, overlaps: bool = True
) -> tuple[Days, ...]:
    """Cut what is not had of the wanted days into ranges of at most `days_max` days, in the order of time.

    Each continues what is had by one session that both have, where something is had next to it; where nothing is, the
    nearest session that is had is asked for again. All that is had was told at one time, or compared with what was: so
    one session shows whether prices have been adjusted since. Days without a session are left out at both ends.

    Args:
        wanted: days.
        had: days that were asked for before, in any order.
        hours: of the instrument.
        days_max: of one request; at least 3.
        overlaps: whether to ask for sessions that are had.
    """
    known = united(had)
    inner = [each for each in (_trimmed(days, hours) for days in without([wanted], known)) if each is not None]
    if not overlaps or not inner:
        return tuple(piece for days in inner for piece in _cut(days, days_max))
    outer = [_overlapping(days, known, hours) for days in inner]
    if outer == inner and (nearest := _nearest_session(inner[0][0], known, hours)) is not None:
        outer = sorted([*outer, (nearest, nearest + 1)])
    return tuple(piece for days in outer for piece in _cut(days, days_max))


def _trimmed(days: Days, hours: Hours) -> Days | None:
    """Leave out the days at both ends that have no session; None where none has."""
    first = next((day for day in range(*days) if hours.trades_on(day)), None)
    if first is None:
        return None
    return first, next(day for day in reversed(range(*days)) if hours.trades_on(day)) + 1


def _overlapping(inner: Days, known: Sequence[Days], hours: Hours) -> Days:
    first, end = inner
    before = next((day for day in _near(first, -1) if hours.trades_on(day)), None)
    after = next((day for day in _near(end - 1, 1) if hours.trades_on(day)), None)
    if before is not None and any(since <= before < until for since, until in known):
        first = before
    if after is not None and any(since <= after < until for since, until in known):
        end = after + 1
    return first, end


def _nearest_session(day: int, known: Sequence[Days], hours: Hours) -> int | None:
    """Return the last session that is had before a day, else the first one after it; None where none is had."""
    before = (each for first, end in reversed(known) if first < day for each in range(end - 1, first - 1, -1))
    after = (each for first, end in known if first >= day for each in range(first, end))
    return next((each for each in chain(before, after) if hours.trades_on(each)), None)


def _near(day: int, step: int) -> range:
    return range(day + step, day + step * _NEIGHBOUR_DAYS_MAX, step)


def _cut(days: Days, days_max: int) -> Iterator[Days]:
    first, end = days
    while first < end:
        until = min(first + days_max, end)
        yield first, until
        first = until


def adjusted_by(before: Mapping[int, float], now: Mapping[int, float]) -> float | None:
    """Return by which factor prices of the same candles have been adjusted; None: they have not, or none is the same.

    Args:
        before: closing prices as they were stored, by start.
        now: the same as they are told now.
    """
    factors = [now[start] / before[start] for start in before.keys() & now.keys() if before[start] > 0]
    if not factors:
        return None
    factor = median(factors)
    return factor if abs(factor - 1) > ADJUSTED_SHARE else None


# What is missing.


def missing(
    runs: Iterable[Span], interval_ns: int, hours: Hours, *, since_ns: int, until_ns: int
) -> tuple[Missing, ...]:
    """List the candles that are not there, though the exchange traded and their end is not after `until_ns`.

    Args:
        runs: first and last start of candles that follow each other without a break, in the order of time.
        interval_ns: length of the candles: a day at most.
        hours: of the instrument; where they are not known nothing is missing.
        since_ns: nothing that begins before it is missing.
        until_ns: exclusive.
    """
    found: list[Missing] = []
    there = iter(runs)
    run = next(there, None)
    is_next_to_last = False
    """Whether nothing was there between the last of `found` and what comes now."""

    for first_ns, end_ns in _sessions(interval_ns, hours, since_ns, until_ns):
        at_ns = first_ns
        while at_ns < end_ns:
            while run is not None and run[1] < at_ns:
                run = next(there, None)
            if run is not None and run[0] <= at_ns:
                at_ns = run[1] + interval_ns
                is_next_to_last = False
                continue
            stop_ns = end_ns if run is None else min(end_ns, run[0])
            count = -(-(stop_ns - at_ns) // interval_ns)
            whole = int(at_ns == first_ns and stop_ns == end_ns)
            if is_next_to_last:
                last = found[-1]
                found[-1] = Missing(
                    start_ns=last.start_ns,
                    end_ns=stop_ns,
                    candles=last.candles + count,
                    sessions=last.sessions + whole,
                )
            else:
                found.append(Missing(start_ns=at_ns, end_ns=stop_ns, candles=count, sessions=whole))
            is_next_to_last = True
            at_ns += count * interval_ns
    return tuple(found)


def _sessions(interval_ns: int, hours: Hours, since_ns: int, until_ns: int) -> Iterator[Span]:
    """List the starts that candles may have: the first, and the end of the last, of each stretch of trading."""
    first_day = (since_ns - day_start_ns(0)) // DAY_NS
    last_day = (until_ns - day_start_ns(0)) // DAY_NS
    for day in range(first_day, last_day + 1):
        spans = hours.spans(day)
        if interval_ns >= DAY_NS:
            if spans and since_ns <= day_start_ns(day) and day_start_ns(day) + DAY_NS <= until_ns:
                yield day_start_ns(day), day_start_ns(day) + DAY_NS
            continue
        for open_ns, close_ns in spans:
            opening_ns = start_of(open_ns, interval_ns)
            first_ns = opening_ns + max(0, -(-(since_ns - opening_ns) // interval_ns)) * interval_ns
            over = max(0, min(close_ns, until_ns) - first_ns)
            ended = over // interval_ns if until_ns < close_ns else -(-over // interval_ns)
            if ended:
                yield first_ns, first_ns + ended * interval_ns
