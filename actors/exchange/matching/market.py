"""One symbol at the exchange: its newest tick, the liquidity left of it, and our orders."""

from __future__ import annotations

import bisect
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from ....domain.calendar import next_open, session_at
from ....domain.closing_auction import ReferencePrice
from ....domain.freshness import is_late
from ....domain.time import DAY_NS, day_of, day_start_ns
from ....domain.venues import SHARES, Venue
from ....messages.units import INTEGER_MAX
from .liquidity import UNLIMITED, Liquidity

if TYPE_CHECKING:
    from ....domain.calendar import Session
    from ....domain.closing_auction import ClosingAuction
    from ....messages.market import Tick
    from .model import FillModel
    from .order import Order


NEVER_NS: Final = INTEGER_MAX

Phase: TypeAlias = Literal["TRADING", "CALL", "PRICE", "OVER"]
"""Of a day that ends by an auction: continuous trading, orders alone, the one price, nothing any more."""


class Market:
    """The resting orders by priority; stop orders, and orders on their way, by arrival."""

    __slots__ = (
        *("_day_ends_ns", "_day_ns", "_today", "arriving", "buys", "liquidity", "model"),
        *("_closing", "_closing_day_ns", "_is_priced", "nears_close_ns", "opens_ns", "reference"),
        *("sells", "stops", "tick", "traded", "venue"),
    )

    def __init__(self, tick: Tick | None, *, since_ns: int, model: FillModel, venue: Venue = SHARES) -> None:
        """Begin without orders.

        Args:
            tick: None before the first tick of this run; only resting orders of an earlier run are known then.
            since_ns: time of the tick, or of the earlier run's last event: nanoseconds since 1970-01-01 UTC.
            model: how fills are modelled.
            venue: whose sessions it has.
        """
        self.tick = tick
        self.model = model
        self.venue = venue
        self.opens_ns = next_opening(since_ns, venue)
        self.nears_close_ns = NEVER_NS
        """Time from which a tick may be part of a closing auction, or count for its reference price (ns)."""

        self.reference = ReferencePrice()
        self._closing: ClosingAuction | None = None
        self._closing_day_ns = 0
        """Of the newest tick that was looked at for it."""

        self._is_priced = False
        self._day_ns = self._day_ends_ns = 0
        self._today: Session | None = None
        self.traded = 0
        """Shares traded between the two newest ticks."""

        self.liquidity: Liquidity | None = None
        self.buys: list[Order] = []
        self.sells: list[Order] = []
        self.stops: list[Order] = []
        self.arriving: list[Order] = []

    @property
    def last_price(self) -> float | None:
        """Rupees; None before the first tick."""
        return None if self.tick is None else self.tick.price

    @property
    def has_orders(self) -> bool:
        """Whether any order of ours is here."""
        return bool(self.buys or self.sells or self.stops or self.arriving)

    def insert(self, order: Order) -> None:
        """Insert an order: among those on their way, before their trigger, or in the book."""
        if order.due_ns:
            self.arriving.append(order)
        elif not order.is_triggered:
            self.stops.append(order)
        else:
            resting = self.buys if order.request.side == "BUY" else self.sells
            if resting and order.priority < resting[-1].priority:
                bisect.insort(resting, order, key=lambda each: each.priority)
            else:  # most orders have the price of others, and go behind them
                resting.append(order)

    def remove(self, order: Order) -> None:
        """Take an order out."""
        if order.due_ns:
            self.arriving.remove(order)
        elif not order.is_triggered:
            self.stops.remove(order)
        else:
            resting = self.buys if order.request.side == "BUY" else self.sells
            del resting[bisect.bisect_left(resting, order.priority, key=lambda each: each.priority)]

    def opened(self, tick: Tick) -> bool:
        """Tell whether a session opened between the tick before and this one, which is not before `opens_ns`.

        False in pre-open.
        """
        self.opens_ns = next_opening(tick.exchange_ns, self.venue)
        today = session_at(tick.exchange_ns, *self.venue)
        return today is None or tick.exchange_ns >= today.open_ns

    def is_in_auction(self, time_ns: int) -> bool:
        """Tell whether the opening auction goes on at a time."""
        today = self._session(time_ns)
        return today is not None and today.opens_by_auction(time_ns)

    def closing_at(self, time_ns: int) -> ClosingAuction | None:
        """Return the closing auction that goes on at a time; None: none does."""
        today = self._session(time_ns)
        closing = today.closing if today is not None else None
        return closing if closing is not None and closing.is_on(time_ns) else None

    def holds_auction(self, time_ns: int) -> bool:
        """Tell whether an auction goes on at a time, of the opening or of the close: nothing trades in it."""
        return self.is_in_auction(time_ns) or self.closing_at(time_ns) is not None

    def phase(self, tick: Tick) -> Phase:
        """Say what a tick is to the closing auction of its day; trades before it count for its reference price.

        A packet that comes in the auction tells its book, and the time of the last trade before it.
        """
        time_ns = max(tick.exchange_ns, tick.received_ns)
        if not self._closing_day_ns <= time_ns < self._closing_day_ns + DAY_NS:
            self._await_close(time_ns)
        closing = self._closing
        if closing is None:
            return "TRADING"
        if time_ns < closing.starts_ns:
            if tick.exchange_ns >= closing.reference_ns:
                self.reference.add(tick)
            return "TRADING"
        if self._is_priced:
            return "OVER"
        if tick.exchange_ns < closing.entry_ends_ns or not tick.quantity:  # no trade, only an indication
            return "CALL"
        self._is_priced = True
        return "PRICE"

    def is_late(self, tick: Tick) -> bool:
        """Tell whether a tick is of an earlier time than the newest."""
        return self.tick is not None and is_late(tick.exchange_ns, self.tick.exchange_ns, tick.received_ns)

    def hear_late(self, tick: Tick) -> None:
        """Count a late tick for the reference price of the closing auction, if it is of the minutes before it."""
        closing = self._closing
        if closing is not None and closing.reference_ns <= tick.exchange_ns < closing.starts_ns:
            self.reference.add(tick)

    def _await_close(self, time_ns: int) -> None:
        """Look when the closing auction of a day is; what was of the day before is forgotten."""
        today = self._session(time_ns)
        self._closing_day_ns = self._day_ns
        self._closing = today.closing if today is not None else None
        self.reference, self._is_priced = ReferencePrice(), False
        self.nears_close_ns = self._day_ends_ns if self._closing is None else self._closing.reference_ns

    def last_trigger_ns(self, time_ns: int) -> int:
        """Return when continuous trading ends before the closing auction of the session an order meets; 0: never."""
        today = self._session(time_ns)
        if today is None or time_ns >= today.ends_ns:
            today = self._session(next_open(time_ns, *self.venue))
        return today.closing.starts_ns if today is not None and today.closing is not None else 0

    def awaited_ns(self, time_ns: int) -> int:
        """Return the opening whose first tick has not come, in its auction or later that day; 0: there is none."""
        today = self._session(time_ns)
        if today is None or not today.pre_open_ns <= time_ns < today.close_ns:
            return 0
        return 0 if self.tick is not None and self.tick.exchange_ns >= today.open_ns else today.open_ns

    def _session(self, time_ns: int) -> Session | None:
        """Return the session of a day, which is kept: each order asks for it, and each tick."""
        if not self._day_ns <= time_ns < self._day_ends_ns:
            self._day_ns = day_start_ns(day_of(time_ns))
            self._day_ends_ns = self._day_ns + DAY_NS
            self._today = session_at(time_ns, *self.venue)
        return self._today

    def offer(self) -> Liquidity:
        """Return the liquidity left of the tick: made on demand, since most ticks match no order."""
        assert self.tick is not None, "nothing trades before the first tick"
        if self.liquidity is None:
            self.liquidity = Liquidity(self.tick, self.traded, share=self.model.shown_share)
        return self.liquidity

    def reached(self) -> list[Order]:
        """Return the resting orders that may trade at this tick, by priority; none whose limit is out of its reach."""
        if self.model.queue_position == "shown":  # each has to move on in its queue
            return [*self.buys, *self.sells]
        found = []
        for orders, buys in ((self.buys, True), (self.sells, False)):
            if not orders:
                continue
            best = self.offer().best("BUY" if buys else "SELL")
            for order in orders:
                limit_price = order.limit_price
                if limit_price is not None and (limit_price < best if buys else limit_price > best):
                    break  # and so are all after it
                found.append(order)
        return found

    def queue(self, order: Order) -> None:
        """Note how many shares are before an order that begins to rest."""
        if self.model.queue_position == "shown":
            order.ahead = self._shown_at(order, otherwise=UNLIMITED)

    def print_for(self, order: Order) -> int:
        """Return how many shares traded at the very limit of a resting order it may have, as its queue moves on."""
        position = self.model.queue_position
        if position != "shown":
            return UNLIMITED if position == "first" else 0
        assert self.tick is not None, "an order rests at a tick"
        # The trade came before the book of the same tick: orders that left the book may have been in the trade.
        traded = self.traded if self.tick.price == order.limit_price else 0
        free, ahead = max(0, traded - order.ahead), max(0, order.ahead - traded)
        order.ahead = min(ahead, self._shown_at(order, otherwise=ahead))
        return free

    def _shown_at(self, order: Order, *, otherwise: int) -> int:
        """Return the quantity shown at its limit; 0 where that is better than the best, unknown beyond the last."""
        depth = self.tick.depth if self.tick is not None else None
        if depth is None or order.limit_price is None:
            return otherwise
        buys = order.request.side == "BUY"
        prices = depth.bid_prices if buys else depth.ask_prices
        quantities = depth.bid_quantities if buys else depth.ask_quantities
        for price, quantity in zip(prices, quantities, strict=True):
            if price == order.limit_price:
                return quantity
            if price > 0 and (price < order.limit_price if buys else price > order.limit_price):
                return 0
        return otherwise


def volume_between(before: Tick | None, tick: Tick) -> int:
    """Return the shares traded between two ticks; `volume` counts from the start of the day, so 0 across days."""
    if before is None or day_of(before.exchange_ns) != day_of(tick.exchange_ns):
        return 0
    return max(0, tick.volume - before.volume)


def next_opening(time_ns: int, venue: Venue = SHARES) -> int:
    """Return the earliest time of the next opening: of today's session, or midnight (the next day may be special)."""
    today = session_at(time_ns, *venue)
    return today.open_ns if today is not None and time_ns < today.open_ns else day_start_ns(day_of(time_ns) + 1)
