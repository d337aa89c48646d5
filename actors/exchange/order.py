"""One order at the exchange."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ...messages.broker import BrokerOrderState, ExecutionReport, NewOrder


class Order:
    """The request and its progress. Changed only by the matching."""

    __slots__ = ("arrival", "broker_order_id", "filled", "request", "state", "trades")

    def __init__(self, request: NewOrder, *, broker_order_id: str, arrival: int) -> None:
        """Open an order; `arrival` is its number in order of arrival."""
        self.request = request
        self.broker_order_id = broker_order_id
        self.arrival = arrival
        self.filled = 0
        self.state: BrokerOrderState = "OPEN"
        self.trades: list[ExecutionReport] = []

    @property
    def leaves(self) -> int:
        """Shares still open."""
        return self.request.quantity - self.filled if self.is_open else 0

    @property
    def is_open(self) -> bool:
        """Whether it may still trade."""
        return self.state in {"OPEN", "PART_FILLED"}

    @property
    def priority(self) -> tuple[float, int]:
        """Sort key: market orders first, then by better limit, then by earlier arrival (price-time priority)."""
        limit_price = self.request.limit_price
        if limit_price is None:
            return float("-inf"), self.arrival
        return (-limit_price if self.request.side == "BUY" else limit_price), self.arrival

    def price_at(self, offered: float, *, opening_price: float | None) -> float:
        """Return the price (rupees) of its trade with an offer while it rests: its limit.

        The remainder of a market order has no limit: it trades at the offer, at no better price than its last trade.

        Args:
            offered: price of the offer, at its limit or better.
            opening_price: last price, if a session has just opened: it then trades at this price or the offer, the
                worse of both, if that is better than its limit.
        """
        limit_price = self.request.limit_price
        worse, better = (max, min) if self.request.side == "BUY" else (min, max)
        if limit_price is None:
            paid = self.trades[-1].price if self.trades and opening_price is None else offered
            return worse(offered, paid)
        return limit_price if opening_price is None else better(limit_price, worse(offered, opening_price))
