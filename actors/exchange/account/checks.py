"""Why an order is rejected: the checks of the broker's risk management (`RMS`) and of the exchange (`EXCH`).

The texts begin as the broker's do; where the rest is known from its records, it is theirs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ....domain.dhan.square_off import square_off_ns
from .state import BRACKETED, DELIVERED, INTRADAY

if TYPE_CHECKING:
    from ....messages.exchange import AccountOrder, Instrument
    from .core import Core
    from .listings import Listing

DISCLOSED_SHARE_MIN: Final = 0.3
PRODUCTS: Final = {True: frozenset({"CNC", "INTRADAY", "MTF"}), False: frozenset({"INTRADAY", "MARGIN"})}
"""Of shares, and of derivatives; cover and bracket orders are of both."""


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
    """Return the shares that may still be sold for delivery, by this order or others."""
    known = core.state.open.get(order.order_id)
    return unsold(core, order.instrument) + (known.remaining_quantity if known is not None else 0)


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
