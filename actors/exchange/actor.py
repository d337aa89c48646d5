"""The exchange actor: the paper exchange, fed by the same ticks as everyone else.

Owns    one Matching (see matching.py), and who placed each open order.
Hears   Tick, NewOrder, CancelRequest, OrderStatusRequest.
Sends   ExecutionReport to who placed the order: NEW or REJECTED at once, TRADE when it happens, CANCELLED or
        CANCEL_REJECTED to who asked for it; OrderFound or OrderNotFound to the asker.
Fails   on nothing it expects: what it refuses, it rejects. Restarted, it has its book again (hand-over).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...messages.broker import (
    CancelRequest,
    ExchangeStatistics,
    ExecutionReport,
    NewOrder,
    OrderStatusRequest,
)
from ...messages.market import Tick
from ..runtime import RuntimeActor, handles
from .matching import Matching

if TYPE_CHECKING:
    from ...config.settings import ExchangeSettings
    from ..runtime import ActorAddress


class ExchangeActor(RuntimeActor):
    """Hands every message to the matching, and every report to whom it concerns."""

    settings: ExchangeSettings

    def on_start(self) -> None:
        """Open without any market: each begins with its first tick."""
        self._matching = Matching(tick_size_rupees=self.settings.tick_size_rupees, started_ns=self.clock.now_ns())
        self._owners: dict[str, ActorAddress] = {}

    def snapshot(self) -> tuple[Matching, dict[str, ActorAddress]]:
        """Keep the book."""
        return self._matching, self._owners

    def restore(self, state: tuple[Matching, dict[str, ActorAddress]]) -> None:
        """Take the book over."""
        self._matching, self._owners = state

    @handles(Tick)
    def move(self, tick: Tick, _sender: ActorAddress) -> None:
        """Move the market; whose resting orders traded hears of it."""
        for report in self._matching.move(tick):
            self._deliver(report)

    @handles(NewOrder)
    def place(self, request: NewOrder, sender: ActorAddress) -> None:
        """Take or reject the order, and trade it as far as it goes."""
        for report in self._matching.place(request):
            if report.execution_type == "NEW":
                self._owners[request.client_order_id] = sender
            if report.execution_type == "REJECTED":
                self.send(sender, report)
            else:
                self._deliver(report)

    @handles(CancelRequest)
    def cancel(self, request: CancelRequest, sender: ActorAddress) -> None:
        """Withdraw what is open of an order; who asks hears what came of it."""
        report = self._matching.cancel(request)
        if report.execution_type == "CANCELLED":
            del self._owners[request.client_order_id]
        self.send(sender, report)

    @handles(OrderStatusRequest)
    def find(self, request: OrderStatusRequest, sender: ActorAddress) -> None:
        """Tell what is known of an order."""
        self.send(sender, self._matching.find(request.client_order_id))

    def statistics(self) -> ExchangeStatistics:
        """Count what the matching did."""
        matching = self._matching
        return ExchangeStatistics(
            ticks=matching.ticks, orders=matching.orders, trades=matching.trades, resting_orders=matching.resting
        )

    def _deliver(self, report: ExecutionReport) -> None:
        self.join_trace(report.client_order_id)
        self.send(self._owners[report.client_order_id], report)
        if not report.leaves_quantity:
            del self._owners[report.client_order_id]
