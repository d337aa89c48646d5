"""Candles made of ticks as they come: each told once, when it is closed. Pure.

A candle is closed by a later tick of its symbol, or when its time is over. A tick that comes for a closed candle is
late: it is counted, and its price is in no candle, since a strategy may have acted on that one. Its shares are counted
in the next candle, so that volumes still sum to that of the day. A packet that tells the last trade once more, since
the book has changed, is not late: a live feed sends many for each trade.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ..messages.market import Candle
from .calendar import session_at
from .candles import Bar, end_of, start_of
from .time import DAY_NS
from .volumes import DayVolume

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from ..messages.market import Tick
    from .calendar import Exchange

NEVER_NS: Final = 200_000 * DAY_NS
"""A time that no candle sees, in the year 2517."""


class _Growing:
    """The candle of one symbol and interval that is not closed yet."""

    __slots__ = ("bar", "carried", "closed_ns", "closes_ns", "end_ns", "interval_ns", "is_whole", "since_ns", "source")

    def __init__(self, interval_ns: int, since_ns: int) -> None:
        self.interval_ns: Final = interval_ns
        self.since_ns = since_ns
        self.bar: Bar | None = None
        self.source = ""
        self.is_whole = True
        self.end_ns = 0
        self.closes_ns = 0
        self.closed_ns = 0
        """End of the newest closed candle: a tick before it is late."""

        self.carried = 0
        """Shares of late ticks since the last candle began."""


class SymbolCandles:
    """The candles of one symbol, of each interval that is wanted."""

    __slots__ = ("_before", "_growing", "_maker", "_symbol", "_volume")

    def __init__(self, symbol: str, maker: CandleMaker) -> None:
        self._symbol = symbol
        self._maker = maker
        self._before: Tick | None = None
        self._volume = DayVolume()
        self._growing: tuple[_Growing, ...] = ()

    def want(self, intervals: dict[int, int]) -> None:
        """Make candles of these intervals (ns) from now on, each since a time; what grows of them goes on."""
        known = {each.interval_ns: each for each in self._growing}
        for gone in known.keys() - intervals.keys():
            self._maker.forget(known[gone])
        for interval_ns, since_ns in intervals.items():
            growing = known.setdefault(interval_ns, _Growing(interval_ns, since_ns))
            growing.since_ns = min(growing.since_ns, since_ns)
        self._growing = tuple(known[interval_ns] for interval_ns in sorted(intervals))

    def add(self, tick: Tick) -> list[Candle]:
        """Take the next tick; return the candles that it closes, the shortest first."""
        time_ns, price = tick.exchange_ns, tick.price
        shares = self._volume.add(time_ns, tick.quantity, tick.volume)
        before, self._before = self._before, tick
        closed: list[Candle] = []
        is_late = False
        for growing in self._growing:
            bar = growing.bar
            if bar is not None and bar.start_ns <= time_ns < growing.end_ns:
                bar.add(time_ns, price, shares)
            elif time_ns < (growing.closed_ns if bar is None else bar.start_ns):
                if before is not None and _is_told_again(tick, before):
                    return closed
                is_late = True
                if bar is None:
                    growing.carried += shares
                else:
                    bar.volume += shares
            else:
                if bar is not None:
                    closed += self._maker.close(self._symbol, growing)
                self._begin(growing, tick, shares)
        if is_late:
            self._maker.late += 1
        return closed

    def spoil(self, until_ns: int) -> None:
        """Leave out the open candles that begin before this time: a part of theirs was not heard."""
        for growing in self._growing:
            if growing.bar is not None and growing.bar.start_ns < until_ns:
                growing.is_whole = False

    def _begin(self, growing: _Growing, tick: Tick, shares: int) -> None:
        interval_ns, time_ns = growing.interval_ns, tick.exchange_ns
        start_ns = start_of(time_ns, interval_ns)
        growing.bar = Bar.of(start_ns, time_ns, tick.price, shares + growing.carried)
        growing.carried = 0
        growing.source = tick.source
        growing.end_ns = end_of(start_ns, interval_ns)
        self._maker.opened(self._symbol, growing)


class CandleMaker:
    """The candles of all symbols that are not closed yet, in order of their end."""

    def __init__(self, *, exchange: Exchange | None = None) -> None:
        """Begin without any.

        Args:
            exchange: at whose close the candles of its day are closed, since nothing is traded later, and before whose
                opening nothing is; None: trading never ends.
        """
        self._exchange: Final = exchange
        self._symbols: dict[str, SymbolCandles] = {}
        self._closing: dict[int, dict[_Growing, str]] = {}
        self._recorded: set[tuple[str, int]] = set()
        self._unheard_until_ns: dict[str, int] = {}
        self.next_close_ns = NEVER_NS
        """No candle is to be closed by `close_until` before."""

        self.made = 0
        self.late = 0
        """Ticks that came for a closed candle."""

        self.partial = 0
        """Candles that were not sent, since part of their time was not listened to."""

    def of(self, symbol: str, intervals: dict[int, int]) -> SymbolCandles | None:
        """Return the candles of a symbol, of exactly these intervals from now on, each since a time; None: of none."""
        intervals = {
            interval_ns: since_ns
            for interval_ns, since_ns in intervals.items()
            if (symbol, interval_ns) not in self._recorded
        }
        found = self._symbols.get(symbol)
        if found is None:
            if not intervals:
                return None
            found = self._symbols[symbol] = SymbolCandles(symbol, self)
        found.want(intervals)
        return found if intervals else None

    def leave_to_recording(self, symbol: str, interval_ns: int) -> bool:
        """Make none of this symbol and interval: the recording has them. Return whether that is new; then ask `of`."""
        is_new = (symbol, interval_ns) not in self._recorded
        self._recorded.add((symbol, interval_ns))
        return is_new

    def gapped(self, symbols: Iterable[str], until_ns: int) -> None:
        """Leave out the candles of which a part was missed: nothing came of these symbols until then."""
        for symbol in symbols:
            self._unheard_until_ns[symbol] = max(until_ns, self._unheard_until_ns.get(symbol, 0))
            if symbol in self._symbols:
                self._symbols[symbol].spoil(until_ns)

    def close_until(self, time_ns: int) -> list[Candle]:
        """Return the candles whose time is over, in order of their end, then of symbol and interval."""
        closed: list[Candle] = []
        for closes_ns in sorted(each for each in self._closing if each <= time_ns):
            over = self._closing[closes_ns]
            for growing, symbol in sorted(over.items(), key=lambda item: (item[1], item[0].interval_ns)):
                closed += self.close(symbol, growing)
        self.next_close_ns = min(self._closing, default=NEVER_NS)
        return closed

    # For the candles of a symbol.

    def opened(self, symbol: str, growing: _Growing) -> None:
        """Note when it is to be closed, and whether all of its time is listened to."""
        bar = growing.bar
        assert bar is not None, "a candle begins with its first tick"
        growing.closes_ns = growing.end_ns
        listened_from_ns = bar.start_ns
        session = None if self._exchange is None else session_at(bar.start_ns, self._exchange, "DERIVATIVES")
        if session is not None:
            listened_from_ns = max(bar.start_ns, session.pre_open_ns)
            if bar.first_ns < session.close_ns:
                growing.closes_ns = min(growing.end_ns, session.close_ns)
        # A candle of which a part was not listened to is no candle: its high may have been higher.
        growing.is_whole = max(growing.since_ns, self._unheard_until_ns.get(symbol, 0)) <= listened_from_ns
        self._closing.setdefault(growing.closes_ns, {})[growing] = symbol
        self.next_close_ns = min(self.next_close_ns, growing.closes_ns)

    def close(self, symbol: str, growing: _Growing) -> Iterable[Candle]:
        """Close it, and return it; nothing if a part of its time was not listened to."""
        bar = growing.bar
        assert bar is not None, "an open candle is closed"
        self.forget(growing)
        growing.bar, growing.closed_ns = None, growing.end_ns
        if not growing.is_whole:
            self.partial += 1
            return ()
        self.made += 1
        candle = Candle(
            symbol=symbol,
            interval_ns=growing.interval_ns,
            start_ns=bar.start_ns,
            open=bar.open,
            high=bar.high,
            low=bar.low,
            close=bar.close,
            volume=bar.volume,
            source=growing.source,
        )
        return (candle,)

    def forget(self, growing: _Growing) -> None:
        """Close it no more."""
        if growing.bar is None:
            return
        over = self._closing[growing.closes_ns]
        del over[growing]
        if not over:
            del self._closing[growing.closes_ns]


def _is_told_again(tick: Tick, before: Tick) -> bool:
    """Return whether a tick tells the trade of the one before once more; a new day's volume may begin at 0 with it."""
    return (
        tick.exchange_ns == before.exchange_ns
        and tick.price == before.price
        and tick.quantity == before.quantity
        and tick.volume <= before.volume
    )


def intervals_of(wanted: Iterable[tuple[Collection[int], int]]) -> dict[int, int]:
    """Join what several want, intervals (ns) since a time each: every interval once, since the earliest."""
    joined: dict[int, int] = {}
    for intervals, since_ns in wanted:
        for interval_ns in intervals:
            joined[interval_ns] = min(since_ns, joined.get(interval_ns, since_ns))
    return joined
