"""How an order trades at a tick: with what it meets there, at which prices, and what is said of it. See `matching`."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from msgspec.structs import replace

from ....domain.instruments import price_away
from ....messages.broker import ExecutionReport, ExecutionType
from .liquidity import Liquidity
from .market import volume_between

if TYPE_CHECKING:
    from collections.abc import Callable

    from ....domain.instruments import PriceGrid
    from ....messages.market import Tick
    from .market import Market
    from .model import FillModel
    from .order import Order


class Trading:
    """Lets orders in and trades them; which orders there are, and when, is `Matching`'s."""

    def __init__(
        self,
        *,
        grid_of: Callable[[str], PriceGrid],
        model: FillModel,
        run: int,
        now_ns: int,
        has_auctions: bool,
    ) -> None:
        """Begin without a trade; see `Matching`."""
        self._grid_of = grid_of
        self._model = model
        self._run = f"{run:x}"
        self._now_ns = now_ns
        self._has_auctions = has_auctions
        self._executions = 0
        self._over: deque[str] = deque()
        """Ids of orders that have ended; who ended first comes first."""

        self.trades = 0
        self.resting = 0
        """Open orders, those included that are on their way."""

    def _price(self, market: Market, order: Order) -> None:
        """Set the limit of an order: its own, on the grid; or the protection of a market order."""
        limit_price, grid = order.request.limit_price, self._grid_of(order.request.symbol)
        if limit_price is not None:
            order.limit_price = grid.snap(limit_price)
        elif self._is_protected(market) and market.last_price is not None:
            percent = self._model.protection_percent
            order.limit_price = price_away(
                grid, market.last_price, percent if order.request.side == "BUY" else -percent
            )
        else:
            order.limit_price = None

    def _is_protected(self, market: Market) -> bool:
        """Tell whether a market order is a limit order: not in an auction, which has a place for it."""
        if not self._model.protection_percent:
            return False
        return not self._has_auctions or market.closing_at(self._now_ns) is None

    def _close(self, market: Market, before: Tick | None, tick: Tick) -> list[ExecutionReport]:
        """Trade at the one price of the closing auction: who rested, and who was on the way to it."""
        if not market.has_orders:
            return []
        market.traded = max(tick.quantity, volume_between(before, tick))
        market.liquidity = Liquidity.of_auction(tick, market.traded, share=self._model.shown_share)
        for order in [each for each in market.arriving if each.waits_for_opening or each.due_ns <= tick.exchange_ns]:
            market.arriving.remove(order)
            order.due_ns, order.sent_at, order.waits_for_opening = 0, None, False
            market.insert(order)
        orders = [*market.buys, *market.sells]
        return [report for order in orders for report in self._trade(market, order, rested=True, opened=True)]

    def _let_in(self, market: Market, tick: Tick, *, before: Tick | None, opened: bool) -> list[ExecutionReport]:
        """Let orders in that were on their way or met their trigger, in the order of their arrival."""
        reports = []
        for order in [order for order in market.arriving if order.due_ns <= tick.exchange_ns]:
            was_there = order.due_ns < tick.exchange_ns and not opened
            reports += self._arrive(market, order, before=before if was_there else None)
        for order in [order for order in market.stops if order.is_reached(tick.price)]:
            if order.is_open:
                reports += self._enter(market, order)
        return reports

    def _arrive(self, market: Market, order: Order, *, before: Tick | None = None) -> list[ExecutionReport]:
        """Let an order in whose way is over.

        Args:
            market: of its symbol.
            order: that comes.
            before: the tick at which it came, where the market has moved on since; None: it comes at the newest.
        """
        if not order.is_open:  # another, linked with it, has just traded
            return []
        market.arriving.remove(order)
        order.due_ns, order.sent_at, order.waits_for_opening = 0, None, False
        if order.limit_price is None:  # there may have been no price yet to protect it by
            self._price(market, order)
        market.insert(order)
        return self._enter(market, order, before=before)

    def _enter(self, market: Market, order: Order, *, before: Tick | None = None) -> list[ExecutionReport]:
        """Trade an order that has just come into the book; a stop order comes when its trigger is met.

        One with a limit that came at a tick before trades no better than what it found there: its limit, if nothing
        was offered within it, since it has rested until now.
        """
        reports: list[ExecutionReport] = []
        if not order.is_triggered:
            assert market.last_price is not None, "orders are taken at a price"
            if not order.is_reached(market.last_price):
                return reports
            market.remove(order)
            order.is_triggered = True
            self._price(market, order)
            market.insert(order)
            reports.append(self._report(order, "TRIGGERED"))
            reports += self._trade(market, order, rested=False, triggered=True)
        elif before is None or order.request.limit_price is None:
            reports += self._trade(market, order, rested=False)
        else:
            found = Liquidity(before, 0, share=self._model.shown_share).against(
                order.request.side, limit_price=order.limit_price, rested=False
            )
            if found:
                reports += self._trade(market, order, rested=False, found_price=found[0].price)
            elif order.request.validity != "IOC":
                market.queue(order)
                reports += self._trade(market, order, rested=True)
        if not order.is_open:
            return reports
        if order.request.validity == "IOC":
            self._end(market, order)
            order.state = "CANCELLED"
            reports.append(self._report(order, "CANCELLED", reason="immediate or cancel"))
        else:
            market.queue(order)
        return reports

    def _trade(  # noqa: PLR0913  by name
        self,
        market: Market,
        order: Order,
        *,
        rested: bool,
        opened: bool = False,
        triggered: bool = False,
        found_price: float | None = None,
    ) -> list[ExecutionReport]:
        """Trade with the liquidity left at the tick.

        Args:
            market: of its symbol.
            order: that trades.
            rested: it was in the book before this tick.
            opened: a session opened since the tick before.
            triggered: it is a stop order that this tick lets in.
            found_price: what was offered when it came, before this tick, which it trades no better than: rupees.
        """
        reports: list[ExecutionReport] = []
        if not order.is_open:  # another, linked with it, has traded at this tick
            return reports
        request, limit_price = order.request, order.limit_price
        at_limit = market.print_for(order) if rested else 0
        offer = market.offer()
        for level in offer.against(request.side, limit_price=limit_price, rested=rested, at_limit=at_limit):
            quantity = min(order.leaves, offer.most_of(level, limit_price=limit_price, at_limit=at_limit))
            level.quantity -= quantity
            price = level.price
            if rested:
                price = order.price_at(level.price, opening_price=market.last_price if opened else None)
            elif triggered:
                price = order.price_when_triggered(level.price)
            elif found_price is not None:
                price = (max if request.side == "BUY" else min)(level.price, found_price)
            if not rested:
                grid = self._grid_of(request.symbol)
                price = self._model.slipped(price, request.side, limit_price=limit_price, grid=grid)
            order.filled += quantity
            order.state = "FILLED" if order.filled == request.quantity else "PART_FILLED"
            report = self._report(order, "TRADE", quantity=quantity, price=price)
            order.trades.append(report)
            reports.append(report)
            self.trades += 1
            if order.linked is not None:
                reports += self._shorten(market, order.linked, quantity)
            if not order.is_open:
                self._end(market, order)
                break
        return reports

    def _shorten(self, market: Market, order: Order, quantity: int) -> list[ExecutionReport]:
        """Take from an order what the one that is linked with it has traded."""
        if not order.is_open:
            return []
        if order.leaves > quantity:
            order.request = replace(order.request, quantity=order.request.quantity - quantity)
            return [self._report(order, "REPLACED")]
        self._end(market, order)
        order.state = "CANCELLED"
        return [self._report(order, "CANCELLED", reason="the other of the two has traded")]

    def _end(self, market: Market, order: Order) -> None:
        """Remove an order from the book."""
        market.remove(order)
        self.resting -= 1
        self._over.append(order.request.client_order_id)

    def _not_open(self, client_order_id: str, order: Order | None, *, number: int = 0) -> ExecutionReport:
        if order is not None:
            reason = f"an open order is wanted, found it {order.state}"
            return self._report(order, "CANCEL_REJECTED", reason=reason, number=number)
        return ExecutionReport(
            client_order_id=client_order_id,
            broker_order_id="",
            execution_type="CANCEL_REJECTED",
            execution_id=self._execution_id("E"),
            occurred_ns=self._now_ns,
            reason="an order that was placed is wanted, found none of that id",
            number=number,
        )

    def _report(  # noqa: PLR0913  by name
        self,
        order: Order,
        kind: ExecutionType,
        *,
        quantity: int = 0,
        price: float = 0.0,
        reason: str = "",
        number: int = 0,
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
            number=number,
        )

    def _execution_id(self, letter: str) -> str:
        self._executions += 1
        return f"{letter}-{self._run}-{self._executions}"
