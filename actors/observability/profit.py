"""The account's profit in a view, and how it has gone: pure."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Final

import msgspec

from ...domain.positions import unrealized
from ...messages.market import FeedStatistics
from ...messages.order_listing import OrdersStatistics
from ...messages.profit import ProfitCurve

if TYPE_CHECKING:
    from .view import View

SAMPLES_MAX: Final = 2_000
"""Samples that are kept: a day in steps of 80 s at worst."""


class Profit(msgspec.Struct, frozen=True, gc=False):
    """Rupees, before charges."""

    realized: Decimal

    unrealized: Decimal | None
    """None: an open position has no price, so nobody knows."""


def prices_in(view: View) -> dict[str, float]:
    """Return the last prices, in rupees by symbol; none where the feed did not say."""
    feed = next((each for each in view.statistics.values() if isinstance(each, FeedStatistics)), None)
    return {} if feed is None else feed.last_prices


def profit_in(view: View) -> Profit | None:
    """Return the profit; None: orders did not say."""
    orders = next((each for each in view.statistics.values() if isinstance(each, OrdersStatistics)), None)
    if orders is None:
        return None
    prices = prices_in(view)
    held = [each for each in orders.positions if each.quantity]
    realized = sum((each.realized_pnl for each in orders.positions), start=Decimal(0))
    is_known = all(each.symbol in prices for each in held)
    return Profit(realized, sum(unrealized(held, prices).values(), start=Decimal(0)) if is_known else None)


class ProfitSamples:
    """The profit at so many moments and no more: when it is full, every second one is left out from then on."""

    def __init__(self) -> None:
        self._samples: list[tuple[int, float, float]] = []
        self._step = 1
        self._skipped = 0

    def add(self, time_ns: int, profit: Profit | None) -> None:
        """Take a sample; one that is not known is left out."""
        self._skipped += 1
        if profit is None or profit.unrealized is None or self._skipped < self._step:
            return
        self._skipped = 0
        self._samples.append((time_ns, float(profit.realized), float(profit.unrealized)))
        if len(self._samples) >= SAMPLES_MAX:
            del self._samples[1::2]  # the newest, too, since their number is even: the one kept is a step older
            self._skipped = self._step
            self._step *= 2

    def curve(self) -> ProfitCurve:
        """Return it, the oldest first."""
        times, realized, unrealized_ = zip(*self._samples, strict=True) if self._samples else ((), (), ())
        return ProfitCurve(times_ns=times, realized=realized, unrealized=unrealized_)
