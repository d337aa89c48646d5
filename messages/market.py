"""What the market says: ticks, candles, and the end of a recording.

The feed sends `Tick` and `Candle` to the events router, which fans them out. Market data is delivered at most once, in
order for each instrument; it is not journaled, the database records it in batches.
"""

from __future__ import annotations

import msgspec


class Depth(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="Depth"):
    """The order book as far as the feed shows it, best level first; all six tuples count the same levels a side."""

    bid_prices: tuple[float, ...]
    """Rupees, descending."""

    bid_quantities: tuple[int, ...]
    """Shares or contract units wanted at each level."""

    ask_prices: tuple[float, ...]
    """Rupees, ascending."""

    ask_quantities: tuple[int, ...]
    """Shares or contract units offered at each level."""

    bid_orders: tuple[int, ...] = ()
    """Number of orders at each level; empty or shorter where the source does not say."""

    ask_orders: tuple[int, ...] = ()
    """Number of orders at each level; empty or shorter where the source does not say."""


class DaySummary(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="DaySummary"):
    """What a full packet says of the trading day so far."""

    open_price: float
    """Rupees: first trade of the day."""

    high_price: float
    """Rupees: highest trade of the day so far."""

    low_price: float
    """Rupees: lowest trade of the day so far."""

    close_price: float
    """Rupees: close of the previous day (during the session) or of this one (after it)."""

    average_price: float
    """Rupees: volume-weighted average of the day, rounded to paise; not on the tick grid."""

    total_buy_quantity: int
    """Units wanted in the whole book."""

    total_sell_quantity: int
    """Units offered in the whole book."""

    open_interest: int | None = None
    """Open contracts, in units; none for cash instruments."""


class Tick(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="Tick"):
    """One price update of one instrument; from the feed to the events router, and from there to every subscriber.

    `(source, sequence)` identifies it: the database records each such pair once, however often it is sent.
    """

    symbol: str

    price: float
    """Rupees a share: the last traded price, on the instrument's tick grid."""

    quantity: int
    """Shares of the last trade; 0 where the source does not say."""

    exchange_ns: int
    """Time of the update by the source's clock: nanoseconds since 1970-01-01 UTC."""

    source: str
    """Where it comes from: the fingerprint of a recording, or the name and seed of a generator."""

    sequence: int
    """Number of the tick within its source, from 1, without gaps."""

    received_ns: int = 0
    """When the feed released it: nanoseconds since 1970-01-01 UTC by this machine's clock; 0 where it did not."""

    volume: int = 0
    """Shares traded in the day so far; 0 where the source does not say."""

    depth: Depth | None = None

    day: DaySummary | None = None


class Candle(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="Candle"):
    """Prices of one interval; from the feed to the events router, once its last tick has been sent."""

    symbol: str

    interval_ns: int
    """Length of the interval in nanoseconds."""

    start_ns: int
    """Start of the interval: nanoseconds since 1970-01-01 UTC."""

    open: float
    """Rupees."""

    high: float
    """Rupees."""

    low: float
    """Rupees."""

    close: float
    """Rupees."""

    volume: int
    """Shares traded in the interval."""

    source: str
    """Where it comes from, as in `Tick`."""


class TicksRecorded(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="TicksRecorded"):
    """From the database to the feed after each durable batch: how far the recorder is. The feed's flow control."""

    source: str

    sequence: int
    """All ticks of the source up to this number are durable."""


class AwaitMarketEnd(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="AwaitMarketEnd"):
    """To the feed: answer `MarketEnded` when the source has nothing more to send. Several may wait."""


class MarketEnded(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="MarketEnded"):
    """From the feed to who awaited it: the source is exhausted, or broken."""

    ticks: int
    """Ticks sent since the feed started."""

    candles: int
    """Candles sent since the feed started."""

    bad_rows: int = 0
    """Rows of a recording that were skipped."""

    error: str = ""
    """Why the source ended before its end (file, line, reason); empty when it simply ended."""


class FeedStatistics(msgspec.Struct, frozen=True, kw_only=True, array_like=True, tag="FeedStatistics"):
    """What the feed counts."""

    ticks: int
    candles: int
    bad_rows: int
    source: str
    ended: bool
    last_prices: dict[str, float]
    """Rupees: the last price sent, by symbol."""

    recorded_sequence: int = 0
    """How far the database has recorded the source."""
