"""Market data: ticks, candles, and the end of a recording.

The feed sends `Tick` and `Candle` to the events router, which fans them out. Market data is delivered at most once, in
order for each instrument; it is not journaled, the database records it in batches.
"""

from typing import Annotated, Any, Final, TypeAlias

import msgspec
from msgspec import Meta

from .units import Count, Cursor, Nanoseconds, Price, Rupees, Seconds, Sequence, Shares

GAPPED_SYMBOLS_MAX: Final = 500
TICKS_TOGETHER_MAX: Final = 64


class Depth(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="Depth"):
    """The order book as far as the feed shows it, best level first; all six tuples count the same levels a side."""

    bid_prices: tuple[Rupees, ...]
    """Rupees, descending."""

    bid_quantities: tuple[Shares, ...]
    """Shares or contract units wanted at each level."""

    ask_prices: tuple[Rupees, ...]
    """Rupees, ascending."""

    ask_quantities: tuple[Shares, ...]
    """Shares or contract units offered at each level."""

    bid_orders: tuple[Count, ...] = ()
    """Number of orders at each level; empty or shorter where the source does not say."""

    ask_orders: tuple[Count, ...] = ()
    """Number of orders at each level; empty or shorter where the source does not say."""


class DaySummary(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="DaySummary"):
    """What a full packet says of the trading day so far."""

    open_price: Rupees
    """Rupees: first trade of the day."""

    high_price: Rupees
    """Rupees: highest trade of the day so far."""

    low_price: Rupees
    """Rupees: lowest trade of the day so far."""

    close_price: Rupees
    """Rupees: close of the previous day (during the session) or of this one (after it)."""

    average_price: Rupees
    """Rupees: volume-weighted average of the day, rounded to paise; not on the tick grid."""

    total_buy_quantity: Shares
    """Units wanted in the whole book."""

    total_sell_quantity: Shares
    """Units offered in the whole book."""

    open_interest: Shares | None = None
    """Open contracts, in units; none for cash instruments."""


class Tick(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="Tick"):
    """One price update of one instrument; from the feed to the events router, and from there to every subscriber.

    `(source, sequence)` identifies it: the database records each such pair once, however often it is sent.
    """

    symbol: str

    price: Price
    """Rupees a share: the last traded price, on the instrument's tick grid."""

    quantity: Shares
    """Shares of the last trade; 0 where the source does not say."""

    exchange_ns: Nanoseconds
    """Time of the update by the source's clock: nanoseconds since 1970-01-01 UTC."""

    source: str
    """Where it comes from: the fingerprint of a recording, or the name and seed of a synthetic market."""

    sequence: Sequence
    """Number of the tick within its source, from 1, without gaps."""

    received_ns: Nanoseconds = 0
    """When the feed released it: nanoseconds since 1970-01-01 UTC, in a simulated market by its own time; or 0."""

    volume: Shares = 0
    """Shares traded in the day so far; 0 where the source does not say."""

    depth: Depth | None = None
    """None where the source shows no order book."""

    day: DaySummary | None = None
    """None where the source is not of full packets."""


class Ticks(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="Ticks"):
    """Ticks that came together in a live market; from the feed to the events router.

    It sends on each by itself, except to those who want them together, and hear all symbols: the database.
    """

    ticks: Annotated[tuple[Tick, ...], Meta(max_length=TICKS_TOGETHER_MAX)]
    """In order. No more than a receiver handles in a turn: one that hears all of them is not behind because of it."""


class Candle(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="Candle"):
    """Prices of one interval, sent when it is closed: from the feed to the events router, where a recording has it.

    The router makes those of other lengths that somebody subscribed to, of ticks; their source is that of the ticks.
    """

    symbol: str

    interval_ns: Nanoseconds
    """Length of the interval in nanoseconds."""

    start_ns: Nanoseconds
    """Start of the interval: nanoseconds since 1970-01-01 UTC."""

    open: Price
    """Rupees."""

    high: Price
    """Rupees."""

    low: Price
    """Rupees."""

    close: Price
    """Rupees."""

    volume: Shares
    """Shares traded in the interval."""

    source: str
    """Where it comes from, as in `Tick`."""


CONFLATED: Final[frozenset[type[Any]]] = frozenset({Tick})
"""Market data that a newer one of its `symbol` replaces: a receiver that is behind in a live market gets the newest."""


MarketMessage: TypeAlias = Tick | Candle
"""The messages that a market consists of."""


class TicksRecorded(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="TicksRecorded"):
    """From the database to the feed after each durable batch: how much is recorded. The feed's flow control.

    When a source is sent again, the sequence starts again too: it never names a tick that was not sent in this run.
    """

    source: str

    sequence: Cursor
    """All ticks of the source up to this number are durable."""


class FeedGapped(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="FeedGapped"):
    """Fact: for a while no data of these instruments came, although the market may have moved; data come again now."""

    source: str
    """Of the ticks, as in `Tick`."""

    symbols: Annotated[tuple[str, ...], Meta(max_length=GAPPED_SYMBOLS_MAX)]
    """Of one gap there may be several facts."""

    start_ns: Nanoseconds
    """When the last data before the gap came: nanoseconds since 1970-01-01 UTC."""

    end_ns: Nanoseconds
    """When all of them came again: nanoseconds since 1970-01-01 UTC."""

    cause: str
    """Why, in a few words."""

    occurred_ns: Nanoseconds


class MarketStatusHeard(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="MarketStatusHeard"):
    """Fact: the feed says that a segment's market has opened or closed; from the feed to the journal.

    Dhan's packet does not say which of both, so that is by the calendar. Where the two do not agree (an unplanned halt,
    a session of an evening that the calendar does not know), a person can see it here.
    """

    source: str
    """Of the ticks, as in `Tick`."""

    segment: str
    """`NSE_EQ`."""

    is_open: bool
    """Whether its exchange trades by our calendar at that time."""

    occurred_ns: Nanoseconds
    """When it came."""


MarketFact: TypeAlias = FeedGapped | MarketStatusHeard


class AwaitMarketEnd(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="AwaitMarketEnd"):
    """To the feed: answer `MarketEnded` when the source has nothing more to send. Several requests may be pending."""


class MarketEnded(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="MarketEnded"):
    """Answer to `AwaitMarketEnd`: the source is exhausted, or broken."""

    ticks: Count
    """Ticks sent since the feed started."""

    candles: Count
    """Candles sent since the feed started."""

    bad_rows: Count = 0
    """Rows of a recording that were skipped."""

    error: str = ""
    """Why the source ended before its end (file, line, reason); empty when it simply ended."""


class FeedStatistics(msgspec.Struct, frozen=True, kw_only=True, array_like=True, tag="FeedStatistics"):
    """What the feed counts."""

    ticks: Count
    candles: Count
    bad_rows: Count
    source: str
    ended: bool
    last_prices: dict[str, Price]
    """Rupees: the last price sent, by symbol."""

    recorded_sequence: Cursor = 0
    """How far the database has recorded the source."""

    arrived: Count = 0
    """Of a live market: ticks that came; `arrived` is `ticks` + `conflated` + `queued`, always."""

    conflated: Count = 0
    """Ticks that were left out, because a newer one of their instrument came before they could be sent on."""

    queued: Count = 0
    """Ticks that are yet to be sent on."""

    unknown: Count = 0
    """Packets of no instrument that was asked for."""

    damaged: Count = 0
    """Frames that could not be read."""

    connections: Count = 0
    """Open connections."""

    reconnects: Count = 0
    gaps: Count = 0
    silent: Count = 0
    """Instruments of which nothing comes now although they were traded a moment ago."""

    data_age_s: Seconds | None = None
    """Of a live market: since the newest tick came; None: none has come."""

    priced_ns: dict[str, Nanoseconds] = {}
    """Of each last price: its time by the source's clock, nanoseconds since 1970-01-01 UTC; by symbol."""
