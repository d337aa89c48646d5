"""`MarketDataRepositoryImpl`: ticks and candles, by symbol and time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from ....domain.time import DAY_NS, SECOND_NS
from ....messages.market import Candle, Tick
from ..results.frames import rows_of
from ..tables.moments import Moment, end_ns, interval_ns, last_ns, start_ns
from ..tables.tick_rows import PLAIN_COLUMNS, ticks_of
from .repository import BaseRepository, messages_of
from .resampling import LOOK, candle_parameters, candles_sql, unusual_firsts

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence
    from pathlib import Path

    from ....messages.database import SqlValue
    from ..engine.adapter import DuckDBAdapter
    from ..results.answers import Answer
    from ..tables.columns import Columns
    from .stores import System

GAP_S = 60.0

HISTORY_BARS_MAX = 100_000

OPEN_SHARE = 6
"""Stretch of time that is read for a number of candles, in multiples of their length: markets are open a fifth of a
week."""

PAUSE_NS = 5 * DAY_NS
"""Added to it, for nights and holidays."""

FURTHER = 4
"""Where that held too few candles, a stretch this many times as long is read next."""

_IN_RANGE = "where symbol = $1 and exchange_ns >= $2 and exchange_ns < $3"

# A book has thirty-nine columns: they are read only where there are books.
_TICKS = f"""
select {", ".join(PLAIN_COLUMNS)}, (select count(*) from (select 1 from all_books {_IN_RANGE} limit 1)) as books
from all_ticks {_IN_RANGE} order by exchange_ns, sequence
"""  # noqa: S608  our own text

# A book deeper than its columns travels as text, as it does from a running system.
_WHOLE = "* replace (lower(hex(deep_book)) as deep_book)"

# For a symbol that had books at its last query, this runs first: 1.4 instead of 5.6 ms. The query for the ticks checks
# it again, in its own transaction, since a batch with books may be written between the two.
_A_BOOK = f"select 1 as book from all_books {_IN_RANGE} limit 1"  # noqa: S608  our own text

_TICKS_WITH_BOOKS = f"""
select {_WHOLE} from (from all_ticks {_IN_RANGE}) left join (from all_books {_IN_RANGE})
using (symbol, exchange_ns, source, sequence) order by exchange_ns, sequence
"""  # noqa: S608  our own text

_NEWEST = f"""
with newest as (
    from all_ticks where symbol = ? and exchange_ns <= ? order by exchange_ns desc, sequence desc limit 1
)
select {_WHOLE} from newest left join all_books using (symbol, exchange_ns, source, sequence)
"""  # noqa: S608  our own text

_GAPS = f"""
with neighbours as (
    select exchange_ns as start_ns, lead(exchange_ns) over (order by exchange_ns, sequence) as end_ns
    from all_ticks {_IN_RANGE}
)
select start_ns, end_ns from neighbours where end_ns - start_ns > $4 order by start_ns
"""  # noqa: S608  our own text

_OLDEST = """
select least(
    (select min(start_ns) from candles where symbol = ? and interval_ns <= ? and start_ns <= ?),
    (select min(exchange_ns) from all_ticks where symbol = ? and exchange_ns <= ?)
) as oldest_ns
"""


class Gap(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A stretch without a tick."""

    start_ns: int
    """The last tick before it: nanoseconds since 1970-01-01 UTC."""

    end_ns: int
    """The first tick after it."""


class MarketDataRepositoryImpl(BaseRepository[Tick]):
    """Ticks, by `(source, sequence)`; and candles, stored or made from what is stored.

    A range is given by two moments (see `moments.Moment`): the first is in it, the second is not, but a whole day is. A
    moment without an offset is read on the exchange's clock, and days begin at its midnight.
    """

    entity = Tick
    table = "ticks"
    source = "full_ticks"
    reads = ("ticks", "books", "candles", "archived")
    key = ("source", "sequence")
    order = ("exchange_ns", "sequence")
    searchable = frozenset(
        {"source", "sequence", "symbol", "exchange_ns", "received_ns", "price", "quantity", "volume"}
    )

    def __init__(
        self, path_or_system: str | Path | DuckDBAdapter | System | None = None, *, create: bool = False
    ) -> None:
        super().__init__(path_or_system, create=create)
        self._had_books: set[str] = set()

    def find_by_symbol_and_date_range(self, symbol: str, start: Moment, end: Moment) -> Answer[tuple[Tick, ...]]:
        """Find the ticks of a symbol in the range, in time order."""

        def work() -> Columns:
            bounds: list[SqlValue] = [symbol, start_ns(start), end_ns(end)]
            if symbol not in self._had_books or len(self._query(_A_BOOK, bounds)["book"]) == 0:
                columns = self._query(_TICKS, bounds)
                if not columns.pop("books").any():
                    self._had_books.discard(symbol)
                    return columns
            self._had_books.add(symbol)
            return self._query(_TICKS_WITH_BOOKS, bounds)

        return self._select(work, ticks_of)

    def latest(self, symbol: str) -> Answer[Tick]:
        """Find the newest tick of a symbol; None when there is none."""
        return self.as_of(symbol, 2**63 - 1)

    def as_of(self, symbol: str, moment: Moment) -> Answer[Tick]:
        """Find the newest tick of a symbol that was there at that moment; None when there was none."""
        return self._select_one(lambda: self._query(_NEWEST, [symbol, last_ns(moment)]))

    def symbols(self) -> Answer[tuple[str, ...]]:
        """List all symbols that have a tick or a candle, sorted."""

        def work() -> tuple[str, ...]:
            rows = self._query("select symbol from all_ticks union select symbol from candles order by symbol")
            return tuple(rows["symbol"].tolist())

        return self._answer(work)

    def candles(
        self,
        symbol: str,
        interval: int | str | dt.timedelta,
        start: Moment,
        end: Moment,
        *,
        opening: dt.time | None = None,
    ) -> Answer[tuple[Candle, ...]]:
        """Return the candles of a symbol that begin in the range, in time order, each complete.

        One that is stored comes as it is. Where none is, it is made of parts: of shorter ones that are stored and lie
        in it, and of ticks where there are none of those. Where parts overlap, one counts: of candles the length that
        covers most, then the finest; of sources of ticks the one with most ticks of that day, as far as it covers the
        day. Within a day they are counted from the opening of its session (hours begin at 09:15, 10:15, …), or from
        `opening`; days begin at midnight, weeks on Monday.
        """
        length = 0

        def work() -> Columns:
            nonlocal length
            length = interval_ns(interval)
            return self._candles(symbol, length, start_ns(start), end_ns(end), opening)

        return self._select(work, lambda columns: _candles(columns, symbol, length))

    def history(
        self,
        symbol: str,
        interval: int | str | dt.timedelta,
        bars: int,
        until: Moment,
        *,
        opening: dt.time | None = None,
    ) -> Answer[tuple[Candle, ...]]:
        """Return the newest `bars` candles of a symbol that had ended at a moment, the oldest first.

        They are those of `candles`, stored or made of shorter ones and of ticks. No candle contains anything from after
        the moment: a candle has ended when all of its interval is over, that of a day at midnight. There are fewer
        where less is known.
        """
        length = 0

        def work() -> Columns:
            nonlocal length
            length = interval_ns(interval)
            if not isinstance(bars, int) or not 1 <= bars <= HISTORY_BARS_MAX:
                raise ValueError(f"1 to {HISTORY_BARS_MAX:,} bars wanted, found {bars!r}")
            last_start_ns = last_ns(until) - length
            oldest = self._query(_OLDEST, [symbol, length, last_start_ns, symbol, last_start_ns])["oldest_ns"].tolist()
            begin_ns, span_ns = last_start_ns + 1, bars * length * OPEN_SHARE + PAUSE_NS
            while True:
                begin_ns = max(begin_ns - span_ns, 0)
                columns = self._candles(symbol, length, begin_ns, last_start_ns + 1, opening)
                is_all = begin_ns == 0 or oldest[0] is None or begin_ns <= oldest[0] - length
                if is_all or len(columns["start_ns"]) >= bars:
                    return {name: values[-bars:] for name, values in columns.items()}
                span_ns *= FURTHER

        return self._select(work, lambda columns: _candles(columns, symbol, length))

    def _candles(self, symbol: str, length_ns: int, since_ns: int, until_ns: int, opening: dt.time | None) -> Columns:
        parameters = candle_parameters(symbol, length_ns=length_ns, start_ns=since_ns, end_ns=until_ns, opening=opening)
        found = self._query(LOOK, parameters)
        firsts = () if opening is not None else unusual_firsts(since_ns, until_ns, length_ns=length_ns)
        sql = candles_sql(candles=int(found["candles"][0]), sources=int(found["sources"][0]), firsts=firsts)
        return self._query(sql, parameters)

    def gaps(self, symbol: str, day: Moment, *, longer_than_s: float = GAP_S) -> Answer[tuple[Gap, ...]]:
        """List the stretches of a day without a tick of the symbol, from its first tick to its last."""

        def work() -> Columns:
            begin = start_ns(day)
            return self._query(_GAPS, [symbol, begin, begin + DAY_NS, int(longer_than_s * SECOND_NS)])

        return self._select(work, lambda columns: messages_of(columns, Gap))

    def save_ticks(self, ticks: Sequence[Tick]) -> Answer[int]:
        """Keep ticks, each `(source, sequence)` once; a source must come in order."""
        return self.save_many(ticks)

    def save_candles(self, candles: Sequence[Candle]) -> Answer[int]:
        """Keep candles, each over an earlier one of the same symbol, interval and start."""
        gathered = tuple(candles)
        return self._answer(lambda: self._store.save((), gathered), writes=True)

    def _selection(self) -> str:
        return _WHOLE

    def _entities(self, columns: Columns) -> tuple[Tick, ...]:
        return ticks_of(columns)

    def _save(self, entities: tuple[Tick, ...]) -> int:
        return self._store.save(entities, ())

    def _delete(self, where: str, parameters: Sequence[SqlValue]) -> int:
        return self._store.delete(self.file, ("ticks", "books"), where, parameters)


def _candles(columns: Columns, symbol: str, length: int) -> tuple[Candle, ...]:
    return tuple(
        Candle(
            symbol=symbol,
            interval_ns=length,
            start_ns=start,
            open=first,
            high=high,
            low=low,
            close=last,
            volume=volume,
            source=source,
        )
        for start, first, high, low, last, volume, source in rows_of(columns)
    )
