"""The fetch of one symbol's candles: the requests, the candles in their answers, and when to ask again."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from datetime import date
from typing import TYPE_CHECKING, Final, Protocol, TypeAlias

import msgspec

from ..client import rows_of, stored_missing
from ..domain.chart_candles import candles_of
from ..domain.dhan.market.charts import INTRADAY_DAYS_MAX
from ..domain.history import VISIBLE_S, Days, Hours, Missing, adjusted_by, pieces
from ..domain.spans import united
from ..domain.time import DAY_NS, SECOND_NS, day_of, day_of_number, day_start_ns, number_of_day
from ..messages.database import SaveMarketData
from ..messages.history import ChartNotRead, ChartRead, Fetched
from .importing import SAVE_S, small_enough

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..client import Owner
    from ..domain.instruments import Instrument
    from ..messages.database import MarketDataSaved
    from ..messages.market import Candle

LOOKS: Final = 2
"""At a piece that comes empty: one in the middle of a range that has trades sometimes does, with a success."""

ASKS: Final = 3
"""For a piece while the broker says that there are too many requests: each waits longer."""

DAILY_DAYS_MAX: Final = 3_650
"""Days of one request for candles of days: the broker names no limit."""

_FETCHES: Final = "select start_ns, end_ns, asked_ns from fetches where symbol = ? and interval_ns = ?"
_CLOSES: Final = """
select start_ns, close from candles where symbol = ? and interval_ns = ? and start_ns >= ? and start_ns < ?
    and source = 'charts'
"""
_OLDER: Final = "select count(*) from (from candles where symbol = ? and interval_ns = ? and start_ns < ? limit 1)"

NOTHING: Final = ChartRead(starts_s=(), opens=(), highs=(), lows=(), closes=(), volumes=())

Answer: TypeAlias = Callable[[], ChartRead | ChartNotRead]
"""Waits for an answer, and returns it."""


class Charts(Protocol):
    """A broker's charts."""

    at_once: int
    """How many requests may be on their way."""

    def begin(self, instrument: Instrument, interval_ns: int, since: date, until: date) -> Answer:
        """Ask for candles from one day until before another."""


class FetchStoppedError(Exception):
    """The broker gives nothing more for now; what was fetched is kept, and the same fetch goes on from there."""

    def __init__(self, answer: ChartNotRead) -> None:
        self.answer = answer
        super().__init__(answer.reason)


class Fetch(msgspec.Struct, kw_only=True):
    """The outcome of the fetch of one symbol."""

    symbol: str
    interval: str
    first: date
    last: date
    candles: int = 0
    """In the answers."""

    written: int = 0
    """Of them that were not there just so."""

    requests: int = 0
    days_there: int = 0
    """Days that were not asked for, since they were before."""

    adjusted_by: float | None = None
    """By which factor earlier prices had been adjusted since they were stored: all were fetched again."""

    empty: list[tuple[date, date]] = []
    """Days, the last included, for which nothing came however often it was asked: the next fetch asks again."""

    missing: tuple[Missing, ...] = ()
    left_out: dict[str, int] = {}
    """Rows of answers that are no candles, by reason."""

    error: str = ""
    """Why the broker refuses this symbol."""


class Want(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be fetched of each symbol."""

    interval: str
    interval_ns: int
    first: date
    last: date

    @property
    def days(self) -> Days:
        """The days of the fetch."""
        return number_of_day(self.first), number_of_day(self.last) + 1


class SymbolFetch:
    """The fetch of one symbol."""

    def __init__(
        self, instrument: Instrument, want: Want, owner: Owner, charts: Charts, now_ns: Callable[[], int]
    ) -> None:
        self._instrument: Final = instrument
        self._want: Final = want
        self._owner: Final = owner
        self._charts: Final = charts
        self._now_ns: Final = now_ns
        self._hours: Final = Hours.of(instrument.segment, instrument.symbol, is_underlying=instrument.is_underlying)
        self._said: Final = Fetch(symbol=instrument.symbol, interval=want.interval, first=want.first, last=want.last)

    def fetch(self, *, again: bool, on_progress: Callable[[float], object]) -> Fetch:
        """Fetch what is wanted, and what has to be asked for again."""
        said, first = self._said, self._want.days[0]
        wanted = first, min(self._want.days[1], self._end_of_candles())
        had, stale = self._had()
        said.days_there = 0 if again else _days_of_both(wanted, had)
        todo = self._pieces([wanted, *stale], () if again else had)
        if self._ask_for(todo, on_progress, compares=True):
            said.days_there = 0
            self._save_note(0, requests=0)
            self._ask_for(self._pieces([wanted, *stale, *had], ()), on_progress, compares=False)
        if wanted[0] < wanted[1] and not said.error:
            bounds = day_start_ns(wanted[0]), min(day_start_ns(wanted[1]), self._newest_end_ns())
            said.missing = stored_missing(self._owner, said.symbol, self._want.interval_ns, self._hours, bounds)
        on_progress(1.0)
        return said

    # What is asked for.

    def _newest_end_ns(self) -> int:
        """Return when the newest candle has ended that the broker shows for certain."""
        return self._now_ns() - round(VISIBLE_S * SECOND_NS)

    def _end_of_candles(self) -> int:
        """Return the day after the last that has a candle."""
        newest_ns = self._newest_end_ns()
        today = day_of(newest_ns)
        spans = self._hours.spans(today)
        has_begun = spans[0][0] + self._want.interval_ns <= newest_ns if spans else not self._hours.are_known
        return today + (self._want.interval_ns < DAY_NS and has_begun)

    def _had(self) -> tuple[tuple[Days, ...], tuple[Days, ...]]:
        """Return the days that were asked for, and those that have to be asked for again since prices were adjusted."""
        rows = rows_of(self._owner, _FETCHES, [self._said.symbol, self._want.interval_ns])
        adjusted_ns = max((asked_ns for _, end_ns, asked_ns in rows if not end_ns), default=0)
        days = [
            ((day_of(start_ns), day_of(end_ns - 1) + 1), asked_ns > adjusted_ns)
            for start_ns, end_ns, asked_ns in rows
            if start_ns < end_ns
        ]
        return united(each for each, counts in days if counts), united(each for each, counts in days if not counts)

    def _pieces(self, wanted: Iterable[Days], had: Sequence[Days]) -> tuple[Days, ...]:
        days_max = DAILY_DAYS_MAX if self._want.interval_ns >= DAY_NS else INTRADAY_DAYS_MAX
        ranges = (pieces(each, had, self._hours, days_max=days_max) for each in united(wanted))
        found = [piece for each in ranges for piece in each]
        # First what shares a session with what is had: nothing is kept before it is known that prices are as they were.
        return tuple(sorted(found, key=lambda piece: not _days_of_both(piece, had)))

    def _ask_for(self, todo: Sequence[Days], on_progress: Callable[[float], object], *, compares: bool) -> bool:
        """Ask for pieces, and save them; return whether one shows that prices have been adjusted: then no more is."""
        waiting, begun = deque(todo), deque[tuple[Days, Answer]]()
        empty: list[tuple[Days, int]] = []
        is_adjusted = False
        while (waiting and not is_adjusted and not self._said.error) or begun:
            while waiting and len(begun) < self._charts.at_once and not is_adjusted and not self._said.error:
                piece = waiting.popleft()
                begun.append((piece, self._begin(piece)))
            piece, answer = begun.popleft()
            chart, requests = self._answer_of(piece, answer)
            candles = self._candles_of(piece, chart)
            if not candles:
                empty.append((piece, requests))
            elif compares and (factor := self._adjusted_by(piece, candles)) is not None:
                self._said.adjusted_by, is_adjusted = factor, True
                self._save_note(day_start_ns(piece[0]), requests=requests)
            else:
                self._save(piece, candles, requests)
            on_progress(1 - (len(waiting) + len(begun)) / len(todo))
        for piece, requests in empty:
            self._take_empty(piece, requests, is_over=is_adjusted or bool(self._said.error))
        return is_adjusted

    def _begin(self, piece: Days) -> Answer:
        since, until = map(day_of_number, piece)
        return self._charts.begin(self._instrument, self._want.interval_ns, since, until)

    def _answer_of(self, piece: Days, begun: Answer) -> tuple[ChartRead, int]:
        """Return the answer for a piece, asked again if it is empty, and the number of requests."""
        answer = begun()
        requests = answer.requests
        for number in range(1, ASKS):
            is_empty = isinstance(answer, ChartRead) and not answer.starts_s and number < LOOKS
            if not is_empty and not (isinstance(answer, ChartNotRead) and answer.why == "later" and answer.requests):
                break
            answer = self._begin(piece)()
            requests += answer.requests
        self._said.requests += requests
        if isinstance(answer, ChartRead):
            return answer, requests
        if answer.why == "refused":
            self._said.error = answer.reason
        elif answer.why != "nothing":
            self._save_note(day_start_ns(piece[0]), requests=requests)
            raise FetchStoppedError(answer)
        return NOTHING, requests

    # What is made of an answer.

    def _candles_of(self, piece: Days, chart: ChartRead) -> tuple[Candle, ...]:
        candles, left_out = candles_of(
            chart,
            symbol=self._said.symbol,
            interval_ns=self._want.interval_ns,
            since_ns=day_start_ns(piece[0]),
            until_ns=min(day_start_ns(piece[1]), self._newest_end_ns()),
            is_index=self._instrument.segment == "IDX_I",
        )
        for reason, count in left_out.items():
            self._said.left_out[reason] = self._said.left_out.get(reason, 0) + count
        return candles

    def _adjusted_by(self, piece: Days, candles: Sequence[Candle]) -> float | None:
        bounds = map(day_start_ns, piece)
        before = rows_of(self._owner, _CLOSES, [self._said.symbol, self._want.interval_ns, *bounds])
        return adjusted_by(dict(before), {candle.start_ns: candle.close for candle in candles})

    def _take_empty(self, piece: Days, requests: int, *, is_over: bool) -> None:
        """Ask once more for what came empty, unless it is older than all that there is; then that was the answer."""
        start_ns = day_start_ns(piece[0])
        ((older,),) = rows_of(self._owner, _OLDER, [self._said.symbol, self._want.interval_ns, start_ns])
        if is_over:
            self._save_note(start_ns, requests=requests)
        elif not older:
            self._save(piece, (), requests)
        else:
            chart, more = self._answer_of(piece, self._begin(piece))
            candles = self._candles_of(piece, chart)
            if candles:
                self._save(piece, candles, requests + more)
                return
            self._save_note(start_ns, requests=requests + more)
            if piece[0] < day_of(self._now_ns()):
                self._said.empty.append((day_of_number(piece[0]), day_of_number(piece[1] - 1)))

    def _save(self, piece: Days, candles: Sequence[Candle], requests: int) -> None:
        """Save the candles, and with the last of them that they were asked for; not of the day that goes on."""
        start_ns = day_start_ns(piece[0])
        end_ns = max(start_ns, day_start_ns(min(piece[1], day_of(self._newest_end_ns()))))
        note = self._note(start_ns, end_ns, candles=len(candles), requests=requests)
        *parts, last = list(small_enough(candles)) if candles else [SaveMarketData()]
        for part in (*parts, msgspec.structs.replace(last, fetches=(note,))):
            saved: MarketDataSaved = self._owner.work(part, timeout_s=SAVE_S)
            self._said.written += saved.rows
        self._said.candles += len(candles)

    def _save_note(self, at_ns: int, *, requests: int) -> None:
        """Save that requests were made which no day is counted as had for; at 0: what was had before no more."""
        note = self._note(at_ns, at_ns, candles=0, requests=requests)
        self._owner.work(SaveMarketData(fetches=(note,)), timeout_s=SAVE_S)

    def _note(self, start_ns: int, end_ns: int, *, candles: int, requests: int) -> Fetched:
        return Fetched(
            symbol=self._said.symbol,
            interval_ns=self._want.interval_ns,
            start_ns=start_ns,
            end_ns=end_ns,
            asked_ns=self._now_ns(),
            requests=requests,
            candles=candles,
        )


def _days_of_both(wanted: Days, had: Sequence[Days]) -> int:
    return sum(max(0, min(end, wanted[1]) - max(first, wanted[0])) for first, end in had)
