"""Rows of candles: each becomes four ticks that could have made it, and the candle itself.

All symbols share one clock. The ticks of a row are buffered until a row with a later start is read, so that those of
all symbols are released in the order of their times, and a candle at the end of its interval: the close of one symbol
never precedes an earlier open of another. At equal times the order is that of the symbols, whatever the rows' order.
"""

from __future__ import annotations

import bisect
from operator import itemgetter
from typing import TYPE_CHECKING, Final, TypeAlias

from msgspec.structs import force_setattr

from ...domain.calendar import Exchange, open_spans, session_at
from ...domain.candles import Path, in_order_of_path, split, times_of
from ...domain.time import DAY_NS, day_of, day_start_ns, time_text
from ...messages.market import Candle, Tick
from ...messages.units import INTEGER_MAX
from .numbers import Memo, PriceReader, whole
from .rows import SymbolColumn

if TYPE_CHECKING:
    from collections.abc import Callable

    from ...messages.market import MarketMessage
    from .columns import Columns, Row

_CANDLE, _TICK = 0, 1
"""At equal times, candles that end come before ticks of candles that begin."""

_Event: TypeAlias = tuple[int, int, str, int, Candle | Tick]
"""Time, candle or tick, symbol, ticks made so far, and the message."""

_message_of = itemgetter(4)


def times_of_candle(start_ns: int, end_ns: int, exchange: Exchange | None) -> Path:
    """Return the times of a candle's four prices: within the part in which the exchange is open, if there is one."""
    spans = open_spans(start_ns, end_ns, exchange) if exchange else ()
    return times_of(spans or ((start_ns, end_ns),))


class _Day:
    """A day in India: when it ends, and within which hours of it a market that is open meets the prices of a candle."""

    __slots__ = ("close_ns", "ends_ns", "open_ns")

    def __init__(self, time_ns: int, exchange: Exchange | None) -> None:
        """Take the day of a time; all of it is open where there is no exchange, or no session on it."""
        begin_ns = day_start_ns(day_of(time_ns))
        self.ends_ns: Final = begin_ns + DAY_NS
        session = session_at(time_ns, exchange) if exchange else None
        if exchange is None:
            self.open_ns, self.close_ns = begin_ns, INTEGER_MAX
        else:
            self.open_ns, self.close_ns = session.spans[0] if session else (begin_ns, self.ends_ns)


class _Series:
    """The candles of one symbol: how long they are, where the last one begins and ends, and the volume of its day."""

    __slots__ = ("counted", "day", "ends_ns", "interval_ns", "last_ns", "offsets_ns")

    def __init__(self, interval_ns: int) -> None:
        self.interval_ns: Final = interval_ns
        self.offsets_ns: Final = times_of(((0, interval_ns),))
        self.last_ns = self.ends_ns = -1
        self.day: _Day | None = None
        self.counted = 0


class CandleRows:
    """Reads a candle a row and, where they are to be `replayed`, the four ticks before it.

    The ticks stand at the start of the interval, at its thirds and in its last nanosecond, as far as the exchange was
    open in it; their `volume` counts the day in India. Rows come in the order of time; those of one symbol each have a
    time of their own, and a candle that the next one of its symbol cuts short ends there.
    """

    def __init__(  # noqa: PLR0913  what is to be known of a file
        self,
        columns: Columns,
        *,
        symbol: SymbolColumn,
        grid: PriceReader,
        source: str,
        interval_of: Callable[[str], int],
        exchange: Exchange | None,
        replayed: bool,
    ) -> None:
        self._replayed = replayed
        self._source = source
        self._exchange: Final = exchange
        self._interval_of = interval_of
        self._symbol = symbol.of
        self._time = columns.times().read
        self._time_at, self._volume_at = columns.at("time"), columns.at("volume")
        self._prices = columns.pick("open", "high", "low", "close")
        price = columns.rupees(grid.price)
        self._price = Memo(lambda text: (price(text), grid.count(price(text)))).__getitem__
        self._volume = columns.numbers(whole)
        self._made = 0
        """Ticks so far, numbered as they were made: in their order, as long as all are of one symbol."""

        self._sequence: int | None = None
        """Of the newest one that was released, since there are several symbols, whose order is known only then."""

        self._newest_ns = 0
        self._series: dict[str, _Series] = {}
        self._waiting: list[_Event] = []
        self._day = _Day(0, exchange)
        """Of the row that was read last."""

    def read(self, row: Row, messages: list[MarketMessage]) -> None:
        """Append the messages that are due before this row begins.

        Raises:
            ValueError: as `RowReader` says.
        """
        start_ns = self._time(row[self._time_at])
        symbol = self._symbol(row)
        series = self._series.get(symbol) or _Series(self._interval_of(symbol))
        if start_ns <= series.last_ns or start_ns < self._newest_ns:
            same = series.last_ns >= self._newest_ns
            wanted = f"after {time_text(series.last_ns)}" if same else f"not before {time_text(self._newest_ns)}"
            raise ValueError(f"a start {wanted} is wanted, found {row[self._time_at]!r}")
        (open_, open_ticks), (high, high_ticks), (low, low_ticks), (close, close_ticks) = map(
            self._price, self._prices(row)
        )
        if not (low <= open_ <= high and low <= close <= high):
            raise ValueError(
                f"open and close between low and high are wanted, "
                f"found open {open_}, high {high}, low {low}, close {close}"
            )
        end_ns = start_ns + series.interval_ns
        volume = self._volume(row[self._volume_at])
        day = self._day if start_ns < self._day.ends_ns else _Day(start_ns, self._exchange)
        before = series.counted if day is series.day else 0
        if before + volume > INTEGER_MAX:  # no candle of 27 days at most ends where a time does not fit
            raise ValueError("a volume of the day that fits into 64 bits is wanted, found more")

        if symbol not in self._series:
            self._series[symbol] = series
            if len(self._series) == 2:  # noqa: PLR2004  the first of several: from here on they are ordered by time
                self._sequence = self._made - sum(kind == _TICK for _, kind, *_ in self._waiting)
        if start_ns < series.ends_ns:
            self._cut(symbol, start_ns)
        if start_ns > self._newest_ns:
            self._newest_ns = start_ns
            self._waiting.sort()
            self._release(bisect.bisect_left(self._waiting, (start_ns, _TICK)), messages)
        series.last_ns, series.ends_ns, series.day, series.counted = start_ns, end_ns, day, before + volume
        self._day = day
        waiting, source, sequence = self._waiting, self._source, self._made
        if self._replayed:
            prices = in_order_of_path((open_, high, low, close), (open_ticks, high_ticks, low_ticks, close_ticks))
            first_ns, second_ns, third_ns, last_ns = series.offsets_ns
            times = (
                (start_ns + first_ns, start_ns + second_ns, start_ns + third_ns, start_ns + last_ns)
                if day.open_ns <= start_ns and end_ns <= day.close_ns
                else times_of_candle(start_ns, end_ns, self._exchange)
            )
            for price, quantity, time_ns in zip(prices, split(volume), times, strict=True):
                before += quantity
                sequence += 1
                tick = Tick(
                    symbol=symbol,
                    price=price,
                    quantity=quantity,
                    exchange_ns=time_ns,
                    source=source,
                    sequence=sequence,
                    volume=before,
                )
                waiting.append((time_ns, _TICK, symbol, sequence, tick))
            self._made = sequence
        candle = Candle(
            symbol=symbol,
            interval_ns=series.interval_ns,
            start_ns=start_ns,
            open=open_,
            high=high,
            low=low,
            close=close,
            volume=volume,
            source=source,
        )
        waiting.append((end_ns, _CANDLE, symbol, sequence, candle))

    def finish(self, messages: list[MarketMessage]) -> None:
        """Append all that is buffered."""
        self._waiting.sort()
        self._release(len(self._waiting), messages)

    def _cut(self, symbol: str, start_ns: int) -> None:
        """Let the candle of a symbol end where its next one begins."""
        for at, (time_ns, kind, whose, made, message) in enumerate(self._waiting):
            if time_ns >= start_ns and whose == symbol:
                cut_ns = start_ns if kind == _CANDLE else start_ns - 1
                self._waiting[at] = cut_ns, kind, whose, made, message
                if kind == _TICK:  # no other code has seen it yet
                    force_setattr(message, "exchange_ns", cut_ns)

    def _release(self, count: int, messages: list[MarketMessage]) -> None:
        """Append the first `count` buffered messages, in their order, numbered."""
        due = self._waiting[:count]
        del self._waiting[:count]
        if self._sequence is not None:
            for _, kind, _, _, message in due:
                if kind == _TICK:
                    self._sequence += 1
                    force_setattr(message, "sequence", self._sequence)  # no other code has seen it yet
        messages.extend(map(_message_of, due))
