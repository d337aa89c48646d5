"""One order at the exchange."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ....messages.broker import BrokerOrderState, ExecutionReport, NewOrder
    from ....messages.market import Tick


class Order:
    """The request and its progress. Changed only by the matching."""

    __slots__ = (
        *("ahead", "arrival", "broker_order_id", "due_ns", "ends_ns", "filled"),
        *(
            "is_triggered",
            "last_trigger_ns",
            "limit_price",
            "linked",
            "request",
            "sent_at",
            "state",
            "trades",
            "waits_for_opening",
        ),
    )

    def __init__(self, request: NewOrder, *, broker_order_id: str, arrival: int) -> None:
        """Open an order; `arrival` is its number in order of arrival."""
        self.request = request
        self.broker_order_id = broker_order_id
        self.arrival = arrival
        self.filled = 0
        self.state: BrokerOrderState = "OPEN"
        self.trades: list[ExecutionReport] = []
        self.limit_price = request.limit_price
        """Rupees, on the grid; None for a market order. Of a protected market order: its protection."""

        self.is_triggered = not request.is_stop
        """Whether it takes part in the market: a stop order does from its trigger on."""

        self.ahead = 0
        """Shares before it in the queue at its limit, as far as the model knows them."""

        self.due_ns = 0
        """When it is in the book: nanoseconds since 1970-01-01 UTC, for one that is on its way."""

        self.ends_ns = 0
        """When it ends with its day: nanoseconds since 1970-01-01 UTC; 0: the account ends it."""

        self.last_trigger_ns = 0
        """When a stop order ends whose trigger was not met: nanoseconds since 1970-01-01 UTC; 0: with its day."""

        self.waits_for_opening = False
        """It is on its way until an auction is over, and meets no tick from before."""

        self.sent_at: Tick | None = None
        """The newest tick when it was sent, for one that is on its way."""

        self.linked: Order | None = None
        """The order that loses what this one trades, and the reverse."""

    @property
    def first_end_ns(self) -> int:
        """When it ends by itself, as things stand: nanoseconds since 1970-01-01 UTC; 0: it does not."""
        if self.last_trigger_ns and not self.is_triggered:
            return self.last_trigger_ns
        return self.ends_ns

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
        limit_price = self.limit_price
        if limit_price is None:
            return float("-inf"), self.arrival
        return (-limit_price if self.request.side == "BUY" else limit_price), self.arrival

    def is_reached(self, last_price: float) -> bool:
        """Tell whether the last price (rupees) meets the trigger of a stop order."""
        trigger_price = self.request.trigger_price
        assert trigger_price is not None, "a stop order has a trigger"
        return last_price >= trigger_price if self.request.side == "BUY" else last_price <= trigger_price

    def price_when_triggered(self, offered: float) -> float:
        """Return the price (rupees) of a stop order's trade with an offer of the tick that triggers it.

        It is no better than its trigger: what the last price has passed was no longer offered.
        """
        trigger_price, limit_price = self.request.trigger_price, self.limit_price
        assert trigger_price is not None, "a stop order has a trigger"
        worse, better = (max, min) if self.request.side == "BUY" else (min, max)
        price = worse(offered, trigger_price)
        return price if limit_price is None else better(price, limit_price)

    def price_at(self, offered: float, *, opening_price: float | None) -> float:
        """Return the price (rupees) of its trade with an offer while it rests: its limit.

        The remainder of a market order has no limit: it trades at the offer, at no better price than its last trade.

        Args:
            offered: price of the offer, at its limit or better.
            opening_price: last price, if a session has just opened: it then trades at this price or the offer, the
                worse of both, if that is better than its limit.
        """
        limit_price = self.limit_price
        worse, better = (max, min) if self.request.side == "BUY" else (min, max)
        if limit_price is None:
            paid = self.trades[-1].price if self.trades and opening_price is None else offered
            return worse(offered, paid)
        return limit_price if opening_price is None else better(limit_price, worse(offered, opening_price))
