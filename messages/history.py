"""Candles of the past that are fetched from a broker: what was asked for, and with which answer."""

from datetime import date
from typing import Annotated, Literal, TypeAlias

import msgspec
from msgspec import Meta

from .instruments import InstrumentName
from .units import Count, Nanoseconds, Rupees, Shares

ChartSeconds: TypeAlias = Annotated[int, Meta(ge=0, le=1 << 32)]
"""A time since 1970-01-01 UTC, until the year 2106."""

NoChart: TypeAlias = Literal["nothing", "refused", "token", "later", "unreachable"]
"""`nothing`: the instrument has none so far back. `refused`: not these, or they cannot be read. `token`: the broker
does not know us. `later`: a limit is reached, or the broker is not asked for a moment. `unreachable`: no answer."""


class ReadChart(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="ReadChart"):
    """To history: read candles of the broker's charts, by one request. Answered by `ChartRead` or `ChartNotRead`."""

    symbol: InstrumentName

    interval_ns: Nanoseconds
    """Length of the candles in nanoseconds."""

    since: date
    """The first day, in India."""

    until: date
    """The day after the last."""


class ChartRead(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="ChartRead"):
    """Answer to `ReadChart`: candles as the broker tells them, in the order of time, a value in each of these."""

    starts_s: tuple[ChartSeconds, ...]
    """Seconds since 1970-01-01 UTC."""

    opens: tuple[Rupees, ...]
    highs: tuple[Rupees, ...]
    lows: tuple[Rupees, ...]
    closes: tuple[Rupees, ...]

    volumes: tuple[Shares, ...]
    """Shares traded in the interval; 0 of an index."""

    requests: Count = 1
    """That were made for it."""


class ChartNotRead(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="ChartNotRead"):
    """Answer to `ReadChart`: no candles, and why."""

    why: NoChart
    reason: str
    requests: Count = 0


class Fetched(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="Fetched"):
    """A range of candles of one symbol that was asked for; saved with the last of its candles, so that they are there.

    It says how far a fetch is that was interrupted.
    """

    symbol: str

    interval_ns: Nanoseconds
    """Length of the candles in nanoseconds."""

    start_ns: Nanoseconds
    """Of the range: nanoseconds since 1970-01-01 UTC."""

    end_ns: Nanoseconds
    """End of the range, exclusive. The same as `start_ns`: requests without an answer that could be used. 0: prices
    have been adjusted, and what was asked for before has to be asked for again."""

    asked_ns: Nanoseconds
    """When the answer was there. Prices are adjusted as of then for splits and bonus issues."""

    requests: Count
    """How many it took."""

    candles: Count
    """In the answer; none: there are none, as far as the broker says."""


class GapFilled(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="GapFilled"):
    """Fact: candles of a time in which the feed was silent are in the database, as the broker's charts tell them."""

    symbol: str

    start_ns: Nanoseconds
    """Nanoseconds since 1970-01-01 UTC, as `end_ns`: whole minutes."""

    end_ns: Nanoseconds
    candles: Count
    """None: in these minutes nothing was traded, or the market was closed."""

    occurred_ns: Nanoseconds


HistoryFact: TypeAlias = GapFilled


class HistoryStatistics(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="HistoryStatistics"):
    """What history counts in a run."""

    gaps_open: Count
    """Times of one symbol each in which the feed was silent, and that are not filled."""

    gaps_filled: Count = 0
    candles: Count = 0
    """Saved to fill them."""

    requests: Count = 0
    failures: Count = 0
    """Attempts to fill that came to nothing; each is made again later."""

    last_failure: str = ""
