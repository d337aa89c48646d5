"""What the market has shown so far: last prices, the book, candles of minutes. Pure.

It knows nothing that was not shown: no history before its first tick, no Greeks, and of expired options nothing.
"""

from __future__ import annotations

from collections import deque
from datetime import date
from typing import TYPE_CHECKING, Final

import msgspec

from ....domain.calendar import MINUTE_NS
from ....domain.candles import Bar, start_of
from ....domain.dhan.market.charts import Chart
from ....domain.dhan.market.option_chain import OptionQuote, StrikeQuotes
from ....domain.dhan.market.quotes import Book, LastPrice, Level, Ohlc, OhlcQuote, Quote
from ....domain.dhan.moments import moment_of
from ....domain.freshness import is_late
from ....domain.time import DAY_NS, SECOND_NS, day_of
from ....domain.volumes import DayVolume
from ..account import Listing, Listings
from ..listed import own_instrument

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ....messages.exchange import Instrument as InstrumentKey
    from ....messages.instruments import InstrumentDefinition
    from ....messages.market import Tick

BARS_MAX: Final = 40_000
"""Minutes of one symbol that are kept: about a hundred trading days."""

LEVELS: Final = 5


class DayShown:
    """The newest tick of one symbol, and its day."""

    __slots__ = ("day", "high", "low", "open", "previous_close", "reference_price", "rupees", "tick", "volume")

    def __init__(self, tick: Tick) -> None:
        self.previous_close = 0.0
        self.reference_price = tick.price
        """Of the price band: the previous close where the market tells it; else the first price seen."""

        self._begin(tick)

    def _begin(self, tick: Tick) -> None:
        self.day = day_of(tick.exchange_ns)
        self.open = self.high = self.low = tick.price
        self.volume = 0
        self.rupees = 0.0
        self.tick = tick
        self._refer(tick)

    def _refer(self, tick: Tick) -> None:
        if tick.day is not None and tick.day.close_price:
            self.reference_price = tick.day.close_price

    def move(self, tick: Tick) -> None:
        """Take the next tick; of a late one the day has the shares and the price, and the last price stays."""
        day = day_of(tick.exchange_ns)
        is_newest = not is_late(tick.exchange_ns, self.tick.exchange_ns, tick.received_ns)
        if day > self.day:
            self.previous_close = self.tick.price
            self._begin(tick)
        elif day < self.day and not is_newest:
            return
        traded = tick.quantity
        if tick.volume:
            traded = max(0, tick.volume - self.volume)
        self.volume += traded
        self.rupees += traded * tick.price
        self.high, self.low = max(self.high, tick.price), min(self.low, tick.price)
        if is_newest:
            self.tick = tick
            self._refer(tick)

    @property
    def close_before(self) -> float:
        """The previous close: what the source says, else the last price of the day before; 0 where there is neither."""
        day = self.tick.day
        return (day.close_price if day is not None else 0.0) or self.previous_close

    def ohlc(self) -> Ohlc:
        """Return open, high and low of the day, and the previous close."""
        day = self.tick.day
        if day is not None and day.open_price:
            return Ohlc(open=day.open_price, high=day.high_price, low=day.low_price, close=self.close_before)
        return Ohlc(open=self.open, high=self.high, low=self.low, close=self.close_before)


class Shown(DayShown):
    """One symbol, and its chart."""

    __slots__ = ("_charted", "bars")

    def __init__(self, tick: Tick) -> None:
        super().__init__(tick)
        self.bars: deque[Bar] = deque(maxlen=BARS_MAX)
        """Of minutes, in order of time."""

        self._charted = DayVolume()

    def move(self, tick: Tick) -> None:
        """Take the next tick."""
        super().move(tick)
        self._chart(tick)

    def _chart(self, tick: Tick) -> None:
        time_ns = tick.exchange_ns
        shares = self._charted.add(time_ns, tick.quantity, tick.volume)
        start_ns = start_of(time_ns, MINUTE_NS)
        bars = self.bars
        if not bars or start_ns > bars[-1].start_ns:
            bars.append(Bar.of(start_ns, time_ns, tick.price, shares))
            return
        # The newest minute, or, for a late tick, one that is shown already: it takes the tick in.
        place = len(bars)
        while place and bars[place - 1].start_ns > start_ns:
            place -= 1
        if bars[place - 1].start_ns == start_ns:  # before the oldest, the newest is not it either
            bars[place - 1].add(time_ns, tick.price, shares)
        elif len(bars) < BARS_MAX:
            bars.insert(place, Bar.of(start_ns, time_ns, tick.price, shares))


class MarketShown:
    """All symbols, by segment and security id."""

    def __init__(
        self, definitions: Iterable[InstrumentDefinition], *, tick_size_rupees: float, band_percent: float = 0.0
    ) -> None:
        """Begin without a price.

        Args:
            definitions: of the instruments that are known; those without an id are left out.
            tick_size_rupees: of symbols that are not among them.
            band_percent: of the previous close, by which circuit limits are shown.
        """
        self._listed: Final = {
            listing.symbol: listing for listing in (Listing.of(each) for each in definitions if each.security_id)
        }
        self.listings: Final = Listings(self._listed.values())
        self._tick_size_rupees: Final = tick_size_rupees
        self._band_percent: Final = band_percent
        self._shown: Final[dict[str, Shown]] = {}
        self.ticks = 0

    def move(self, tick: Tick) -> None:
        """Take a tick; a symbol that is not listed is listed."""
        self.ticks += 1
        shown = self._shown.get(tick.symbol)
        if shown is None:
            shown = self._shown[tick.symbol] = Shown(tick)
        shown.move(tick)

    def list_unknown(self, symbol: str) -> InstrumentDefinition | None:
        """List a symbol if it is not listed; return what was listed."""
        if self.listings.of_symbol(symbol) is not None:
            return None
        definition = own_instrument(symbol, self._tick_size_rupees)
        self.list_instrument(definition)
        return definition

    def list_instrument(self, definition: InstrumentDefinition) -> None:
        """List one more; the same once more is none.

        Raises:
            ValueError: another has its symbol or its id, or it has none.
        """
        if not definition.security_id:
            raise ValueError("an instrument with a security id is wanted, found one without")
        listing = Listing.of(definition)
        self.listings.add(listing)
        self._listed[listing.symbol] = listing

    def remember(self, definition: InstrumentDefinition) -> None:
        """List one of an earlier run again."""
        listing = Listing.of(definition)
        self.listings.remember(listing)
        self._listed.setdefault(listing.symbol, listing)

    def listed(self) -> tuple[tuple[Listing, float], ...]:
        """Return every instrument with its last price, 0 of one without any."""
        return tuple((each, self.last_price(each.symbol)) for each in self._listed.values())

    def last_price(self, symbol: str) -> float:
        """Return the last price of a symbol: rupees; 0 without any."""
        shown = self._shown.get(symbol)
        return 0.0 if shown is None else shown.tick.price

    # Quotes.

    def last_prices(self, wanted: dict[str, tuple[int, ...]]) -> dict[str, dict[str, LastPrice]]:
        """Return last prices; an unknown id is left out."""
        return {
            segment: {number: LastPrice(last_price=shown.tick.price) for number, shown in self._of(segment, numbers)}
            for segment, numbers in wanted.items()
        }

    def ohlc(self, wanted: dict[str, tuple[int, ...]]) -> dict[str, dict[str, OhlcQuote]]:
        """Return last prices and those of the day."""
        return {
            segment: {
                number: OhlcQuote(last_price=shown.tick.price, ohlc=shown.ohlc())
                for number, shown in self._of(segment, numbers)
            }
            for segment, numbers in wanted.items()
        }

    def quotes(self, wanted: dict[str, tuple[int, ...]]) -> dict[str, dict[str, Quote]]:
        """Return everything that is known of the day."""
        return {
            segment: {
                number: _quote(shown, self._band((segment, number), shown))
                for number, shown in self._of(segment, numbers)
            }
            for segment, numbers in wanted.items()
        }

    def _band(self, key: InstrumentKey, shown: Shown) -> tuple[float, float]:
        listing = self.listings.find(key)
        assert listing is not None, "it was found by that"
        return listing.band(shown.reference_price, self._band_percent)

    def _of(self, segment: str, numbers: Iterable[int]) -> Iterator[tuple[str, Shown]]:
        for number in numbers:
            shown = self.shown((segment, str(number)))
            if shown is not None:
                yield str(number), shown

    def shown(self, key: InstrumentKey) -> Shown | None:
        """Return what was shown of an instrument; None of one that is not known, or has had no tick."""
        listing = self.listings.find(key)
        return None if listing is None else self._shown.get(listing.symbol)

    # Candles.

    def chart(self, key: InstrumentKey, interval_ns: int, since_ns: int, until_ns: int) -> Chart:
        """Return the candles that begin within a time; the end is not in it."""
        shown = self.shown(key)
        bars: list[Bar] = []
        for minute in shown.bars if shown is not None else ():
            if not since_ns <= minute.start_ns < until_ns:
                continue
            start_ns = start_of(minute.start_ns, interval_ns)
            if bars and bars[-1].start_ns == start_ns:
                bars[-1].join(minute)
            else:
                bars.append(msgspec.structs.replace(minute, start_ns=start_ns))
        return Chart(
            timestamp=tuple(bar.start_ns // SECOND_NS for bar in bars),
            open=tuple(bar.open for bar in bars),
            high=tuple(bar.high for bar in bars),
            low=tuple(bar.low for bar in bars),
            close=tuple(bar.close for bar in bars),
            volume=tuple(bar.volume for bar in bars),
        )

    def daily(self, key: InstrumentKey, since_ns: int, until_ns: int) -> Chart:
        """Return the candles of days."""
        return self.chart(key, DAY_NS, since_ns, until_ns)

    # Options.

    def expiries(self, underlying: InstrumentKey) -> tuple[date, ...]:
        """Return the days on which listed options of an underlying expire, the nearest first."""
        return tuple(sorted({expiry for expiry, _ in self._options(underlying)}))

    def chain(self, underlying: InstrumentKey, expiry: date) -> tuple[float, dict[str, StrikeQuotes]]:
        """Return the last price of an underlying, 0 without any, and its listed options of one expiry by strike."""
        sides: dict[float, dict[str, OptionQuote]] = {}
        for expires, listing in self._options(underlying):
            if expires == expiry:
                side = "ce" if listing.option_type == "CALL" else "pe"
                sides.setdefault(listing.strike_rupees, {})[side] = self._option(listing)
        shown = self.shown(underlying)
        chain = {f"{strike:.6f}": StrikeQuotes(**sides[strike]) for strike in sorted(sides)}
        return 0.0 if shown is None else shown.tick.price, chain

    def _options(self, underlying: InstrumentKey) -> Iterator[tuple[date, Listing]]:
        listing = self.listings.find(underlying)
        if listing is None:
            return
        names = {listing.symbol, listing.reference.trading_symbol}
        for each in self._listed.values():
            expiry = each.reference.expiry
            if each.kind == "OPTION" and expiry is not None and each.reference.underlying in names:
                yield expiry, each

    def _option(self, listing: Listing) -> OptionQuote:
        shown = self._shown.get(listing.symbol)
        if shown is None:
            return OptionQuote(last_price=0.0, security_id=listing.security_id)
        book = _book(shown.tick)
        bid, ask = book.buy[0], book.sell[0]
        day = shown.tick.day
        return OptionQuote(
            last_price=shown.tick.price,
            oi=float((day.open_interest if day is not None else None) or 0),
            previous_close_price=shown.close_before,
            top_ask_price=ask.price,
            top_ask_quantity=ask.quantity,
            top_bid_price=bid.price,
            top_bid_quantity=bid.quantity,
            volume=shown.volume,
            average_price=_average(shown),
            security_id=listing.security_id,
        )


def _quote(shown: Shown, band: tuple[float, float]) -> Quote:
    tick, day, book = shown.tick, shown.tick.day, _book(shown.tick)
    close = shown.close_before
    return Quote(
        last_price=tick.price,
        average_price=day.average_price if day is not None else _average(shown),
        buy_quantity=day.total_buy_quantity if day is not None else sum(level.quantity for level in book.buy),
        sell_quantity=day.total_sell_quantity if day is not None else sum(level.quantity for level in book.sell),
        depth=book,
        last_quantity=tick.quantity,
        last_trade_time=moment_of(tick.exchange_ns).replace(microsecond=0),
        lower_circuit_limit=band[0],
        upper_circuit_limit=band[1],
        net_change=round(tick.price - close, 2) if close else 0.0,
        ohlc=shown.ohlc(),
        oi=float((day.open_interest if day is not None else None) or 0),
        volume=shown.volume,
    )


def _average(shown: Shown) -> float:
    return round(shown.rupees / shown.volume, 2) if shown.volume else 0.0


def _book(tick: Tick) -> Book:
    depth = tick.depth
    if depth is None:
        return Book(buy=(Level(),) * LEVELS, sell=(Level(),) * LEVELS)
    return Book(
        buy=_levels(depth.bid_prices, depth.bid_quantities, depth.bid_orders),
        sell=_levels(depth.ask_prices, depth.ask_quantities, depth.ask_orders),
    )


def _levels(prices: tuple[float, ...], quantities: tuple[int, ...], orders: tuple[int, ...]) -> tuple[Level, ...]:
    counts = orders + (0,) * LEVELS
    rows = [Level(price=p, quantity=q, orders=o) for p, q, o in zip(prices, quantities, counts, strict=False)]
    return tuple([*rows, *[Level()] * LEVELS][:LEVELS])
