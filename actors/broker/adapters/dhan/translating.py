"""From what a user orders to what Dhan is asked: checked against the instrument before anything leaves. Pure.

The trap is the stop order: since market price protection, a STOP_LOSS_MARKET is filled at once, its trigger dropped, or
refused. So none leaves; a stop is a STOP_LOSS whose limit lies behind its trigger, on the price grid.
"""

from __future__ import annotations

import itertools
from datetime import date
from typing import Any, TypeAlias

from msgspec import UNSET

from .....domain.dhan.account.funds import MarginLeg
from .....domain.dhan.trading.alerts import AlertOrder, MultiOrderLeg
from .....domain.dhan.trading.forever_orders import PlaceForeverOrderRequest
from .....domain.dhan.trading.orders import ModifyOrderRequest, PlaceOrderRequest
from .....domain.dhan.trading.super_orders import PlaceSuperOrderRequest
from .....domain.dhan.writing import InvalidRequestError
from .....domain.instruments import Instrument
from .....domain.order_check import order_fault
from .....domain.stops import limit_of_stop
from ..orders import ForeverOrderRequest, OrderRequest, SuperOrderRequest, type_fault

AnyOrder: TypeAlias = OrderRequest | SuperOrderRequest | ForeverOrderRequest

STOPS = frozenset({"STOP_LOSS", "STOP_LOSS_MARKET"})
DISCLOSED_SHARE_MIN = 0.3
"""The exchange wants more than this of an order to be shown, if not all."""


def fault_of(order: AnyOrder, instrument: Instrument, day: date, *, is_sliced: bool = False) -> str:
    """Say why an order may not leave; empty if it may.

    Args:
        order: of one of our kinds.
        instrument: that it is for.
        day: in India, on which it will trade.
        is_sliced: the broker divides it into orders below the freeze quantity.
    """
    if fault := type_fault(order):
        return fault
    quantities: list[int] = []
    if isinstance(order, OrderRequest):
        prices = [order.limit_price, order.trigger_price]
        fault = _prices_fault(order) or _disclosed_fault(order)
    elif isinstance(order, SuperOrderRequest):
        prices = [order.limit_price, order.target_price, order.stop_loss_price]
        fault = _super_fault(order)
    else:
        legs = (order.first, *([order.second] if order.second else []))
        prices = [price for leg in legs for price in (leg.limit_price, leg.trigger_price)]
        quantities = [leg.quantity for leg in legs if leg.quantity]
    found = order_fault(
        instrument, symbol=order.symbol, quantity=order.quantity, day=day, limit_price=prices[0], is_sliced=is_sliced
    )
    if found is not None or fault:
        return fault or str(found)
    for quantity in quantities:
        if wanted := instrument.quantity_wanted(quantity):
            return f"quantity: {wanted} wanted, found {quantity}"
    for price in prices:
        if price is not None and instrument.grid.snap(price) is None:
            return f"price: a multiple of the tick of {instrument.tick_size_rupees:g} wanted, found {price}"
    return ""


def terms_of(order: OrderRequest, instrument: Instrument) -> dict[str, Any]:
    """Return what every request for a plain order says."""
    is_stop = order.order_type in STOPS
    return {
        "transaction_type": order.side,
        "exchange_segment": instrument.segment,
        "product_type": order.product,
        "order_type": "STOP_LOSS" if is_stop else order.order_type,
        "security_id": instrument.security_id,
        "quantity": order.quantity,
        "correlation_id": order.client_order_id,
        "validity": order.validity,
        "disclosed_quantity": order.disclosed_quantity,
        "price": stop_limit(order, instrument) if is_stop else _snapped(instrument, order.limit_price),
        "trigger_price": _snapped(instrument, order.trigger_price),
        "after_market_order": order.after_market is not None,
        "amo_time": UNSET if order.after_market is None else order.after_market,
    }


def placing(order: OrderRequest, instrument: Instrument, client_id: str) -> PlaceOrderRequest:
    """Ask for an order."""
    return PlaceOrderRequest(dhan_client_id=client_id, **terms_of(order, instrument))


def modifying(order_id: str, order: OrderRequest, instrument: Instrument, client_id: str) -> ModifyOrderRequest:
    """Restate an order."""
    terms = terms_of(order, instrument)
    kept = ("order_type", "quantity", "price", "disclosed_quantity", "trigger_price", "validity")
    return ModifyOrderRequest(dhan_client_id=client_id, order_id=order_id, **{name: terms[name] for name in kept})


def leg_of_several(place: int, order: OrderRequest, instrument: Instrument) -> MultiOrderLeg:
    """Ask for one order of several, numbered from 1."""
    return MultiOrderLeg(sequence=str(place), **terms_of(order, instrument))


def alert_order(order: OrderRequest, instrument: Instrument) -> AlertOrder:
    """Ask for an order when a condition is met."""
    terms = terms_of(order, instrument)
    kept = ("transaction_type", "exchange_segment", "product_type", "order_type", "security_id", "quantity", "validity")
    return AlertOrder(
        price=_text(terms["price"]),
        trigger_price=_text(terms["trigger_price"]),
        disc_quantity=str(order.disclosed_quantity),
        **{name: terms[name] for name in kept},
    )


def margin_leg(order: OrderRequest, instrument: Instrument) -> MarginLeg:
    """Ask what an order would need."""
    terms = terms_of(order, instrument)
    kept = ("exchange_segment", "transaction_type", "quantity", "product_type", "security_id", "price", "trigger_price")
    return MarginLeg(**{name: terms[name] for name in kept})


def placing_super(order: SuperOrderRequest, instrument: Instrument, client_id: str) -> PlaceSuperOrderRequest:
    """Ask for a super order."""
    return PlaceSuperOrderRequest(
        dhan_client_id=client_id,
        transaction_type=order.side,
        exchange_segment=instrument.segment,
        product_type=order.product,
        order_type=order.order_type,
        security_id=instrument.security_id,
        quantity=order.quantity,
        correlation_id=order.client_order_id,
        price=_snapped(instrument, order.limit_price),
        target_price=_snapped(instrument, order.target_price),
        stop_loss_price=_snapped(instrument, order.stop_loss_price),
        trailing_jump=order.trailing_jump,
    )


def placing_forever(order: ForeverOrderRequest, instrument: Instrument, client_id: str) -> PlaceForeverOrderRequest:
    """Ask for a forever order.

    Raises:
        InvalidRequestError: one leg has a limit and the other none. Dhan takes one type for both, by which the limit
            would be lost, or the other leg refused.
    """
    second = order.second
    if second is not None and (order.first.limit_price is None) != (second.limit_price is None):
        found = f"{order.first.limit_price} and {second.limit_price}"
        raise InvalidRequestError(f"limit_price: a price of both legs or of none wanted, found {found}")
    return PlaceForeverOrderRequest(
        dhan_client_id=client_id,
        order_flag="SINGLE" if second is None else "OCO",
        transaction_type=order.side,
        exchange_segment=instrument.segment,  # type: ignore[arg-type]  # a segment that has none is refused when written
        product_type=order.product,
        order_type="MARKET" if order.first.limit_price is None else "LIMIT",
        security_id=instrument.security_id,
        quantity=order.first.quantity or order.quantity,
        price=_snapped(instrument, order.first.limit_price),
        trigger_price=_snapped(instrument, order.first.trigger_price),
        validity=order.validity,
        correlation_id=order.client_order_id,
        price1=0.0 if second is None else _snapped(instrument, second.limit_price),
        trigger_price1=0.0 if second is None else _snapped(instrument, second.trigger_price),
        quantity1=0 if second is None else second.quantity or order.quantity,
    )


def stop_limit(order: OrderRequest, instrument: Instrument) -> float:
    """Return the limit of a stop order: its own, or one behind the trigger, on the grid, at least one tick away."""
    if order.limit_price is not None:
        return _snapped(instrument, order.limit_price)
    trigger_price = _snapped(instrument, order.trigger_price)
    return limit_of_stop(
        instrument.grid, side=order.side, trigger_price=trigger_price, offset_percent=order.limit_offset * 100
    )


def _snapped(instrument: Instrument, price: float | None) -> float:
    """Take the noise of float arithmetic off a price; None becomes 0, as Dhan writes it."""
    return 0.0 if price is None else instrument.grid.snap(price) or price


def _text(number: float) -> str:
    """Write a price as text: 1449.5, and 0 for nothing."""
    return f"{number:.4f}".rstrip("0").rstrip(".")


def _prices_fault(order: OrderRequest) -> str:
    is_stop = order.order_type in STOPS
    if order.order_type == "LIMIT" and order.limit_price is None:
        return "limit_price: a price of a LIMIT order wanted, found none"
    if order.order_type in {"MARKET", "STOP_LOSS_MARKET"} and order.limit_price is not None:
        return f"limit_price: none of a {order.order_type} order wanted, found {order.limit_price}"
    if is_stop != (order.trigger_price is not None):
        found = "none" if order.trigger_price is None else str(order.trigger_price)
        return f"trigger_price: {'a price' if is_stop else 'none'} of a {order.order_type} order wanted, found {found}"
    if order.limit_price is not None and order.trigger_price is not None:
        limit, trigger = order.limit_price, order.trigger_price
        if limit < trigger and order.side == "BUY":
            return f"limit_price: a price at or above the trigger {trigger} wanted, found {limit}"
        if limit > trigger and order.side == "SELL":
            return f"limit_price: a price at or below the trigger {trigger} wanted, found {limit}"
    return ""


def _disclosed_fault(order: OrderRequest) -> str:
    shown = order.disclosed_quantity
    if shown and not order.quantity * DISCLOSED_SHARE_MIN < shown <= order.quantity:
        wanted = f"0, or more than {DISCLOSED_SHARE_MIN:.0%} of {order.quantity} and at most all of it"
        return f"disclosed_quantity: {wanted} wanted, found {shown}"
    return ""


def _super_fault(order: SuperOrderRequest) -> str:
    price, target, stop = order.limit_price, order.target_price, order.stop_loss_price
    if (order.order_type == "LIMIT") != (price is not None):
        wanted = "a price" if price is None else "none"
        return f"limit_price: {wanted} of a {order.order_type} order wanted, found {price}"
    if target is None and stop is None:
        return "target_price: a target or a stop wanted, found neither"
    levels = [each for each in (stop, price, target) if each is not None]
    where = "above"
    if order.side == "SELL":
        levels.reverse()
        where = "below"
    if any(later <= earlier for earlier, later in itertools.pairwise(levels)):
        wanted = f"stop, entry and target, each {where} the one before"
        return f"target_price: {wanted}, wanted, found {stop}, {price}, {target}"
    return ""
