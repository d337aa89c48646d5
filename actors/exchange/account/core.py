"""What all parts of an account share: its state, its instruments, prices, time, and the changes of the present call."""

from __future__ import annotations

import functools
import heapq
import itertools
from datetime import date
from typing import TYPE_CHECKING

from ....domain.calendar import session_at
from ....domain.freshness import is_late
from ....domain.instruments import FINEST_TICK_RUPEES, PriceGrid, price_grid
from ....domain.time import SECOND_NS, date_of, day_of, day_of_number
from ....domain.venues import venue_of, venue_of_symbol
from ..matching import FillModel, Matching
from .refusals import Unlisted
from .state import State

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ....config.sections.exchange import ExchangeSettings
    from ....domain.closing_auction import ClosingAuction
    from ....domain.venues import Venue
    from ....messages.exchange import ExchangeFact, Instrument
    from ....messages.market import Tick
    from ..matching import Order
    from .listings import Listing, Listings


class Quote:
    """The newest prices of a symbol."""

    __slots__ = ("last_price", "reference_price", "tick")

    def __init__(self, tick: Tick) -> None:
        """Take the first tick."""
        self.tick = tick
        self.last_price = tick.price
        self.reference_price = _previous_close(tick) or tick.price
        """The previous close where the market tells it; else the first price seen."""

    def is_late(self, tick: Tick) -> bool:
        """Tell whether a tick is of an earlier time than the newest."""
        return is_late(tick.exchange_ns, self.tick.exchange_ns, tick.received_ns)

    def move(self, tick: Tick) -> None:
        """Take the next tick."""
        self.tick = tick
        self.last_price = tick.price
        self.reference_price = _previous_close(tick) or self.reference_price


def _previous_close(tick: Tick) -> float:
    return tick.day.close_price if tick.day is not None else 0.0


@functools.lru_cache(maxsize=16)
def _day_digits(day: int) -> str:
    return f"{day_of_number(day):%y%m%d}"


class Core:
    """The state, changed only by `do`, which collects the changes of a call for its answer."""

    def __init__(self, settings: ExchangeSettings, listings: Listings, *, now_ns: int) -> None:
        """Begin with an empty state."""
        self.settings = settings
        self.listings = listings
        self.state = State()
        self.now_ns = now_ns
        self.quotes: dict[str, Quote] = {}
        self.ticks = 0
        self.matching = self.new_matching()
        self.due: list[tuple[int, int, str]] = []
        """A heap of orders in transit: when each reaches the exchange (ns), its number, its id."""

        self.wake_ns = 0
        """Time before which nothing is due: nanoseconds since 1970-01-01 UTC."""

        self.inherited: dict[str, int] = {}
        """Orders that an earlier process took and that had not reached the exchange: when each is looked at next
        (ns)."""

        self.resumed_ns = 0
        self._numbers = itertools.count()
        self._changes: list[ExchangeFact] = []

    def new_matching(self, resting: Iterable[Order] = (), *, since_ns: int = 0) -> Matching:
        """Return a market with the resting orders of an earlier run, whose last event was at a time."""
        return Matching(
            tick_size_rupees=FINEST_TICK_RUPEES,
            run=0,
            now_ns=self.now_ns,
            resting=resting,
            since_ns=since_ns,
            model=FillModel.of(self.settings),
            grid_of=self._grid_of,
            venue_of=self._venue_of,
            has_auctions=not self.settings.always_open,
        )

    def _grid_of(self, symbol: str) -> PriceGrid:
        listing = self.listings.of_symbol(symbol)
        return listing.reference.grid if listing is not None else price_grid(FINEST_TICK_RUPEES)

    def _venue_of(self, symbol: str) -> Venue:
        listing = self.listings.of_symbol(symbol)
        return listing.venue if listing is not None else venue_of_symbol(symbol)

    def do(self, change: ExchangeFact) -> None:
        """Change the state."""
        self.state.apply(change)
        self._changes.append(change)

    def take_changes(self) -> tuple[ExchangeFact, ...]:
        """Return the changes since the last call."""
        changes, self._changes = tuple(self._changes), []
        return changes

    def listing(self, instrument: Instrument) -> Listing:
        """Return an instrument.

        Raises:
            Unlisted: it is not listed.
        """
        found = self.listings.find(instrument)
        if found is None:
            raise Unlisted(instrument)
        return found

    def last_price(self, symbol: str) -> float:
        """Return the last price of a symbol: rupees, 0 without any."""
        quote = self.quotes.get(symbol)
        return quote.last_price if quote is not None else 0.0

    def priced(self, symbol: str) -> tuple[float, int] | None:
        """Return the last price of a symbol, and its time: rupees, nanoseconds since 1970-01-01 UTC."""
        quote = self.quotes.get(symbol)
        return (quote.last_price, quote.tick.exchange_ns) if quote is not None else None

    def is_open(self, listing: Listing) -> bool:
        """Tell whether the market of an instrument trades now."""
        if self.settings.always_open:
            return True
        session = session_at(self.now_ns, *listing.venue)
        return session is not None and session.has(self.now_ns)

    def takes_orders(self, listing: Listing) -> bool:
        """Tell whether orders of an instrument are taken now, but for those for its opening."""
        if self.settings.always_open:
            return True
        session = session_at(self.now_ns, *listing.venue)
        return session is not None and session.takes_orders(self.now_ns)

    def closing(self, listing: Listing) -> ClosingAuction | None:
        """Return the closing auction of an instrument that goes on now; None: none does."""
        session = None if self.settings.always_open else session_at(self.now_ns, *listing.venue)
        closing = session.closing if session is not None else None
        return closing if closing is not None and closing.is_on(self.now_ns) else None

    def venue_of(self, instrument: Instrument, symbol: str) -> Venue:
        """Return the venue whose sessions an instrument has, listed or not."""
        listing = self.listings.find(instrument)
        return listing.venue if listing is not None else venue_of(instrument[0], symbol)

    def is_before_opening(self, listing: Listing) -> bool:
        """Tell whether the market of an instrument takes orders for its opening now, and does not trade yet."""
        if self.settings.always_open or not listing.opens_by_auction:
            return False
        session = session_at(self.now_ns, *listing.venue)
        return session is not None and session.pre_open_ns <= self.now_ns < session.pre_open_ends_ns

    @property
    def today(self) -> date:
        """The day in India."""
        return date_of(self.now_ns)

    def new_voucher(self) -> str:
        """Return the number of the next voucher of the ledger."""
        return f"{self.today:%Y%m%d}{len(self.state.ledger) + 1:04}"

    def new_id(self, prefix: str) -> str:
        """Return the next id: decimal digits, as the broker's: prefix, day, number."""
        return f"{prefix}{_day_digits(day_of(self.now_ns))}{self.state.issued + 1:06}"

    def send_to_exchange(self, order_id: str, *, delay_s: float | None = None) -> None:
        """Let an order arrive after a delay; None: that of the acknowledgement."""
        delay_ns = round((self.settings.acknowledgement_delay_s if delay_s is None else delay_s) * SECOND_NS)
        due_ns = self.now_ns + delay_ns
        self.wake_ns = min(self.wake_ns, due_ns)
        heapq.heappush(self.due, (due_ns, next(self._numbers), order_id))
