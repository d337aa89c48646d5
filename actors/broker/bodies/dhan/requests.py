"""What Dhan is asked in the words of its API: an order of ours as a request to place or to change it. Pure.

A STOP leaves as a STOP_LOSS with a limit a little beyond its trigger, never as a STOP_LOSS_MARKET (`domain/stops.py`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from .....domain.client_order_ids import is_client_order_id
from .....domain.dhan.trading.orders import ModifyOrderRequest, PlaceOrderRequest
from .....domain.order_check import order_fault
from .....domain.stops import limit_of_stop
from .....domain.time import date_of

if TYPE_CHECKING:
    from .....domain.dhan.words import OrderType as DhanOrderType
    from .....domain.instruments import Instrument
    from .....messages.broker import PlaceOrder, ReplaceOrder
    from .....messages.orders import OrderType, Product, Side

_TYPES: Final[dict[OrderType, DhanOrderType]] = {
    "MARKET": "MARKET",
    "LIMIT": "LIMIT",
    "STOP": "STOP_LOSS",
    "STOP_LIMIT": "STOP_LOSS",
}


class Terms(msgspec.Struct, frozen=True, kw_only=True):
    """Type and prices of an order, as Dhan has them."""

    order_type: DhanOrderType
    price: float
    """Rupees; 0 for MARKET."""

    trigger_price: float
    """Rupees; 0 unless it is a stop."""


def terms_of(  # noqa: PLR0913  each is a field of an order
    instrument: Instrument,
    *,
    side: Side,
    order_type: OrderType,
    limit_price: float | None,
    trigger_price: float | None,
    stop_offset_percent: float,
) -> Terms:
    """Return type and prices in Dhan's words, the prices without the noise of arithmetic."""
    grid = instrument.grid
    trigger = 0.0 if trigger_price is None else grid.snap(trigger_price) or trigger_price
    price = 0.0 if limit_price is None else grid.snap(limit_price) or limit_price
    if order_type == "STOP":
        price = limit_of_stop(grid, side=side, trigger_price=trigger, offset_percent=stop_offset_percent)
    return Terms(order_type=_TYPES[order_type], price=price, trigger_price=trigger)


def to_place(
    order: PlaceOrder, instrument: Instrument, *, client_id: str, product: Product, stop_offset_percent: float
) -> PlaceOrderRequest:
    """Return the request that places an order; `product` is that of orders which say none."""
    terms = terms_of(
        instrument,
        side=order.side,
        order_type=order.order_type,
        limit_price=order.limit_price,
        trigger_price=order.trigger_price,
        stop_offset_percent=stop_offset_percent,
    )
    return PlaceOrderRequest(
        dhan_client_id=client_id,
        correlation_id=order.client_order_id,
        transaction_type=order.side,
        exchange_segment=instrument.segment,
        product_type=order.product or product,
        order_type=terms.order_type,
        security_id=instrument.security_id,
        quantity=order.quantity,
        validity=order.validity,
        price=terms.price,
        trigger_price=terms.trigger_price,
    )


def refusal_of(order: PlaceOrder, instrument: Instrument, now_ns: int) -> str:
    """Say why the order may not leave; empty if it may."""
    if not is_client_order_id(order.client_order_id):
        return f"a client order id of 1 to 25 letters, digits, - or _ wanted, found {order.client_order_id!a}"
    return fault_of(order, instrument, now_ns)


def fault_of(order: PlaceOrder | ReplaceOrder, instrument: Instrument, now_ns: int) -> str:
    """Say what is wrong with the quantity and the prices of an order of this instrument; empty if nothing is."""
    fault = order_fault(
        instrument,
        symbol=order.symbol,
        quantity=order.quantity,
        day=date_of(now_ns),
        limit_price=order.limit_price,
        trigger_price=order.trigger_price,
    )
    return "" if fault is None else str(fault)


def to_modify(
    change: ReplaceOrder, instrument: Instrument, *, client_id: str, stop_offset_percent: float
) -> ModifyOrderRequest:
    """Return the request that restates an order whole."""
    terms = terms_of(
        instrument,
        side=change.side,
        order_type=change.order_type,
        limit_price=change.limit_price,
        trigger_price=change.trigger_price,
        stop_offset_percent=stop_offset_percent,
    )
    return ModifyOrderRequest(
        dhan_client_id=client_id,
        order_id=change.broker_order_id,
        order_type=terms.order_type,
        quantity=change.quantity,
        validity=change.validity,
        price=terms.price,
        trigger_price=terms.trigger_price,
    )
