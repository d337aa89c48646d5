"""Quotes: last prices, open-high-low-close, and the book, of up to a thousand instruments in one request.

A request is an object whose keys are segments and whose values are arrays of security ids as *numbers*; the ids in the
answer are texts. What is unknown is left out, without a word: an instrument, and a whole segment.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Annotated, ClassVar, Final, TypeAlias

import msgspec
from msgspec import Meta

from ..moments import Moment
from ..words import Number, PriceRupees, Segment, SignedRupees, Units
from ..writing import body_of

INSTRUMENTS_MAX: Final = 1_000
"""In one request, over all its segments."""

QuotesRequest: TypeAlias = dict[
    Segment, Annotated[tuple[Annotated[int, Meta(ge=0, le=(1 << 31) - 1)], ...], Meta(max_length=INSTRUMENTS_MAX)]
]
"""`POST /marketfeed/ltp`, `/marketfeed/ohlc`, `/marketfeed/quote`."""


def quotes_requests(instruments: Iterable[tuple[str, str]]) -> Iterator[bytes]:
    """Write what asks for quotes of these, by segment and security id, as many at once as Dhan answers.

    Raises:
        ValueError: an id is no number, or a segment none of those.
    """
    wanted = tuple(instruments)
    for start in range(0, len(wanted), INSTRUMENTS_MAX):
        asked: defaultdict[str, list[int]] = defaultdict(list)
        for segment, security_id in wanted[start : start + INSTRUMENTS_MAX]:
            asked[segment].append(int(security_id))
        yield body_of(dict(asked), QuotesRequest)


class LastPrice(msgspec.Struct, frozen=True, kw_only=True):
    """The last price of one instrument, as `/marketfeed/ltp` tells it."""

    last_price: PriceRupees


class Ohlc(msgspec.Struct, frozen=True, kw_only=True):
    """Of the day; `close` is that of the day before while the market is open."""

    open: PriceRupees = 0.0
    high: PriceRupees = 0.0
    low: PriceRupees = 0.0
    close: PriceRupees = 0.0


class OhlcQuote(msgspec.Struct, frozen=True, kw_only=True):
    """Last price and prices of the day of one instrument, as `/marketfeed/ohlc` tells them."""

    last_price: PriceRupees
    ohlc: Ohlc = Ohlc()


class Level(msgspec.Struct, frozen=True, kw_only=True):
    """One price of the book; all zero where there is none."""

    price: PriceRupees = 0.0
    quantity: Units = 0
    orders: Units = 0


class Book(msgspec.Struct, frozen=True, kw_only=True):
    """Its best five prices on each side, the best first."""

    buy: tuple[Level, ...] = ()
    sell: tuple[Level, ...] = ()


class Quote(msgspec.Struct, frozen=True, kw_only=True):
    """All that is told of one instrument, book included, as `/marketfeed/quote` tells it."""

    last_price: PriceRupees
    average_price: PriceRupees = 0.0
    buy_quantity: Units = 0
    sell_quantity: Units = 0
    depth: Book = Book()
    last_quantity: Units = 0
    last_trade_time: Moment = None
    """The year 1980 where there was no trade."""

    lower_circuit_limit: PriceRupees = 0.0
    upper_circuit_limit: PriceRupees = 0.0
    net_change: SignedRupees = 0.0
    ohlc: Ohlc = Ohlc()
    oi: Number = 0.0
    oi_day_high: Number = 0.0
    oi_day_low: Number = 0.0
    volume: Units = 0

    DAY_FIRST: ClassVar[bool] = True
    """Its times are written as `07/10/2026 10:15:30`."""


class CircuitLimits(msgspec.Struct, frozen=True, kw_only=True):
    """What is read of a `Quote` where nothing but the price band of the day is wanted; zeros where there is none."""

    lower_circuit_limit: PriceRupees = 0.0
    upper_circuit_limit: PriceRupees = 0.0

    @property
    def are_told(self) -> bool:
        """Whether there are any."""
        return 0 < self.lower_circuit_limit <= self.upper_circuit_limit


class LastPrices(msgspec.Struct, frozen=True, kw_only=True):
    """By segment and security id."""

    data: dict[str, dict[str, LastPrice]]
    status: str = "success"


class OhlcQuotes(msgspec.Struct, frozen=True, kw_only=True):
    """By segment and security id."""

    data: dict[str, dict[str, OhlcQuote]]
    status: str = "success"


class Quotes(msgspec.Struct, frozen=True, kw_only=True):
    """By segment and security id."""

    data: dict[str, dict[str, Quote]]
    status: str = "success"
