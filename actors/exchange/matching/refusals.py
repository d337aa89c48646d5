"""What an order is refused for: by its own prices, and by the auction that goes on. Each text says wanted and found."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ....domain.closing_auction import BAND_PERCENT
from ....domain.instruments import price_away

if TYPE_CHECKING:
    from ....domain.instruments import PriceGrid
    from ....messages.broker import NewOrder
    from ....messages.exchange import AccountOrder
    from .market import Market
    from .order import Order


def price_fault(request: NewOrder, grid: PriceGrid) -> str:
    """Return what is wrong with the prices of an order; empty if nothing."""
    tick_size = grid.tick_size_rupees
    trigger = request.trigger_price
    if request.is_stop:
        if trigger is None or grid.snap(trigger) is None:
            return f"a trigger_price in whole multiples of {tick_size} rupees is wanted, found {trigger}"
    elif trigger is not None:
        return f"no trigger_price for {request.order_type} is wanted, found {trigger}"
    if request.order_type in {"MARKET", "STOP_LOSS_MARKET"}:
        if request.limit_price is None:
            return ""
        return f"no price for {request.order_type} is wanted, found {request.limit_price}"
    if request.limit_price is None or grid.snap(request.limit_price) is None:
        return f"a limit_price in whole multiples of {tick_size} rupees is wanted, found {request.limit_price}"
    return ""


def opening_fault(order: NewOrder | AccountOrder) -> str:
    """Return why an order cannot be in an opening auction; empty: it can."""
    if order.order_type in {"MARKET", "LIMIT"} and order.validity == "DAY":
        return ""
    found = order.order_type if order.validity == "DAY" else order.validity
    return f"a MARKET or LIMIT order for the day is wanted in the pre-open session, found {found}"


def auction_fault(market: Market, request: NewOrder, grid: PriceGrid, *, now_ns: int) -> str:
    """Return why an order is not taken in the auction that goes on; empty: it is, or none goes on."""
    if market.is_in_auction(now_ns):
        return opening_fault(request)
    closing = market.closing_at(now_ns)
    if closing is None:
        return ""
    fault = closing.fault(request.order_type, time_ns=now_ns, validity=request.validity)
    if fault or request.limit_price is None or market.last_price is None:
        return fault
    reference = market.reference.price(market.last_price)
    low, high = (price_away(grid, reference, percent) for percent in (-BAND_PERCENT, BAND_PERCENT))
    if low <= request.limit_price <= high:
        return ""
    return f"a limit of {low:.2f} to {high:.2f} rupees is wanted in the closing auction, found {request.limit_price}"


def withdrawal_fault(market: Market, order: Order, *, now_ns: int) -> str:
    """Return why an open order can be neither changed nor withdrawn now; empty: it can."""
    closing = market.closing_at(now_ns)
    if closing is None:
        return ""
    return closing.fault("MARKET" if order.limit_price is None else "LIMIT", time_ns=now_ns)
