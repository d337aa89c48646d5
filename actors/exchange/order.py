"""One order at the exchange."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ...messages.broker import BrokerOrderState, ExecutionReport, NewOrder


class Order:
    """What was asked, and how far it is. Changed by the matching alone."""

    __slots__ = ("arrival", "broker_order_id", "filled", "request", "state", "trades")

    def __init__(self, request: NewOrder, *, broker_order_id: str, arrival: int) -> None:
        """Take its place in the order of arrival."""
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
        """Tell whether it may still trade."""
        return self.state in {"OPEN", "PART_FILLED"}

    @property
    def priority(self) -> tuple[float, int]:
        """Sort key: market orders first, then the better limit, then who came first."""
        limit_price = self.request.limit_price
        if limit_price is None:
            return float("-inf"), self.arrival
        return (-limit_price if self.request.side == "BUY" else limit_price), self.arrival

    def price_at(self, offered: float, *, opening_price: float | None) -> float:
        """Tell what it trades at with an offer that comes to it while it rests: at its limit.

        What is left of a market order has none: it pays what is asked, and no less than for its last share.

        Args:
            offered: at its limit or better.
            opening_price: where a session has just opened: it pays that, if it is better than the limit, or the offer,
                if that is worse.
        """
        limit_price = self.request.limit_price
        worse, better = (max, min) if self.request.side == "BUY" else (min, max)
        if limit_price is None:
            paid = self.trades[-1].price if self.trades and opening_price is None else offered
            return worse(offered, paid)
        return limit_price if opening_price is None else better(limit_price, worse(offered, opening_price))
