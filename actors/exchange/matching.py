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
- The liquidity of one tick is used once, by price and then by time of arrival. The next tick has the recorded book
  again, since the recording is not affected by our trades.
- Our own orders never trade with each other.
"""

from __future__ import annotations

import bisect
from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

from ...domain.calendar import session_at
from ...domain.instruments import price_grid
from ...domain.time import day_of, day_start_ns
from ...messages.broker import ExecutionReport, ExecutionType, NewOrder, OrderFound, OrderNotFound
from .liquidity import Liquidity
from .order import Order

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ...messages.broker import CancelRequest
    from ...messages.market import Tick

ORDERS_MAX: Final = 1_000_000
"""Orders that one run may place (about 1 GB); more are rejected."""


class _Market:
    """One symbol: its newest tick, the liquidity left of it, and the resting orders."""

    __slots__ = ("buys", "liquidity", "opens_ns", "sells", "tick", "traded")

    def __init__(self, tick: Tick | None, *, since_ns: int) -> None:
        self.tick = tick
        """None before the first tick of this run; only resting orders of an earlier run are known then."""

        self.opens_ns = _next_opening(since_ns)
        self.traded = 0
        self.liquidity: Liquidity | None = None
        self.buys: list[Order] = []
        self.sells: list[Order] = []

    @property
    def last_price(self) -> float | None:
        return None if self.tick is None else self.tick.price

    def resting(self, order: Order) -> list[Order]:
        return self.buys if order.request.side == "BUY" else self.sells

    def open(self, time_ns: int) -> bool:
        """Return whether a session has begun by this time, and set `opens_ns` to the next one; False in pre-open."""
        self.opens_ns = _next_opening(time_ns)
        today = session_at(time_ns)
        return today is None or time_ns >= today.open_ns

    def offer(self) -> Liquidity:
        # Made on demand, since most ticks match no order.
        assert self.tick is not None, "nothing trades before the first tick"
        if self.liquidity is None:
            self.liquidity = Liquidity(self.tick, self.traded)
        return self.liquidity


class Matching:
    """All markets and orders of one run. Its answers are execution reports, as in FIX."""

    def __init__(
        self, *, tick_size_rupees: float, run: int, now_ns: int, resting: Iterable[Order] = (), since_ns: int = 0
    ) -> None:
        """Start without any price.

        Args:
            tick_size_rupees: limit prices must be multiples of it.
            run: a number, 0 or more, that is unique among the runs of the data directory; ids are made from it.
            now_ns: nanoseconds since 1970-01-01 UTC, until a tick or `pass_time` advances it.
            resting: open orders of an earlier run, in order of arrival.
            since_ns: time of that run's last event: nanoseconds since 1970-01-01 UTC.
        """
        self._grid = price_grid(tick_size_rupees)
        self._run = f"{run:x}"
        self._now_ns = now_ns
        self._markets: dict[str, _Market] = {}
        self._orders: dict[str, Order] = {}
        self._executions = 0
        self.ticks = self.trades = self.resting = 0
        for order in resting:
            self._orders[order.request.client_order_id] = order
            market = self._markets.setdefault(order.request.symbol, _Market(None, since_ns=since_ns))
            bisect.insort(market.resting(order), order, key=lambda each: each.priority)
            self.resting += 1

    @property
    def orders(self) -> int:
        """Orders placed so far."""
        return len(self._orders)

    def pass_time(self, now_ns: int) -> None:
        """Advance the time beyond the last tick: an order at a daily candle's end comes hours after the close."""
        self._now_ns = max(self._now_ns, now_ns)

    def move(self, tick: Tick) -> list[ExecutionReport]:
        """Move a market to its next tick; return the trades of resting orders, in the order they happened."""
        self.ticks += 1
        self._now_ns = tick.exchange_ns
        market = self._markets.get(tick.symbol)
        if market is None:
            self._markets[tick.symbol] = _Market(tick, since_ns=tick.exchange_ns)
            return []
        before = market.tick
        market.tick, market.liquidity = tick, None
        opened = tick.exchange_ns >= market.opens_ns and market.open(tick.exchange_ns)
        resting = (*market.buys, *market.sells)
        if not resting:
            return []
        # `volume` counts from the start of the day: across days the difference has no meaning.
        market.traded = 0
        if before is not None and day_of(before.exchange_ns) == day_of(tick.exchange_ns):
            market.traded = max(0, tick.volume - before.volume)
        return [report for order in resting for report in self._trade(market, order, rested=True, opened=opened)]

    def place(self, request: NewOrder) -> list[ExecutionReport]:
        """Take an order; return REJECTED, or NEW and its immediate trades."""
        reason = self._refusal(request)
        if request.client_order_id in self._orders:
            # Not stored: the existing order of that id stays as it is.
            return [self._report(Order(request, broker_order_id="", arrival=0), "REJECTED", reason=reason)]
        arrival = len(self._orders) + 1
        order = Order(request, broker_order_id=f"X-{self._run}-{arrival}", arrival=arrival)
        if arrival <= ORDERS_MAX:
            self._orders[request.client_order_id] = order
        if reason:
            order.state = "REJECTED"
            return [self._report(order, "REJECTED", reason=reason)]
        if request.limit_price is not None:
            order.request = replace(request, limit_price=self._grid.snap(request.limit_price))
        market = self._markets[request.symbol]
        bisect.insort(market.resting(order), order, key=lambda each: each.priority)
        self.resting += 1
        return [self._report(order, "NEW"), *self._trade(market, order, rested=False)]

    def cancel(self, request: CancelRequest) -> ExecutionReport:
        """Cancel the open quantity of an order; return CANCELLED, or CANCEL_REJECTED if it is not open."""
        order = self._orders.get(request.client_order_id)
        if order is None:
            return ExecutionReport(
                client_order_id=request.client_order_id,
                broker_order_id="",
                execution_type="CANCEL_REJECTED",
                execution_id=self._execution_id("E"),
                occurred_ns=self._now_ns,
                reason="an order that was placed is wanted, found none of that id",
            )
        if not order.is_open:
            return self._report(order, "CANCEL_REJECTED", reason=f"an open order is wanted, found it {order.state}")
        self._end(self._markets[order.request.symbol], order)
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
        )

    def _refusal(self, request: NewOrder) -> str:  # noqa: PLR0911  one rule a line
        """Return why an order is rejected: what was wanted, what was found; empty if it is accepted."""
        if request.client_order_id in self._orders:
            return f"a new client_order_id is wanted, found the duplicate {request.client_order_id}"
        if len(self._orders) >= ORDERS_MAX:
            return f"at most {ORDERS_MAX} orders a run are wanted, found one more"
        if request.quantity < 1:
            return f"a quantity of at least 1 share is wanted, found {request.quantity}"
        market = self._markets.get(request.symbol)
        if market is None or market.tick is None:
            return f"a symbol with a price is wanted, found no tick of {request.symbol} yet"
        if request.order_type == "MARKET":
            return "" if request.limit_price is None else f"no price for MARKET is wanted, found {request.limit_price}"
        if request.limit_price is None or self._grid.snap(request.limit_price) is None:
            tick_size = self._grid.tick_size_rupees
            return f"a limit_price in whole multiples of {tick_size} rupees is wanted, found {request.limit_price}"
        return ""

    def _trade(self, market: _Market, order: Order, *, rested: bool, opened: bool = False) -> list[ExecutionReport]:
        """Trade with the liquidity left at the tick; `opened`: a session opened since the tick before."""
        request = order.request
        reports = []
        for level in market.offer().against(request.side, limit_price=request.limit_price, rested=rested):
            quantity = min(order.leaves, level.quantity)
            level.quantity -= quantity
            price = level.price
            if rested:
                price = order.price_at(level.price, opening_price=market.last_price if opened else None)
            order.filled += quantity
            order.state = "FILLED" if order.filled == request.quantity else "PART_FILLED"
            report = self._report(order, "TRADE", quantity=quantity, price=price)
            order.trades.append(report)
            reports.append(report)
            self.trades += 1
            if not order.is_open:
                self._end(market, order)
                break
        return reports

    def _end(self, market: _Market, order: Order) -> None:
        """Remove an order from the book."""
        market.resting(order).remove(order)
        self.resting -= 1

    def _report(
        self, order: Order, kind: ExecutionType, *, quantity: int = 0, price: float = 0.0, reason: str = ""
    ) -> ExecutionReport:
        return ExecutionReport(
            client_order_id=order.request.client_order_id,
            broker_order_id=order.broker_order_id,
            execution_type=kind,
            execution_id=self._execution_id("T" if kind == "TRADE" else "E"),
            occurred_ns=self._now_ns,
            quantity=quantity,
            price=price,
            cumulative_quantity=order.filled,
            leaves_quantity=order.leaves,
            reason=reason,
            symbol=order.request.symbol,
            side=order.request.side,
        )

    def _execution_id(self, letter: str) -> str:
        self._executions += 1
        return f"{letter}-{self._run}-{self._executions}"


def _next_opening(time_ns: int) -> int:
    """Return the earliest time of the next opening: of today's session, or midnight (the next day may be special)."""
    today = session_at(time_ns)
    return today.open_ns if today is not None and time_ns < today.open_ns else day_start_ns(day_of(time_ns) + 1)
