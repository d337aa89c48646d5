"""The matching of the paper exchange: our orders against the recorded market. Pure: no clock, no actors.

Rules (the reasons, and the direction in which each of them errs: docs/decisions/0016):
- An arriving order trades with the book of the current tick, level by level, at the recorded prices. The remainder of a
  limit order rests. The remainder of a market order beyond the last level rests, too, ahead of all limit orders, and
  trades with later ticks, at no better price than its last trade: real books continue beyond the recorded levels, at
  worse prices.
- A resting limit order trades at its limit, never better: it was in the book, and an incoming order paid its price. It
  trades when a later tick shows the other side of the book at its limit or beyond, or a trade beyond its limit; a trade
  at the limit itself may have gone to orders ahead in the queue. Without depth it trades only when the last price goes
  beyond its limit.
- If a session opened between two ticks, at a price beyond its limit, it trades at the later tick's price instead: an
  opening auction executes all orders at one price.
- Where auctions are held, nothing trades while that of an opening goes on, and a stop order, or one that is immediate
  or cancel, is refused then. Orders that come before the first tick of a session are on their way to that one.
- Where a closing auction is held (docs/decisions/0081), nothing trades from the end of continuous trading until the
  first trade after the entry of orders; that is the one price at which all trade whose limit is better. Then the day is
  over. Stop orders whose trigger was not met end with continuous trading.
- A stop order arrives with the tick whose last price meets its trigger, after the orders that rest. It trades at no
  better price than its trigger, and behind a gap at the price behind the gap.
- An order that was on its way is in the book when its time is over (`let_in`): it meets the book as it is then, if a
  tick has come since it was sent; if none has, it meets the next one. A book from before is never met, but what it
  offered bounds the price of an order with a limit, which has rested since (docs/decisions/0117). An order of an
  earlier run that is changed before the first tick is on its way to that tick; so is one that is immediate or cancel,
  and an order at the market that the price of that tick protects.
- The liquidity of one tick is used once, by price and then by time of arrival. The next tick has the recorded book
  again, since the recording is not affected by our trades.
- Our own orders never trade with each other. Of two that are linked, what one trades the other loses.
- A replaced order keeps its place only where nothing but its quantity changed, downwards.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

from ....domain.calendar import session_at
from ....domain.instruments import price_grid
from ....domain.time import DAY_NS, day_of, day_start_ns
from ....domain.venues import venue_of_symbol
from ....messages.broker import ExecutionReport, NewOrder, OrderFound, OrderNotFound
from .market import Market, volume_between
from .model import FillModel
from .order import Order
from .refusals import auction_fault, price_fault, withdrawal_fault
from .trading import Trading

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from ....domain.instruments import PriceGrid
    from ....domain.venues import Venue
    from ....messages.broker import CancelRequest, ReplaceRequest
    from ....messages.market import Tick

ENDED_MAX: Final = 10_000
"""Orders that have ended and may be asked for, the newest: more than a broker takes in a day."""

DUE_AT_ONCE_NS: Final = 1
"""Of an order that meets the next tick, whenever that is."""


class Matching(Trading):
    """All markets and orders of one run. Its answers are execution reports, as in FIX."""

    def __init__(  # noqa: PLR0913  by name
        self,
        *,
        tick_size_rupees: float,
        run: int,
        now_ns: int,
        resting: Iterable[Order] = (),
        since_ns: int = 0,
        model: FillModel | None = None,
        grid_of: Callable[[str], PriceGrid] | None = None,
        venue_of: Callable[[str], Venue] = venue_of_symbol,
        has_auctions: bool = False,
        day_ends_ns: Callable[[str, int], int] | None = None,
    ) -> None:
        """Start without any price.

        Args:
            tick_size_rupees: limit prices must be multiples of it.
            run: a number, 0 or more, that is unique among the runs of the data directory; ids are made from it.
            now_ns: nanoseconds since 1970-01-01 UTC, until a tick or `pass_time` advances it.
            resting: orders of an earlier run, in order of arrival: the open ones, of which those with a `due_ns` are
                still on their way, and others that may be asked for.
            since_ns: time of that run's last event: nanoseconds since 1970-01-01 UTC.
            model: how fills are modelled.
            grid_of: the prices of a symbol, where not all have the same tick size.
            venue_of: whose sessions a symbol has.
            has_auctions: whether sessions open, and some end, by an auction; else the market trades at each tick.
            day_ends_ns: when an order of a symbol for the day ends that comes at a time; None: somebody else ends them.
        """
        grid = price_grid(tick_size_rupees)
        super().__init__(
            grid_of=grid_of if grid_of is not None else lambda _: grid,
            model=model if model is not None else FillModel(),
            run=run,
            now_ns=now_ns,
            has_auctions=has_auctions,
        )
        self._venue_of = venue_of
        self._markets: dict[str, Market] = {}
        self._orders: dict[str, Order] = {}
        """Those that are open, and the newest that have ended."""

        self._closes: dict[str, tuple[int, int, int]] = {}
        """Of a day: its begin, from when on ticks may count for a closing auction, its end (ns); by symbol."""

        self._arrivals = self.ticks = 0
        self.orders = 0
        """Orders placed so far."""

        self._day_ends_ns = day_ends_ns
        self.next_end_ns = 0
        """When the next order ends with its day: nanoseconds since 1970-01-01 UTC; 0: none does."""

        for order in resting:
            self._orders[order.request.client_order_id] = order
            self.orders += 1
            self._arrivals = max(self._arrivals, order.arrival)
            if not order.is_open:
                self._over.append(order.request.client_order_id)
                continue
            symbol = order.request.symbol
            market = self._markets.get(symbol)
            if market is None:
                market = self._markets[symbol] = Market(
                    None, since_ns=since_ns, model=self._model, venue=venue_of(symbol)
                )
                market.nears_close_ns = 0 if has_auctions else market.nears_close_ns
            self._note_last_trigger(market, order, since_ns)
            if self._meets_the_first_tick(order):
                order.due_ns = order.due_ns or DUE_AT_ONCE_NS
            market.queue(order)
            market.insert(order)
            self.resting += 1
            self._note_end(order)

    def _meets_the_first_tick(self, order: Order) -> bool:
        """Tell whether an order of an earlier run does not rest: immediate or cancel, or to be protected by a price."""
        is_unprotected = order.limit_price is None and self._model.protection_percent > 0
        return order.is_triggered and (order.request.validity == "IOC" or is_unprotected)

    def pass_time(self, now_ns: int) -> None:
        """Advance the time beyond the last tick: an order at a daily candle's end comes hours after the close."""
        self._now_ns = max(self._now_ns, now_ns)

    def end_day(self, now_ns: int) -> list[ExecutionReport]:
        """Let the orders end whose day is over; return EXPIRED for each, in the order of their arrival."""
        reports: list[ExecutionReport] = []
        if not self.next_end_ns or now_ns < self.next_end_ns:
            return reports
        self.pass_time(now_ns)
        self.next_end_ns = 0
        for order in sorted((each for each in self._orders.values() if each.is_open), key=_by_arrival):
            if 0 < order.first_end_ns <= now_ns:
                self._end(self._markets[order.request.symbol], order)
                is_day_over = 0 < order.ends_ns <= now_ns
                reason = "its day is over" if is_day_over else "the closing auction has no stop orders"
                order.state = "EXPIRED"
                reports.append(self._report(order, "EXPIRED", reason=reason))
            else:
                self._note_end(order)
        return reports

    def move(self, tick: Tick) -> list[ExecutionReport]:
        """Move a market to its next tick; return the trades of resting orders, in the order they happened.

        A late tick, which only a live market has, meets no order: its price is one that nobody pays any more. It counts
        for the reference price of a closing auction.
        """
        self.ticks += 1
        market = self._markets.get(tick.symbol)
        if market is not None and market.is_late(tick):
            market.hear_late(tick)
            return []
        self._now_ns = tick.exchange_ns
        if market is None:
            venue = self._venue_of(tick.symbol)
            market = Market(tick, since_ns=tick.exchange_ns, model=self._model, venue=venue)
            self._markets[tick.symbol] = market
            if self._has_auctions:
                market.phase(tick)
            return []
        before = market.tick
        market.tick, market.liquidity = tick, None
        opened = tick.exchange_ns >= market.opens_ns and market.opened(tick)
        nears_ns = market.nears_close_ns
        if tick.exchange_ns >= nears_ns or tick.received_ns >= nears_ns:
            phase = market.phase(tick)
            if phase != "TRADING":
                return self._close(market, before, tick) if phase == "PRICE" else []
        if not (self.resting and market.has_orders) or (self._has_auctions and market.is_in_auction(self._now_ns)):
            return []
        market.traded = volume_between(before, tick)
        reports = [
            report for order in market.reached() for report in self._trade(market, order, rested=True, opened=opened)
        ]
        if market.stops or market.arriving:
            reports += self._let_in(market, tick, before=before, opened=opened)
        return reports

    def only_remembers(self, tick: Tick) -> bool:
        """Tell whether of ticks of its symbol up to this one, since the one before, the newest would do."""
        return not self.resting and not (self._has_auctions and self._nears_close(tick))

    def _nears_close(self, tick: Tick) -> bool:
        """Tell whether a tick may be of a closing auction, or count for its reference price.

        By the calendar alone: what the market knows of its day is as old as the last tick that it has had.
        """
        begin_ns, nears_ns, end_ns = self._closes.get(tick.symbol, (0, 0, 0))
        if not begin_ns <= tick.exchange_ns < end_ns:
            session = session_at(tick.exchange_ns, *self._venue_of(tick.symbol))
            closing = session.closing if session is not None else None
            begin_ns = day_start_ns(day_of(tick.exchange_ns))
            end_ns = begin_ns + DAY_NS
            nears_ns = end_ns if closing is None else closing.reference_ns
            self._closes[tick.symbol] = begin_ns, nears_ns, end_ns
        return tick.exchange_ns >= nears_ns

    def pass_over(self, ticks: list[Tick], now_ns: int) -> None:
        """Do what `move` does at each of these ticks, none later than now, while no order rests: little at most."""
        newest = {tick.symbol: tick for tick in ticks}
        markets = self._markets
        if any(symbol not in markets or markets[symbol].nears_close_ns <= now_ns for symbol in newest):
            for tick in ticks:
                self.move(tick)
            return
        self.ticks += len(ticks)
        self._now_ns = ticks[-1].exchange_ns
        for symbol, tick in newest.items():
            market = markets[symbol]
            market.tick, market.liquidity = tick, None
            if tick.exchange_ns >= market.opens_ns:
                market.opened(tick)

    def let_in(self, now_ns: int) -> list[ExecutionReport]:
        """Let orders in whose way is over, where a tick has come since they were sent; return their trades."""
        self.pass_time(now_ns)
        reports: list[ExecutionReport] = []
        for market in self._markets.values():
            if not market.arriving or (self._has_auctions and market.holds_auction(now_ns)):
                continue
            tick = market.tick
            for order in [order for order in market.arriving if order.due_ns <= now_ns and order.sent_at is not tick]:
                if not order.waits_for_opening:
                    reports += self._arrive(market, order)
        return reports

    def place(self, request: NewOrder, *, linked_with: str = "") -> list[ExecutionReport]:
        """Take an order; return REJECTED, or NEW and its immediate trades.

        `linked_with`: an open order, see `link`.
        """
        reason = self._refusal(request)
        if request.client_order_id in self._orders:
            # Not stored: the existing order of that id stays as it is.
            return [self._report(Order(request, broker_order_id="", arrival=0), "REJECTED", reason=reason)]
        self.orders += 1
        self._arrivals += 1
        order = Order(request, broker_order_id=f"X-{self._run}-{self.orders}", arrival=self._arrivals)
        self._orders[request.client_order_id] = order
        while len(self._over) > ENDED_MAX:
            del self._orders[self._over.popleft()]
        if reason:
            order.state = "REJECTED"
            self._over.append(request.client_order_id)
            return [self._report(order, "REJECTED", reason=reason)]
        market = self._markets[request.symbol]
        self._price(market, order)
        if self._model.latency_ns:
            order.due_ns, order.sent_at = self._now_ns + self._model.latency_ns, market.tick
        self._hold(market, order)
        market.insert(order)
        self.resting += 1
        if linked_with:
            self.link(request.client_order_id, linked_with)
        reports = [self._report(order, "NEW")]
        if not order.due_ns:
            reports += self._enter(market, order)
        if order.is_open and self._day_ends_ns is not None:
            order.ends_ns = self._day_ends_ns(request.symbol, self._now_ns)
            self._note_last_trigger(market, order, self._now_ns)
            self._note_end(order)
        return reports

    def replace(self, request: ReplaceRequest) -> list[ExecutionReport]:
        """Change an open order; return REPLACED and its immediate trades, or CANCEL_REJECTED."""
        order = self._orders.get(request.client_order_id)
        if order is None or not order.is_open:
            return [self._not_open(request.client_order_id, order, number=request.number)]
        before = order.request
        was_triggered = before.is_stop and order.is_triggered
        is_stop = request.order_type in {"STOP_LOSS", "STOP_LOSS_MARKET"}
        after = replace(
            before,
            quantity=request.quantity,
            order_type=request.order_type,
            limit_price=request.limit_price,
            trigger_price=before.trigger_price if was_triggered and is_stop else request.trigger_price,
            validity=request.validity,
        )
        reason = price_fault(after, self._grid_of(after.symbol))
        if request.quantity <= order.filled:
            reason = f"a quantity above the {order.filled} shares that were traded is wanted, found {request.quantity}"
        market = self._markets[before.symbol]
        if not reason:
            reason = self._withdrawal_fault(market, order) or self._auction_fault(market, after)
        if reason:
            return [self._report(order, "CANCEL_REJECTED", reason=reason, number=request.number)]
        keeps_place = after.quantity <= before.quantity and replace(after, quantity=before.quantity) == before
        if keeps_place:
            order.request = after
            return [self._report(order, "REPLACED", number=request.number)]
        market.remove(order)
        order.request = after
        order.is_triggered = was_triggered or not is_stop
        self._arrivals += 1
        order.arrival = self._arrivals
        self._price(market, order)
        if market.tick is None and not order.due_ns:  # of an earlier run: it meets the first tick of this one
            order.due_ns = DUE_AT_ONCE_NS
        self._hold(market, order)
        market.insert(order)
        reports = [self._report(order, "REPLACED", number=request.number)]
        if not order.due_ns:
            reports += self._enter(market, order)
        self._note_last_trigger(market, order, self._now_ns)
        self._note_end(order)
        return reports

    def link(self, client_order_id: str, other_id: str) -> None:
        """Let one of two open orders lose what the other trades."""
        first, second = self._orders[client_order_id], self._orders[other_id]
        first.linked, second.linked = second, first

    def cancel(self, request: CancelRequest, *, always: bool = False) -> ExecutionReport:
        """Cancel the open quantity of an order; return CANCELLED, or CANCEL_REJECTED if it is not open or must stay.

        `always`: who asks has decided that it ends.
        """
        order = self._orders.get(request.client_order_id)
        if order is None or not order.is_open:
            return self._not_open(request.client_order_id, order)
        market = self._markets[order.request.symbol]
        if not always and (reason := self._withdrawal_fault(market, order)):
            return self._report(order, "CANCEL_REJECTED", reason=reason)
        self._end(market, order)
        order.state = "CANCELLED"
        return self._report(order, "CANCELLED", reason="withdrawn")

    def find(self, client_order_id: str) -> OrderFound | OrderNotFound:
        """Return the state and all trades of an order."""
        order = self._orders.get(client_order_id)
        if order is None:
            return OrderNotFound(client_order_id=client_order_id)
        return OrderFound(
            client_order_id=client_order_id,
            broker_order_id=order.broker_order_id,
            state=order.state,
            reports=tuple(order.trades),
            symbol=order.request.symbol,
            side=order.request.side,
            quantity=order.request.quantity,
            limit_price=order.request.limit_price or 0.0,
            trigger_price=order.request.trigger_price or 0.0,
            is_triggered=order.is_triggered if order.request.is_stop else None,
        )

    def _refusal(self, request: NewOrder) -> str:
        """Return why an order is rejected: what was wanted, what was found; empty if it is accepted."""
        if request.client_order_id in self._orders:
            return f"a new client_order_id is wanted, found the duplicate {request.client_order_id}"
        if request.quantity < 1:
            return f"a quantity of at least 1 share is wanted, found {request.quantity}"
        market = self._markets.get(request.symbol)
        if market is None or market.tick is None:
            return f"a symbol with a price is wanted, found no tick of {request.symbol} yet"
        return self._auction_fault(market, request) or price_fault(request, self._grid_of(request.symbol))

    def _auction_fault(self, market: Market, request: NewOrder) -> str:
        if not self._has_auctions:
            return ""
        return auction_fault(market, request, self._grid_of(request.symbol), now_ns=self._now_ns)

    def _withdrawal_fault(self, market: Market, order: Order) -> str:
        return withdrawal_fault(market, order, now_ns=self._now_ns) if self._has_auctions else ""

    def _hold(self, market: Market, order: Order) -> None:
        """Let an order be on its way until the first tick of the session, where that is awaited, or for the auction."""
        if not self._has_auctions:
            return
        if opens_ns := market.awaited_ns(self._now_ns):
            order.due_ns, order.waits_for_opening = max(order.due_ns, opens_ns), True
        elif (closing := market.closing_at(self._now_ns)) is not None:
            order.due_ns, order.waits_for_opening = closing.ends_ns, True

    def _note_end(self, order: Order) -> None:
        if end_ns := order.first_end_ns:
            self.next_end_ns = min(self.next_end_ns or end_ns, end_ns)

    def _note_last_trigger(self, market: Market, order: Order, time_ns: int) -> None:
        """Note when a stop order ends unless its trigger is met, where a closing auction is held."""
        if self._has_auctions and order.ends_ns:
            order.last_trigger_ns = market.last_trigger_ns(time_ns)


def _by_arrival(order: Order) -> int:
    return order.arrival
