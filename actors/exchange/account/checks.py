"""What is wrong with an order: refused at once by the broker, or rejected by its risk management or the exchange.

A rejection begins with who rejects: `RMS` is the broker's risk management, `EXCH` the exchange.
The texts begin as the broker's do; where the rest is known from its records, it is theirs.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from ....domain.dhan.square_off import square_off_ns
from ..matching import opening_fault
from .refusals import MARKET_CLOSED, Refused, expect_quantity, wrong
from .state import BRACKETED, DELIVERED, INTRADAY

if TYPE_CHECKING:
    from ....messages.exchange import AccountOrder, Instrument
    from .core import Core
    from .listings import Listing
    from .requests import Ticket

_CORRELATION_ID: Final = re.compile(r"[A-Za-z0-9 _.-]{0,25}")
DISCLOSED_SHARE_MIN: Final = 0.3
PRODUCTS: Final = {True: frozenset({"CNC", "INTRADAY", "MTF"}), False: frozenset({"INTRADAY", "MARGIN"})}
"""Products of shares (True) and of derivatives; cover and bracket orders are of both."""


def check_ticket(core: Core, ticket: Ticket, listing: Listing) -> None:
    """Check what the broker checks before it takes an order in.

    Raises:
        Refused: it does not take it.
    """
    if _CORRELATION_ID.fullmatch(ticket.correlation_id) is None:
        raise wrong("correlationId", "at most 25 letters, digits, spaces, _, - and .", repr(ticket.correlation_id))
    expect_quantity(ticket.quantity)
    check_prices(ticket.order_type, ticket.limit_price, ticket.trigger_price)
    is_open = core.takes_orders(listing)
    if not ticket.amo_time and not (is_open or core.is_before_opening(listing)):
        raise Refused("order", MARKET_CLOSED)
    if is_open and ticket.amo_time and not core.settings.always_open:
        raise Refused("order", "Market is Open! An offline order is for hours in which it is closed.")


def check_prices(order_type: str, limit_price: float, trigger_price: float) -> None:
    """Check that an order has the prices (rupees, 0 for none) that its type needs, and no other.

    Raises:
        Refused: one is missing, or one too many.
    """
    is_limited = order_type in {"LIMIT", "STOP_LOSS"}
    if bool(limit_price) != is_limited:
        raise wrong("price", f"{'one above 0' if is_limited else '0'} for {order_type}", limit_price)
    if order_type.startswith("STOP") and not trigger_price:
        raise wrong("triggerPrice", f"one above 0 for {order_type}", trigger_price)


def withdrawal_fault(core: Core, order: AccountOrder, listing: Listing) -> str:
    """Return why an open order can be neither changed nor cancelled at this time of the day; empty if it can."""
    closing = core.closing(listing) if order.arrival else None
    order_type = "MARKET" if order.order_type in {"MARKET", "STOP_LOSS_MARKET"} else "LIMIT"
    return "" if closing is None else closing.fault(order_type, time_ns=core.now_ns)


def fault_of_time(core: Core, order: AccountOrder, listing: Listing) -> str:
    """Return why the exchange does not take an order at this time of the day; empty if it does."""
    why = ""
    is_for_opening, closing = core.is_before_opening(listing), core.closing(listing)
    if is_for_opening:
        why = opening_fault(order)
    elif closing is not None:
        is_iceberg = 0 < order.disclosed_quantity < order.quantity
        why = closing.fault(order.order_type, time_ns=core.now_ns, validity=order.validity, is_iceberg=is_iceberg)
    if why:
        return f"EXCH:16387:{why}"
    return "" if is_for_opening or core.takes_orders(listing) else f"RMS:{order.order_id}: {MARKET_CLOSED}"


def rejection(core: Core, order: AccountOrder, listing: Listing) -> str:  # noqa: C901, PLR0911, PLR0912  one rule a line
    """Return why an order is rejected; empty if it is taken."""
    rms = f"RMS:{order.order_id}:"
    reference = listing.reference
    if core.state.switches.kill_switch and not order.source:
        return f"{rms} Kill switch is active: no orders for the rest of the day"
    if listing.kind == "INDEX":
        return "EXCH:16387:Security is not allowed to trade in this market"
    if order.product not in PRODUCTS[listing.kind == "EQUITY"] | BRACKETED:
        return f"{rms} Product {order.product} is not allowed for this security"
    if is_expired(core, listing):
        return f"{rms} The contract expired on {reference.expiry}"
    fault = reference.quantity_fault(order.quantity)
    if fault:
        return f"{rms} Quantity: {fault}"
    if order.disclosed_quantity and not (
        order.quantity * DISCLOSED_SHARE_MIN <= order.disclosed_quantity <= order.quantity
    ):
        return f"{rms} Disclosed quantity: 30 to 100 percent of the quantity wanted, found {order.disclosed_quantity}"
    for price in (order.limit_price, order.trigger_price):
        if price and reference.grid.snap(price) is None:
            return "EXCH:16283:The order price is not multiple of the tick size."
    quote = core.quotes.get(order.symbol)
    if quote is None:
        return f"{rms} No quote: the market has shown no price of {order.symbol} yet"
    row = core.state.super_orders.get(order.order_id)
    exits = () if row is None else (row.target_price, row.stop_price)  # rejected later, they would leave a position
    fault = circuit_fault(core, listing, order.limit_price, order.trigger_price, *exits)
    if fault:
        return f"{rms} {fault}"
    if order.order_type == "STOP_LOSS" and not _is_beyond(order):
        return f"{rms} Trigger Price should be {'less' if order.side == 'BUY' else 'greater'} than Price"
    if order.product in INTRADAY and not order.source and is_after_square_off(core, listing):
        return f"{rms} Intraday orders are not allowed after the square-off"
    if order.side == "SELL" and order.product in DELIVERED and listing.kind == "EQUITY":
        owned = sellable(core, order)
        if order.remaining_quantity > owned:
            return f"{rms} Selling more than held: {owned} shares are available, found {order.remaining_quantity}"
    return ""


def sellable(core: Core, order: AccountOrder) -> int:
    """Return the shares that may be sold for delivery by this order: those that none before it is to sell."""
    known = core.state.open.get(order.order_id)
    own = 0 if known is None else known.remaining_quantity
    return unsold(core, order.instrument) + own + core.state.leaves_behind(order)


def unsold(core: Core, instrument: Instrument) -> int:
    """Return the shares for delivery, owned or bought today, that no open order is to sell."""
    state = core.state
    owned = state.holdings.get(instrument)
    shares = owned.quantity if owned is not None else 0
    for product in DELIVERED:
        shares += state.net(instrument, product) - sum(state.leaves(instrument, product, "SELL"))
    return shares


def circuit_fault(core: Core, listing: Listing, *prices: float) -> str:
    """Return what is wrong with prices (rupees) beyond the band of the day, 0 for none; empty if nothing is."""
    low, high = band(core, listing)
    for price in prices:
        if price and not low <= price <= high:
            return f"Rate not within circuit limits: {low:.2f} to {high:.2f} wanted, found {price:.2f}"
    return ""


def band(core: Core, listing: Listing) -> tuple[float, float]:
    """Return the lowest and the highest price of an order: rupees."""
    quote = core.quotes.get(listing.symbol)
    if quote is None:
        return 0.0, float("inf")
    return listing.band(quote.reference_price, core.settings.price_band_percent)


def is_after_square_off(core: Core, listing: Listing) -> bool:
    """Tell whether intraday positions of today's session were closed already."""
    if core.settings.always_open:
        return False
    closed_ns = square_off_ns(core.today, listing.venue)
    return closed_ns is not None and core.now_ns >= closed_ns


def is_expired(core: Core, listing: Listing) -> bool:
    """Tell whether the last trading day of a contract is over."""
    expiry = listing.reference.expiry
    return expiry is not None and expiry < core.today


def _is_beyond(order: AccountOrder) -> bool:
    if order.side == "BUY":
        return order.trigger_price <= order.limit_price
    return order.trigger_price >= order.limit_price
